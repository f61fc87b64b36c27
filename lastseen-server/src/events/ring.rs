//! The last batches by number, and everyone who is online after the newest.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lastseen::Online;

use super::Shown;
use super::batch::{Batch, Changed, Whole};
use super::changes::Changes;

/// How many batches stay: a client that was away for a minute goes on where it was.
const MOST: usize = 64;

/// How long they stay: they name people, who may have been erased meanwhile.
const KEPT: Duration = Duration::from_secs(64);

#[derive(Debug)]
pub(super) struct Ring {
    /// Tells this run of the server from others, whose numbers mean nothing here.
    run: String,
    /// The number of the newest batch.
    newest: u64,
    /// With the monotonic time of each.
    batches: VecDeque<(Duration, Arc<Batch>)>,
    whole: Arc<Whole>,
}

impl Ring {
    pub(super) fn beginning(online: Online, shown: Shown) -> Self {
        let run = format!("{:x}", fastrand::u32(..));
        let whole = Arc::new(Whole::new(id(&run, 0), online, shown, None));
        Self { run, newest: 0, batches: VecDeque::new(), whole }
    }

    /// Takes in how things are at the monotonic time `now`; whether clients have anything to learn from it.
    pub(super) fn push(&mut self, online: Online, shown: Shown, changes: &Changes, now: Duration) -> bool {
        while self.batches.pop_front_if(|(at, _)| *at + KEPT < now).is_some() {}
        let news = Changed::between(&self.whole, &online, changes);
        // Where nothing but the moment is new the number stays, and clients who begin now hear of the moment.
        self.newest += u64::from(news.is_some());
        let whole = Arc::new(Whole::new(id(&self.run, self.newest), online, shown, Some(&self.whole)));
        let before = std::mem::replace(&mut self.whole, whole);
        let Some(news) = news else { return false };
        if self.batches.len() == MOST {
            self.batches.pop_front();
        }
        self.batches.push_back((now, Arc::new(Batch::new(&before, Arc::clone(&self.whole), news))));
        true
    }

    pub(super) fn whole(&self) -> (u64, Arc<Whole>) {
        (self.newest, Arc::clone(&self.whole))
    }

    /// The batch after this one.
    pub(super) fn after(&self, number: u64) -> After {
        let Some(behind) = self.newest.checked_sub(number) else { return After::Unknown };
        let Ok(behind) = usize::try_from(behind) else { return After::Unknown };
        match self.batches.len().checked_sub(behind) {
            None => After::Unknown,
            Some(index) => self.batches.get(index).map_or(After::Nothing, |(_, batch)| After::Batch(Arc::clone(batch))),
        }
    }

    /// The number in an id, if it is one of this run's.
    pub(super) fn number(&self, id: &str) -> Option<u64> {
        let (run, number) = id.split_once('-')?;
        number.parse().ok().filter(|_| run == self.run)
    }
}

/// What comes after a batch.
#[derive(Debug)]
pub(super) enum After {
    Batch(Arc<Batch>),
    /// It is the newest.
    Nothing,
    /// The batch is too old, or there was none of that number.
    Unknown,
}

fn id(run: &str, number: u64) -> String {
    format!("{run}-{number}")
}
