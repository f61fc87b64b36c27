//! What a site would pick instead, each used as its own documentation has it.

mod btree;
mod dash;
mod database;
mod expiring;
mod newest;
mod postgresql;
mod redis;
mod sqlite;

pub use btree::HashMapAndBTreeSet;
pub use dash::Dash;
pub use database::Database;
pub use expiring::Expiring;
pub use postgresql::Postgres;
pub use redis::Redis;
pub use sqlite::Sqlite;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;
    use crate::contender::Contender;
    use crate::ours::Lastseen;
    use crate::population::{Ids, Population, WINDOW, now_micros};

    const POPULATION: Population = Population { ids: Ids::Decimal, users: 1_000 };

    /// What every side has to say the same of: all of them, the newest, and who has just come.
    fn answers<C: Contender>() -> (usize, usize, Vec<String>, Vec<String>) {
        let side = C::filled(POPULATION);
        let newest = C::ids(side.newest(WINDOW, 3));
        side.touch("17", Ipv4Addr::LOCALHOST.into());
        let after = C::ids(side.newest(WINDOW, 2));
        (side.count(WINDOW), side.count(Duration::from_mins(5)), newest, after)
    }

    #[test]
    fn all_sides_do_the_same_work() {
        let ours = answers::<Lastseen>();
        assert_eq!(
            (ours.0, &ours.2[..], &ours.3[..]),
            (1_000, &["999", "998", "997"].map(String::from)[..], &["17", "999"].map(String::from)[..])
        );
        assert!((490..=501).contains(&ours.1), "half of the ten minutes, and the one who came: {}", ours.1);
        for (name, theirs) in [
            (Dash::NAME, answers::<Dash>()),
            (Expiring::NAME, answers::<Expiring>()),
            (HashMapAndBTreeSet::NAME, answers::<HashMapAndBTreeSet>()),
        ] {
            assert_eq!((theirs.0, &theirs.2, &theirs.3), (ours.0, &ours.2, &ours.3), "{name}");
            // A second may have passed in between.
            assert!(theirs.1.abs_diff(ours.1) <= 5, "{name}: {} and {}", theirs.1, ours.1);
        }
        let mut table = Sqlite::create().unwrap();
        table.fill(POPULATION).unwrap();
        let since = now_micros() - i64::try_from(WINDOW.as_micros()).unwrap();
        assert_eq!((table.count(since).unwrap(), table.newest(since, 3).unwrap()), (ours.0, ours.2));
        table.touch("17", Ipv4Addr::LOCALHOST.into()).unwrap();
        assert_eq!(table.newest(since, 2).unwrap(), ours.3);
    }
}
