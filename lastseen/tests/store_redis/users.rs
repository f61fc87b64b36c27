//! Where users' records are: no id says so.

use std::collections::BTreeSet;

use lastseen::{Profile, Store, UserId};

use crate::place::{NOW, Place, seen};

/// Ids that would steer their slot, or be taken for a part of a key, were they ever part of one.
fn steering() -> Vec<UserId> {
    let mut ids: Vec<UserId> = Vec::new();
    for tag in ["meta", "0", "1", "40821", "802"] {
        for form in [
            "{TAG}",
            "{TAG}x",
            "}{TAG}",
            "a:{TAG}:seen",
            "lastseen:{TAG}:seen",
            "{{TAG}}",
            "{}TAG",
            "'{TAG}'",
            "\"{TAG}\"",
        ] {
            ids.push(UserId::new(&form.replace("TAG", tag)).unwrap());
        }
    }
    ids.extend(
        ["{", "}", "{}", "\\0", "\\x00", "\\n", "' .. 1 .. '", "*", "$6", "\u{a0}"].map(|id| UserId::new(id).unwrap()),
    );
    ids.sort();
    ids
}

#[tokio::test]
async fn no_id_steers_its_slot() {
    let place = Place::clustered().await;
    let store = place.open().await;
    let users = steering();
    let records: Vec<_> = users.iter().map(|user| seen(user, -1)).collect();
    store.write(&records, NOW).await.unwrap();
    for user in &users {
        store.set_profile(user, &Profile::named(user.as_str())).await.unwrap();
        assert_eq!(store.read(user).await.unwrap(), Some(seen(user, -1)));
    }
    assert_eq!(store.profiles(&users).await.unwrap().len(), users.len());
    store.forget(&users[0], NOW, NOW).await.unwrap();

    let mut groups = BTreeSet::new();
    for key in keys(&place).await {
        let rest = key.strip_prefix(place.prefix()).and_then(|rest| rest.strip_prefix(":{")).expect(&key);
        let (tag, kind) = rest.split_once("}:").expect(&key);
        if tag == "meta" {
            assert_eq!(kind, "meta");
            continue;
        }
        assert!(tag.parse::<u32>().is_ok(), "{key}");
        let kinds = ["seen", "ip", "left", "forgotten", "profile", "feed", "trimmed", "number", "active:2026-11-24"];
        assert!(kinds.contains(&kind), "{key}");
        groups.insert(tag.to_owned());
    }
    assert!((25..=64).contains(&groups.len()), "{} users are in {} groups", users.len(), groups.len());
}

/// All keys of the place, from all masters.
async fn keys(place: &Place<lastseen_harness::RedisCluster>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for server in &place.server.servers {
        if server.info("role").await == "master" {
            let found = server.cli(&["KEYS", &format!("{}:*", place.prefix())]).await;
            keys.extend(found.lines().filter(|line| !line.is_empty()).map(str::to_owned));
        }
    }
    keys
}

#[tokio::test]
async fn groups_are_spread_evenly_over_the_masters() {
    let place = Place::clustered().await;
    let store = place.open().await;
    let mut records: Vec<_> = (0..3_000_u32).map(|user| seen(&user.into(), -1)).collect();
    records.sort_by(|a, b| a.user.cmp(&b.user));
    store.write(&records, NOW).await.unwrap();
    for server in &place.server.servers {
        if server.info("role").await == "master" {
            let keys = server.cli(&["KEYS", &place.keys("seen")]).await.lines().count();
            assert!((21..=22).contains(&keys), "{keys} of 64 groups on one of three masters");
        }
    }
}
