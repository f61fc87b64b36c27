//! A Redis Cluster: masters, and a replica of each.

use crate::patience::{PATIENCE, poll};
use crate::process::run;

use super::{Redis, cli};

/// Three running masters with a third of the slots each, and a replica of each, which takes over 2 seconds after its master is
/// lost and somewhat more.
#[derive(Debug)]
pub struct RedisCluster {
    /// In the beginning the first three are the masters.
    pub servers: Vec<Redis>,
}

impl RedisCluster {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// When Redis isn't installed, or the Cluster isn't whole within 30 seconds.
    pub async fn start() -> Self {
        let mut servers = Vec::new();
        for _ in 0..6 {
            servers.push(Redis::begin(&[], true).await);
        }
        let mut create = cli(servers[0].port());
        create.args(["--cluster", "create"]);
        create.args(servers.iter().map(|server| format!("127.0.0.1:{}", server.port())));
        let finished = run(create.args(["--cluster-replicas", "1", "--cluster-yes"])).await;
        assert!(finished.status.success(), "redis-cli --cluster create: {}{}", finished.stdout, finished.stderr);
        let cluster = Self { servers };
        cluster.is_whole().await;
        cluster
    }

    /// Waits until each server knows all others, and each replica has its master's data.
    ///
    /// # Panics
    ///
    /// When it isn't so within 30 seconds.
    pub async fn is_whole(&self) {
        let whole = poll(PATIENCE, async || {
            for server in &self.servers {
                if server.info("role").await == "slave" && server.info("master_link_status").await != "up" {
                    return None;
                }
                let state = server.cli(&["CLUSTER", "INFO"]).await;
                if !state.contains("cluster_state:ok") || !state.contains("cluster_known_nodes:6") {
                    return None;
                }
                if server.cli(&["CLUSTER", "NODES"]).await.contains("fail") {
                    return None;
                }
            }
            Some(())
        });
        assert!(whole.await.is_some(), "the Cluster isn't whole within {PATIENCE:?}");
    }

    /// The URL, which names two of the servers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", self.servers[0].port(), self.servers[4].port())
    }

    /// Which server is the master of a slot.
    ///
    /// # Panics
    ///
    /// When none is.
    pub async fn master_of(&self, slot: u16) -> usize {
        for (number, server) in self.servers.iter().enumerate() {
            if !server.is_running() || server.info("role").await != "master" {
                continue;
            }
            let nodes = server.cli(&["CLUSTER", "NODES"]).await;
            let own = nodes.lines().find(|line| line.contains("myself")).expect("a server knows itself");
            let has = own.split(' ').skip(8).any(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let bounds = first.parse::<u16>().ok().zip(last.parse::<u16>().ok());
                bounds.is_some_and(|(first, last)| (first..=last).contains(&slot))
            });
            if has {
                return number;
            }
        }
        panic!("slot {slot} has no master");
    }

    /// The id of a server within the Cluster.
    pub async fn id(&self, server: usize) -> String {
        self.servers[server].cli(&["CLUSTER", "MYID"]).await
    }
}
