//! Invented visits, to see the page alive: some users come all the time, most now and then.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use fastrand::Rng;
use lastseen::{Activity, Clock, Profile, Tracker, UserId};

use crate::settings::Addresses;

mod names;
mod past;

pub(crate) use past::invent;

/// How often visits are invented; those that have come due meanwhile come together.
const TICK: Duration = Duration::from_millis(250);

/// Of so many visits one is a sign-out.
const VISITS_A_LEAVE: usize = 25;

/// The same visits at every start.
const SEED: u64 = 0x1a57_5ee4;

/// Invents the visits of `users` users until it is dropped.
///
/// Their activity follows Zipf's law: the user of rank *r* comes *r* times less often than the first, and the last
/// comes about once a window. So most of them are online at a time, and who is changes.
pub(crate) async fn run(tracker: Tracker, clock: impl Clock, users: usize, addresses: Addresses) {
    let mut crowd = Crowd { tracker, users, addresses, rng: Rng::with_seed(SEED) };
    crowd.arrive().await;

    let a_second = crowd.visits_a_second();
    let mut last = clock.monotonic();
    let mut due = 0.0;
    loop {
        clock.sleep_until(last + TICK).await;
        let now = clock.monotonic();
        due += now.saturating_sub(last).as_secs_f64() * a_second;
        last = now;
        while due >= 1.0 {
            due -= 1.0;
            crowd.visit();
        }
        // However many there are, requests come first.
        tokio::task::yield_now().await;
    }
}

struct Crowd {
    tracker: Tracker,
    users: usize,
    addresses: Addresses,
    rng: Rng,
}

impl Crowd {
    /// Everyone gets a name and was here some time ago, each as long ago as befits them.
    async fn arrive(&mut self) {
        let now = self.tracker.now();
        for rank in 1..=self.users {
            let user = user(rank);
            let between = self.tracker.window().mul_f64(ratio(rank, self.users));
            let at = now - between.mul_f64(-(1.0 - self.rng.f64()).ln());
            let ip = self.addresses.of(Some(address(rank)));
            if let Err(error) = self.tracker.touch_at(Activity { user: user.clone(), at, ip }) {
                tracing::warn!(%error, "an invented user could not come");
            }
            if let Err(error) = self.tracker.set_profile(&user, Profile::named(names::name(rank))).await {
                tracing::warn!(%error, "an invented user has no name");
            }
        }
    }

    fn visit(&mut self) {
        let rank = self.rank();
        if self.rng.usize(..VISITS_A_LEAVE) == 0 {
            self.tracker.leave(&user(rank));
        } else {
            self.tracker.touch(&user(rank), self.addresses.of(Some(address(rank))));
        }
    }

    /// A rank, `r` with a probability of nearly `1 / r` of the first's.
    fn rank(&mut self) -> usize {
        let rank = ratio(self.users + 1, 1).powf(self.rng.f64());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies between 1 and `users` + 1"
        )]
        (rank as usize).clamp(1, self.users)
    }

    /// So many that the last in rank comes once a window.
    fn visits_a_second(&self) -> f64 {
        let of_the_last = (ratio(self.users + 1, self.users).ln()) / ratio(self.users + 1, 1).ln();
        1.0 / (of_the_last * self.tracker.window().as_secs_f64())
    }
}

#[expect(clippy::cast_precision_loss, reason = "the crowd's size need not be exact")]
fn ratio(a: usize, b: usize) -> f64 {
    a as f64 / b as f64
}

/// Ids that no site's own user has.
fn user(rank: usize) -> UserId {
    UserId::new(&format!("demo-{rank}")).expect("letters and digits, and not many")
}

/// An address from the ranges that are set aside for documentation; the same for a user each time.
fn address(rank: usize) -> IpAddr {
    let low = u8::try_from(rank % 254).unwrap_or(0) + 1;
    match rank % 4 {
        0 => Ipv4Addr::new(192, 0, 2, low).into(),
        1 => Ipv4Addr::new(198, 51, 100, low).into(),
        2 => Ipv4Addr::new(203, 0, 113, low).into(),
        _ => {
            let interface = u128::try_from(rank).unwrap_or(0) & u128::from(u64::MAX);
            (Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | interface)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use lastseen::{ManualClock, MemoryStore, Timestamp};

    use super::*;

    async fn crowd(users: usize) -> (Crowd, ManualClock) {
        let clock = ManualClock::new(Timestamp::from_micros(1_795_490_100_000_000));
        let tracker = Tracker::builder(MemoryStore::new()).clock(clock.clone()).start().await.unwrap();
        (Crowd { tracker, users, addresses: Addresses::default(), rng: Rng::with_seed(SEED) }, clock)
    }

    #[tokio::test]
    async fn most_are_there_at_the_start_each_with_a_name_and_an_address() {
        let (mut crowd, _) = crowd(200).await;
        crowd.arrive().await;
        let online = crowd.tracker.online(200);
        assert!((120..200).contains(&online.count), "{}", online.count);
        assert!(online.users.iter().all(|user| user.name.is_some() && user.ip.is_some()));
    }

    #[tokio::test]
    async fn the_first_come_more_often_than_the_last() {
        let (mut crowd, _) = crowd(100).await;
        let mut visits = [0; 101];
        for _ in 0..10_000 {
            visits[crowd.rank()] += 1;
        }
        assert!(visits[1] > 5 * visits[10] && visits[10] > 3 * visits[100] && visits[100] > 0, "{visits:?}");
    }

    #[tokio::test]
    async fn visits_come_as_the_clock_moves() {
        let (Crowd { tracker, .. }, clock) = crowd(0).await;
        let task = tokio::spawn(run(tracker.clone(), clock.clone(), 40, Addresses::default()));
        while tracker.status().touches < 40 {
            tokio::task::yield_now().await;
        }
        let before = tracker.status().touches;
        while tracker.status().touches < before + 20 {
            clock.advance(TICK);
            tokio::task::yield_now().await;
        }
        task.abort();
    }

    #[test]
    fn addresses_are_those_set_aside_for_documentation() {
        let networks = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"];
        let networks = networks.map(|network| network.parse::<ipnet::IpNet>().unwrap());
        for rank in 1..5000 {
            assert!(networks.iter().any(|network| network.contains(&address(rank))), "{}", address(rank));
        }
    }
}
