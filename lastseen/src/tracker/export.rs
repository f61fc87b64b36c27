//! All that is known of one user, for whoever asks what that is.

use crate::{Day, Error, Profile, Record, Seen, Timestamp, Tracker, UserId};

/// All that is known of a user, hidden or not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Export {
    /// The moment for which this is exact.
    pub as_of: Timestamp,
    /// Who.
    pub user: UserId,
    /// The last activity: when, and from where where that is known.
    pub seen: Option<Seen>,
    /// The last sign-out that is known.
    pub left_at: Option<Timestamp>,
    /// What the directory, or else the store, has of the user.
    pub profile: Option<Profile>,
    /// The days on which the user was active that are [kept](crate::ACTIVE_DAYS), the earliest first.
    pub active_days: Vec<Day>,
}

impl Tracker {
    /// All that is known of a user, here and in the store, also of one who hides; `None` where that is nothing.
    ///
    /// It is for who may see everything, and for the user themselves. Of who was erased the id and the date of the erasure
    /// are kept for a day, to keep out what was in flight, and aren't told. What another process has not written yet, a
    /// granularity's worth at most, is missing.
    ///
    /// ```
    /// # use lastseen::{MemoryStore, Tracker, UserId};
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let tracker = Tracker::builder(MemoryStore::new()).start().await?;
    /// let ada = UserId::new("ada")?;
    /// tracker.touch(&ada, "203.0.113.7".parse().ok());
    ///
    /// let known = tracker.export(&ada).await?.expect("she was here");
    /// assert_eq!(known.seen.and_then(|seen| seen.ip), "203.0.113.7".parse().ok());
    /// tracker.forget(&ada).await?;
    /// assert_eq!(tracker.export(&ada).await?, None);
    /// # Ok::<(), lastseen::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) or [`is_directory`](Error::is_directory) where one of them can't say.
    pub async fn export(&self, user: &UserId) -> Result<Option<Export>, Error> {
        let core = self.core();
        let as_of = self.now();
        let stored = core.store.read(user).await?;
        let active_days = core.store.active_days(user, as_of).await?;
        let profiles = core.ask_directory(std::slice::from_ref(user)).await?;
        let profile: Option<Profile> = profiles.into_iter().find(|(id, _)| id == user).map(|(_, profile)| profile);

        let mut record = core.memory.remembered(stored.unwrap_or_else(|| Record::empty(user.clone())));
        let here = core.memory.look_up(user, as_of).map(|(record, ..)| record);
        record.merge(&here.unwrap_or_else(|| Record::empty(user.clone())), as_of);
        let is_known = !record.is_empty() || profile.is_some() || !active_days.is_empty();
        let Record { user, seen, left_at } = record;
        Ok(is_known.then_some(Export { as_of, user, seen, left_at, profile, active_days }))
    }
}
