//! What every side that holds its users in memory can do.

use std::net::IpAddr;
use std::time::Duration;

use crate::population::{Population, now_micros};

/// Holds who was last active when.
pub trait Contender: Sync {
    /// What a site calls it.
    const NAME: &'static str;
    /// The newest users, as a site would get them: id, date, address.
    type Newest;

    /// With room for about so many users, where that can be said.
    fn new(users: u32) -> Self;

    /// An activity now, by the system's clock, which this reads.
    fn touch(&self, id: &str, ip: IpAddr);

    /// An activity in the past.
    fn touch_at(&self, id: &str, ip: IpAddr, at: i64);

    /// The newest users of those active within the window, newest first, at most `limit`.
    fn newest(&self, window: Duration, limit: usize) -> Self::Newest;

    /// Their ids.
    fn ids(newest: Self::Newest) -> Vec<String>;

    /// How many were active within a window.
    fn count(&self, window: Duration) -> usize;

    /// Does what is done behind the requests.
    fn settle(&self) {}

    fn filled(population: Population) -> Self
    where
        Self: Sized,
    {
        let contender = Self::new(population.users);
        population.activities(now_micros(), |id, ip, at| contender.touch_at(id, ip, at));
        contender.settle();
        contender
    }
}
