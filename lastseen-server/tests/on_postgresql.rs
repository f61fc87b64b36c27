//! The program on a site's own PostgreSQL: its commands, what it refuses and why, its faults, and three at once.

mod program;

use std::time::Duration;

use lastseen_harness::{Http, Postgres, Program, eventually};
use program::{Place, complaint, printed};
use serde_json::json;

const USERS: &str = "CREATE TABLE auth_user (id integer PRIMARY KEY, username text, is_active boolean, email text);
    INSERT INTO auth_user VALUES (7, 'ada', true, 'a'), (8, 'bob', true, 'b')";

async fn touch(http: &Http, user: &str) {
    let touch = json!({ "user": user, "ip": "203.0.113.7" });
    assert_eq!(http.post("/v1/touch").json(&touch).await.status, 202);
}

async fn online(http: &Http) -> Vec<String> {
    let users = http.get("/v1/online").await.json()["users"].clone();
    let mut users: Vec<_> = users.as_array().unwrap().iter().map(|user| user["user"].to_string()).collect();
    users.sort();
    users
}

#[tokio::test]
async fn every_command_works_straight_on_the_store() {
    let postgres = Postgres::shared().await;
    let url = postgres.database("commands").await;
    postgres.sql("commands", USERS).await;
    let place = Place::new();
    let run = async |arguments: &[&str]| place.run(&[arguments, &["--store", &url]].concat()).await;

    assert_eq!(
        printed(run(&["migrate", "--store-users", "auth_user.id"]).await),
        format!("postgres://127.0.0.1:{}/commands has the tables of this version\n", postgres.port())
    );
    // Nothing has to be said of keys and users once the tables are there.
    assert_eq!(printed(run(&["touch", "7", "--ip", "203.0.113.7"]).await), "");
    assert_eq!(printed(run(&["touch", "8", "--at", "2026-01-01T00:00:00Z"]).await), "");
    assert_eq!(printed(run(&["count"]).await), "1\n");
    assert!(printed(run(&["online"]).await).contains("203.0.113.7"));
    assert!(printed(run(&["seen", "7"]).await).starts_with("7 is online: last seen "));
    assert!(printed(run(&["seen", "8"]).await).ends_with(", at 2026-01-01T00:00:00Z\n"));
    let joined =
        "SELECT username, host(last_activity_ip) FROM auth_user JOIN user_activity ON user_id = id WHERE id = 7";
    assert_eq!(postgres.sql("commands", joined).await, "ada|203.0.113.7");
    assert_eq!(printed(run(&["leave", "7"]).await), "");
    assert_eq!(printed(run(&["count"]).await), "0\n");
    assert_eq!(printed(run(&["forget", "7"]).await), "");
    assert_eq!(complaint(run(&["seen", "7"]).await, 1), "lastseen: the user 7 was never seen\n");

    // Whom the site doesn't have is dropped, and whoever looks at the log is told.
    for stranger in ["9", "eve"] {
        let finished = run(&["touch", stranger]).await;
        assert!(
            finished.status.success() && finished.stderr.contains("users whom the site can't have"),
            "{finished:?}"
        );
    }
    assert_eq!(printed(run(&["count"]).await), "0\n");
    assert_eq!(place.contents(), []);
}

#[tokio::test]
async fn what_is_wrong_is_named_with_what_would_be_right() {
    let mut postgres = Postgres::start().await;
    let url = postgres.database("site").await;
    postgres.sql("site", USERS).await;
    postgres
        .sql("site", "CREATE ROLE ada LOGIN PASSWORD 'right'; CREATE ROLE guest LOGIN; CREATE TABLE other_meta ()")
        .await;
    let password = ["host all postgres,guest 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256"];
    postgres.pg_hba(&password).await;
    let place = Place::new();
    let with_role = |role: &str| url.replace("postgres@", &format!("{role}@"));
    let (wrong, guest, nowhere) = (with_role("ada:wrong"), with_role("guest"), postgres.url("nowhere"));
    for (arguments, exit_code, named) in [
        (&["--store", &wrong][..], 1, &["refuses the password of the role ada", "right one in the URL"][..]),
        (&["--store", &with_role("ada")], 1, &["a password that is asked for goes into the URL"]),
        (&["--store", &with_role("nobody:x")], 1, &["the role nobody"]),
        (&["--store", &nowhere], 1, &["has no such database", "create it"]),
        (&["--store", &guest], 1, &["role guest make tables", "GRANT USAGE, CREATE ON SCHEMA public TO guest"]),
        (
            &["--store", &url, "--store-users", "auth_user.id", "--store-key", "uuid"],
            1,
            &["auth_user.id as int4, and the key type is uuid", "the key type bigint is right"],
        ),
        (&["--store", &url, "--store-users", "users.id"], 1, &["has no table users: name the site's user table"]),
        (&["--store", &url, "--store-users", "auth_user.uid"], 1, &["has no column uid in auth_user"]),
        (&["--store", &url, "--store-users", "auth_user.email"], 1, &["no unique index on public.auth_user.email"]),
        (&["--store", &url, "--store-users", "auth_user.is_active"], 1, &["as bool", "none of the key types"]),
        (&["--store", &url, "--store-users", "auth_user"], 2, &["store_users (--store-users)", "such as auth_user.id"]),
        (&["--store", &url, "--store-key", "int"], 2, &["store_key (--store-key)", "text, bigint or uuid"]),
        (&["--store-key", "bigint"], 2, &["store_key = bigint (--store-key) is for PostgreSQL", "store = sqlite:"]),
        (&["--store", "memory:", "--store-users", "a.b"], 2, &["store_users = a.b", "store = memory: (--store)"]),
        (&["--store", "postgresq://db"], 2, &["\"postgresq\" is no kind of store", "postgres://HOST/DATABASE"]),
        (&["--store", "postgres:db"], 2, &["postgres: is followed by //"]),
        (&["--store", "postgres://db:port/site"], 2, &["\"postgres://db:port/site\" can't be read"]),
    ] {
        let serve = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let said = complaint(place.run(&serve).await, exit_code);
        for part in named {
            assert!(said.contains(part), "{arguments:?}: {part:?} is not in: {said}");
        }
        assert!(!said.contains("wrong@") && !said.contains(":wrong"), "a password is shown: {said}");
        let migrate = place.run(&[&["migrate"], arguments].concat()).await;
        assert_eq!(migrate.status.code(), Some(exit_code), "{migrate:?}");
    }
    assert_eq!(postgres.sql("site", "SELECT to_regclass('user_activity') IS NULL").await, "t", "nothing was made");

    postgres.stop().await;
    for command in [&["online"][..], &["touch", "7"], &["migrate"]] {
        let finished = place.run(&[command, &["--store", &url]].concat()).await;
        assert_eq!(finished.status.code(), Some(1), "{finished:?}");
        let said = finished.stderr.lines().last().unwrap();
        assert!(said.starts_with("lastseen: ") && said.contains("can't be reached"), "{finished:?}");
        assert!(said.contains(&postgres.port().to_string()), "{said}");
    }
    assert_eq!(place.contents(), []);
}

/// The site's requests are served all the while, whatever becomes of the database.
#[tokio::test]
async fn readyz_tells_what_is_wrong_with_the_store() {
    let mut postgres = Postgres::start().await;
    let url = postgres.database("site").await;
    postgres.stop().await;
    let place = Place::new();
    let server = place.serve(&["--store", &url]).await;
    let http = Http::new(server.url());
    let ready = async || {
        let answer = http.get("/readyz").await;
        (answer.status, answer.text().to_owned())
    };
    let within = Duration::from_secs(15);
    let says = async |says: &str| {
        eventually(within, ready, |(status, text)| *status == 503 && text.contains(says)).await;
    };

    says("can't be reached").await;
    touch(&http, "ada").await;
    assert_eq!(online(&http).await, ["\"ada\""], "answers come from memory");
    postgres.restart().await;
    eventually(within, ready, |(status, _)| *status == 200).await;
    let stored = async || postgres.sql("site", "SELECT count(*) FROM user_activity_readable").await;
    eventually(within, stored, |stored| stored == "1").await;

    postgres.kill().await;
    touch(&http, "bob").await;
    says("can't be reached").await;
    postgres.restart().await;
    eventually(within, ready, |(status, _)| *status == 200).await;

    postgres.sql("postgres", "ALTER SYSTEM SET default_transaction_read_only = on").await;
    postgres.reload().await;
    postgres.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'site'").await;
    touch(&http, "cy").await;
    says("is read-only while writing activities").await;
    postgres.sql("postgres", "ALTER SYSTEM RESET default_transaction_read_only").await;
    postgres.reload().await;
    eventually(within, ready, |(status, _)| *status == 200).await;
    eventually(within, async || postgres.sql("site", "SELECT count(*) FROM user_activity").await, |n| n == "3").await;
    assert!(server.terminate().await.status.success());
}

/// Whoever is touched in one is in every other's list within the granularity and two seconds, and leaves it likewise.
#[tokio::test]
async fn rule_6_three_servers_agree() {
    let postgres = Postgres::shared().await;
    let url = postgres.database("agree").await;
    let place = Place::new();
    let times = ["--window", "1m", "--granularity", "1s", "--store", &url];
    let within = Duration::from_secs(1 + 2);
    let servers: [Program; 3] = [place.serve(&times).await, place.serve(&times).await, place.serve(&times).await];
    let https = servers.each_ref().map(|server| Http::new(server.url()));

    for (number, http) in https.iter().enumerate() {
        touch(http, &format!("user-{number}")).await;
    }
    for http in &https {
        let all = |users: &Vec<String>| users == &["\"user-0\"", "\"user-1\"", "\"user-2\""];
        eventually(within, async || online(http).await, all).await;
    }
    assert_eq!(https[1].post("/v1/leave").json(&json!({ "user": "user-0" })).await.status, 202);
    for http in &https {
        eventually(within, async || online(http).await, |users| users == &["\"user-1\"", "\"user-2\""]).await;
    }
    https[2].put("/v1/users/user-1").json(&json!({ "hidden": true })).await;
    https[0].delete("/v1/users/user-2").await;
    for http in &https {
        eventually(within, async || online(http).await, Vec::is_empty).await;
    }
}
