//! Who was active on which day: a bit a user, in a string a day and group.

use std::time::Duration;

use ::redis::{Value, cmd};

use super::groups::Group;
use super::router::Request;
use super::{Handle, RedisError, answer, script};
use crate::timestamp::micros;
use crate::{ACTIVE_DAYS, Day, Timestamp, UserId};

const DAY: Duration = Duration::from_hours(24);

/// The most days that are asked for. More are never there.
const MOST: u32 = 366;

impl Handle {
    /// How many milliseconds a day still lives at `now`; `None` for one that is gone already. Days go as records do.
    pub(super) fn life_of(&self, day: Day, now: Timestamp) -> Option<i64> {
        let kept = self.settings.keep.min(DAY * ACTIVE_DAYS);
        let end = day.start() + DAY + kept;
        Some(micros(end.since(now)) / 1_000).filter(|left| *left > 0)
    }

    /// The days on which somebody whom the writer's time `now` is of may have been noted.
    pub(super) fn days_until(now: Timestamp) -> impl Iterator<Item = Day> {
        // One more on either side, for clocks that differ.
        let days = i32::try_from(ACTIVE_DAYS + 1).unwrap_or(i32::MAX);
        let today = Day::of(now).as_days();
        (today.saturating_sub(days)..=today.saturating_add(1)).map(Day::from_days)
    }

    pub(super) async fn active_days(&self, user: &UserId, now: Timestamp) -> Result<Vec<Day>, RedisError> {
        const DOING: &str = "reading when a user was active";
        let groups = self.groups().await?;
        let group = groups.of(user);
        let days: Vec<Day> = Self::days_until(now).collect();
        let mut command = script::DAYS.call(&group.keys.with(days.iter().copied()));
        command.arg(user.as_str());
        let request = Request { slot: group.slot, command, script: Some(&script::DAYS) };
        let answers = self.send(DOING, vec![request]).await?;
        let bits = answers.first().and_then(answer::list).ok_or_else(|| self.unreadable(DOING))?;
        Ok(days.into_iter().zip(bits).filter(|(_, bit)| **bit == Value::Int(1)).map(|(day, _)| day).collect())
    }

    pub(super) async fn active_users(&self, from: Day, to: Day) -> Result<u64, RedisError> {
        const DOING: &str = "counting active users";
        let groups = self.groups().await?;
        let from = from.max(to - (MOST - 1));
        if from > to {
            return Ok(0);
        }
        let request = |group: &Group| {
            let mut command = cmd("MGET");
            for day in from.as_days()..=to.as_days() {
                command.arg(group.keys.active(Day::from_days(day)));
            }
            Request { slot: group.slot, command, script: None }
        };
        let answers = self.send(DOING, groups.iter().map(request).collect()).await?;
        let mut count = 0;
        for answer in &answers {
            let mut users = Vec::new();
            for bits in answer::list(answer).ok_or_else(|| self.unreadable(DOING))?.iter().filter_map(answer::bytes) {
                users.resize(users.len().max(bits.len()), 0_u8);
                users.iter_mut().zip(bits).for_each(|(users, bits)| *users |= bits);
            }
            // Nobody is in two groups.
            count += users.iter().map(|bits| u64::from(bits.count_ones())).sum::<u64>();
        }
        Ok(count)
    }
}
