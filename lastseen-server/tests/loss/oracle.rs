//! What the file must hold at least and at most, whatever has happened to the server.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use lastseen::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::program::Place;

/// How stale the stored date of a user who stays may be: the granularity, and two flushes.
const STALE: Duration = Duration::from_millis(60 + 2 * 20);

/// All that was reported, and what was answered.
#[derive(Default)]
pub(crate) struct Oracle {
    users: BTreeMap<String, Known>,
    /// All that was due at this moment had been written.
    caught_up: Option<Timestamp>,
    last: Option<Timestamp>,
}

#[derive(Default)]
struct Known {
    /// The latest date that was reported, answered or not.
    reported: Option<Timestamp>,
    /// The latest date that was acknowledged as stored, or found in the file.
    stored: Option<Timestamp>,
    /// What the server has taken into its memory since it was started.
    taken: Vec<Taken>,
}

struct Taken {
    at: Timestamp,
    answered: Timestamp,
}

/// A user, and when they were active.
#[derive(Clone)]
pub(crate) struct Report {
    pub user: String,
    pub at: Timestamp,
}

impl Report {
    /// An address that tells the date, so that no date is found beside another's address.
    pub(crate) fn ip(&self) -> Ipv4Addr {
        address(self.at)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the last bits alone are wanted")]
fn address(at: Timestamp) -> Ipv4Addr {
    Ipv4Addr::from(at.as_micros() as u32)
}

pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

impl Oracle {
    /// A report that is about to be sent: of `user`, so long ago. No two have the same date.
    pub(crate) fn report(&mut self, user: String, ago: Duration) -> Report {
        let next = self.last.map_or(Timestamp::MIN, |last| last + Duration::from_micros(1));
        let now = now().max(next);
        self.last = Some(now);
        let known = self.users.entry(user.clone()).or_default();
        let at = now - ago;
        known.reported = known.reported.max(Some(at));
        Report { user, at }
    }

    /// The server has acknowledged these as stored.
    pub(crate) fn stored(&mut self, reports: &[Report]) {
        for report in reports {
            let known = self.users.entry(report.user.clone()).or_default();
            known.stored = known.stored.max(Some(report.at));
        }
    }

    /// The server has these in its memory.
    pub(crate) fn taken(&mut self, reports: &[Report]) {
        let answered = now();
        for report in reports {
            let known = self.users.entry(report.user.clone()).or_default();
            known.taken.push(Taken { at: report.at, answered });
        }
    }

    /// The server has said that at this moment all that was due had been written.
    pub(crate) fn caught_up(&mut self, at: Timestamp) {
        self.caught_up = self.caught_up.max(Some(at));
    }

    /// The server was killed, and another has been started on the file.
    pub(crate) fn after_a_crash(&mut self, place: &Place, story: &str) {
        let caught_up = self.caught_up.take().unwrap_or(Timestamp::MIN);
        let at_least = |known: &Known| {
            let came_online = known.taken.iter().find(|taken| known.stored.is_none() && taken.answered <= caught_up);
            let settled = known.taken.iter().filter(|taken| taken.answered <= caught_up - STALE);
            settled.chain(came_online).map(|taken| taken.at).max().max(known.stored)
        };
        self.check(place, story, at_least);
    }

    /// The server has written all that it had, or has ended by itself.
    pub(crate) fn after_a_failure(&mut self, place: &Place, story: &str) {
        self.check(place, story, |known| known.taken.iter().map(|taken| taken.at).max().max(known.stored));
    }

    fn check(&mut self, place: &Place, story: &str, at_least: impl Fn(&Known) -> Option<Timestamp>) {
        let found = contents(place, story);
        for user in found.keys() {
            assert!(self.users.contains_key(user), "{user:?} was never reported, after {story}");
        }
        for (user, known) in &mut self.users {
            let (least, found) = (at_least(known), found.get(user).copied());
            assert!(
                least <= found && found <= known.reported,
                "{user:?} is stored as of {found:?}, and must be from {least:?} to {:?}, after {story}",
                known.reported
            );
            known.stored = found;
            known.taken.clear();
        }
    }
}

/// The dates in the file, which must be whole.
fn contents(place: &Place, story: &str) -> BTreeMap<String, Timestamp> {
    let file = Connection::open_with_flags(place.path().join("lastseen.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let whole: String = file.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok", "after {story}");
    let mut rows = file.prepare("SELECT user_id, last_activity_date, last_activity_ip FROM user_activity").unwrap();
    let rows = rows.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(|row| {
        let (user, at, ip): (String, _, String) = row.unwrap();
        let at = Timestamp::from_micros(at);
        assert_eq!(ip, address(at).to_string(), "{user:?} of {at} has another's address, after {story}");
        (user, at)
    })
    .collect()
}
