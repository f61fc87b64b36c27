//! A PostgreSQL server of a test's own obeys, keeps its data, and leaves nothing behind.

use std::path::PathBuf;
use std::time::Duration;

use lastseen_harness::{Postgres, eventually};

#[tokio::test]
async fn it_keeps_its_data_and_its_port_over_a_crash_and_a_stop() {
    let mut server = Postgres::start().await;
    let port = server.port();
    server.database("site").await;
    server.sql("site", "CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await;
    server.kill().await;
    server.restart().await;
    assert_eq!((server.port(), server.sql("site", "SELECT a FROM t").await.as_str()), (port, "1"));
    server.stop().await;
    server.restart().await;
    assert_eq!(server.sql("site", "SELECT count(*) FROM t").await, "1");

    let directory = PathBuf::from(server.socket());
    assert!(directory.join(format!(".s.PGSQL.{port}")).exists());
    drop(server);
    assert!(!directory.exists(), "its directory goes with it");
}

#[tokio::test]
async fn while_paused_nobody_is_answered() {
    let server = Postgres::start().await;
    server.pause();
    let mut asked = std::pin::pin!(server.sql("postgres", "SELECT 1"));
    let answer = tokio::time::timeout(Duration::from_millis(300), &mut asked).await;
    assert!(answer.is_err(), "{answer:?}");
    server.resume();
    assert_eq!(asked.await, "1");
}

#[tokio::test]
async fn a_standby_takes_the_place_of_its_primary_without_what_it_was_not_handed() {
    let mut primary = Postgres::start().await;
    primary.database("site").await;
    primary.sql("site", "CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await;
    let standby = primary.standby().await;
    primary.sql("site", "INSERT INTO t VALUES (2)").await;
    let count = async || standby.sql("site", "SELECT count(*) FROM t").await;
    eventually(Duration::from_secs(5), count, |count| count == "2").await;
    standby.cut_off().await;
    primary.sql("site", "INSERT INTO t VALUES (3)").await;
    primary.kill().await;
    standby.promote().await;
    standby.sql("site", "INSERT INTO t VALUES (4)").await;
    assert_eq!(standby.sql("site", "SELECT string_agg(a::text, ' ') FROM t").await, "1 2 4");
}

#[tokio::test]
async fn tests_at_the_same_time_share_one() {
    let here = Postgres::shared().await;
    let there = Postgres::shared().await;
    assert_eq!(here.port(), there.port());
    let answers =
        eventually(Duration::from_secs(5), async || there.sql("postgres", "SELECT 2").await, |two| two == "2");
    assert_eq!(answers.await, "2");
}
