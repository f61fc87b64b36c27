//! A site goes on while its server fails in every way, and loses nothing.
//!
//! Each test stops the server, or the way to it, lets people visit the site, and lets it go on. The site must not notice,
//! the status must tell, and what was pending must be stored within two seconds of the recovery.

use std::time::{Duration, Instant};

use lastseen::UserId;
use lastseen_harness::{Proxy, Redis, RedisSentinel, eventually};

use crate::outages::{Kept, PATIENCE, RECOVERY};
use crate::visits::Site;

async fn start() -> (Redis, Site) {
    let server = Redis::start().await;
    let site = Site::open(&server.url()).await;
    (server, site)
}

#[tokio::test]
async fn a_server_that_is_down_at_the_start() {
    let mut server = Redis::start().await;
    server.stop().await;
    let mut site = Site::by_way_of(&server.url(), &server.url()).await;
    site.visits();
    site.fails("can't be reached").await;
    server.restart().await;
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again() {
    let (mut server, mut site) = start().await;
    for _ in 0..2 {
        server.kill();
        site.visits();
        site.fails("can't be reached").await;
        site.visits();
        server.restart().await;
        site.catches_up(RECOVERY).await;
    }
}

/// The tracker knows what it has written within the last half a minute, and writes it again.
#[tokio::test]
async fn a_server_that_loses_all_it_had() {
    let (mut server, site) = start().await;
    server.kill();
    std::fs::remove_dir_all(server.directory().join("appendonlydir")).unwrap();
    server.restart().await;
    assert_eq!(site.visitors, 100);
    site.catches_up(PATIENCE).await;
}

/// Connections stay open, and nobody answers on them.
#[tokio::test]
async fn a_server_that_stands_still() {
    let (server, mut site) = start().await;
    server.pause();
    site.visits();
    site.fails("the connection and doesn't answer within 1s").await;
    site.goes_on().await;
    server.resume();
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn a_server_without_memory() {
    let (server, mut site) = start().await;
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]).await;
    site.visits();
    site.fails("has no memory left while writing activities: raise maxmemory").await;
    assert_eq!(site.kept.stored().await, 100, "it can be read");
    site.tracker.forget(&UserId::from(0_u32)).await.unwrap();
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
    site.tracker.touch(&UserId::from(0_u32), None);
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn a_server_that_has_become_a_replica() {
    let (server, mut site) = start().await;
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]).await;
    site.visits();
    site.fails("is a replica, and read-only, while writing activities: name the primary").await;
    server.cli(&["REPLICAOF", "NO", "ONE"]).await;
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn a_server_that_loads_its_data() {
    let (mut server, mut site) = start().await;
    server.cli(&["BGREWRITEAOF"]).await;
    let rewritten = async || server.info("aof_base_size").await;
    eventually(PATIENCE, rewritten, |size| size.parse::<u32>().unwrap() > 1_000).await;
    server.kill();
    site.visits();
    // So many microseconds for each key, of which there are some three a group.
    server.restart_with(&["key-load-delay 20000", "loading-process-events-interval-bytes 1024"]).await;
    site.fails("is still loading its data").await;
    let loading = async || server.info("loading").await;
    eventually(PATIENCE, loading, |loading| loading == "0").await;
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn a_server_that_cannot_save() {
    let server = Redis::with(&["enable-protected-configs local"]).await;
    let mut site = Site::open(&server.url()).await;
    let directory = server.directory().join("gone");
    std::fs::create_dir(&directory).unwrap();
    server.cli(&["CONFIG", "SET", "save", "3600 1", "dir", directory.to_str().unwrap()]).await;
    std::fs::remove_dir(&directory).unwrap();
    let saves = async |status: &str| {
        server.cli(&["BGSAVE", "SCHEDULE"]).await;
        eventually(PATIENCE, async || server.info("rdb_last_bgsave_status").await, |last| last == status).await;
    };
    saves("err").await;
    site.visits();
    site.fails("can't save its data, and so takes no writes, while writing activities").await;
    server.cli(&["CONFIG", "SET", "dir", server.directory().to_str().unwrap()]).await;
    saves("ok").await;
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn a_server_without_the_replicas_that_it_must_have() {
    let (server, mut site) = start().await;
    server.cli(&["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
    site.visits();
    site.fails("has fewer replicas than min-replicas-to-write asks for").await;
    server.cli(&["CONFIG", "SET", "min-replicas-to-write", "0"]).await;
    site.catches_up(RECOVERY).await;
}

/// A server forgets its scripts when it is told to, and they are sent again.
#[tokio::test]
async fn a_server_that_forgets_its_scripts() {
    let (server, mut site) = start().await;
    server.cli(&["SCRIPT", "FLUSH"]).await;
    site.visits();
    site.catches_up(RECOVERY).await;
    assert_eq!(site.tracker.status().store_error, None);
}

#[tokio::test]
async fn a_primary_whose_place_its_replica_takes() {
    let mut sentinel = RedisSentinel::start().await;
    let mut site = Site::open(&sentinel.url()).await;
    sentinel.servers[0].kill();
    site.visits();
    let port = sentinel.servers[1].port();
    eventually(PATIENCE, async || sentinel.primary().await, |primary| *primary == port).await;
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn a_network_slower_than_patience() {
    let (_server, mut site, proxy) = behind_a_proxy().await;
    proxy.delay(Duration::from_millis(1200));
    site.visits();
    site.fails(" within 1s").await;
    proxy.delay(Duration::ZERO);
    site.catches_up(RECOVERY).await;
}

/// The server has committed, and nobody is told: the same is written again, and changes nothing.
#[tokio::test]
async fn a_connection_that_is_cut_between_commit_and_answer() {
    let (_server, mut site, proxy) = behind_a_proxy().await;
    proxy.lose_answers(Some("}:left"));
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
    let (_server, mut site, proxy) = behind_a_proxy().await;
    for _ in 0..3 {
        proxy.cut();
        site.visits();
        site.catches_up(RECOVERY).await;
    }
}

#[tokio::test]
async fn a_slow_network() {
    let (_server, mut site, proxy) = behind_a_proxy().await;
    proxy.delay(Duration::from_millis(300));
    site.visits();
    site.catches_up(PATIENCE).await;
    assert_eq!(site.tracker.status().store_error, None);
}

/// Whatever asks for the server meanwhile: the flush, the follower and the requests of those who look someone up.
#[tokio::test]
async fn a_lost_server_is_tried_once_a_second() {
    let (_server, mut site, proxy) = behind_a_proxy().await;
    proxy.refuse(true);
    proxy.cut();
    site.visits();
    let before = proxy.attempts();
    let started = Instant::now();
    let attempts = async || {
        let _ = site.tracker.last_seen(&UserId::new("a stranger").unwrap()).await;
        proxy.attempts() - before
    };
    let attempts = eventually(PATIENCE, attempts, |attempts| *attempts >= 4).await;
    assert!(started.elapsed() >= Duration::from_secs(3), "{attempts} attempts in {:?}", started.elapsed());
    proxy.refuse(false);
    site.catches_up(RECOVERY).await;
}

async fn behind_a_proxy() -> (Redis, Site, Proxy) {
    let server = Redis::start().await;
    let proxy = Proxy::to(server.port()).await;
    let mut site = Site::by_way_of(&proxy.url(&server.url(), server.port()), &server.url()).await;
    site.visits();
    site.catches_up(PATIENCE).await;
    (server, site, proxy)
}
