//! A month that never was: how many came, by days and nights, so that the page has something to look back on at once.

use std::f64::consts::TAU;
use std::time::Duration;

use fastrand::Rng;
use lastseen::{Day, MostOnline, OnlineSpan, Record, Resolution, Seen, Store, Timestamp};

use super::{SEED, address, ratio, user};

/// How many days back the longest spans reach, and a month of active users.
const DAYS: u32 = 30;

/// Of more users than these it isn't told who came on which day: the server would start late.
const MOST_REMEMBERED: usize = 10_000;

/// When more came than ever.
const EVENT: Duration = Duration::from_hours(11 * 24 + 1);

/// Writes into a store what a crowd of so many users would have left there.
pub(crate) async fn invent<S: Store>(store: &S, users: usize, now: Timestamp) -> Result<(), S::Error> {
    let mut past = Past { users, now, rng: Rng::with_seed(SEED) };
    let mut most: Option<MostOnline> = None;
    for resolution in Resolution::ALL {
        let spans = past.spans(resolution);
        for span in &spans {
            let here = MostOnline { online: span.peak, at: span.at + Duration::from_secs(41) };
            most = Some(most.map_or(here, |most| most.merged(here)));
        }
        store.write_history(&spans, most, now).await?;
    }
    if users <= MOST_REMEMBERED {
        for back in (0..DAYS).rev() {
            store.write(&past.visitors(back), now).await?;
        }
    }
    Ok(())
}

struct Past {
    users: usize,
    now: Timestamp,
    rng: Rng,
}

impl Past {
    fn spans(&mut self, resolution: Resolution) -> Vec<OnlineSpan> {
        let length = resolution.kept().min(Duration::from_hours(24) * DAYS);
        let starts = (1..).map(|back| resolution.start_of(self.now) - resolution.width() * back);
        let starts: Vec<_> = starts.take_while(|at| *at >= self.now - length).collect();
        let span = |at| {
            let online = self.online(at);
            let peak = online + self.up_to(online / 20 + 1);
            OnlineSpan { resolution, at, online, peak }
        };
        starts.into_iter().rev().map(span).collect()
    }

    /// How many were online: few at night, fewer at weekends, and a little more from week to week. The day is so turned
    /// that most are here about now, as the crowd that goes on from here will be.
    fn online(&mut self, at: Timestamp) -> u32 {
        let ago = self.now.since(at).as_secs_f64() / 86_400.0;
        let night = 0.5 - 0.5 * (TAU * (ago - 0.05)).cos();
        // Days end when least are here; a weekend is not the day from which one looks back.
        let is_weekend = matches!((ago + 0.45).floor().rem_euclid(7.0), 2.0..4.0);
        let event = if self.now.since(at).abs_diff(EVENT) < Duration::from_mins(90) { 1.18 } else { 1.0 };
        let weekend = if is_weekend { 0.7 } else { 1.0 };
        let share =
            (0.8 - 0.6 * night.powf(0.8)) * weekend * event * (1.0 - ago / 150.0) * (0.96 + 0.08 * self.rng.f64());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and `users`")]
        let online = (share * ratio(self.users, 1)) as u32;
        online
    }

    fn up_to(&mut self, number: u32) -> u32 {
        self.rng.u32(..=number)
    }

    /// Who came on the day so many days ago, each at some time of it: of the crowd the first in rank nearly always, the
    /// last now and then; and some of those who come no more.
    fn visitors(&mut self, back: u32) -> Vec<Record> {
        let day = Day::of(self.now) - back;
        let length = self.now.since(day.start()).min(Duration::from_hours(24)).as_secs_f64();
        let everybody = if back == 0 { self.users } else { 3 * self.users };
        let comes = |rank: &usize| self.rng.f64() < (0.95 - 0.6 * ratio(*rank, self.users)).max(0.05);
        let ranks: Vec<_> = (1..=everybody).filter(comes).collect();
        let record = |rank| {
            let at = day.start() + Duration::from_secs_f64(length * self.rng.f64());
            Record { seen: Some(Seen { at, ip: Some(address(rank)) }), ..Record::empty(user(rank)) }
        };
        ranks.into_iter().map(record).collect()
    }
}

#[cfg(test)]
mod tests {
    use lastseen::MemoryStore;

    use super::*;

    async fn invented(users: usize) -> (MemoryStore, Timestamp) {
        let (store, now) = (MemoryStore::new(), "2026-11-24T03:15:00Z".parse().unwrap());
        invent(&store, users, now).await.unwrap();
        (store, now)
    }

    #[tokio::test]
    async fn a_month_is_whole_and_ends_near_what_the_crowd_begins_with() {
        let (store, now) = invented(400).await;
        for (resolution, length) in [(Resolution::TenMinutes, 24), (Resolution::Hour, 30 * 24 - 1)] {
            let spans = store.history(resolution, now - Duration::from_hours(length), now).await.unwrap();
            let ends = spans.iter().map(|span| span.at + resolution.width());
            assert!(ends.zip(&spans[1..]).all(|(end, next)| end == next.at), "{resolution}");
            assert_eq!(spans.last().unwrap().at + resolution.width(), resolution.start_of(now));
            assert!(spans.iter().all(|span| span.online <= span.peak && span.peak < 400), "{resolution}");
            assert!((260..360).contains(&spans.last().unwrap().online), "{:?}", spans.last());
            let least = spans.iter().map(|span| span.online).min().unwrap();
            assert!((10..120).contains(&least), "{least}");
        }
        let most = store.most_online().await.unwrap().unwrap();
        assert!((now - EVENT).since(most.at).max(most.at.since(now - EVENT)) < Duration::from_hours(3), "{most:?}");
    }

    #[tokio::test]
    async fn more_come_in_a_week_than_in_a_day() {
        let (store, now) = invented(400).await;
        let today = Day::of(now);
        let active = async |days: u32| store.active_users(today - (days - 1), today).await.unwrap();
        let (day, week, month) = (active(1).await, active(7).await, active(30).await);
        assert!((200..400).contains(&day) && day < week && week < month && month <= 3 * 400, "{day} {week} {month}");
    }

    #[tokio::test]
    async fn a_large_crowd_is_a_curve_alone() {
        let (store, now) = invented(MOST_REMEMBERED + 1).await;
        assert_eq!(store.active_users(Day::of(now), Day::of(now)).await.unwrap(), 0);
        assert!(store.most_online().await.unwrap().unwrap().online > 8_000);
    }
}
