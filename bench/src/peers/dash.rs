//! `DashMap`: a hash map in shards, scanned for every list and count.

use std::net::IpAddr;
use std::time::Duration;

use dashmap::DashMap;

use super::newest::{Found, Newest, since};
use crate::contender::Contender;
use crate::population::now_micros;

pub struct Dash(DashMap<String, (i64, Option<IpAddr>)>);

impl Contender for Dash {
    const NAME: &'static str = "DashMap";
    type Newest = Vec<Found>;

    fn new(_: u32) -> Self {
        Self(DashMap::new())
    }

    fn touch(&self, id: &str, ip: IpAddr) {
        self.0.insert(id.to_owned(), (now_micros(), Some(ip)));
    }

    fn touch_at(&self, id: &str, ip: IpAddr, at: i64) {
        self.0.insert(id.to_owned(), (at, Some(ip)));
    }

    fn newest(&self, window: Duration, limit: usize) -> Vec<Found> {
        let mut newest = Newest::new(window, limit);
        for user in &self.0 {
            newest.see(user.key(), user.0, user.1);
        }
        newest.into_vec()
    }

    fn ids(newest: Vec<Found>) -> Vec<String> {
        newest.into_iter().map(|(_, id, _)| id).collect()
    }

    fn count(&self, window: Duration) -> usize {
        let since = since(window);
        self.0.iter().filter(|user| user.0 >= since).count()
    }
}

impl Dash {
    /// The same as a touch, with no allocation for a user who is there already.
    pub fn touch_in_place(&self, id: &str, ip: IpAddr) {
        let seen = (now_micros(), Some(ip));
        if let Some(mut user) = self.0.get_mut(id) {
            *user = seen;
            return;
        }
        self.0.insert(id.to_owned(), seen);
    }
}
