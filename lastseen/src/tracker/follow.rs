//! Reading what other processes have flushed, and at start all that is recent.

use std::time::Duration;

use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};

use super::core::{Core, note};
use super::shard::Told;
use crate::store::Change;
use crate::{Error, Timestamp, VOID_AHEAD};

/// The two clocks side by side: a wall that has gone back against the monotonic clock was wrong before.
#[derive(Clone, Copy)]
pub(super) struct Clocks {
    wall: Timestamp,
    monotonic: Duration,
}

impl Clocks {
    pub(super) fn read(core: &Core) -> Self {
        let clock = &core.memory.shared.clock;
        Self { wall: clock.now(), monotonic: clock.monotonic() }
    }

    /// Whether the wall has been set back so far that what it dated before counts for nothing.
    fn went_back_by(self, now: Self) -> bool {
        let expected = self.wall + now.monotonic.saturating_sub(self.monotonic);
        expected.since(now.wall) > VOID_AHEAD
    }
}

impl Core {
    /// Takes over what others have written since the last time. The first time, after a gap in the feed, and after the
    /// clock was set back (while it was ahead, users may have been let go of as long unseen): all that is recent.
    pub(super) async fn follow(&self, clocks: &mut Clocks) -> Result<(), Error> {
        let now = Clocks::read(self);
        let went_back = clocks.went_back_by(now);
        *clocks = now;
        let span = debug_span!(target: "lastseen", "lastseen.follow", changes = Empty);
        let outcome = self.catch_up(went_back).instrument(span).await;
        let mut health = self.health.lock();
        note(&mut health.follow, "follow", &outcome);
        if outcome.is_ok() {
            health.followed_at = Some(self.memory.now());
            health.loaded = true;
        }
        outcome
    }

    async fn catch_up(&self, reload: bool) -> Result<(), Error> {
        let mut followed = self.followed.lock().await;
        if reload {
            *followed = None;
        }
        let mut total = 0;
        loop {
            let changes = self.store.follow(followed.as_ref()).await?;
            let lacking = followed.is_none() || changes.missed;
            if lacking {
                // The cursor was given out before this reading, so nothing falls between the two.
                let span = debug_span!(target: "lastseen", "lastseen.load", records = Empty);
                self.read_recent().instrument(span).await?;
            }
            let more = !lacking && !changes.changes.is_empty();
            total += changes.changes.len() as u64;
            self.health.lock().changes += changes.changes.len() as u64;
            for change in changes.changes {
                match change {
                    Change::Record(record) => self.memory.absorb(&record),
                    Change::Forgotten(user, at) => self.memory.forget(&user, at),
                    Change::Profile(user, profile) if self.directory.is_none() => {
                        self.memory.resolve(&user, &profile, Told::ByHand { set: self.next_profile_number() });
                    }
                    Change::Profile(..) => {}
                }
            }
            *followed = Some(changes.cursor);
            if !more {
                Span::current().record("changes", total);
                return Ok(());
            }
        }
    }

    async fn read_recent(&self) -> Result<(), Error> {
        let horizon = Duration::from_micros(self.memory.shared.times.horizon.unsigned_abs());
        let since = self.memory.now() - horizon;
        let (mut next, mut total) = (None, 0);
        loop {
            let page = self.store.recent(since, next.as_ref()).await?;
            page.forgotten.iter().for_each(|(user, at)| self.memory.forget(user, *at));
            page.records.iter().for_each(|record| self.memory.absorb(record));
            total += page.records.len();
            next = page.next;
            if next.is_none() {
                Span::current().record("records", total);
                return Ok(());
            }
        }
    }
}
