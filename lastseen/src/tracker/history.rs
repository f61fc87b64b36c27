//! Counting who is online, once a second, and keeping what that comes to.

use std::ops::RangeInclusive;
use std::time::Duration;

use tracing::{Instrument, debug_span};

use super::Tracker;
use super::core::{Core, note};
use crate::history::Spans;
use crate::{Day, Error, MostOnline, OnlineSpan, Resolution, Timestamp, VOID_AHEAD};

/// What was.
impl Tracker {
    /// How many were online from `from` to `to`, in the finest spans that are still [kept](Resolution) so far back,
    /// oldest first. A span in which no process of the site ran is absent.
    ///
    /// Who is hidden or inactive isn't counted, as in [`count`](Self::count), which is taken once a second.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lastseen::Tracker;
    /// # async fn example(tracker: Tracker) -> Result<(), lastseen::Error> {
    /// let now = tracker.now();
    /// for span in tracker.history(now - Duration::from_hours(24), now).await? {
    ///     println!("{}: {} online, at most {}", span.at, span.online, span.peak);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) where the store failed, [`is_unsupported`](Error::is_unsupported) where it keeps no
    /// history.
    pub async fn history(&self, from: Timestamp, to: Timestamp) -> Result<Vec<OnlineSpan>, Error> {
        self.history_by(Resolution::finest(from, self.now()), from, to).await
    }

    /// The same in spans of a length of one's own choosing.
    ///
    /// # Errors
    ///
    /// As [`history`](Self::history).
    pub async fn history_by(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, Error> {
        self.core().history(resolution, from, to).await
    }

    /// The most users who were ever online at once, and when; `None` before the first second is over.
    ///
    /// # Errors
    ///
    /// As [`history`](Self::history).
    pub async fn most_online(&self) -> Result<Option<MostOnline>, Error> {
        self.core().most_online().await
    }

    /// How many different users were active within these days, the last included: those of one day are the daily active
    /// users, those of 7 the weekly, of 30 the monthly. [`ACTIVE_DAYS`](crate::ACTIVE_DAYS) days are kept.
    ///
    /// The number is exact as of what has been written, which today is all but the last granularity. It counts whoever
    /// was active, hidden or not: it names nobody, and profiles change. Who was erased is counted no more. Where the
    /// store fails over midnight, a user who is active before it and after it within the outage is counted for the day
    /// after alone.
    ///
    /// ```
    /// # use lastseen::{Day, Tracker};
    /// # async fn example(tracker: Tracker) -> Result<(), lastseen::Error> {
    /// let today = Day::of(tracker.now());
    /// let daily = tracker.active_users(today..=today).await?;
    /// let monthly = tracker.active_users(today - 29..=today).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`history`](Self::history); [`is_invalid`](Error::is_invalid) where the last day is before the first.
    pub async fn active_users(&self, days: RangeInclusive<Day>) -> Result<u64, Error> {
        self.core().active_users(*days.start(), *days.end()).await
    }
}

/// How long after its end a span is still written. So the last minute is written twice, and what a failover lost of it
/// is made up for.
const WRITTEN_FOR: Duration = Duration::from_mins(1);

/// What has been counted and may not be in the store yet. While the store is down minutes wait for 2 days, ten minutes
/// for 8, hours for 31: so long an outage costs resolution alone, and they never are more than some thousand.
#[derive(Default)]
pub(super) struct Looks {
    spans: Spans,
    /// The minute of the last look.
    minute: Option<Timestamp>,
    most: Option<MostOnline>,
}

impl Looks {
    /// So many are online now.
    fn look(&mut self, now: Timestamp, online: u32) {
        let minute = Resolution::Minute.start_of(now);
        let is_first = self.minute.replace(minute) != Some(minute);
        for resolution in Resolution::ALL {
            self.spans.merge(OnlineSpan {
                resolution,
                at: resolution.start_of(now),
                // Less than any count: by maximum it changes nothing.
                online: if is_first { online } else { 0 },
                peak: online,
            });
        }
        let most = MostOnline { online, at: now };
        self.most = Some(self.most.map_or(most, |before| before.merged(most)));
    }

    /// What is to be written.
    fn due(&mut self, now: Timestamp) -> (Vec<OnlineSpan>, Option<MostOnline>) {
        self.spans.drop_old(now);
        // Counted while the clock was ahead.
        self.spans.drop_after(now + VOID_AHEAD);
        (self.spans.all(), self.most)
    }

    /// The store has these. What may still change, or has only just ended, is written again.
    fn written(&mut self, spans: &[OnlineSpan], now: Timestamp) {
        let is_over = |span: &&OnlineSpan| span.at + span.resolution.width() + WRITTEN_FOR < now;
        spans.iter().filter(is_over).for_each(|span| self.spans.remove(span));
    }
}

impl Core {
    /// Counts who is online. Before the recent records have been read that would be too few: such a moment is one at
    /// which nobody counted.
    pub(super) fn look(&self) {
        if !self.store.keeps_history() || !self.health.lock().loaded {
            return;
        }
        let window = Duration::from_micros(self.memory.shared.times.window.unsigned_abs());
        let online = u32::try_from(self.memory.count(window)).unwrap_or(u32::MAX);
        self.looks.lock().look(self.memory.now(), online);
    }

    /// Writes what has been counted and the store may lack.
    pub(super) async fn write_history(&self) -> Result<(), Error> {
        let now = self.memory.now();
        let (spans, most) = self.looks.lock().due(now);
        if spans.is_empty() {
            return Ok(());
        }
        let span = debug_span!(target: "lastseen", "lastseen.history", spans = spans.len());
        let outcome = self.store.write_history(&spans, most, now).instrument(span).await;
        note(&mut self.health.lock().history, "history", &outcome);
        outcome?;
        self.looks.lock().written(&spans, now);
        Ok(())
    }

    /// What the store has, and what it doesn't have yet.
    pub(super) async fn history(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, Error> {
        self.needs_history()?;
        let (from, to) = (resolution.start_of(from), to.min(self.memory.now()));
        let mut spans = Spans::default();
        if from <= to {
            self.store.history(resolution, from, to).await?.into_iter().for_each(|span| spans.merge(span));
            self.looks.lock().spans.within(resolution, from, to).into_iter().for_each(|span| spans.merge(span));
        }
        Ok(spans.all())
    }

    pub(super) async fn most_online(&self) -> Result<Option<MostOnline>, Error> {
        self.needs_history()?;
        let stored = self.store.most_online().await?;
        let here = self.looks.lock().most;
        Ok(match (stored, here) {
            (Some(stored), Some(here)) => Some(stored.merged(here)),
            (stored, here) => stored.or(here),
        })
    }

    pub(super) async fn active_users(&self, from: Day, to: Day) -> Result<u64, Error> {
        self.needs_history()?;
        if from > to {
            return Err(Error::invalid(format!("the days from {from} to {to} are none: the first must not be later")));
        }
        self.store.active_users(from, to).await
    }

    fn needs_history(&self) -> Result<(), Error> {
        if self.store.keeps_history() { Ok(()) } else { Err(Error::unsupported("the store keeps no history")) }
    }
}
