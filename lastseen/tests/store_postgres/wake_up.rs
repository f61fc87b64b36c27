//! The server tells a process when another has written.

use std::time::Duration;

use lastseen::store::PostgresStore;
use lastseen::{Clock, ManualClock, Store, Tracker, UserId};
use lastseen_harness::{PgBouncer, eventually};
use tokio::time::timeout;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::site::{NOW, Site, after, seen};

const PATIENCE: Duration = Duration::from_secs(15);

/// Long enough for what should not come to have come.
const A_WHILE: Duration = Duration::from_millis(300);

async fn is_told(store: &PostgresStore) {
    timeout(PATIENCE, store.changed()).await.expect("the server tells");
}

async fn is_not_told(store: &PostgresStore) {
    assert!(timeout(A_WHILE, store.changed()).await.is_err(), "told of nothing");
}

/// On clocks that the test turns, neither of which ever reaches the interval.
#[tokio::test]
async fn two_trackers_that_follow_every_minute_see_each_other_long_before() {
    let site = Site::new().await;
    let clock = ManualClock::new(NOW);
    let start = async || {
        let tracker = Tracker::builder(site.open().await).clock(clock.clone()).follow_every(Duration::from_mins(1));
        tracker.start().await.unwrap()
    };
    let (here, there) = (start().await, start().await);
    // A process follows four times an interval at the most.
    clock.advance(Duration::from_secs(16));
    let [ada, bob] = ["ada", "bob"].map(|name| UserId::new(name).unwrap());
    here.touch(&ada, None);
    there.touch(&bob, None);
    here.flush().await.unwrap();
    there.flush().await.unwrap();
    let see = async || (there.is_online(&ada), here.is_online(&bob));
    eventually(PATIENCE, see, |see| *see == (true, true)).await;
    assert!(clock.now() < NOW + Duration::from_secs(20));
}

#[tokio::test]
async fn a_handle_is_told_of_others_writes_and_not_of_its_own() {
    let site = Site::new().await;
    let (here, there) = (site.open().await, site.open().await);
    is_told(&here).await;
    is_not_told(&here).await;
    here.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    here.forget(&1_u32.into(), NOW, NOW).await.unwrap();
    is_not_told(&here).await;
    there.write(&[seen(2_u32, NOW)], NOW).await.unwrap();
    is_told(&here).await;
    there.forget(&2_u32.into(), NOW, NOW).await.unwrap();
    is_told(&here).await;
    site.sql("SELECT pg_notify('user_activity', '')").await;
    is_told(&here).await;
    there.write(&[seen(3_u32, NOW)], NOW).await.unwrap();
    is_told(&here.clone()).await;
}

#[tokio::test]
async fn a_connection_that_is_lost_is_made_again_and_tells_at_once() {
    let site = Site::new().await;
    let (here, there) = (site.open().await, site.open().await);
    is_told(&here).await;
    let listening = "FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    assert_eq!(site.sql(&format!("SELECT pg_terminate_backend(pid) {listening}")).await, "t");
    // What was written while nobody listened is a reason to look too.
    there.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    is_told(&here).await;
    there.write(&[seen(1_u32, after(1))], after(1)).await.unwrap();
    is_told(&here).await;

    drop(here);
    let count = async || site.sql(&format!("SELECT count(*) {listening}")).await;
    eventually(PATIENCE, count, |count| count == "0").await;
}

#[tokio::test]
async fn no_connection_is_spent_where_none_is_wanted() {
    let site = Site::new().await;
    let (here, there) = (site.builder().listen(false).connect().await.unwrap(), site.open().await);
    there.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    is_not_told(&here).await;
    let listeners = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    assert_eq!(site.sql(listeners).await, "0");
}

/// What a connection listens for would be told to whoever is lent it next.
#[tokio::test]
async fn a_poolers_connections_are_left_alone() {
    let site = Site::new().await;
    let pooler = PgBouncer::start(&site.server).await;
    let url = pooler.url(&site.database);
    let here = PostgresStore::connect(&url).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let theirs = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database()";
    let age = format!("SELECT extract(epoch FROM clock_timestamp() - min(backend_start)) > 0.1 {theirs}");
    eventually(PATIENCE, async || site.sql(&age).await, |old| old == "t").await;
    is_not_told(&here).await;
    for _ in 0..20 {
        let channels = client.simple_query("SELECT pg_listening_channels()").await.unwrap();
        assert!(!channels.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))), "{channels:?}");
    }

    let (one, other) = (Tracker::builder(here), Tracker::builder(PostgresStore::connect(&url).await.unwrap()));
    let (one, other) = (one.start().await.unwrap(), other.start().await.unwrap());
    let ada = UserId::new("ada").unwrap();
    one.touch(&ada, None);
    eventually(PATIENCE, async || other.is_online(&ada), |online| *online).await;
}
