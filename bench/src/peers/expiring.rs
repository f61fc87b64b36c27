//! moka: a cache whose entries live as long as the window.

use std::net::IpAddr;
use std::time::Duration;

use moka::sync::Cache;

use super::newest::{Found, Newest, since};
use crate::contender::Contender;
use crate::population::{WINDOW, now_micros};

pub struct Expiring(Cache<String, (i64, Option<IpAddr>)>);

impl Contender for Expiring {
    const NAME: &'static str = "moka";
    type Newest = Vec<Found>;

    fn new(_: u32) -> Self {
        Self(Cache::builder().time_to_live(WINDOW).build())
    }

    fn touch(&self, id: &str, ip: IpAddr) {
        self.0.insert(id.to_owned(), (now_micros(), Some(ip)));
    }

    fn touch_at(&self, id: &str, ip: IpAddr, at: i64) {
        self.0.insert(id.to_owned(), (at, Some(ip)));
    }

    fn newest(&self, window: Duration, limit: usize) -> Vec<Found> {
        let mut newest = Newest::new(window, limit);
        for (id, (at, ip)) in &self.0 {
            newest.see(&id, at, ip);
        }
        newest.into_vec()
    }

    fn ids(newest: Vec<Found>) -> Vec<String> {
        newest.into_iter().map(|(_, id, _)| id).collect()
    }

    fn count(&self, window: Duration) -> usize {
        let since = since(window);
        self.0.iter().filter(|(_, (at, _))| *at >= since).count()
    }

    fn settle(&self) {
        self.0.run_pending_tasks();
    }
}
