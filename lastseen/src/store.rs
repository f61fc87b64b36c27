//! What a store promises, and the stores there are.

use std::error::Error as StdError;
use std::future::{Future, pending, ready};
use std::sync::Arc;

use crate::{Day, MostOnline, OnlineSpan, Profile, Record, Resolution, Timestamp, UserId};

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod bitmap;
#[cfg(any(feature = "http-store", feature = "postgres", feature = "redis"))]
mod gate;
#[cfg(feature = "http-store")]
mod http;
mod memory;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod random;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "http-store", feature = "postgres", feature = "redis"))]
mod roots;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
mod tombstone;

#[cfg(feature = "http-store")]
#[cfg_attr(docsrs, doc(cfg(feature = "http-store")))]
pub use http::{HttpStore, HttpStoreBuilder, HttpStoreError, SharedStore};
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use postgres::{PostgresBuilder, PostgresError, PostgresKey, PostgresStore};
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use redis::{RedisBuilder, RedisError, RedisStore};
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use sqlite::{SqliteError, SqliteSchema, SqliteStore};

/// Where records outlive the process, and where processes meet.
///
/// A tracker answers from memory. It asks the store for four things: to take batches of records, to say what others
/// have written since, to give back all recent records at start, and a single one of a user unseen for long.
///
/// # The contract
///
/// Every store keeps these rules. The `conformance` suite has a function for each, under the same number.
///
/// 1. **Merge.** [`write`](Self::write) merges each record into what is there as [`Record::merge`] does with the `now`
///    that it is given. The order of batches, and writing one twice, make no difference.
/// 2. **Commit.** When `write`, [`forget`](Self::forget) or [`set_profile`](Self::set_profile) returns `Ok`, what it
///    wrote survives the end of the process. An error may mean that it was written and the answer was lost.
/// 3. **All or nothing for a user.** A reader never sees the date of one record beside the address of another.
/// 4. **Read.** [`read`](Self::read) gives what all batches so far merge to; `None` for a user never written.
/// 5. **Recent.** Pages of [`recent`](Self::recent), followed to the last, hold each record whose user was active or
///    signed out at or after `since`, and each erasure of the last day, at least once. What is written meanwhile may be
///    missing; older records may be there.
/// 6. **Follow.** [`follow`](Self::follow) gives, at least once and in any order, all that other handles have written
///    after its cursor was given out, each as the store has it now: merged records, users forgotten, profiles set. What
///    this very handle wrote may be left out. The first call, without a cursor, gives no changes.
/// 7. **Behind.** Where the changes after a cursor are no longer kept, `follow` says so by
///    [`missed`](Changes::missed), and its new cursor stands at the end.
/// 8. **Forget.** After `forget(user, at, now)` nothing is left of the user that is dated at or before `at`, and nothing that
///    has no date: no profile, no change to follow but the forgetting itself. A record of theirs dated at or before `at` that
///    is written within a day after is dropped, so that what was in flight can't bring them back. A later activity begins
///    anew, whether it is written after or was before: then it stays, unless `now` makes it void, and all are told.
/// 9. **Profiles.** [`set_profile`](Self::set_profile) replaces what [`profiles`](Self::profiles) gives. Users without a
///    profile are left out.
/// 10. **Any valid id.** Ids that differ in any byte are different users: no folding of case, no trimming, no special
///     characters.
/// 11. **Wake-up.** [`changed`](Self::changed) may come too often and may never come: it only spares the wait until the
///     tracker would have followed by itself.
/// 12. **Failover.** Where rule 2 holds for a server but not for the replica that takes its place,
///     [`failovers`](Self::failovers) rises once another has taken over, before a write is acknowledged by it; and a cursor
///     that the replica can't make sense of is one that has fallen behind (rule 7).
///
/// A store may keep a history too. One that doesn't leaves out the methods from
/// [`keeps_history`](Self::keeps_history) on; one that does keeps rules 13 to 15 as well.
///
/// 13. **History.** [`write_history`](Self::write_history) merges each span into the one of the same resolution and
///     beginning, if there is one, field by field by maximum. [`history`](Self::history) gives what was written and
///     nothing else. Spans may go once they are older than their [resolution is kept](Resolution::kept).
/// 14. **Most online.** Of all that `write_history` was given, [`most_online`](Self::most_online) gives the
///     [greater](MostOnline::merged), for ever.
/// 15. **Active users.** Each activity that `write` takes in counts its user for its UTC day, whatever is known of later
///     ones; one that rule 1 or rule 8 drops doesn't. [`active_users`](Self::active_users) counts each user once, however
///     many of the days they were active on. [`active_days`](Self::active_days) gives a user's. Days may go once they are
///     older than [`ACTIVE_DAYS`](crate::ACTIVE_DAYS), and go once they end before what `expire` keeps records from. After
///     `forget` the user is counted on no day before, but that of an activity which stays.
///
/// And every store, whether it keeps a history or not:
///
/// 16. **Expiry.** Pages of [`expire`](Self::expire), followed to the last, take away the address of each activity dated
///     before [`addresses`](KeptSince::addresses), and all of each user of whom nothing is dated at or after
///     [`records`](KeptSince::records): the record, the profile, the changes to follow. What is younger stays as it is, and
///     nobody is told. What is written meanwhile may wait for the next time. A clock that is ahead takes nothing away where
///     the store has one of its own that isn't.
///
/// A store that has a clock of its own, as a server does, keeps one rule more.
///
/// 17. **Late.** In `write` and `forget` the later of the store's clock and `now` says which dates are void. So what comes
///     late, from a process that was suspended or whose clock is behind, turns back no date, drops none and undoes no erasure.
pub trait Store: Send + Sync + 'static {
    /// Why a store could not do as told. Its text is shown to operators.
    type Error: StdError + Send + Sync + 'static;

    /// Merges a batch of records, all in one commit where the store can.
    ///
    /// The batch is sorted by user, and no user is in it twice. `now` is the writer's wall time.
    ///
    /// # Errors
    ///
    /// Where any of it may not have been written. The tracker keeps all of it and tries again.
    fn write(&self, batch: &[Record], now: Timestamp) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// What is known of one user.
    ///
    /// # Errors
    ///
    /// Where the store can't say.
    fn read(&self, user: &UserId) -> impl Future<Output = Result<Option<Record>, Self::Error>> + Send;

    /// A page of the records of users active or signed out at or after `since`, and of recent erasures; `page` is the last
    /// page's [`next`](Page::next), `None` for the first.
    ///
    /// # Errors
    ///
    /// Where the store can't say.
    fn recent(&self, since: Timestamp, page: Option<&Cursor>)
    -> impl Future<Output = Result<Page, Self::Error>> + Send;

    /// What others have written since `cursor` was given out; `None` for a cursor that stands at the end.
    ///
    /// # Errors
    ///
    /// Where the store can't say. The same cursor is used again.
    fn follow(&self, cursor: Option<&Cursor>) -> impl Future<Output = Result<Changes, Self::Error>> + Send;

    /// Erases a user up to `at`: what is there, and what comes in later. `now` is the caller's wall time.
    ///
    /// # Errors
    ///
    /// Where the user may not have been erased.
    fn forget(
        &self,
        user: &UserId,
        at: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Keeps a user's profile, for a site without a directory of its own.
    ///
    /// # Errors
    ///
    /// Where it may not have been kept.
    fn set_profile(&self, user: &UserId, profile: &Profile) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The profiles kept of these users.
    ///
    /// # Errors
    ///
    /// Where the store can't say.
    fn profiles(&self, users: &[UserId]) -> impl Future<Output = Result<Vec<(UserId, Profile)>, Self::Error>> + Send;

    /// Takes away, of a part of the records, what is kept no longer. `page` is where the call before has come to, `None` at
    /// the beginning; gives where to go on, `None` at the end. `now` is the caller's wall time.
    ///
    /// # Errors
    ///
    /// Where some of it may still be there. The tracker begins anew.
    fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        page: Option<&Cursor>,
    ) -> impl Future<Output = Result<Option<Cursor>, Self::Error>> + Send;

    /// Waits until others may have written something. Unless a store has a way of its own, it waits for ever, and the tracker
    /// follows at its interval alone. It may be given up at any moment and called anew.
    fn changed(&self) -> impl Future<Output = ()> + Send {
        pending()
    }

    /// How many times, since the store was opened, another server may have taken over without what the one before had
    /// acknowledged last. When it rises, the tracker writes once more what it has written within the last 30 seconds.
    /// Default: never.
    fn failovers(&self) -> u64 {
        0
    }

    /// Whether it keeps rules 13 to 15. Default: it keeps no history, and the methods below are never called.
    fn keeps_history(&self) -> bool {
        false
    }

    /// Merges into the history how many were online, and the most so far, all in one commit where the store can. `now` is
    /// the writer's wall time. Default: nothing is kept.
    ///
    /// # Errors
    ///
    /// Where any of it may not have been written. The tracker keeps it and tries again.
    fn write_history(
        &self,
        _spans: &[OnlineSpan],
        _most: Option<MostOnline>,
        _now: Timestamp,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        ready(Ok(()))
    }

    /// The spans of this resolution that began from `from` to `to`, both included, oldest first. Default: none.
    ///
    /// # Errors
    ///
    /// Where the store can't say.
    fn history(
        &self,
        _resolution: Resolution,
        _from: Timestamp,
        _to: Timestamp,
    ) -> impl Future<Output = Result<Vec<OnlineSpan>, Self::Error>> + Send {
        ready(Ok(Vec::new()))
    }

    /// The most who were ever online; `None` before anything was written. Default: none.
    ///
    /// # Errors
    ///
    /// Where the store can't say.
    fn most_online(&self) -> impl Future<Output = Result<Option<MostOnline>, Self::Error>> + Send {
        ready(Ok(None))
    }

    /// How many different users were active from the day `from` to the day `to`, both included. Default: none.
    ///
    /// # Errors
    ///
    /// Where the store can't say.
    fn active_users(&self, _from: Day, _to: Day) -> impl Future<Output = Result<u64, Self::Error>> + Send {
        ready(Ok(0))
    }

    /// The days that are kept on which a user was active, the earliest first. `now` is the caller's wall time. Default:
    /// none.
    ///
    /// # Errors
    ///
    /// Where the store can't say.
    fn active_days(
        &self,
        _user: &UserId,
        _now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Day>, Self::Error>> + Send {
        ready(Ok(Vec::new()))
    }
}

/// From when on things are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptSince {
    /// Of older activities the address goes. `None`: none does.
    pub addresses: Option<Timestamp>,
    /// Of whom nothing is as young as this, nothing stays. `None`: all stays.
    pub records: Option<Timestamp>,
}

/// A place in a store's listing or feed, in the store's own notation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(Arc<str>);

impl Cursor {
    /// A place that the store itself will understand.
    #[must_use]
    pub fn new(place: impl Into<Arc<str>>) -> Self {
        Self(place.into())
    }

    /// The store's notation.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Some of the recent records and erasures, and where the next page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records, in any order.
    pub records: Vec<Record>,
    /// Users who were erased within the last day, and when, in any order.
    pub forgotten: Vec<(UserId, Timestamp)>,
    /// The next page; `None` where this was the last.
    pub next: Option<Cursor>,
}

/// What others have written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The changes, in any order.
    pub changes: Vec<Change>,
    /// Where to follow on.
    pub cursor: Cursor,
    /// Whether changes were lost between the old cursor and the new: the reader must read all that is recent.
    pub missed: bool,
}

/// One change that another writer made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A record, as the store has it now.
    Record(Record),
    /// A user was erased, with all that is dated at or before this moment.
    Forgotten(UserId, Timestamp),
    /// A profile was set.
    Profile(UserId, Profile),
}
