//! `lastseen import`: what sites have already, from both kinds of database into both kinds of store.

mod program;

use lastseen_harness::Postgres;
use program::{Place, complaint, printed};
use rusqlite::Connection;

/// A place with a site's SQLite file in it.
fn site(sql: &str) -> Place {
    let place = Place::new();
    Connection::open(place.path().join("site.db")).unwrap().execute_batch(sql).unwrap();
    place
}

async fn seen(place: &Place, user: &str) -> String {
    let seen = printed(place.run(&["seen", user]).await);
    seen.split_once(", at ").unwrap().1.trim_end().to_owned()
}

#[tokio::test]
async fn djangos_last_logins_as_often_as_wanted() {
    let place = site(
        "CREATE TABLE auth_user (id integer PRIMARY KEY, username varchar(150), last_login datetime);
         INSERT INTO auth_user VALUES
            (1, 'ada', '2026-01-02 03:04:05.678901'), (2, 'bob', NULL), (3, 'cy', '2025-05-05 05:05:05');",
    );
    let import = ["import", "--from", "sqlite:site.db", "--site", "django"];
    let report = |verb: &str| {
        format!("auth_user.last_login of sqlite:site.db: 3 rows\n           2 {verb}\n           1 without a date\n")
    };
    assert_eq!(printed(place.run(&[&import[..], &["--dry-run"]].concat()).await), report("would be imported"));
    assert!(!place.path().join("lastseen.db").exists(), "nothing is written");

    assert_eq!(printed(place.run(&import).await), report("imported"));
    assert_eq!(seen(&place, "1").await, "2026-01-02T03:04:05.678901Z");
    complaint(place.run(&["seen", "2"]).await, 1);
    // The later date stays, whichever comes first.
    printed(place.run(&["touch", "3", "--at", "2026-02-02T00:00:00Z"]).await);
    assert_eq!(printed(place.run(&import).await), report("imported"));
    assert_eq!(seen(&place, "3").await, "2026-02-02T00:00:00Z");
    assert_eq!(seen(&place, "1").await, "2026-01-02T03:04:05.678901Z");
}

#[tokio::test]
async fn laravels_sessions_of_which_a_user_may_have_several_and_a_guest_one() {
    let place = site(
        "CREATE TABLE sessions (id varchar PRIMARY KEY, user_id integer, ip_address varchar(45), last_activity integer);
         INSERT INTO sessions VALUES ('a', 7, '203.0.113.7', 1700000000), ('b', 7, '2001:db8::7', 1700000300),
            ('c', NULL, '203.0.113.9', 1700000300), ('d', 7, '203.0.113.8', 1700000100), ('e', 8, NULL, 1700000000);",
    );
    let report = printed(place.run(&["import", "--from", "sqlite:site.db", "--site", "laravel"]).await);
    assert!(
        report.starts_with("sessions.last_activity of sqlite:site.db: 5 rows\n           4 imported\n"),
        "{report}"
    );
    assert!(report.ends_with("           1 without a user\n"), "{report}");
    assert_eq!(seen(&place, "7").await, "2023-11-14T22:18:20Z, from 2001:db8::7");
    assert_eq!(seen(&place, "8").await, "2023-11-14T22:13:20Z");
}

#[tokio::test]
async fn each_row_that_can_not_be_taken_is_counted_with_its_reason_and_an_example() {
    let long = "x".repeat(129);
    let place = site(&format!(
        r#"CREATE TABLE "It's ""odd""" ("Who;" , "When" , "Where" );
           INSERT INTO "It's ""odd""" VALUES
            ('Ada', '2026-01-02T03:04:05+02:00', '::ffff:203.0.113.7'), ('bob', 1767323045.25, 'nowhere'),
            ('ms', 1767323045000, NULL), ('epoch', 0, NULL), ('dotnet', '0001-01-01 00:00:00', NULL),
            ('word', 'yesterday', NULL), ('{long}', '2026-01-02', NULL), (x'00ff', '2026-01-02', NULL),
            ('', '2026-01-02', NULL), (NULL, '2026-01-02', NULL), ('never', NULL, NULL);"#
    ));
    let columns = ["--table", "It's \"odd\"", "--id", "Who;", "--date", "When", "--ip", "Where"];
    let report = printed(place.run(&[&["import", "--from", "sqlite:site.db"][..], &columns].concat()).await);
    let lines: Vec<_> = report.lines().collect();
    assert_eq!(lines[0], "It's \"odd\".When of sqlite:site.db: 11 rows");
    assert_eq!(lines[1], "           2 imported");
    for line in [
        "           1 without a date",
        "           1 without a user",
        "           1 refused: the date can't be read, such as word (\"yesterday\")",
        "           1 refused: dated ahead of this machine's clock, such as ms (",
        "           2 refused: dated 1970 or earlier, as what was never set often is, such as epoch (1970-01-01T00:00:00Z), ",
        "           3 refused: the user's key can be no id, such as \"xxxx",
        "           1 imported without their address, which can't be read, such as bob (\"nowhere\")",
    ] {
        assert!(lines.iter().any(|found| found.starts_with(line)), "{line:?} is not in:\n{report}");
    }
    assert_eq!(seen(&place, "Ada").await, "2026-01-02T01:04:05Z, from 203.0.113.7");
    assert_eq!(seen(&place, "bob").await, "2026-01-02T03:04:05.25Z");
}

/// Into the same database, one to one with the users, more of them than are in memory at a time.
#[tokio::test]
async fn devises_sign_ins_on_postgresql_belong_to_their_users() {
    let postgres = Postgres::shared().await;
    let url = postgres.database("devise").await;
    postgres
        .sql(
            "devise",
            "CREATE TABLE users (id bigserial PRIMARY KEY, email varchar, current_sign_in_at timestamp(6), current_sign_in_ip inet);
             INSERT INTO users (email, current_sign_in_at, current_sign_in_ip)
                SELECT n || '@example.com', timestamp '2026-01-02 03:04:05' + n * interval '1 second', '203.0.113.7'
                FROM generate_series(1, 25000) AS n;
             UPDATE users SET current_sign_in_at = NULL WHERE id <= 5;
             CREATE TABLE archive (user_id bigint, seen timestamptz);
             INSERT INTO archive VALUES (6, '2026-03-03 03:03:03+00'), (99999, '2026-03-03 03:03:03+00');",
        )
        .await;
    let place = Place::new();
    let import = async |arguments: &[&str]| {
        printed(place.run(&[&["import", "--from", &url, "--store", &url], arguments].concat()).await)
    };
    let from = format!("postgres://127.0.0.1:{}/devise", postgres.port());
    let report = import(&["--site", "devise", "--store-users", "users.id"]).await;
    assert_eq!(
        report,
        format!("users.current_sign_in_at of {from}: 25000 rows\n       24995 imported\n           5 without a date\n")
    );
    let joined = "SELECT email, last_activity_date = current_sign_in_at AT TIME ZONE 'UTC', host(last_activity_ip) \
                  FROM users JOIN user_activity ON user_id = id WHERE id = 20000";
    assert_eq!(postgres.sql("devise", joined).await, "20000@example.com|t|203.0.113.7");
    assert_eq!(postgres.sql("devise", "SELECT count(*) FROM user_activity").await, "24995");

    // A user who is gone is told, and a later date from elsewhere stays.
    let finished = place
        .run(&["import", "--from", &url, "--table", "archive", "--id", "user_id", "--date", "seen", "--store", &url])
        .await;
    assert!(finished.status.success(), "{finished:?}");
    assert_eq!(
        finished.stdout,
        format!(
            "archive.seen of {from}: 2 rows\n           1 imported\n           1 refused: the store's user table doesn't have \
             them\n"
        )
    );
    import(&["--site", "devise"]).await;
    let later = "SELECT last_activity_date FROM user_activity WHERE user_id = 6";
    assert!(postgres.sql("devise", later).await.starts_with("2026-03-03 03:03:03"));
}

#[tokio::test]
async fn dates_and_keys_of_every_type_that_sites_use() {
    let postgres = Postgres::shared().await;
    let url = postgres.database("types").await;
    let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    postgres
        .sql(
            "types",
            &format!(
                r#"ALTER DATABASE types SET timezone = 'Asia/Tokyo';
                CREATE SCHEMA "Own";
                CREATE TABLE "Own"."AspNetUsers" ("Id" uuid, "LastActivityDate" timestamptz, zone timestamp, day date,
                    seconds bigint, fine double precision, text varchar, ip varchar, wrong boolean, open timestamptz);
                INSERT INTO "Own"."AspNetUsers" VALUES ('{uuid}', '2026-01-02 03:04:05.678901+00', '2026-01-02 03:04:05',
                    '2026-01-02', 1767323045, 1767323045.5, '2026-01-02 03:04:05', '203.0.113.7', true, 'infinity');"#
            ),
        )
        .await;
    let place = Place::new();
    for (date, at) in [
        ("LastActivityDate", "2026-01-02T03:04:05.678901Z"),
        ("zone", "2026-01-02T03:04:05Z"),
        ("day", "2026-01-02T00:00:00Z"),
        ("seconds", "2026-01-02T03:04:05Z"),
        ("fine", "2026-01-02T03:04:05.5Z"),
        ("text", "2026-01-02T03:04:05Z"),
    ] {
        let store = format!("sqlite:{date}.db");
        let import = ["import", "--from", &url, "--site", "aspnet-identity", "--table", "Own.AspNetUsers"];
        printed(place.run(&[&import[..], &["--date", date, "--ip", "ip", "--store", &store]].concat()).await);
        let seen = printed(place.run(&["seen", uuid, "--store", &store]).await);
        assert!(seen.contains(&format!(", at {at}, from 203.0.113.7")), "{date}: {seen}");
    }
    let odd = ["import", "--from", &url, "--table", "Own.AspNetUsers", "--id", "Id", "--date"];
    let said = complaint(place.run(&[&odd[..], &["wrong"]].concat()).await, 1);
    assert!(said.contains("gives boolean as its second column: it must be a date or seconds"), "{said}");
    let report = printed(place.run(&[&odd[..], &["open"]].concat()).await);
    assert!(report.contains("1 refused: dated ahead of this machine's clock"), "{report}");
}

#[tokio::test]
async fn what_can_not_be_imported_from_is_named() {
    let mut postgres = Postgres::start().await;
    let url = postgres.database("site").await;
    postgres.sql("site", "CREATE TABLE auth_user (id int, last_login date); CREATE ROLE guest LOGIN").await;
    let guest = url.replace("postgres@", "guest@");
    let place = site("CREATE TABLE auth_user (id integer PRIMARY KEY, username varchar)");
    std::fs::write(place.path().join("letter.db"), "a letter to my aunt, and rather a long one. ".repeat(40)).unwrap();
    let hint = "name the table and its columns by --table";
    let django = ["--site", "django"];
    for (from, arguments, exit_code, named) in [
        ("sqlite:site.db", &django[..], 1, &["last_login", "site.db", hint][..]),
        ("sqlite:site.db", &["--site", "devise"], 1, &["no such table: users", hint]),
        ("sqlite:nowhere.db", &django, 1, &["--from: there is no file nowhere.db"]),
        ("sqlite:letter.db", &django, 1, &["--from: ", "letter.db", "is not a SQLite database"]),
        (&url, &["--site", "laravel"], 1, &["relation \"sessions\" does not exist", hint]),
        (&url, &["--site", "django", "--date", "seen"], 1, &["column site.seen does not exist", hint]),
        (&guest, &django, 1, &["refuses the role guest while reading last activities", "auth_user"]),
        (&postgres.url("nowhere"), &django, 1, &["has no such database"]),
        ("mysql://db", &django, 2, &["--from: \"mysql\" is no kind of store"]),
        ("memory:", &django, 2, &["--from memory: is no site's database"]),
        ("sqlite:site.db", &["--site", "aspnet-identity"], 2, &["keeps no date of its own", "--date"]),
        ("sqlite:site.db", &["--site", "drupal"], 2, &["drupal", "laravel"]),
        ("sqlite:site.db", &["--table", "auth_user"], 2, &["--id", "--date"]),
        ("sqlite:site.db", &["--site", "django", "--store", "memory:"], 2, &["memory: ends with this command"]),
    ] {
        let said = complaint(place.run(&[&["import", "--from", from], arguments].concat()).await, exit_code);
        for part in named {
            assert!(said.contains(part), "{arguments:?}: {part:?} is not in: {said}");
        }
    }
    assert!(!place.path().join("lastseen.db").exists(), "nothing is made");
    postgres.stop().await;
    let said = complaint(place.run(&["import", "--from", &url, "--site", "django"]).await, 1);
    assert!(said.contains("can't be reached"), "{said}");
}
