//! What comes in: touches, sign-outs, erasures, and records from the store.

use super::{Full, NEVER, Shard, Shared, Told, limit};
use crate::tracker::key::Key;
use crate::tracker::users::Flags;
use crate::{Profile, Record, Seen, Timestamp};

impl Shard {
    /// An activity; whoever signed out before it is back.
    pub(in crate::tracker) fn touch(
        &mut self,
        shared: &Shared,
        key: &Key<'_>,
        seen: Seen,
        now: Timestamp,
    ) -> Result<(), Full> {
        let (at, now) = (seen.at.as_micros(), now.as_micros());
        self.settle(now);
        self.touches += 1;
        let known = self.find(key);
        if let Some(slot) = known
            && self.advance(slot, at)
        {
            self.users.set_ip(slot, seen.ip);
            // Usually that was all. A user who was announced stays so until the sweep.
            if !self.users[slot].flags.is_told() {
                self.changed(shared, slot, now);
            }
            return Ok(());
        }
        // Of a burst of requests several may be of the same microsecond.
        if known.is_some_and(|slot| self.seen(slot) == Some(seen)) {
            return Ok(());
        }
        let record = Record { user: key.id.clone(), seen: Some(seen), left_at: None };
        self.report(shared, key, known, record, now)
    }

    /// Moves a user to a date that is simply later than all that is known of them, as it nearly always is; whether it was.
    #[inline]
    fn advance(&mut self, slot: u32, at: i64) -> bool {
        let user = &mut self.users[slot];
        if user.flags.has(Flags::LEFT) {
            return false;
        }
        let place = self.timeline.advance(slot, user.place, at, user.is_counted());
        user.place = place.unwrap_or(user.place);
        place.is_some()
    }

    /// A sign-out now, later than whatever is known of the user. Gives what is known after it.
    pub(in crate::tracker) fn leave(&mut self, shared: &Shared, key: &Key<'_>, now: Timestamp) -> Result<Record, Full> {
        let now = now.as_micros();
        self.settle(now);
        let slot = self.find(key);
        let known = slot.map(|slot| self.at(slot)).filter(|at| *at <= limit(now));
        let left_at = now.max(known.unwrap_or(NEVER));
        let record = Record { user: key.id.clone(), seen: None, left_at: Some(Timestamp::from_micros(left_at)) };
        self.report(shared, key, slot, record.clone(), now)?;
        Ok(self.find(key).map_or(record, |slot| self.record(slot)))
    }

    /// What this process has to report of a user, whatever is known of them.
    #[inline(never)]
    fn report(
        &mut self,
        shared: &Shared,
        key: &Key<'_>,
        slot: Option<u32>,
        record: Record,
        now: i64,
    ) -> Result<(), Full> {
        let record = self.remembered(record);
        if record.is_empty() {
            return Ok(());
        }
        let changed = match slot {
            Some(slot) => self.merge(slot, &record, now).then_some(slot),
            None => Some(self.admit(shared, key, &record).ok_or(Full)?),
        };
        if let Some(slot) = changed {
            self.changed(shared, slot, now);
        }
        Ok(())
    }

    /// Erases a user, and whatever comes in later with a date at or before `at`.
    pub(in crate::tracker) fn forget(&mut self, shared: &Shared, key: &Key<'_>, at: Timestamp, now: Timestamp) {
        let (at, now) = (at.as_micros(), now.as_micros());
        self.settle(now);
        // News of an erasure counts whatever its date, but one from a clock that was wrong keeps nothing out later.
        if at <= limit(now) {
            let forgotten_at = self.forgotten.entry(key.id.clone()).or_insert(at);
            *forgotten_at = at.max(*forgotten_at);
        }
        self.early.remove(key.id);
        let until = Timestamp::from_micros(at);
        let Some(slot) = self.find(key) else { return };
        let mut rest = self.record(slot).plausible(Timestamp::from_micros(now));
        rest.forget_until(until);
        if rest.is_empty() {
            self.evict(shared, slot, now);
        } else {
            // A later activity begins anew, without the profile.
            self.place(slot, rest.seen, rest.left_at.map(Timestamp::as_micros));
            self.resolve(shared, key, &Profile::new(), Told::ByDirectory { asked: u64::MAX }, now);
            self.want_profile(shared, slot);
            self.write_again(slot);
        }
    }

    /// Of a user who was erased lately the store may lack whatever it is said to have: it erases all when it is told, also
    /// what came after that date, and news of the two may cross.
    fn write_again(&mut self, slot: u32) {
        let user = &mut self.users[slot];
        self.pending += usize::from(!user.flags.is_pending());
        user.flags.set(Flags::DIRTY, true);
        self.make_due(slot);
    }

    /// A record as the store has it.
    pub(in crate::tracker) fn absorb(&mut self, shared: &Shared, key: &Key<'_>, record: &Record, now: Timestamp) {
        let now = now.as_micros();
        self.settle(now);
        let plausible = self.remembered(record.clone()).plausible(Timestamp::from_micros(now));
        let Some(latest) = plausible.latest() else { return };
        let slot = if let Some(slot) = self.find(key) {
            let learned = self.merge(slot, &plausible, now);
            let merged = self.record(slot);
            let user = &mut self.users[slot];
            if learned {
                user.flags.set(Flags::SENT_HERE, false);
            }
            // What memory doesn't know better needn't be written.
            if user.flags.has(Flags::DIRTY) && merged.seen <= plausible.seen && merged.left_at <= plausible.left_at {
                user.flags.set(Flags::DIRTY, false);
                self.pending -= usize::from(!user.flags.is_pending());
            }
            slot
        } else {
            if latest.as_micros() < now.saturating_sub(shared.times.horizon) {
                return;
            }
            let Some(slot) = self.admit(shared, key, &plausible) else { return };
            slot
        };
        self.reconsider(shared, slot, now);
        if self.forgotten.contains_key(key.id) {
            self.write_again(slot);
            return;
        }
        // Another process has written this user: the next write can wait as if it had been ours.
        if self.users[slot].flags.has(Flags::ANNOUNCED) {
            self.note_sent(slot, shared.monotonic());
        }
    }

    /// A record without what was erased before it came in.
    pub(in crate::tracker) fn remembered(&self, mut record: Record) -> Record {
        if let Some(forgotten_at) = self.forgotten.get(&record.user) {
            record.forget_until(Timestamp::from_micros(*forgotten_at));
        }
        record
    }
}
