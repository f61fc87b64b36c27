//! What reads the records, each group's in one call.

use std::collections::HashMap;

use ::redis::{Value, cmd};

use super::feed::{self, Entry, Place, Position};
use super::groups::Group;
use super::router::{Answers, Request};
use super::{Handle, RedisError, answer, script};
use crate::store::{Change, Changes, Cursor, Page};
use crate::{Profile, Record, Timestamp, UserId};

/// About how many records a page has, of all groups together.
const PAGE: usize = 10_000;

/// How many changes are read of a group at a time.
const ENTRIES: usize = 1_000;

/// How many profiles are asked for in a command.
const PROFILES: usize = 1_000;

/// Where a listing of a group has come to its end.
const DONE: &str = ".";

impl Handle {
    pub(super) async fn read(&self, user: &UserId) -> Result<Option<Record>, RedisError> {
        const DOING: &str = "reading a record";
        let groups = self.groups().await?;
        let group = groups.of(user);
        let mut command = script::READ.call(&group.keys.all()[..3]);
        command.arg(user.as_str());
        let request = Request { slot: group.slot, command, script: Some(&script::READ) };
        let answers = self.send(DOING, vec![request]).await?;
        let record = |value: &Value| {
            let [at, ip, left_at] = answer::list(value)? else { return None };
            Some(answer::record(user.clone(), answer::bytes(at)?, answer::bytes(ip)?, answer::bytes(left_at)?))
        };
        let record = answers.first().and_then(record).ok_or_else(|| self.unreadable(DOING))?;
        Ok((!record.is_empty()).then_some(record))
    }

    /// All groups are paged through side by side; a cursor says of each how far it has come.
    pub(super) async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, RedisError> {
        const DOING: &str = "listing what is recent";
        let groups = self.groups().await?;
        let start = format!("s{}", answer::kept(since));
        // What isn't a cursor of this store is one at the beginning.
        let places = page.map(|page| page.as_str().split(' ').collect::<Vec<_>>());
        let places = places.filter(|places| places.len() == groups.len());
        let is_first = places.is_none();
        let mut places: Vec<String> = match places {
            Some(places) => places.into_iter().map(String::from).collect(),
            None => vec![start; groups.len()],
        };

        let open: Vec<usize> = (0..places.len()).filter(|group| places[*group] != DONE).collect();
        let count = (PAGE / open.len().max(1)).max(10);
        let request = |index: &usize| {
            let group = groups.get(*index);
            let (part, from) = places[*index].split_at_checked(1).unwrap_or(("s", "-inf"));
            let mut command = script::PAGE.call(&group.keys.all()[..4]);
            command.arg(part).arg(from).arg(answer::kept(since)).arg(count).arg(u8::from(is_first));
            Request { slot: group.slot, command, script: Some(&script::PAGE) }
        };
        let answers = self.send(DOING, open.iter().map(request).collect()).await?;
        let mut page = Page::default();
        for (index, value) in open.into_iter().zip(&answers) {
            places[index] = add(&mut page, value).ok_or_else(|| self.unreadable(DOING))?;
        }
        if places.iter().any(|place| place != DONE) {
            page.next = Some(Cursor::new(places.join(" ")));
        }
        Ok(page)
    }

    /// Where some groups' servers are down, what the others have is told first, and the failure by the next call. The places
    /// in the groups that lag stay where they are.
    pub(super) async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, RedisError> {
        const DOING: &str = "following other processes";
        if let Some(failure) = self.lagging.lock().take() {
            return Err(failure);
        }
        let groups = self.groups().await?;
        let Some(cursor) = cursor else { return self.ends(false).await };
        let Some(mut places) = feed::places(cursor, groups.len()) else { return self.ends(true).await };

        let mut requests = Vec::with_capacity(2 * groups.len());
        for (group, Place { position, .. }) in groups.iter().zip(&places) {
            let mut entries = cmd("XRANGE");
            entries.arg(&group.keys.feed).arg(format!("({position}")).arg("+").arg("COUNT").arg(ENTRIES);
            let mut trimmed = cmd("GET");
            trimmed.arg(&group.keys.trimmed);
            // In this order: what is trimmed in between is told of as missed, rather than not at all.
            requests.extend([entries, trimmed].map(|command| Request { slot: group.slot, command, script: None }));
        }
        let Answers { values, failure } = self.router.send_to_some(DOING, requests).await;
        let mut told = Told::default();
        for ((group, place), answers) in groups.iter().zip(&mut places).zip(values.chunks(2)) {
            let [Some(entries), Some(trimmed)] = answers else { continue };
            let history = self.history(group.slot);
            let trimmed = Position::of(trimmed).unwrap_or_default();
            // Of what a server that took over lacks, the reader may be ahead.
            if place.history != history || place.position.is_before_gap(trimmed) {
                return self.ends(true).await;
            }
            let entries = answer::list(entries).ok_or_else(|| self.unreadable(DOING))?;
            for entry in entries {
                let [position, fields] = answer::list(entry).unwrap_or_default() else { continue };
                let position = Position::of(position).ok_or_else(|| self.unreadable(DOING))?;
                if place.position.is_of_other_feed(position) {
                    return self.ends(true).await;
                }
                place.position = position;
                if let Some(entry) =
                    answer::list(fields).and(Entry::of(fields)).filter(|entry| entry.origin != self.origin)
                {
                    told.take(entry);
                }
            }
        }
        let changes = told.all();
        if let Some(failure) = failure {
            if changes.is_empty() {
                return Err(failure);
            }
            *self.lagging.lock() = Some(failure);
        }
        Ok(Changes { changes, cursor: feed::cursor(&places), missed: false })
    }

    /// The ends of all feeds.
    async fn ends(&self, missed: bool) -> Result<Changes, RedisError> {
        const DOING: &str = "looking for the ends of the feeds";
        let groups = self.groups().await?;
        // Where another server takes over meanwhile, these are places in the history before it: the next look finds that out.
        let before: Vec<_> = groups.iter().map(|group| self.router.lineage(group.slot)).collect();
        let request = |group: &Group| {
            let mut command = cmd("XREVRANGE");
            command.arg(&group.keys.feed).arg("+").arg("-").arg("COUNT").arg(1);
            Request { slot: group.slot, command, script: None }
        };
        let answers = self.send(DOING, groups.iter().map(request).collect()).await?;
        let mut places = Vec::with_capacity(groups.len());
        for ((group, value), before) in groups.iter().zip(&answers).zip(before) {
            let last = answer::list(value).ok_or_else(|| self.unreadable(DOING))?;
            let position = last.first().and_then(answer::list).and_then(|entry| Position::of(entry.first()?));
            let history = before.map_or_else(|| self.history(group.slot), |lineage| feed::history(&lineage));
            places.push(Place { position: position.unwrap_or_default(), history });
        }
        Ok(Changes { changes: Vec::new(), cursor: feed::cursor(&places), missed })
    }

    fn history(&self, slot: u16) -> u32 {
        feed::history(self.router.lineage(slot).as_deref().unwrap_or_default())
    }

    pub(super) async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, RedisError> {
        const DOING: &str = "reading profiles";
        let groups = self.groups().await?;
        let divided: Vec<_> = groups.divide(users, |user| user).collect();
        let (mut requests, mut asked) = (Vec::new(), Vec::new());
        for (group, users) in &divided {
            for users in users.chunks(PROFILES) {
                let mut command = cmd("HMGET");
                command.arg(&group.keys.profiles);
                for user in users {
                    command.arg(user.as_str());
                }
                requests.push(Request { slot: group.slot, command, script: None });
                asked.push(users);
            }
        }
        let answers = self.send(DOING, requests).await?;
        let mut profiles = Vec::new();
        for (users, value) in asked.into_iter().zip(&answers) {
            let values = answer::list(value).ok_or_else(|| self.unreadable(DOING))?;
            let known =
                |(user, value): (&&UserId, &Value)| Some(((*user).clone(), answer::profile(answer::bytes(value)?)?));
            profiles.extend(users.iter().zip(values).filter_map(known));
        }
        Ok(profiles)
    }
}

/// Adds a group's part to a page, and says where its next begins.
fn add(page: &mut Page, value: &Value) -> Option<String> {
    let [part, from, erased, records] = answer::list(value)? else { return None };
    for erased in answer::list(erased)?.chunks(2) {
        let [user, at] = erased else { return None };
        page.forgotten.extend(answer::user(answer::bytes(user)?).zip(answer::timestamp(answer::bytes(at)?)));
    }
    for record in answer::list(records)?.chunks(4) {
        let [user, at, ip, left_at] = record else { return None };
        let user = answer::user(answer::bytes(user)?);
        let (at, ip, left_at) = (answer::bytes(at)?, answer::bytes(ip)?, answer::bytes(left_at)?);
        page.records.extend(user.map(|user| answer::record(user, at, ip, left_at)));
    }
    let part = answer::text(part)?;
    Some(if part.is_empty() { DONE.into() } else { format!("{part}{}", answer::text(from)?) })
}

/// Of each user what was told last; a user's changes are all of one group, and so in order.
#[derive(Default)]
struct Told {
    records: HashMap<UserId, Record>,
    profiles: HashMap<UserId, Profile>,
    forgotten: HashMap<UserId, Timestamp>,
}

impl Told {
    fn take(&mut self, entry: Entry) {
        match entry.change {
            Change::Record(record) => drop(self.records.insert(entry.user, record)),
            Change::Profile(user, profile) => drop(self.profiles.insert(user, profile)),
            Change::Forgotten(user, at) => {
                self.records.remove(&user);
                self.profiles.remove(&user);
                self.forgotten.insert(user, at);
            }
        }
    }

    fn all(self) -> Vec<Change> {
        let forgotten = self.forgotten.into_iter().map(|(user, at)| Change::Forgotten(user, at));
        // A record of which nothing is left was dated by a clock that was wrong.
        let records = self.records.into_values().filter(|record| !record.is_empty()).map(Change::Record);
        let profiles = self.profiles.into_iter().map(|(user, profile)| Change::Profile(user, profile));
        forgotten.chain(records).chain(profiles).collect()
    }
}
