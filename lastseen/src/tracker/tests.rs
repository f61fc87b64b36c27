//! The engine against models, step by step and without its tasks.

mod converge;
mod model;
#[cfg(shuttle)]
mod shuttle;
#[cfg(not(shuttle))]
mod simulation;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::core::Core;
use super::timeline::Shape;
use super::{Event, Events, Tracker};
use crate::{ManualClock, Store, Timestamp, UserId};

const WINDOW: Duration = Duration::from_mins(10);
const HORIZON: Duration = Duration::from_hours(1);

/// A moment to start from.
const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// Buckets so narrow and short that a handful of users crosses every seam.
const TINY: Shape = Shape { fine: 1_000_000, coarse: 60_000_000, recent: 300_000_000, log: 2, stale: 2 };

/// A tracker's inside, with none of its tasks running.
fn core(store: impl Store, clock: &ManualClock) -> Core {
    let builder = Tracker::builder(store).window(WINDOW).horizon(HORIZON).clock(clock.clone());
    builder.sized(TINY, 2).build().expect("the settings agree").0
}

/// The outcome of something that has nothing to wait for.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("there was something to wait for"),
    }
}

/// The events that have been sent and not been read.
fn drain(events: &mut Events) -> Vec<Event> {
    let mut drained = Vec::new();
    while let Poll::Ready(Some(event)) = pin!(events.next()).poll(&mut Context::from_waker(Waker::noop())) {
        drained.push(event.expect("no more than the backlog"));
    }
    drained
}

fn user(number: u8) -> UserId {
    UserId::from(u32::from(number))
}
