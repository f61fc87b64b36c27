//! A hash map for the users and an ordered set for the dates, behind one lock.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::newest::{Found, since};
use crate::contender::Contender;
use crate::population::now_micros;

pub struct HashMapAndBTreeSet(Mutex<Users>);

#[derive(Default)]
struct Users {
    seen: HashMap<Arc<str>, (i64, Option<IpAddr>)>,
    order: BTreeSet<(i64, Arc<str>)>,
}

impl HashMapAndBTreeSet {
    fn users(&self) -> MutexGuard<'_, Users> {
        self.0.lock().expect("nothing panics under the lock")
    }
}

impl Contender for HashMapAndBTreeSet {
    const NAME: &'static str = "HashMap + BTreeSet";
    type Newest = Vec<Found>;

    fn new(_: u32) -> Self {
        Self(Mutex::default())
    }

    fn touch(&self, id: &str, ip: IpAddr) {
        self.touch_at(id, ip, now_micros());
    }

    fn touch_at(&self, id: &str, ip: IpAddr, at: i64) {
        let mut users = self.users();
        let Users { seen, order } = &mut *users;
        if let Some(user) = seen.get_mut(id) {
            let (before, _) = std::mem::replace(user, (at, Some(ip)));
            // The set's own copy of the id goes on to be used.
            if let Some((_, id)) = order.take(&(before, id.into())) {
                order.insert((at, id));
            }
        } else {
            let id: Arc<str> = id.into();
            seen.insert(id.clone(), (at, Some(ip)));
            order.insert((at, id));
        }
    }

    fn newest(&self, window: Duration, limit: usize) -> Vec<Found> {
        let since = since(window);
        let users = self.users();
        let newest = users.order.iter().rev().take_while(|(at, _)| *at >= since).take(limit);
        newest.map(|(at, id)| (*at, id.to_string(), users.seen[id].1)).collect()
    }

    fn ids(newest: Vec<Found>) -> Vec<String> {
        newest.into_iter().map(|(_, id, _)| id).collect()
    }

    fn count(&self, window: Duration) -> usize {
        let since: (i64, Arc<str>) = (since(window), "".into());
        self.users().order.range(since..).count()
    }
}
