//! What changes the records, each group's in one call of a script, which is done in full or not at all.

use std::collections::BTreeSet;
use std::time::Duration;

use ::redis::Cmd;

use super::groups::{Group, Groups};
use super::router::Request;
use super::{Handle, RedisError, answer, script};
use crate::store::tombstone;
use crate::timestamp::micros;
use crate::{Day, Profile, Record, Timestamp, UserId, VOID_AHEAD};

/// How many records a call takes: a server does nothing else meanwhile, and Lua's stack has room for not many more.
const CHUNK: usize = 1_000;

impl Handle {
    pub(super) async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), RedisError> {
        let groups = self.groups().await?;
        let mut requests = Vec::new();
        for (group, records) in groups.divide(batch, |record| &record.user) {
            requests.extend(records.chunks(CHUNK).map(|records| self.merging(&groups, group, records, now)));
        }
        self.send("writing activities", requests).await.map(drop)
    }

    fn merging(&self, groups: &Groups, group: &Group, records: &[&Record], now: Timestamp) -> Request {
        let days: BTreeSet<Day> = records.iter().filter_map(|record| record.day()).collect();
        let days: Vec<(Day, i64)> = days.into_iter().filter_map(|day| Some((day, self.life_of(day, now)?))).collect();
        let mut command = script::WRITE.call(&group.keys.with(days.iter().map(|(day, _)| *day)));
        command
            .arg(answer::kept(now + VOID_AHEAD))
            .arg(answer::kept(tombstone::oldest(now)))
            .arg(micros(self.settings.keep))
            .arg(answer::kept(now));
        self.end(&mut command, groups);
        for (_, life) in &days {
            command.arg(*life);
        }
        for record in records {
            let Record { user, seen, left_at } = record;
            command.arg(user.as_str());
            match seen {
                Some(seen) => command.arg(answer::kept(seen.at)).arg(answer::ip_bytes(seen.ip)),
                None => command.arg("").arg(""),
            };
            match left_at {
                Some(left_at) => command.arg(answer::kept(*left_at)),
                None => command.arg(""),
            };
            match days.iter().position(|(day, _)| Some(*day) == record.day()) {
                Some(place) => command.arg(place + 1),
                None => command.arg(""),
            };
        }
        Request { slot: group.slot, command, script: Some(&script::WRITE) }
    }

    pub(super) async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), RedisError> {
        let groups = self.groups().await?;
        let group = groups.of(user);
        let days: Vec<Day> = Self::days_until(now).collect();
        let mut command = script::FORGET.call(&group.keys.with(days.iter().copied()));
        command
            .arg(user.as_str())
            .arg(answer::kept(at))
            .arg(answer::kept(tombstone::oldest(now)))
            .arg(answer::kept(now + VOID_AHEAD))
            .arg(answer::kept(now))
            .arg(days.first().map_or(0, |first| first.as_days()));
        self.end(&mut command, &groups);
        let request = Request { slot: group.slot, command, script: Some(&script::FORGET) };
        self.send("erasing a user", vec![request]).await.map(drop)
    }

    pub(super) async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), RedisError> {
        let groups = self.groups().await?;
        let group = groups.of(user);
        let mut command = script::PUT_PROFILE.call(&group.keys.all());
        command.arg(user.as_str()).arg(answer::profile_text(profile));
        self.end(&mut command, &groups);
        let request = Request { slot: group.slot, command, script: Some(&script::PUT_PROFILE) };
        self.send("writing a profile", vec![request]).await.map(drop)
    }

    /// What all that write are told: for how long keys live, whose change it is, and how many changes are kept.
    fn end(&self, command: &mut Cmd, groups: &Groups) {
        // A day longer, so that nothing goes before its time where clocks differ.
        let lifetime = self.settings.keep.saturating_add(Duration::from_hours(24));
        let most = Duration::from_hours(24 * 365 * 100);
        command
            .arg(micros(lifetime.min(most)) / 1_000)
            .arg(format!("{:x}", self.origin))
            .arg(self.settings.feed as usize / groups.len());
    }
}
