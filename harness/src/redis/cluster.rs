//! A Redis Cluster: masters, and a replica of each.

use super::Redis;
use crate::patience::{PATIENCE, poll};

/// Which slots the masters have.
const SLOTS: [(u16, u16); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];

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
        // As `redis-cli --cluster create` does it, without its pauses.
        for (number, server) in servers.iter().enumerate() {
            server.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]).await;
            if let Some((first, last)) = SLOTS.get(number) {
                server.cli(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]).await;
            }
            let bus = server.bus.expect("a Cluster's server has one");
            servers[0].cli(&["CLUSTER", "MEET", "127.0.0.1", &server.port.to_string(), &bus.to_string()]).await;
        }
        let cluster = Self { servers };
        cluster.has("cluster_state:ok").await;
        for number in 3..6 {
            let master = cluster.id(number - 3).await;
            cluster.servers[number].cli(&["CLUSTER", "REPLICATE", &master]).await;
        }
        cluster.is_whole().await;
        cluster
    }

    /// Waits until each server knows all others, and says so of the Cluster.
    async fn has(&self, state: &str) {
        let known = poll(PATIENCE, async || {
            for server in &self.servers {
                let info = server.cli(&["CLUSTER", "INFO"]).await;
                if !info.contains(state) || !info.contains("cluster_known_nodes:6") {
                    return None;
                }
            }
            Some(())
        });
        assert!(known.await.is_some(), "the Cluster hasn't {state} within {PATIENCE:?}");
    }

    /// Waits until each server knows all others, and each replica has its master's data.
    ///
    /// # Panics
    ///
    /// When it isn't so within 30 seconds.
    pub async fn is_whole(&self) {
        self.has("cluster_state:ok").await;
        let whole = poll(PATIENCE, async || {
            let mut replicas = 0;
            for server in &self.servers {
                if server.info("role").await == "slave" {
                    replicas += u32::from(server.info("master_link_status").await == "up");
                }
                let nodes = server.cli(&["CLUSTER", "NODES"]).await;
                if nodes.contains("fail")
                    || nodes.contains("handshake")
                    || nodes.matches(" slave ").count() + nodes.matches("myself,slave").count() != 3
                {
                    return None;
                }
            }
            (replicas == 3).then_some(())
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
