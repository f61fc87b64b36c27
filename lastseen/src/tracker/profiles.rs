//! Who users are: asking the directory, off the request's path, and being told.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use tracing::{Instrument, debug_span};

use super::core::{Core, note};
use super::lately::Written;
use super::shard::Told;
use crate::{Error, Profile, Tracker, UserId};

/// The most users that the directory is asked for at once.
const AT_ONCE: usize = 500;

/// Who users are.
impl Tracker {
    /// What is known of a user, from memory, or from the directory; `None` where it doesn't know the user.
    ///
    /// # Errors
    ///
    /// [`is_directory`](Error::is_directory), or [`is_store`](Error::is_store) without a directory, where it had to be
    /// asked and failed.
    pub async fn profile(&self, user: &UserId) -> Result<Option<Profile>, Error> {
        self.core().profile(user).await
    }

    /// Takes a profile into force in this process at once: an account switched off, or hidden, is gone from lists and
    /// counts before this returns. Of a user who is about to come in, such as one who is just signing in, it is in force
    /// from the first touch.
    ///
    /// Without a directory the profile is also kept in the store, and other processes follow. With one, it is the
    /// directory that has the last word: it is asked anew within
    /// [`refresh_profiles_every`](crate::TrackerBuilder::refresh_profiles_every), in every process.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) where it could not be kept; it is in force all the same.
    pub async fn set_profile(&self, user: &UserId, profile: Profile) -> Result<(), Error> {
        self.core().set_profile(user, &profile).await
    }

    /// Returns once the directory has been asked about everybody who has come in so far.
    ///
    /// That happens by itself within milliseconds, behind the requests. A page that must not show an id where a name is
    /// about to be known, or somebody who is about to turn out hidden, awaits this before it lists who is online. Where
    /// nobody new is waiting it returns at once.
    ///
    /// # Errors
    ///
    /// [`is_directory`](Error::is_directory), or [`is_store`](Error::is_store) without a directory, where it failed; it is
    /// asked again behind the requests.
    pub async fn resolve_profiles(&self) -> Result<(), Error> {
        self.core().resolve_newcomers().await
    }
}

impl Core {
    /// Asks for the profiles of all who came in since the last time. Who calls this while it is under way waits for that.
    pub(super) async fn resolve_newcomers(&self) -> Result<(), Error> {
        let _turn = self.resolving.lock().await;
        loop {
            let wanted = self.memory.take_unresolved(AT_ONCE);
            if wanted.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.resolve(&wanted).await {
                self.memory.put_back_unresolved(&wanted);
                return Err(error);
            }
        }
    }

    /// Asks anew for the profiles of all who are online. Without a directory there is no need: the store's feed tells.
    pub(super) async fn refresh_profiles(&self) -> Result<(), Error> {
        if self.directory.is_none() {
            return Ok(());
        }
        for present in self.memory.present() {
            for wanted in present.chunks(AT_ONCE) {
                self.resolve(wanted).await?;
            }
        }
        Ok(())
    }

    async fn resolve(&self, wanted: &[UserId]) -> Result<(), Error> {
        let told = Told::ByDirectory { asked: self.profiles_set.load(Ordering::Acquire) };
        let span = debug_span!(target: "lastseen", "lastseen.directory", users = wanted.len());
        let outcome = self.ask_directory(wanted).instrument(span).await;
        note(&mut self.health.lock().directory, "directory", &outcome);
        let profiles: HashMap<UserId, Profile> = outcome?.into_iter().collect();
        // Of whom nothing is known counts as active, in the open.
        let unknown = Profile::default();
        for user in wanted {
            // Who came and was announced in the same moment is wanted twice.
            self.memory.resolve(user, profiles.get(user).unwrap_or(&unknown), told);
        }
        Ok(())
    }

    pub(super) async fn ask_directory(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, Error> {
        match &self.directory {
            Some(directory) => directory.profiles(users).await,
            None => self.store.profiles(users).await,
        }
    }

    /// One user's profile, from memory where it is resolved.
    pub(super) async fn profile(&self, user: &UserId) -> Result<Option<Profile>, Error> {
        if let Some((_, _, Some(profile))) = self.memory.look_up(user, self.memory.now()) {
            return Ok(Some(profile));
        }
        let answer = self.ask_directory(std::slice::from_ref(user)).await?;
        Ok(answer.into_iter().find(|(id, _)| id == user).map(|(_, profile)| profile))
    }

    /// Takes a profile into force here, and without a directory everywhere and for good.
    pub(super) async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), Error> {
        if self.directory.is_some() {
            self.memory.resolve(user, profile, Told::ByHand { set: self.next_profile_number() });
            return Ok(());
        }
        let _setting = Setting::begin(self, user, profile);
        self.store.set_profile(user, profile).await?;
        self.note_written(Written::Profile(user.clone(), profile.clone()));
        Ok(())
    }
}

/// A profile that is in force here and on its way to the store. Whatever the store is asked meanwhile, it may still give
/// the profile before: until the end no answer counts, and then none that was asked for earlier.
struct Setting<'a> {
    core: &'a Core,
    user: &'a UserId,
    profile: &'a Profile,
}

impl<'a> Setting<'a> {
    fn begin(core: &'a Core, user: &'a UserId, profile: &'a Profile) -> Self {
        core.memory.resolve(user, profile, Told::ByHand { set: u64::MAX });
        Self { core, user, profile }
    }
}

/// Also where the store failed, or nobody waits for it any more.
impl Drop for Setting<'_> {
    fn drop(&mut self) {
        let set = self.core.next_profile_number();
        self.core.memory.resolve(self.user, self.profile, Told::ByHand { set });
    }
}
