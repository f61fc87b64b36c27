//! A standby takes the place of a server that had not yet handed over all that it acknowledged.

use std::time::Duration;

use lastseen::store::PostgresStore;
use lastseen::{Activity, Clock, Profile, Store, SystemClock, Tracker, UserId};
use lastseen_harness::{PgBouncer, Postgres, eventually};

use crate::site::{NOW, after, seen};

const PATIENCE: Duration = Duration::from_secs(10);

fn id(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// Two servers, of which the second follows the first until it takes its place.
struct Pair {
    primary: Postgres,
    standby: Postgres,
    tracker: Tracker,
}

impl Pair {
    async fn start() -> Self {
        let primary = Postgres::start().await;
        primary.database("site").await;
        let standby = primary.standby().await;
        let url = format!(
            "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/site?target_session_attrs=read-write",
            primary.port(),
            standby.port()
        );
        let store = PostgresStore::builder(&url)
            .connect_timeout(Duration::from_secs(1))
            .statement_timeout(Duration::from_secs(1))
            .connect()
            .await
            .unwrap();
        let tracker = Tracker::builder(store).start().await.unwrap();
        Self { primary, standby, tracker }
    }

    /// Whom the standby has, in order.
    async fn handed_over(&self) -> String {
        let users = "SELECT string_agg(user_id, ' ' ORDER BY user_id) FROM user_activity_readable";
        if self.standby.sql("site", "SELECT to_regclass('user_activity_readable')").await.is_empty() {
            return String::new();
        }
        self.standby.sql("site", users).await
    }
}

#[tokio::test]
async fn what_was_acknowledged_and_not_handed_over_is_written_again() {
    let mut pair = Pair::start().await;
    let tracker = pair.tracker.clone();
    for user in ["anna", "eve"] {
        tracker.touch(&id(user), None);
    }
    tracker.flush().await.unwrap();
    eventually(PATIENCE, async || pair.handed_over().await, |users| users == "anna eve").await;

    pair.standby.cut_off().await;
    tracker.touch(&id("bob"), None);
    tracker.flush().await.unwrap();
    let record = Activity { user: id("cy"), at: SystemClock::new().now(), ip: "203.0.113.7".parse().ok() };
    tracker.record(record).await.unwrap();
    tracker.forget(&id("eve")).await.unwrap();
    tracker.set_profile(&id("anna"), Profile::named("Anna").hidden(true)).await.unwrap();
    assert_eq!(tracker.status().pending, 0, "all of it is acknowledged");

    pair.primary.kill().await;
    tracker.touch(&id("dan"), None);
    assert_eq!(pair.handed_over().await, "anna eve");
    let error = async || tracker.status().store_error.unwrap_or_default().to_string();
    // The standby is reached, and takes no writes.
    let says = |error: &String| error.contains("has no server such as target_session_attrs asks for");
    eventually(PATIENCE, error, says).await;

    pair.standby.promote().await;
    eventually(PATIENCE, async || pair.handed_over().await, |users| users == "anna bob cy dan").await;
    let hidden = "SELECT hidden FROM user_activity_profile WHERE user_id = 'anna'";
    assert_eq!(pair.standby.sql("site", hidden).await, "t");
    let address = "SELECT last_activity_ip FROM user_activity_readable WHERE user_id = 'cy'";
    assert_eq!(pair.standby.sql("site", address).await, "203.0.113.7");
    eventually(PATIENCE, async || tracker.status(), |status| status.is_ready() && status.pending == 0).await;

    // And the processes go on following each other there.
    let url = pair.standby.url("site");
    let other = Tracker::builder(PostgresStore::connect(&url).await.unwrap()).start().await.unwrap();
    other.touch(&id("finn"), None);
    eventually(PATIENCE, async || tracker.is_online(&id("finn")), |online| *online).await;
}

/// The first host of the URL takes connections and says nothing: it must not hide the second.
#[tokio::test]
async fn a_server_that_has_gone_silent_hides_none_that_comes_after_it() {
    let pair = Pair::start().await;
    pair.tracker.touch(&id("anna"), None);
    pair.tracker.flush().await.unwrap();
    eventually(PATIENCE, async || pair.handed_over().await, |users| users == "anna").await;
    pair.standby.cut_off().await;
    pair.tracker.touch(&id("bob"), None);
    pair.tracker.flush().await.unwrap();
    pair.primary.pause();
    pair.tracker.touch(&id("cy"), None);
    pair.standby.promote().await;
    eventually(PATIENCE, async || pair.handed_over().await, |users| users == "anna bob cy").await;
    pair.primary.resume();
}

/// A server may have been told not to wait for its disk before it answers, so a restart counts. A pooler keeps its clients
/// meanwhile.
#[tokio::test]
async fn a_restart_counts_also_where_a_pooler_hides_it() {
    let mut server = Postgres::start().await;
    let url = server.database("site").await;
    let pooler = PgBouncer::start(&server).await;
    let direct = PostgresStore::connect(&url).await.unwrap();
    let behind = PostgresStore::connect(&pooler.url("site")).await.unwrap();
    for (store, user) in [(&direct, 1_u32), (&behind, 2)] {
        store.write(&[seen(user, NOW)], NOW).await.unwrap();
        store.follow(None).await.unwrap();
        assert_eq!(store.failovers(), 0);
    }
    server.restart().await;
    for (store, user) in [(&direct, 1_u32), (&behind, 2)] {
        let write = async || store.write(&[seen(user, after(1))], after(1)).await;
        eventually(PATIENCE, write, Result::is_ok).await.unwrap();
        assert_eq!(store.failovers(), 1, "by the time that a write is acknowledged");
        store.forget(&UserId::from(user), after(2), after(2)).await.unwrap();
        store.set_profile(&UserId::from(user), &Profile::named("x")).await.unwrap();
        store.follow(None).await.unwrap();
        assert_eq!(store.failovers(), 1, "once");
    }
}
