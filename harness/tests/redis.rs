//! A Redis server does what the tests that use it rely on.

use lastseen_harness::{Redis, RedisCluster};

#[tokio::test]
async fn it_keeps_what_was_written_when_it_is_killed() {
    let mut server = Redis::start().await;
    let port = server.port();
    server.cli(&["SET", "ada", "1"]).await;
    server.kill();
    assert!(!server.is_running());
    server.restart().await;
    assert_eq!((server.port(), server.cli(&["GET", "ada"]).await.as_str()), (port, "1"));
    server.stop().await;
    server.restart().await;
    assert_eq!(server.cli(&["GET", "ada"]).await, "1");
}

#[tokio::test]
async fn a_cluster_has_a_master_for_each_slot_and_a_replica_for_each_master() {
    let cluster = RedisCluster::start().await;
    for (slot, master) in [(0, 0), (8_192, 1), (16_383, 2)] {
        assert_eq!(cluster.master_of(slot).await, master);
    }
    for server in &cluster.servers[..3] {
        assert_eq!(server.info("connected_slaves").await, "1");
    }
}

#[tokio::test]
#[should_panic(expected = "ERR unknown command")]
async fn an_error_is_told() {
    Redis::start().await.cli(&["NONSENSE"]).await;
}
