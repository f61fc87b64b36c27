//! Asks which server has which slots, once for all who wait for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Router;
use crate::store::redis::error::{Kind, RedisError};
use crate::store::redis::map::Map;
use crate::store::redis::node::{Node, Role};
use crate::store::redis::target::Shape;

impl Router {
    /// Where the slots are, as far as is known.
    pub(super) async fn map(&self) -> Result<Arc<Map>, RedisError> {
        let known = || self.map.lock().clone();
        if let Some(map) = known() {
            return Ok(map);
        }
        let _turn = self.mapping.lock().await;
        if let Some(map) = known() {
            return Ok(map);
        }
        let map = Arc::new(self.ask_for_map().await?);
        // Servers come and go, under new addresses.
        self.nodes.lock().retain(|(address, role), node| {
            *role == Role::Sentinel
                || node.is_connected()
                || map.has(address)
                || self.target.addresses.contains(address)
        });
        *self.map.lock() = Some(map.clone());
        Ok(map)
    }

    /// Asks one after another, those first to whom there is a connection.
    async fn ask_for_map(&self) -> Result<Map, RedisError> {
        let role = match self.target.shape {
            Shape::Single => return Ok(Map::One(self.target.addresses[0].clone())),
            Shape::Sentinel(_) => Role::Sentinel,
            Shape::Cluster => Role::Data,
        };
        let mut candidates: Vec<Arc<Node>> = {
            let nodes = self.nodes.lock();
            nodes.iter().filter(|((_, known), _)| *known == role).map(|(_, node)| node.clone()).collect()
        };
        candidates.sort_by_cached_key(|node| node.address.to_string());
        for address in &self.target.addresses {
            if candidates.iter().all(|node| node.address != *address) {
                candidates.push(self.node(address, role));
            }
        }
        let turn = self.mapped.fetch_add(1, Ordering::Relaxed) % candidates.len();
        candidates.rotate_left(turn);
        candidates.sort_by_key(|node| !node.is_connected());
        let mut failure = None;
        for node in candidates {
            let map = match &self.target.shape {
                Shape::Sentinel(service) => Map::of_sentinel(&node, service).await,
                _ => Map::of_cluster(&node).await,
            };
            match map {
                Ok(map) => return Ok(map),
                // Where no trying again helps, another would say the same.
                Err(error) if !error.is_unavailable() => return Err(error),
                Err(error) => failure = Some(error),
            }
        }
        let message = format!("{} can't be reached: none of its servers says where the data is", self.target);
        let error = RedisError::new(Kind::Unavailable, message);
        Err(match failure {
            Some(failure) => error.because(failure),
            None => error,
        })
    }

    /// Drops what is known of where slots are, so that it is asked for anew.
    pub(super) fn forget_map(&self) {
        *self.map.lock() = None;
        self.moved.lock().clear();
    }
}
