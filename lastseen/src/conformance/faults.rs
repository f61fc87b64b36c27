//! Which calls of a failing store fail, and how.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Controls a [`Faulty`](super::Faulty) store. Clones control the same one.
#[derive(Clone, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    healed: Notify,
}

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    /// Rises by one at every [`Faults::heal`] and [`Faults::inject`], which let go of what hangs.
    heals: u64,
    calls: [u64; Operation::ALL.len()],
}

impl Faults {
    /// Puts `fault` in force, in place of any before it; calls that hang go on.
    pub fn inject(&self, fault: Fault) {
        self.set(Some(fault));
    }

    /// Fails nothing any more; calls that hang go on.
    pub fn heal(&self) {
        self.set(None);
    }

    fn set(&self, fault: Option<Fault>) {
        let mut state = self.0.state.lock();
        state.fault = fault;
        state.heals += 1;
        drop(state);
        self.0.healed.notify_waiters();
    }

    /// How many calls of `operation` there have been, failed ones included.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        self.0.state.lock().calls[operation as usize]
    }

    /// How many calls there have been, failed ones included.
    #[must_use]
    pub fn all_calls(&self) -> u64 {
        self.0.state.lock().calls.iter().sum()
    }

    /// Counts a call and says what is to happen to it, and how many heals had been when it was said.
    pub(super) fn next(&self, operation: Operation) -> Option<(Effect, u64)> {
        let mut state = self.0.state.lock();
        state.calls[operation as usize] += 1;
        let heals = state.heals;
        let fault = state.fault.as_mut().filter(|fault| fault.operation.is_none_or(|only| only == operation))?;
        if fault.spared > 0 {
            fault.spared -= 1;
            return None;
        }
        fault.hit = fault.hit.checked_sub(1)?;
        Some((fault.effect, heals))
    }

    pub(super) async fn healed_since(&self, heals: u64) {
        loop {
            let healed = self.0.healed.notified();
            if self.0.state.lock().heals != heals {
                return;
            }
            healed.await;
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.lock();
        f.debug_struct("Faults").field("fault", &state.fault).field("calls", &state.calls).finish()
    }
}

/// Which calls fail, and how. Unless told otherwise: calls of every operation, which never reach the store.
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is injected"]
pub struct Fault {
    operation: Option<Operation>,
    spared: u64,
    hit: u64,
    effect: Effect,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Effect {
    Refuse,
    LoseAnswer,
    Hang,
}

impl Fault {
    /// The next `calls` calls.
    pub const fn next(calls: u64) -> Self {
        Self { operation: None, spared: 0, hit: calls, effect: Effect::Refuse }
    }

    /// The `n`th call from here alone; 1 is the next.
    pub const fn nth(n: u64) -> Self {
        Self { spared: n.saturating_sub(1), ..Self::next(1) }
    }

    /// Every call, until told otherwise.
    pub const fn every() -> Self {
        Self::next(u64::MAX)
    }

    /// Calls of this operation alone are counted, and fail.
    pub const fn on(self, operation: Operation) -> Self {
        Self { operation: Some(operation), ..self }
    }

    /// The store does as it is told, and the caller gets an error all the same.
    pub const fn answer_lost(self) -> Self {
        Self { effect: Effect::LoseAnswer, ..self }
    }

    /// The call waits until [`Faults::heal`] or the next [`Faults::inject`], and then reaches the store.
    pub const fn hanging(self) -> Self {
        Self { effect: Effect::Hang, ..self }
    }
}

/// A method of [`Store`](crate::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Store::write`](crate::Store::write)
    Write,
    /// [`Store::read`](crate::Store::read)
    Read,
    /// [`Store::recent`](crate::Store::recent)
    Recent,
    /// [`Store::follow`](crate::Store::follow)
    Follow,
    /// [`Store::forget`](crate::Store::forget)
    Forget,
    /// [`Store::set_profile`](crate::Store::set_profile)
    SetProfile,
    /// [`Store::profiles`](crate::Store::profiles)
    Profiles,
    /// [`Store::expire`](crate::Store::expire)
    Expire,
    /// [`Store::write_history`](crate::Store::write_history)
    WriteHistory,
    /// [`Store::history`](crate::Store::history)
    History,
    /// [`Store::most_online`](crate::Store::most_online)
    MostOnline,
    /// [`Store::active_users`](crate::Store::active_users)
    ActiveUsers,
    /// [`Store::active_days`](crate::Store::active_days)
    ActiveDays,
}

impl Operation {
    const ALL: [Self; 13] = [
        Self::Write,
        Self::Read,
        Self::Recent,
        Self::Follow,
        Self::Forget,
        Self::SetProfile,
        Self::Profiles,
        Self::Expire,
        Self::WriteHistory,
        Self::History,
        Self::MostOnline,
        Self::ActiveUsers,
        Self::ActiveDays,
    ];
}
