//! Writing what memory knows and the store doesn't, or may have lost.

use std::sync::atomic::Ordering;

use tracing::{Instrument, debug_span};

use super::core::{Core, note};
use super::lately::Written;
use super::memory::Memory;
use super::shard::Outgoing;
use crate::{Error, Record};

impl Core {
    /// Writes what is due, or `everything` that the store lacks, in batches one after another. The first that fails ends
    /// it; what it held is due again at once.
    pub(super) async fn flush(&self, everything: bool) -> Result<(), Error> {
        let _turn = self.flushing.lock().await;
        if everything {
            self.memory.make_all_due();
        }
        loop {
            let resent = self.resend().await;
            if resent.is_err() {
                note(&mut self.health.lock().flush, "flush", &resent);
            }
            resent?;
            let batch = Batch::take(&self.memory);
            if batch.records.is_empty() {
                self.health.lock().caught_up_at = Some(self.memory.now());
                return Ok(());
            }
            let span = debug_span!(target: "lastseen", "lastseen.flush", records = batch.records.len());
            let outcome = self.store.write(&batch.records, self.memory.now()).instrument(span).await;
            note(&mut self.health.lock().flush, "flush", &outcome);
            outcome?;
            let records = batch.stored();
            self.health.lock().flushed(records, self.memory.now());
        }
    }

    /// Where another server has taken over since the last time, which may lack what the one before had acknowledged:
    /// writes again what was written past the queue, and lets the rest be due.
    async fn resend(&self) -> Result<(), Error> {
        let failovers = self.store.failovers();
        if failovers == self.failovers.load(Ordering::Acquire) {
            return Ok(());
        }
        let lately = self.lately.lock().all();
        for written in lately {
            match written {
                Written::Erasure(user, at) => {
                    self.store.forget(&user, at, self.memory.now()).await?;
                    self.memory.forget(&user, at);
                }
                Written::Profile(user, profile) => self.store.set_profile(&user, &profile).await?,
            }
        }
        self.memory.resend();
        self.failovers.store(failovers, Ordering::Release);
        tracing::warn!(
            name: "lastseen.failover", target: "lastseen", failovers,
            "another server has taken over: what was written lately is written again"
        );
        Ok(())
    }

    /// Writes these records past the queue and returns once the store has committed them. They must be in memory already,
    /// so that a failure leaves them pending.
    pub(super) async fn write_through(&self, mut records: Vec<Record>) -> Result<(), Error> {
        records.sort_unstable_by(|a, b| a.user.cmp(&b.user));
        let now = self.memory.now();
        // A batch has no user twice.
        records.dedup_by(|later, kept| {
            let same = later.user == kept.user;
            if same {
                kept.merge(later, now);
            }
            same
        });
        let span = debug_span!(target: "lastseen", "lastseen.record", records = records.len());
        let outcome = self.store.write(&records, now).instrument(span).await;
        note(&mut self.health.lock().flush, "flush", &outcome);
        outcome?;
        self.memory.stored_directly(&records);
        self.health.lock().flushed(records.len(), self.memory.now());
        Ok(())
    }
}

/// Records on their way. Unless the store has them, they go back: also where the write is given up half-way.
struct Batch<'a> {
    memory: &'a Memory,
    outgoing: Vec<Outgoing>,
    records: Vec<Record>,
    stored: bool,
}

impl<'a> Batch<'a> {
    fn take(memory: &'a Memory) -> Self {
        let outgoing = memory.take_batch();
        let records = outgoing.iter().map(|sent| sent.record.clone()).collect();
        Self { memory, outgoing, records, stored: false }
    }

    /// The store has it; how many records that were.
    fn stored(mut self) -> usize {
        self.stored = true;
        self.records.len()
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.memory.answered(&self.outgoing, self.stored);
    }
}
