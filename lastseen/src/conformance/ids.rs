//! Rules 9 and 10: profiles, and ids that look alike.

use super::sample::{NOW, at, handle, ip, seen, user};
use crate::store::Change;
use crate::{Profile, Record, Store, UserId};

/// Rule 9: the last profile set is given, whole; users without one are left out.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_9_profiles<S: Store>(open: impl AsyncFn() -> S) {
    let store = handle(&open).await;
    let names = [None, Some(""), Some("Ada"), Some("Ådä \u{202e}\n' \" <b> ☃ 😀")];
    let mut users: Vec<UserId> = Vec::new();
    for name in names {
        for (active, hidden) in [(true, false), (true, true), (false, false), (false, true)] {
            let user = user(&format!("rule 9 {:02}", users.len()));
            let profile = name.map_or_else(Profile::new, Profile::named).active(active).hidden(hidden);
            for set in [Profile::named("before").active(!active).hidden(!hidden), profile.clone()] {
                store.set_profile(&user, &set).await;
                assert_eq!(store.profile(&user).await, Some(set), "rule 9, profiles: the last that was set");
            }
            users.push(user);
        }
    }
    let strangers = [user("rule 9 stranger"), user("rule 9 seen")];
    store.write(&[seen(&strangers[1], at(-1), ip(1))]).await;
    let asked: Vec<_> = strangers.iter().chain(&users).cloned().collect();
    let found = store.profiles(&asked).await;
    assert!(found.keys().eq(&users), "rule 9, profiles: those who have one, and nobody else: {found:?}");
    assert!(store.profiles(&[]).await.is_empty(), "rule 9, profiles: of nobody");
}

/// Rule 10: ids that differ in any byte are different users, whatever characters they have.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_10_any_valid_id<S: Store>(open: impl AsyncFn() -> S) {
    let store = handle(&open).await;
    let follower = handle(&open).await;
    let start = follower.start().await;
    let users = look_alikes();
    let record = |number: usize, user: &UserId| {
        let number = u32::try_from(number).unwrap_or(0);
        seen(user, at(-1 - i64::from(number)), ip(number))
    };
    let records: Vec<Record> = users.iter().enumerate().map(|(number, user)| record(number, user)).collect();
    let profile = |user: &UserId| Profile::named(user.as_str());

    store.write(&records).await;
    for user in &users {
        store.set_profile(user, &profile(user)).await;
    }
    let recent = store.recent(at(-10_000)).await;
    let changes = follower.follow(&start).await.changes;
    let profiles = store.profiles(&users).await;
    for expected in &records {
        let user = &expected.user;
        assert_eq!(store.read(user).await.as_ref(), Some(expected), "rule 10, any valid id: read {user:?}");
        assert_eq!(recent.get(user), Some(expected), "rule 10, any valid id: {user:?} among the recent");
        assert_eq!(profiles.get(user), Some(&profile(user)), "rule 10, any valid id: the profile of {user:?}");
        let told = changes.contains(&Change::Record(expected.clone()));
        assert!(told, "rule 10, any valid id: {user:?} among the changes");
    }

    // Forgetting every other one takes none of the rest.
    for user in users.iter().step_by(2) {
        store.forget(user, NOW).await;
    }
    for (number, user) in users.iter().enumerate() {
        let expected = (number % 2 == 1).then(|| record(number, user));
        assert_eq!(store.read(user).await, expected, "rule 10, any valid id: {user:?}, after others were forgotten");
    }
}

fn look_alikes() -> Vec<UserId> {
    let groups: [&[&str]; 5] = [
        &["ada", "Ada", "ADA", " ada", "ada ", "ada\u{a0}", "аda", "ad\u{e1}", "ada\u{301}", "ad", "adaa"],
        &["0", "00", "-0", "+0", "0.0", "0e0", "1", "01", "1.0", "1_0", "10", "9223372036854775808", "١"],
        &["%", "_", "ad%", "ad_", "*", "?", "[a]", "\\", "\\\\", "/", "..", ":", "a:b", "{a}b", "{}", "a,b"],
        &["'", "''", "\"", "`", ";", "--", "/*", "$1", "?1", "NULL", "null", "true", "[]", "(1)", "<b>", "&amp;"],
        &["straße", "strasse", "STRASSE", "\u{fb01}", "fi", "İ", "i̇", "😀", "👩‍👩‍👧", "\u{feff}ada", "\u{10ffff}"],
    ];
    let longest = "ä".repeat(UserId::MAX_BYTES / 2);
    let almost = format!("{}x", &longest[..UserId::MAX_BYTES - 2]);
    let long = [longest.as_str(), almost.as_str(), &longest[..UserId::MAX_BYTES - 2]];
    let mut users: Vec<UserId> = groups.concat().into_iter().chain(long).map(user).collect();
    users.sort();
    users
}
