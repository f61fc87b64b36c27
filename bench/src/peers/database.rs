//! What every side that keeps its users in a database can do.

use std::error::Error;
use std::net::IpAddr;

use crate::population::Population;

/// A table of users; each call returns once the database has answered.
pub trait Database {
    /// Takes in a whole population, as fast as it can, in place of whoever is there.
    fn fill(&mut self, population: Population) -> Result<(), Box<dyn Error>>;

    /// An activity now, by the system's clock, which this reads.
    fn touch(&mut self, id: &str, ip: IpAddr) -> Result<(), Box<dyn Error>>;

    /// The ids of the newest users, newest first, of those active at or after the microsecond `since`.
    fn newest(&mut self, since: i64, limit: usize) -> Result<Vec<String>, Box<dyn Error>>;

    /// How many users were active at or after the microsecond `since`.
    fn count(&mut self, since: i64) -> Result<usize, Box<dyn Error>>;
}
