//! Who came online and who went offline, told to whoever listens.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::sync::Mutex;
use crate::{Timestamp, UserId};

/// How many events a listener may be behind before it misses some.
const BACKLOG: usize = 1024;

/// Somebody came online or went offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// One more than the event before it, in this process.
    pub number: u64,
    /// What happened.
    pub change: Presence,
    /// To whom.
    pub user: UserId,
    /// The user's name, where it is known by now.
    pub name: Option<Arc<str>>,
    /// When it was noticed.
    pub at: Timestamp,
}

/// Which way a user's presence changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// The user was offline, or not to be seen, and is online now.
    CameOnline,
    /// The user was online, and now isn't: unseen for the window, signed out, erased, switched off or hidden.
    WentOffline,
}

/// A listener was too slow: so many events are gone. The next one that it gets is the oldest still kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// How many.
    pub events: u64,
}

/// A listener's end of [`Tracker::events`](crate::Tracker::events).
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    /// The next event, once there is one; `None` after the tracker has shut down.
    ///
    /// A listener that falls behind by more than 1,024 events is told how many it [`Missed`]: it should read the list
    /// anew. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Event, Missed>> {
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(events)) => Some(Err(Missed { events })),
            Err(RecvError::Closed) => None,
        }
    }
}

/// The tracker's end.
pub(super) struct Announcer(Mutex<Numbered>);

struct Numbered {
    last: u64,
    /// `None` after shutdown.
    listeners: Option<broadcast::Sender<Event>>,
}

impl Announcer {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Numbered { last: 0, listeners: Some(broadcast::Sender::new(BACKLOG)) }))
    }

    /// Numbers and sends an event under one lock, so that every listener gets them in order.
    pub(super) fn announce(&self, change: Presence, user: &UserId, name: Option<&Arc<str>>, at: Timestamp) {
        let mut numbered = self.0.lock();
        numbered.last += 1;
        let number = numbered.last;
        let Some(listeners) = &numbered.listeners else { return };
        if listeners.receiver_count() > 0 {
            // Its only error is that the last listener has just gone.
            let _ = listeners.send(Event { number, change, user: user.clone(), name: name.cloned(), at });
        }
    }

    pub(super) fn listen(&self) -> Events {
        let numbered = self.0.lock();
        match &numbered.listeners {
            Some(listeners) => Events(listeners.subscribe()),
            None => Events(broadcast::Sender::new(1).subscribe()),
        }
    }

    /// Lets listeners read what they have not read yet, and then end.
    pub(super) fn close(&self) {
        self.0.lock().listeners = None;
    }
}
