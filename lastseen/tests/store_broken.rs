//! A store that breaks one rule fails the suite, under that rule's number.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lastseen::conformance;
use lastseen::store::{Change, Changes, Cursor, KeptSince, MemoryStore, Page};
use lastseen::{Day, MostOnline, OnlineSpan, Profile, Record, Resolution, Store, Timestamp, UserId};

/// A store that is right but for one flaw.
struct Broken {
    store: MemoryStore,
    flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    /// The last to write wins, whatever its date.
    Overwrites,
    /// `Ok` is answered, and nothing is kept.
    PromisesProfiles,
    /// The date is written first, and its address after it.
    WritesInTwoSteps,
    /// Dates before 1970 are read back as 1970.
    StartsIn1970,
    /// The first page is the last.
    OnePage,
    /// Erasures are not among what is recent.
    ErasesInSilence,
    /// Forgettings are not told.
    ForgetsInSilence,
    /// Whoever is too far behind is not told so.
    NeverMisses,
    /// What comes in after a forgetting is taken in, whatever its date.
    Resurrects,
    /// What a forgetting finds is gone, whatever its date.
    ErasesWhoIsBack,
    /// An empty name is taken for none.
    LosesEmptyNames,
    /// Ids are folded to lower case.
    FoldsCase,
    /// What is counted twice counts double.
    AddsSpansUp,
    /// Where nobody has counted, there were none.
    InventsSpans,
    /// The most ever online are dated when they are written.
    DatesTheRecordLate,
    /// Who was active on two days is two.
    CountsDaysApart,
    /// Of records that are kept the address is too.
    KeepsAddresses,
    /// What is kept no longer goes by its activity alone, whatever came after it.
    ExpiresWhoLeftSince,
}

impl Broken {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn key(&self, user: &UserId) -> UserId {
        if self.is(Flaw::FoldsCase) { UserId::new(&user.as_str().to_lowercase()).unwrap() } else { user.clone() }
    }
}

impl Store for Broken {
    type Error = Infallible;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), Infallible> {
        let batch: Vec<_> =
            batch.iter().map(|record| Record { user: self.key(&record.user), ..record.clone() }).collect();
        for record in &batch {
            match self.flaw {
                Flaw::Overwrites => self.store.forget(&record.user, Timestamp::MAX, now).await?,
                Flaw::Resurrects if self.store.read(&record.user).await?.is_none() => {
                    // A day and more later nothing is kept out.
                    let much_later = Timestamp::from_micros(now.as_micros() + 100_000_000_000);
                    self.store.write(std::slice::from_ref(record), much_later).await?;
                }
                Flaw::WritesInTwoSteps => {
                    let mut date = record.clone();
                    date.seen = date.seen.map(|seen| lastseen::Seen { ip: None, ..seen });
                    self.store.write(&[date], now).await?;
                    tokio::task::yield_now().await;
                }
                _ => {}
            }
        }
        self.store.write(&batch, now).await
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, Infallible> {
        let mut record = self.store.read(&self.key(user)).await?.map(|record| Record { user: user.clone(), ..record });
        if self.is(Flaw::StartsIn1970)
            && let Some(seen) = record.as_mut().and_then(|record| record.seen.as_mut())
        {
            seen.at = seen.at.max(Timestamp::UNIX_EPOCH);
        }
        Ok(record)
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, Infallible> {
        let mut page = self.store.recent(since, page).await?;
        page.forgotten.retain(|_| !self.is(Flaw::ErasesInSilence));
        Ok(Page { next: page.next.filter(|_| !self.is(Flaw::OnePage)), ..page })
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, Infallible> {
        let mut told = self.store.follow(cursor).await?;
        if self.is(Flaw::ForgetsInSilence) {
            told.changes.retain(|change| !matches!(change, Change::Forgotten(..)));
        }
        told.missed &= !self.is(Flaw::NeverMisses);
        Ok(told)
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), Infallible> {
        let known = self.store.read(user).await?.and_then(|record| record.latest());
        let at = known.filter(|_| self.is(Flaw::ErasesWhoIsBack)).map_or(at, |known| known.max(at));
        self.store.forget(&self.key(user), at, now).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), Infallible> {
        match profile.name() {
            _ if self.is(Flaw::PromisesProfiles) => Ok(()),
            Some("") if self.is(Flaw::LosesEmptyNames) => self.store.set_profile(user, &Profile::new()).await,
            _ => self.store.set_profile(user, profile).await,
        }
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, Infallible> {
        self.store.profiles(users).await
    }

    async fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, Infallible> {
        let addresses = since.addresses.filter(|_| !self.is(Flaw::KeepsAddresses));
        if let (Some(records), Flaw::ExpiresWhoLeftSince) = (since.records, self.flaw) {
            for record in self.store.recent(Timestamp::MIN, None).await?.records {
                if record.seen.is_some_and(|seen| seen.at < records) {
                    self.store.forget(&record.user, Timestamp::MAX, now).await?;
                }
            }
        }
        self.store.expire(KeptSince { addresses, ..since }, now, page).await
    }

    fn keeps_history(&self) -> bool {
        true
    }

    async fn write_history(
        &self,
        spans: &[OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Result<(), Infallible> {
        let mut spans = spans.to_vec();
        for span in spans.iter_mut().filter(|_| self.is(Flaw::AddsSpansUp)) {
            let before = self.store.history(span.resolution, span.at, span.at).await?;
            span.peak += before.first().map_or(0, |before| before.peak);
        }
        let most =
            most.map(|most| if self.is(Flaw::DatesTheRecordLate) { MostOnline { at: now, ..most } } else { most });
        self.store.write_history(&spans, most, now).await
    }

    async fn history(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, Infallible> {
        let mut spans = self.store.history(resolution, from, to).await?;
        if self.is(Flaw::InventsSpans) && spans.is_empty() {
            spans.push(OnlineSpan { resolution, at: from, online: 0, peak: 0 });
        }
        Ok(spans)
    }

    async fn most_online(&self) -> Result<Option<MostOnline>, Infallible> {
        self.store.most_online().await
    }

    async fn active_users(&self, from: Day, to: Day) -> Result<u64, Infallible> {
        if !self.is(Flaw::CountsDaysApart) {
            return self.store.active_users(from, to).await;
        }
        let mut users = 0;
        for day in from.as_days()..=to.as_days() {
            users += self.store.active_users(Day::from_days(day), Day::from_days(day)).await?;
        }
        Ok(users)
    }

    async fn active_days(&self, user: &UserId, now: Timestamp) -> Result<Vec<Day>, Infallible> {
        self.store.active_days(user, now).await
    }
}

/// What the suite says of a store with this flaw, rules taken in their order.
fn verdict(flaw: Flaw) -> String {
    let store = MemoryStore::with_feed(10_000);
    let open = async || Broken { store: store.another(), flaw };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| runtime.block_on(conformance::all(open))))
        .expect_err("the suite must find the flaw");
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast::<&str>().expect("a message")).to_owned(),
    }
}

#[test]
fn each_flaw_is_found_and_its_rule_named() {
    for (flaw, rule) in [
        (Flaw::Overwrites, "rule 1, merge"),
        (Flaw::PromisesProfiles, "rule 2, commit: a profile"),
        (Flaw::WritesInTwoSteps, "rule 3, all or nothing"),
        (Flaw::StartsIn1970, "rule 4, read"),
        (Flaw::OnePage, "rule 5, recent"),
        (Flaw::ErasesInSilence, "rule 5, recent: who was erased"),
        (Flaw::ForgetsInSilence, "rule 6, follow: a user forgotten"),
        (Flaw::NeverMisses, "rule 7, behind"),
        (Flaw::Resurrects, "rule 8, forget"),
        (Flaw::ErasesWhoIsBack, "rule 8, forget: what is dated after it stays"),
        (Flaw::LosesEmptyNames, "rule 9, profiles"),
        (Flaw::FoldsCase, "rule 10, any valid id"),
        (Flaw::AddsSpansUp, "rule 13, history"),
        (Flaw::InventsSpans, "rule 13, history"),
        (Flaw::DatesTheRecordLate, "rule 14, most online"),
        (Flaw::CountsDaysApart, "rule 15, active users"),
        (Flaw::KeepsAddresses, "rule 16, expiry"),
        (Flaw::ExpiresWhoLeftSince, "rule 16, expiry"),
    ] {
        let verdict = verdict(flaw);
        assert!(verdict.contains(rule), "{flaw:?} should break {rule}: {verdict}");
    }
}

/// So whoever asks a store that has no clock hears of it.
#[tokio::test]
#[should_panic(expected = "rule 17, late: an activity and a sign-out stay")]
async fn without_a_clock_what_comes_late_turns_dates_back() {
    let store = MemoryStore::new();
    conformance::rule_17_late(async || store.another()).await;
}
