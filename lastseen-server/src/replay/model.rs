//! What a tracker would do with a log's touches: the rules for who is online and for when the store is written.
//!
//! A real tracker does its work as time passes, a flush and a sweep each second; a log has more seconds than lines, as
//! a rule. Here only touches are visited, and what would have happened between two is worked out at the second. A test
//! holds it against a real tracker on a clock that goes through every moment.

use std::collections::VecDeque;

use lastseen::Timestamp;

use super::Curve;
use crate::settings::Settings;
use crate::value::Span;

/// Never yet: earlier than every moment.
const NEVER: i64 = i64::MIN;
/// Nothing is to be written: later than every moment.
const NOTHING: i64 = i64::MAX;

/// One tracker. Moments are in microseconds.
#[derive(Debug)]
pub(super) struct Model {
    window: i64,
    flush_every: i64,
    /// How many flushes after a write the next may come: the granularity, rounded up.
    pause: i64,
    /// The first moment, from which flushes are counted, and the latest.
    start: i64,
    now: i64,
    users: Vec<User>,
    /// Who may be online, in order of their activities. An entry counts while it is its user's latest.
    order: VecDeque<(i64, u32)>,
    pub(super) online: usize,
    pub(super) known: usize,
    pub(super) touches: u64,
    pub(super) writes: u64,
    pub(super) peak: usize,
    pub(super) peak_at: i64,
    pub(super) curve: Curve,
}

#[derive(Clone, Copy, Debug)]
struct User {
    at: i64,
    /// When last written.
    written: i64,
    /// When to be written next.
    due: i64,
    online: bool,
}

const UNKNOWN: User = User { at: NEVER, written: NEVER, due: NOTHING, online: false };

impl Model {
    pub(super) fn new(settings: &Settings) -> Self {
        let micros = |Span(span): Span| i64::try_from(span.as_micros()).unwrap_or(i64::MAX).max(1);
        let flush_every = micros(settings.flush_every);
        Self {
            window: micros(settings.window),
            flush_every,
            pause: (micros(settings.granularity) - 1) / flush_every + 1,
            start: NEVER,
            now: NEVER,
            users: Vec::new(),
            order: VecDeque::new(),
            online: 0,
            known: 0,
            touches: 0,
            writes: 0,
            peak: 0,
            peak_at: NEVER,
            curve: Curve::default(),
        }
    }

    /// A user's activity. Its date may lie before the latest, as where a log is written at the end of requests.
    pub(super) fn touch(&mut self, user: u32, at: i64) {
        self.touches += 1;
        self.pass(at);
        let index = user as usize;
        if index >= self.users.len() {
            self.users.resize(index + 1, UNKNOWN);
        }
        let now = self.now;
        let next_flush = self.next_flush();
        let touched = &mut self.users[index];
        if touched.due <= now {
            touched.written = std::mem::replace(&mut touched.due, NOTHING);
            self.writes += 1;
        }
        if at <= touched.at {
            return;
        }
        self.known += usize::from(touched.at == NEVER);
        touched.at = at;
        let is_online = now.saturating_sub(self.window) <= at;
        let came = is_online && !std::mem::replace(&mut touched.online, true);
        // Who comes is written at once, who stays after a pause.
        let earliest = if came { NEVER } else { touched.written.saturating_add(self.pause * self.flush_every) };
        touched.due = touched.due.min(next_flush.max(earliest));
        if !is_online {
            return;
        }
        let later = self.order.iter().rev().take_while(|(other, _)| *other > at).count();
        self.order.insert(self.order.len() - later, (at, user));
        if came {
            self.online += 1;
            self.note(now);
        }
        if self.order.len() > 2 * self.online + 1024 {
            let users = &self.users;
            self.order.retain(|(at, user)| users[*user as usize].at == *at);
        }
    }

    /// Time goes on to `at`, unless it is there already.
    pub(super) fn pass(&mut self, at: i64) {
        if self.start == NEVER {
            self.start = at;
            self.curve = Curve::new(at);
        }
        if at <= self.now {
            return;
        }
        while let Some(&(seen, user)) = self.order.front().filter(|(seen, _)| at.saturating_sub(self.window) > *seen) {
            self.order.pop_front();
            let user = &mut self.users[user as usize];
            if user.at == seen {
                user.online = false;
                self.online -= 1;
                self.note(seen + self.window + 1);
            }
        }
        self.now = at;
    }

    /// The end of the log, at `last`: what is to be written is, as at a shutdown.
    pub(super) fn finish(&mut self, last: Option<Timestamp>) {
        if let Some(last) = last {
            self.pass(last.as_micros());
            self.note(self.now);
        }
        for user in &mut self.users {
            self.writes += u64::from(std::mem::replace(&mut user.due, NOTHING) != NOTHING);
        }
    }

    /// The number has changed.
    fn note(&mut self, at: i64) {
        self.curve.change(at, self.online);
        if self.online > self.peak {
            (self.peak, self.peak_at) = (self.online, at);
        }
    }

    /// The first flush after now; one that falls on a touch comes before it.
    fn next_flush(&self) -> i64 {
        self.start + ((self.now - self.start) / self.flush_every + 1) * self.flush_every
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use lastseen::store::{Changes, Cursor, Page};
    use lastseen::{Activity, ManualClock, Profile, Record, Store, Timestamp, Tracker, UserId};
    use proptest::prelude::*;

    use super::*;

    fn settings(window: u64, granularity: u64, flush_every: u64) -> Settings {
        let span = |millis| Span(Duration::from_millis(millis));
        Settings {
            window: span(window),
            granularity: span(granularity),
            flush_every: span(flush_every),
            ..Settings::default()
        }
    }

    /// A store that keeps nothing and counts the records.
    struct Counting(Arc<AtomicU64>);

    impl Store for Counting {
        type Error = Infallible;

        async fn write(&self, batch: &[Record], _: Timestamp) -> Result<(), Infallible> {
            self.0.fetch_add(u64::try_from(batch.len()).unwrap(), Ordering::Relaxed);
            Ok(())
        }

        async fn read(&self, _: &UserId) -> Result<Option<Record>, Infallible> {
            Ok(None)
        }

        async fn recent(&self, _: Timestamp, _: Option<&Cursor>) -> Result<Page, Infallible> {
            Ok(Page::default())
        }

        async fn follow(&self, _: Option<&Cursor>) -> Result<Changes, Infallible> {
            Ok(Changes { changes: Vec::new(), cursor: Cursor::new(""), missed: false })
        }

        async fn forget(&self, _: &UserId, _: Timestamp) -> Result<(), Infallible> {
            Ok(())
        }

        async fn set_profile(&self, _: &UserId, _: &Profile) -> Result<(), Infallible> {
            Ok(())
        }

        async fn profiles(&self, _: &[UserId]) -> Result<Vec<(UserId, Profile)>, Infallible> {
            Ok(Vec::new())
        }
    }

    /// How many were online after each touch, the most of them, and the records written.
    async fn by_a_tracker(settings: &Settings, touches: &[(u32, i64)]) -> (Vec<usize>, u64) {
        let writes = Arc::new(AtomicU64::new(0));
        let mut now = touches[0].1;
        let clock = ManualClock::new(Timestamp::from_micros(now));
        let tracker = Tracker::builder(Counting(Arc::clone(&writes)))
            .window(settings.window.0)
            .granularity(settings.granularity.0)
            .flush_every(settings.flush_every.0)
            .clock(clock.clone())
            .start()
            .await
            .unwrap();
        let start = now;
        let mut counts = Vec::new();
        for (user, at) in touches {
            while now < *at {
                // Through every flush.
                let flush_every = i64::try_from(settings.flush_every.0.as_micros()).unwrap();
                let next = (start + ((now - start) / flush_every + 1) * flush_every).min(*at);
                clock.advance(Duration::from_micros(u64::try_from(next - now).unwrap()));
                now = next;
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
            }
            let activity = Activity { user: UserId::from(*user), at: Timestamp::from_micros(*at), ip: None };
            tracker.touch_at(activity).unwrap();
            counts.push(tracker.count());
        }
        tracker.shutdown().await.unwrap();
        (counts, writes.load(Ordering::Relaxed))
    }

    fn by_the_model(settings: &Settings, touches: &[(u32, i64)]) -> (Vec<usize>, Model) {
        let mut model = Model::new(settings);
        let mut counts = Vec::new();
        for (user, at) in touches {
            model.touch(*user, *at);
            counts.push(model.online);
        }
        model.finish(None);
        (counts, model)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_tracker_that_goes_through_every_moment_agrees(
            steps in proptest::collection::vec((0_u32..6, 0_i64..90, any::<bool>(), 0_i64..40), 1..80),
            times in prop_oneof![Just((30, 10, 2)), Just((30, 7, 3)), Just((10, 1, 1)), Just((20, 5, 5))],
        ) {
            let settings = settings(times.0, times.1, times.2);
            // In milliseconds, most of them little apart and some of them late.
            let mut now = 1_795_490_100_000;
            let mut touches = Vec::new();
            for (user, step, far, late) in steps {
                now += if far { step } else { step / 30 };
                let late = if late < 35 || touches.is_empty() { 0 } else { late };
                touches.push((user, (now - late) * 1000));
            }
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (counts, writes) = runtime.block_on(by_a_tracker(&settings, &touches));
            let (modelled, model) = by_the_model(&settings, &touches);
            prop_assert_eq!(&modelled, &counts);
            prop_assert_eq!(model.writes, writes);
            prop_assert_eq!(model.peak, counts.into_iter().max().unwrap_or(0));
        }
    }

    #[test]
    fn rule_2_the_edge_counts_and_the_peak_is_of_the_first_moment() {
        let (counts, model) = by_the_model(&settings(10, 1, 1), &[(1, 0), (2, 10_000), (1, 10_001), (3, 20_001)]);
        assert_eq!(counts, [1, 2, 2, 2]);
        assert_eq!((model.peak, model.peak_at, model.known), (2, 10_000, 3));
    }

    #[test]
    fn who_stays_costs_memory_once() {
        let touches: Vec<_> = (0..100_000).map(|at| (u32::from(at % 2 == 0), at)).collect();
        let (_, model) = by_the_model(&settings(1000, 10, 1), &touches);
        assert!(model.order.len() < 1100, "{}", model.order.len());
        assert_eq!((model.online, model.touches), (2, 100_000));
    }
}
