//! A site goes on while its database fails in every way, and loses nothing.
//!
//! Each test stops the server, or the way to it, lets people visit the site, and lets it go on. The site must not notice,
//! the status must tell, and what was pending must be stored within two seconds of the recovery.

use std::time::{Duration, Instant};

use lastseen::store::PostgresStore;
use lastseen::{OnlineUser, Tracker, UserId};
use lastseen_harness::{Postgres, Proxy, eventually};

use crate::outages::{self, Kept, PATIENCE, RECOVERY};

/// A site with a database of its own.
type Site = outages::Site<Postgres>;

impl Site {
    /// One whose server runs.
    async fn start() -> Self {
        let server = Postgres::start().await;
        server.database("site").await;
        let url = server.url("site");
        Self::on(server, &url).await
    }

    async fn on(server: Postgres, url: &str) -> Self {
        let store = PostgresStore::builder(url)
            .connect_timeout(Duration::from_secs(1))
            .statement_timeout(Duration::from_secs(1))
            .connect()
            .await
            .unwrap();
        Self::with(store, server).await
    }

    async fn read_only(&self, on: &str) {
        let alter = format!("ALTER SYSTEM SET default_transaction_read_only = {on}");
        self.kept.sql("postgres", &alter).await;
        self.kept.reload().await;
    }
}

impl Kept for Postgres {
    async fn stored(&self) -> u32 {
        // Where the server was down from the start there are no tables yet.
        if self.sql("site", "SELECT to_regclass('user_activity_readable')").await.is_empty() {
            return 0;
        }
        self.sql("site", "SELECT count(*) FROM user_activity_readable").await.parse().unwrap()
    }

    async fn has(&self, user: &OnlineUser) -> bool {
        let same =
            format!("SELECT last_activity_date = '{}' FROM user_activity WHERE user_id = '{}'", user.at, user.user);
        self.sql("site", &same).await == "t"
    }
}

#[tokio::test]
async fn a_server_that_is_down_at_the_start() {
    let mut server = Postgres::start().await;
    server.database("site").await;
    let url = server.url("site");
    server.stop().await;
    let mut site = Site::on(server, &url).await;
    site.visits();
    site.fails("can't be reached").await;
    site.kept.restart().await;
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again() {
    let mut site = Site::start().await;
    site.opens().await;
    for _ in 0..2 {
        site.kept.kill().await;
        site.visits();
        site.fails("can't be reached").await;
        site.visits();
        site.kept.restart().await;
        site.catches_up(RECOVERY).await;
    }
}

#[tokio::test]
async fn a_server_that_is_stopped_as_an_operator_does() {
    let mut site = Site::start().await;
    site.opens().await;
    site.kept.stop().await;
    site.visits();
    site.fails("can't be reached").await;
    site.kept.restart().await;
    site.catches_up(RECOVERY).await;
}

/// Connections stay open, and nobody answers on them or takes new ones.
#[tokio::test]
async fn a_server_that_stands_still() {
    let mut site = Site::start().await;
    site.opens().await;
    site.kept.pause();
    site.visits();
    site.fails("no connection within 1s").await;
    site.goes_on().await;
    site.kept.resume();
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn a_server_that_takes_no_writes() {
    let mut site = Site::start().await;
    site.opens().await;
    let before = site.visitors;
    site.read_only("on").await;
    site.visits();
    site.fails("is read-only while writing activities").await;
    assert_eq!(site.kept.stored().await, before);
    site.read_only("off").await;
    site.catches_up(RECOVERY).await;
}

/// As a site's own processes may leave it.
#[tokio::test]
async fn a_server_that_has_no_connection_to_spare() {
    let server = Postgres::start().await;
    server.database("site").await;
    server.sql("site", "CREATE ROLE visitor LOGIN; GRANT CREATE ON SCHEMA public TO visitor").await;
    let url = server.url("site").replace("postgres@", "visitor@");
    let mut site = Site::on(server, &url).await;
    site.opens().await;
    let limit = async |site: &Site, most: i32| {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'visitor'";
        site.kept.sql("postgres", &format!("ALTER ROLE visitor CONNECTION LIMIT {most}")).await;
        site.kept.sql("postgres", end).await;
    };
    limit(&site, 0).await;
    site.visits();
    site.fails("takes no more connections now").await;
    limit(&site, 2).await;
    site.catches_up(RECOVERY).await;
}

/// Each answer comes after the last moment at which it is waited for.
#[tokio::test]
async fn a_network_slower_than_patience() {
    let (mut site, proxy) = behind_a_proxy().await;
    proxy.delay(Duration::from_millis(1200));
    site.visits();
    site.fails(" within 1s").await;
    proxy.delay(Duration::ZERO);
    site.catches_up(RECOVERY).await;
}

/// The server has committed, and nobody is told: the same is written again, and changes nothing.
#[tokio::test]
async fn a_connection_that_is_cut_between_commit_and_answer() {
    let (mut site, proxy) = behind_a_proxy().await;
    proxy.lose_answers(Some("INSERT INTO"));
    let before = site.visitors;
    site.visits();
    eventually(PATIENCE, async || proxy.lost(), |lost| *lost >= 2).await;
    assert!(site.tracker.status().pending > 0, "nobody was told");
    assert!(site.kept.stored().await > before, "and yet it is stored");
    proxy.lose_answers(None);
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn connections_that_are_cut() {
    let (mut site, proxy) = behind_a_proxy().await;
    for _ in 0..3 {
        proxy.cut();
        site.visits();
        site.catches_up(RECOVERY).await;
    }
}

#[tokio::test]
async fn a_slow_network() {
    let (mut site, proxy) = behind_a_proxy().await;
    proxy.delay(Duration::from_millis(300));
    site.visits();
    site.catches_up(PATIENCE).await;
    assert_eq!(site.tracker.status().store_error, None);
}

/// Whatever asks for the server meanwhile: the flush, the follower and the requests of those who look someone up.
#[tokio::test]
async fn a_lost_server_is_tried_once_a_second() {
    let (mut site, proxy) = behind_a_proxy().await;
    proxy.refuse(true);
    proxy.cut();
    site.visits();
    let before = proxy.attempts();
    let started = Instant::now();
    let attempts = async || {
        let _ = site.tracker.last_seen(&UserId::new("a stranger").unwrap()).await;
        proxy.attempts() - before
    };
    let attempts = eventually(PATIENCE, attempts, |attempts| *attempts >= 5).await;
    assert!(started.elapsed() >= Duration::from_secs(4), "{attempts} attempts in {:?}", started.elapsed());
    proxy.refuse(false);
    site.catches_up(RECOVERY).await;
}

async fn behind_a_proxy() -> (Site, Proxy) {
    let server = Postgres::start().await;
    server.database("site").await;
    let proxy = Proxy::to(server.port()).await;
    let url = proxy.url(&server.url("site"), server.port());
    let mut site = Site::on(server, &url).await;
    site.opens().await;
    (site, proxy)
}

/// Two processes with one store agree, also on what happened while one of them was cut off.
#[tokio::test]
async fn processes_agree() {
    let (here, proxy) = behind_a_proxy().await;
    let store = PostgresStore::connect(&here.kept.url("site")).await.unwrap();
    let there = Tracker::builder(store).start().await.unwrap();
    assert_eq!(there.count(), 100, "what is recent is there from the start");
    let [ada, bob] = ["ada", "bob"].map(|name| UserId::new(name).unwrap());
    let within = Duration::from_secs(3);

    there.touch(&ada, None);
    eventually(within, async || here.tracker.is_online(&ada), |online| *online).await;
    here.tracker.touch(&bob, None);
    eventually(within, async || there.is_online(&bob), |online| *online).await;
    there.leave(&bob);
    eventually(within, async || here.tracker.is_online(&bob), |online| !online).await;

    proxy.refuse(true);
    proxy.cut();
    here.fails("can't be reached").await;
    there.forget(&ada).await.unwrap();
    there.touch(&bob, None);
    there.flush().await.unwrap();
    assert!(here.tracker.is_online(&ada), "cut off");
    proxy.refuse(false);
    eventually(
        within,
        async || (here.tracker.is_online(&ada), here.tracker.is_online(&bob)),
        |who| *who == (false, true),
    )
    .await;
}
