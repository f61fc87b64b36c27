//! A site goes on while its Cluster changes, and loses nothing.

use std::time::Duration;

use lastseen::store::RedisStore;
use lastseen::{Store, Timestamp, UserId};
use lastseen_harness::{RedisCluster, eventually};

use crate::outages::{PATIENCE, RECOVERY};
use crate::place::{NOW, seen};
use crate::visits::Site;

/// From the loss of a master to that at which all who came are stored: the time after which the Cluster gives it up, and
/// five seconds.
const FAILOVER: Duration = Duration::from_secs(2 + 5);

#[tokio::test]
async fn a_master_that_hands_over_to_its_replica() {
    let cluster = RedisCluster::start().await;
    let mut site = Site::open(&cluster.url()).await;
    let slot = 8_191;
    let before = cluster.master_of(slot).await;
    let replica = replica_of(&cluster, before).await;
    cluster.servers[replica].cli(&["CLUSTER", "FAILOVER"]).await;
    site.visits();
    eventually(PATIENCE, async || cluster.master_of(slot).await, |master| *master == replica).await;
    site.visits();
    site.catches_up(FAILOVER).await;
}

#[tokio::test]
async fn a_master_that_is_killed_and_comes_back_as_a_replica() {
    let mut cluster = RedisCluster::start().await;
    let mut site = Site::open(&cluster.url()).await;
    let master = cluster.master_of(0).await;
    cluster.servers[master].kill();
    site.visits();
    site.fails(&format!("127.0.0.1:{}", cluster.servers[master].port())).await;
    site.catches_up(FAILOVER).await;
    cluster.servers[master].restart().await;
    cluster.is_whole().await;
    site.visits();
    site.catches_up(RECOVERY).await;
}

/// A master and its replica are lost, so nobody has its slots until they are back.
#[tokio::test]
async fn a_third_of_the_slots_that_nobody_has() {
    let mut cluster = RedisCluster::start().await;
    let mut site = Site::open(&cluster.url()).await;
    let master = cluster.master_of(0).await;
    let replica = replica_of(&cluster, master).await;
    cluster.servers[replica].kill();
    cluster.servers[master].kill();
    site.visits();
    site.fails(&format!("127.0.0.1:{} can't be reached", cluster.servers[master].port())).await;
    cluster.servers[master].restart().await;
    cluster.servers[replica].restart().await;
    cluster.is_whole().await;
    site.catches_up(RECOVERY).await;
}

#[tokio::test]
async fn a_cluster_that_is_down() {
    let cluster = RedisCluster::start().await;
    let mut site = Site::open(&cluster.url()).await;
    let server = &cluster.servers[cluster.master_of(5).await];
    server.cli(&["CLUSTER", "DELSLOTS", "5"]).await;
    site.visits();
    site.fails("says that the Cluster is down while writing activities: all slots need a master").await;
    server.cli(&["CLUSTER", "ADDSLOTS", "5"]).await;
    cluster.is_whole().await;
    site.catches_up(RECOVERY).await;
}

/// What is written to the other masters is followed meanwhile, and what isn't is made up for.
#[tokio::test]
async fn a_part_of_the_feeds_that_lags() {
    const USERS: u32 = 300;

    let mut cluster = RedisCluster::start().await;
    for server in &cluster.servers {
        server.cli(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]).await;
    }
    let (here, there) = (Site::open(&cluster.url()).await.tracker, Site::open(&cluster.url()).await.tracker);
    let agree = async |count: usize| {
        let state = async || (there.count(), there.status().is_ready() && here.status().is_ready());
        eventually(PATIENCE, state, |state| *state == (count, true)).await;
    };
    for is_killed in [false, true] {
        (0..USERS).for_each(|user| here.touch(&UserId::from(user), None));
        agree(USERS as usize).await;
        let master = cluster.master_of(0).await;
        let replica = replica_of(&cluster, master).await;
        let mut held_back = 0;
        for key in cluster.servers[master].cli(&["KEYS", "*:seen"]).await.lines() {
            held_back += cluster.servers[master].cli(&["ZCARD", key]).await.parse::<usize>().unwrap();
        }
        assert!((1..USERS as usize / 2).contains(&held_back), "{held_back}");

        for number in [replica, master] {
            let server = &mut cluster.servers[number];
            if is_killed { server.kill() } else { server.pause() }
        }
        (0..USERS).for_each(|user| here.leave(&UserId::from(user)));
        eventually(FAILOVER, async || there.count(), |count| *count == held_back).await;
        let lags = format!("127.0.0.1:{}", cluster.servers[master].port());
        let error = async || there.status().store_error.unwrap_or_default().to_string();
        eventually(PATIENCE, error, |error| error.contains(&lags)).await;
        assert!(!there.status().is_ready() && there.status().follow_failures > 0);

        for number in [master, replica] {
            let server = &mut cluster.servers[number];
            if is_killed { server.restart().await } else { server.resume() }
        }
        cluster.is_whole().await;
        agree(0).await;
    }
}

/// The slot's first key has gone over and the others haven't: the master says TRYAGAIN, and ASK once all have gone.
#[tokio::test]
async fn a_slot_that_is_half_moved() {
    let cluster = RedisCluster::start().await;
    let store =
        RedisStore::builder(&cluster.url()).groups(1).timeout(Duration::from_millis(400)).connect().await.unwrap();
    let ada = UserId::new("ada").unwrap();
    store.write(&[seen(&ada, -9)], NOW).await.unwrap();
    store.set_profile(&ada, &lastseen::Profile::new()).await.unwrap();
    // The middle of all slots is the one group's.
    let slot = 8_192;
    let (from, to) = (cluster.master_of(slot).await, cluster.master_of(0).await);
    let number = slot.to_string();
    let (from_id, to_id) = (cluster.id(from).await, cluster.id(to).await);
    let (source, target) = (&cluster.servers[from], &cluster.servers[to]);
    target.cli(&["CLUSTER", "SETSLOT", &number, "IMPORTING", &from_id]).await;
    source.cli(&["CLUSTER", "SETSLOT", &number, "MIGRATING", &to_id]).await;
    let keys = source.cli(&["CLUSTER", "GETKEYSINSLOT", &number, "100"]).await;
    let keys: Vec<&str> = keys.lines().collect();
    assert!(keys.len() >= 3, "{keys:?}");
    let port = target.port().to_string();
    let migrate = async |key: &str| {
        source.cli(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]).await;
    };

    migrate(keys[0]).await;
    let error = store.write(&[seen(&ada, -5)], NOW).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("was still moving a slot"), "{error:?}");
    let error = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.contains("TryAgain") || error.contains("TRYAGAIN"), "{error}");

    // The same call goes through once the slot has been moved while it waits.
    let patient = RedisStore::builder(&cluster.url()).connect().await.unwrap();
    patient.read(&UserId::new("bob").unwrap()).await.ok();
    let waiting = tokio::spawn(async move { patient.write(&[seen(&UserId::new("ada").unwrap(), -3)], NOW).await });
    for key in &keys[1..] {
        migrate(key).await;
    }
    // Single keys are asked for where they have gone.
    let told = store.follow(Some(&store_start(&store).await)).await.unwrap();
    assert!(!told.missed || told.changes.is_empty(), "{told:?}");
    for server in [target, source] {
        server.cli(&["CLUSTER", "SETSLOT", &number, "NODE", &to_id]).await;
    }
    waiting.await.unwrap().unwrap();
    store.write(&[seen(&ada, -2)], NOW).await.unwrap();
    let found = store.read(&ada).await.unwrap().unwrap().seen.map(|seen| seen.at);
    assert_eq!(found, Some(Timestamp::from_micros(NOW.as_micros() - 2_000_000)));
    assert!(store.profiles(&[ada]).await.unwrap().len() == 1, "the profile has come along");
}

async fn store_start(store: &RedisStore) -> lastseen::store::Cursor {
    store.follow(None).await.unwrap().cursor
}

async fn replica_of(cluster: &RedisCluster, master: usize) -> usize {
    let port = cluster.servers[master].port().to_string();
    for (number, server) in cluster.servers.iter().enumerate() {
        if server.info("role").await == "slave" && server.info("master_port").await == port {
            return number;
        }
    }
    panic!("server {master} has no replica");
}
