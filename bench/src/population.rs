//! Who is online, and who sends the next request: the same users for all sides.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};

/// How recent an activity is whose user counts as online.
pub const WINDOW: Duration = Duration::from_mins(15);

/// The users' last activities are spread evenly over so much time before the run. The rest of the window is for the run.
const SPREAD: Duration = Duration::from_mins(10);

/// What users are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ids {
    /// 1 to 8 digits.
    Decimal,
    /// 36 characters.
    Uuid,
}

impl Ids {
    pub fn name(self) -> &'static str {
        match self {
            Self::Decimal => "decimal ids",
            Self::Uuid => "UUID ids",
        }
    }

    /// Adds the id of a user to `text`.
    pub fn push(self, user: u32, text: &mut String) {
        let written = match self {
            Self::Decimal => write!(text, "{user}"),
            Self::Uuid => {
                let (high, low) = (scramble(user.into()), scramble(u64::from(user) | 1 << 32));
                write!(
                    text,
                    "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
                    high >> 32,
                    high >> 16 & 0xffff,
                    high & 0xfff,
                    low >> 48 & 0x3fff | 0x8000,
                    low & 0xffff_ffff_ffff
                )
            }
        };
        written.expect("a string takes everything");
    }
}

/// Splitmix64's last step: each number becomes another that looks random.
fn scramble(number: u64) -> u64 {
    let number = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// Who sends requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Each user as likely as the next.
    Uniform,
    /// The nth busiest user sends 1/n of what the busiest does.
    Zipf,
}

/// Users 0 to `users`, all online.
#[derive(Clone, Copy, Debug)]
pub struct Population {
    pub ids: Ids,
    pub users: u32,
}

impl Population {
    /// Every user with a last activity before the microsecond `now`, oldest first.
    pub fn activities(self, now: i64, mut each: impl FnMut(&str, IpAddr, i64)) {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).expect("it is short");
        let start = now - micros(SPREAD);
        let mut id = String::new();
        for user in 0..self.users {
            id.clear();
            self.ids.push(user, &mut id);
            each(&id, ip(user), start + micros(SPREAD) * i64::from(user) / i64::from(self.users));
        }
    }

    /// Requests of users picked at random, others for each `seed`.
    pub fn requests(self, pick: Pick, count: usize, seed: u64) -> Requests {
        let mut random = SmallRng::seed_from_u64(seed);
        let zipf = Zipf::new(f64::from(self.users), 1.0).expect("there are users");
        let mut requests = Requests { text: String::new(), each: Vec::with_capacity(count) };
        for _ in 0..count {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 1 to the number of users"
            )]
            let user = match pick {
                Pick::Uniform => random.random_range(0..self.users),
                // The busiest are not the first, who may lie side by side in memory.
                Pick::Zipf => (scramble(zipf.sample(&mut random) as u64) % u64::from(self.users)) as u32,
            };
            requests.push(self.ids, user);
        }
        requests
    }

    /// A request of each user, in random order.
    pub fn each_once(self, seed: u64) -> Requests {
        let mut users: Vec<u32> = (0..self.users).collect();
        users.shuffle(&mut SmallRng::seed_from_u64(seed));
        let mut requests = Requests { text: String::new(), each: Vec::with_capacity(users.len()) };
        for user in users {
            requests.push(self.ids, user);
        }
        requests
    }
}

/// The address of a user.
fn ip(user: u32) -> IpAddr {
    Ipv4Addr::from(user).into()
}

/// Requests as they come in: a user's id as text, and an address. They lie in a row, so that reading them costs no side
/// more than another.
pub struct Requests {
    text: String,
    /// Where in the text each id ends, and the address.
    each: Vec<(usize, IpAddr)>,
}

impl Requests {
    fn push(&mut self, ids: Ids, user: u32) {
        ids.push(user, &mut self.text);
        self.each.push((self.text.len(), ip(user)));
    }

    pub fn len(&self) -> usize {
        self.each.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, IpAddr)> + Clone {
        let mut start = 0;
        self.each.iter().map(move |(end, ip)| (&self.text[std::mem::replace(&mut start, *end)..*end], *ip))
    }
}

/// The system's time in microseconds since 1970, as every side reads it.
pub fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;

    const USERS: u32 = 1_000;

    fn population(ids: Ids) -> Population {
        Population { ids, users: USERS }
    }

    #[test]
    fn every_user_has_an_id_of_the_right_shape() {
        for (ids, has_shape) in [
            (Ids::Decimal, (|id| id.parse::<u32>().is_ok_and(|user| user < USERS)) as fn(&str) -> bool),
            (Ids::Uuid, |id| {
                let lengths: Vec<usize> = id.split('-').map(str::len).collect();
                let is_variant = matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b');
                lengths == [8, 4, 4, 4, 12] && id.as_bytes()[14] == b'4' && is_variant
            }),
        ] {
            let mut seen = BTreeSet::new();
            population(ids).activities(0, |id, _, _| {
                assert!(has_shape(id), "{id}");
                seen.insert(id.to_owned());
            });
            assert_eq!(seen.len(), USERS as usize, "{ids:?}");
        }
    }

    #[test]
    fn activities_are_spread_over_ten_minutes_and_come_in_order() {
        let mut dates = Vec::new();
        population(Ids::Decimal).activities(1_000_000_000, |_, _, at| dates.push(at));
        assert!(dates.is_sorted());
        assert_eq!((dates[0], dates[500]), (400_000_000, 700_000_000));
        assert!(dates[999] < 1_000_000_000);
    }

    #[test]
    fn each_once_is_everybody_in_an_order_of_its_own() {
        let order =
            |seed| population(Ids::Decimal).each_once(seed).iter().map(|(id, _)| id.to_owned()).collect::<Vec<_>>();
        let (one, other) = (order(1), order(2));
        assert_eq!(one, order(1));
        assert_ne!(one, other);
        assert_eq!(one.into_iter().collect::<BTreeSet<_>>(), other.into_iter().collect::<BTreeSet<_>>());
    }

    #[test]
    fn some_send_far_more_than_others_only_where_that_is_asked_for() {
        let busiest = |pick| {
            let mut sent = HashMap::<String, u32>::new();
            for (id, _) in population(Ids::Decimal).requests(pick, 100_000, 1).iter() {
                *sent.entry(id.to_owned()).or_default() += 1;
            }
            sent.into_values().max().unwrap()
        };
        // Of 100 each; by Zipf's law the busiest of 1,000 sends 13 %.
        assert!(busiest(Pick::Uniform) < 200);
        assert!((10_000..17_000).contains(&busiest(Pick::Zipf)));
    }

    #[test]
    fn a_request_keeps_its_user_and_address_together() {
        for (id, address) in population(Ids::Decimal).requests(Pick::Uniform, 100, 1).iter() {
            assert_eq!(address, ip(id.parse().unwrap()));
        }
    }
}
