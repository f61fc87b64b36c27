//! A store that others use over HTTP: what a server does with their calls.

use std::fmt;
use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::wire::{
    ActiveDays, ActiveUsers, Activity, Call, Count, Days, Expire, Expired, Follow, Followed, Forget, Found, History,
    Most, MostOnlineEver, Named, Profiles, Read, Recent, RecentPage, Refused, SetProfile, Spans, Write, WriteHistory,
    Written,
};
use crate::store::random::random;
use crate::store::{Change, Cursor, KeptSince};
use crate::tracker::erased::AnyStore;
use crate::{Day, Error, Record, Store, Timestamp};

/// A store that other processes use as an [`HttpStore`](super::HttpStore): answers what they ask.
///
/// The program `lastseen` has one behind `POST /v1/store/{call}`. Whoever may ask may read all that is stored, and erase it:
/// that is for whoever serves it to guard.
///
/// It has two handles on the store, and neither may be a tracker's. What a handle has written it may leave out of what it
/// [follows](Store::follow), and here many who follow each other write by the same one.
///
/// ```
/// use lastseen::{MemoryStore, store::SharedStore};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new();
/// let shared = SharedStore::new(store.another(), store.another());
/// assert_eq!(shared.answer("read", br#"{"user": "ada"}"#).await?.unwrap(), br#"{"record":null}"#);
/// assert_eq!(shared.answer("unread", b"{}").await?, None);
/// # Ok::<(), lastseen::Error>(())
/// # }).unwrap();
/// ```
pub struct SharedStore {
    writer: Box<dyn AnyStore>,
    reader: Box<dyn AnyStore>,
    /// As much of an address as is kept.
    keep: Box<dyn Fn(IpAddr) -> Option<IpAddr> + Send + Sync>,
    /// Another for each start: who has been answered by the one before may know what this store has lost.
    start: u64,
}

impl SharedStore {
    /// Shares a store by two handles on it: one that writes, and one that never does.
    pub fn new(writer: impl Store, reader: impl Store) -> Self {
        Self { writer: Box::new(writer), reader: Box::new(reader), keep: Box::new(Some), start: random() }
    }

    /// Keeps no more of addresses than this, whoever writes them. Default: whole.
    #[must_use]
    pub fn addresses(mut self, keep: impl Fn(IpAddr) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.keep = Box::new(keep);
        self
    }

    /// Answers a call, by its name and its body in JSON, with a body in JSON. `None`: there is no such call.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) where the question can't be read, [`is_store`](Error::is_store) where the store
    /// failed. Of a batch, what can't be read is left out, and the answer says so.
    pub async fn answer(&self, call: &str, question: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let moment = Timestamp::from_micros;
        let answer = match call {
            Write::<Activity>::NAME => {
                let (batch, now, refused) = self.batch(parse(call, question)?);
                self.writer.write(&batch, now).await?;
                to_json::<Write<Activity>>(&Written { refused, ..self.written() })
            }
            Read::NAME => {
                let Read { user } = parse(call, question)?;
                let record = self.reader.read(&user).await?;
                to_json::<Read>(&Found { record: record.as_ref().map(Into::into) })
            }
            Recent::NAME => {
                let Recent { since, page } = parse(call, question)?;
                let page = self.reader.recent(moment(since), page.map(Cursor::new).as_ref()).await?;
                to_json::<Recent>(&RecentPage {
                    records: page.records.iter().map(Into::into).collect(),
                    forgotten: page.forgotten.into_iter().map(Into::into).collect(),
                    next: page.next.as_ref().map(|next| next.as_str().into()),
                })
            }
            Follow::NAME => {
                let Follow { cursor } = parse(call, question)?;
                to_json::<Follow>(&self.follow(cursor.map(Cursor::new)).await?)
            }
            Forget::NAME => {
                let Forget { user, at, now } = parse(call, question)?;
                self.writer.forget(&user, moment(at), moment(now)).await?;
                to_json::<Forget>(&self.written())
            }
            SetProfile::NAME => {
                let SetProfile { user, profile } = parse(call, question)?;
                self.writer.set_profile(&user, &profile).await?;
                to_json::<SetProfile>(&self.written())
            }
            Profiles::NAME => {
                let Profiles { users } = parse(call, question)?;
                let profiles = self.reader.profiles(&users).await?;
                to_json::<Profiles>(&Named { profiles: profiles.into_iter().map(Into::into).collect() })
            }
            Expire::NAME => {
                let Expire { addresses, records, now, page } = parse(call, question)?;
                let since = KeptSince { addresses: addresses.map(moment), records: records.map(moment) };
                let next = self.writer.expire(since, moment(now), page.map(Cursor::new).as_ref()).await?;
                to_json::<Expire>(&Expired { next: next.as_ref().map(|next| next.as_str().into()) })
            }
            _ => return self.answer_of_history(call, question).await,
        };
        Ok(Some(answer))
    }

    async fn answer_of_history(&self, call: &str, question: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let moment = Timestamp::from_micros;
        let answer = match call {
            WriteHistory::NAME => {
                let WriteHistory { spans, most, now } = parse(call, question)?;
                let spans = spans.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, _>>()?;
                self.writer.write_history(&spans, most.map(Into::into), moment(now)).await?;
                to_json::<WriteHistory>(&self.written())
            }
            History::NAME => {
                let History { resolution, from, to } = parse(call, question)?;
                let spans = self.reader.history(resolution.parse()?, moment(from), moment(to)).await?;
                to_json::<History>(&Spans { spans: spans.iter().map(Into::into).collect() })
            }
            MostOnlineEver::NAME => {
                let MostOnlineEver {} = parse(call, question)?;
                let most = self.reader.most_online().await?;
                to_json::<MostOnlineEver>(&Most { most: most.map(Into::into) })
            }
            ActiveUsers::NAME => {
                let ActiveUsers { from, to } = parse(call, question)?;
                let count = self.reader.active_users(Day::from_days(from), Day::from_days(to)).await?;
                to_json::<ActiveUsers>(&Count { count })
            }
            ActiveDays::NAME => {
                let ActiveDays { user, now } = parse(call, question)?;
                let days = self.reader.active_days(&user, moment(now)).await?;
                to_json::<ActiveDays>(&Days { days: days.into_iter().map(Day::as_days).collect() })
            }
            _ => return Ok(None),
        };
        Ok(Some(answer))
    }

    async fn follow(&self, cursor: Option<Cursor>) -> Result<Followed, Error> {
        let found = self.reader.follow(cursor.as_ref()).await?;
        let (cursor, missed) = (found.cursor.as_str().into(), found.missed);
        let (mut records, mut forgotten, mut profiles) = (Vec::new(), Vec::new(), Vec::new());
        for change in found.changes {
            match change {
                Change::Record(record) => records.push((&record).into()),
                Change::Forgotten(user, at) => forgotten.push((user, at).into()),
                Change::Profile(user, profile) => profiles.push((user, profile).into()),
            }
        }
        Ok(Followed { records, forgotten, profiles, cursor, missed })
    }

    /// The records as stores want them, sorted by user and none twice, and those that can't be read: the others mustn't wait
    /// for them for ever.
    fn batch(&self, write: Write<Value>) -> (Vec<Record>, Timestamp, Vec<Refused>) {
        let now = Timestamp::from_micros(write.now);
        let (mut batch, mut refused) = (Vec::<Record>::with_capacity(write.records.len()), Vec::new());
        for (record, value) in write.records.into_iter().enumerate() {
            match serde_json::from_value::<Activity>(value) {
                Ok(activity) => batch.push(activity.into()),
                Err(error) => refused.push(Refused { record, detail: error.to_string() }),
            }
        }
        for seen in batch.iter_mut().filter_map(|record| record.seen.as_mut()) {
            seen.ip = seen.ip.and_then(&self.keep);
        }
        batch.sort_by(|a, b| a.user.cmp(&b.user));
        batch.dedup_by(|later, kept| {
            let same = later.user == kept.user;
            if same {
                kept.merge(later, now);
            }
            same
        });
        (batch, now, refused)
    }

    fn written(&self) -> Written {
        let lineage = format!("{:x}.{}", self.start, self.writer.failovers());
        Written { lineage, refused: Vec::new() }
    }
}

fn parse<T: DeserializeOwned>(call: &str, question: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(question)
        .map_err(|error| Error::invalid(format!("this is no question of the call {call}: {error}")))
}

fn to_json<C: Call>(answer: &C::Answer) -> Vec<u8> {
    // Numbers, text and lists of those, and no map: this can't fail.
    serde_json::to_vec(answer).unwrap_or_default()
}

impl fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedStore").field("start", &self.start).finish_non_exhaustive()
    }
}
