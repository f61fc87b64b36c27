//! What somebody else has written into the tables costs nobody but whom it is about.
#![cfg(feature = "sqlite")]

use std::time::Duration;

use lastseen::store::{Change, KeptSince, SqliteStore};
use lastseen::{Profile, Record, Seen, Store, Timestamp, UserId};
use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::tempdir;

const NOW: Timestamp = Timestamp::from_micros(1_795_490_100_000_000);

fn seen(user: &UserId, at: Timestamp) -> Record {
    Record { seen: Some(Seen { at, ip: "203.0.113.7".parse().ok() }), ..Record::empty(user.clone()) }
}

/// What stands in columns of text, whole numbers and text: SQLite's are strict, but its text is any bytes.
#[derive(Clone, Debug)]
struct Odd {
    user: Vec<u8>,
    numbers: [Option<i64>; 2],
    text: Option<Vec<u8>>,
}

fn odd() -> impl Strategy<Value = Odd> {
    let bytes = || {
        prop_oneof![
            2 => proptest::collection::vec(any::<u8>(), 0..9),
            1 => proptest::collection::vec(any::<u8>(), 250..300),
            1 => "[a-z\\n\u{0}]{0,3}|203\\.0\\.113\\.7/8|::1%eth0".prop_map(String::into_bytes),
        ]
    };
    let number = || proptest::option::of(prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(0)]);
    (bytes(), [number(), number()], proptest::option::of(bytes())).prop_map(|(user, numbers, text)| Odd {
        user,
        numbers,
        text,
    })
}

fn put(connection: &Connection, Odd { user, numbers: [first, second], text }: &Odd) {
    for sql in [
        "INSERT OR IGNORE INTO user_activity VALUES (CAST(?1 AS TEXT), ?2, CAST(?4 AS TEXT), ?3)",
        "INSERT OR IGNORE INTO user_profile VALUES (CAST(?1 AS TEXT), CAST(?4 AS TEXT), coalesce(?2, 1), coalesce(?3, 0))",
        "INSERT OR IGNORE INTO user_forgotten SELECT CAST(?1 AS TEXT), coalesce(?2, ?3, 0) WHERE ?4 IS ?4",
        "INSERT INTO user_activity_feed (user_id, kind, forgotten_at, origin) \
         SELECT CAST(?1 AS TEXT), kind, ?2, coalesce(?3, 0) \
         FROM (SELECT 'activity' AS kind UNION ALL SELECT 'profile' UNION ALL SELECT 'forgotten') WHERE ?4 IS ?4",
    ] {
        connection.execute(sql, (user, first, second, text)).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_somebody_else_writes_costs_only_itself(rows in proptest::collection::vec(odd(), 1..20)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let directory = tempdir().unwrap();
            let path = directory.path().join("lastseen.db");
            let (here, there) = (SqliteStore::open(&path).await.unwrap(), SqliteStore::open(&path).await.unwrap());
            let start = there.follow(None).await.unwrap().cursor;
            let ada = UserId::new("ada lovelace").unwrap();
            here.write(&[seen(&ada, NOW)], NOW).await.unwrap();
            here.set_profile(&ada, &Profile::named("Ada")).await.unwrap();
            let connection = Connection::open(&path).unwrap();
            for row in &rows {
                put(&connection, row);
            }

            let mut all: Vec<UserId> =
                rows.iter().filter_map(|row| UserId::new(std::str::from_utf8(&row.user).ok()?).ok()).collect();
            all.push(ada.clone());
            all.sort();
            all.dedup();
            let later = NOW + Duration::from_secs(1);
            here.write(&all.iter().map(|user| seen(user, later)).collect::<Vec<_>>(), later).await.unwrap();

            for user in &all {
                there.read(user).await.unwrap();
            }
            let ada_now = seen(&ada, later);
            assert_eq!(there.read(&ada).await.unwrap(), Some(ada_now.clone()));
            assert!(there.recent(NOW, None).await.unwrap().records.contains(&ada_now));
            assert!(there.profiles(&all).await.unwrap().contains(&(ada.clone(), Profile::named("Ada"))));
            let told = there.follow(Some(&start)).await.unwrap().changes;
            assert!(told.contains(&Change::Record(ada_now.clone())), "{told:?}");
            assert!(told.contains(&Change::Profile(ada.clone(), Profile::named("Ada"))), "{told:?}");

            let since = KeptSince { addresses: Some(NOW), records: Some(NOW) };
            assert_eq!(there.expire(since, later, None).await.unwrap(), None);
            assert_eq!(there.read(&ada).await.unwrap(), Some(ada_now));
            for user in &all {
                there.forget(user, later, later).await.unwrap();
                assert_eq!(there.read(user).await.unwrap().and_then(|record| record.seen), None);
            }
        });
    }
}

/// A page's last record says where the next begins.
#[tokio::test]
async fn a_page_may_end_at_an_id_that_is_no_text() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let users: Vec<UserId> = (0..12_000).map(|number| UserId::new(&format!("{number:05}")).unwrap()).collect();
    store.write(&users.iter().map(|user| seen(user, NOW)).collect::<Vec<_>>(), NOW).await.unwrap();
    let odd = "INSERT INTO user_activity (user_id, last_activity_date, last_activity_ip) \
               SELECT CAST(CAST(user_id AS BLOB) || x'ff' AS TEXT), 0, '::1' FROM user_activity \
               WHERE user_id BETWEEN '02400' AND '02600'";
    assert_eq!(Connection::open(&path).unwrap().execute(odd, ()).unwrap(), 201);

    let (mut listed, mut next) = (Vec::new(), None);
    loop {
        let page = store.recent(NOW, next.as_ref()).await.unwrap();
        listed.extend(page.records.into_iter().map(|record| record.user));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(listed, users);

    let mut pages = 0;
    loop {
        next = store.expire(KeptSince { addresses: Some(NOW), records: None }, NOW, next.as_ref()).await.unwrap();
        pages += 1;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    let addresses = "SELECT count(*) FROM user_activity WHERE last_activity_ip = '::1'";
    let left: u32 = Connection::open(&path).unwrap().query_row(addresses, (), |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "the addresses of them go all the same");
}
