//! A store behind a network: calls arrive late, twice or not at all, in any order, and so do answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::super::now;
use crate::store::{Changes, Cursor, KeptSince, MemoryStore, Page};
use crate::{Clock, ManualClock, Profile, Record, Store, Timestamp, UserId};

/// A call that is older never arrives. A write that came more than a minute late would take what was written meanwhile for
/// dates of a clock that is ahead.
const OLDEST: Duration = Duration::from_secs(55);

/// What is under way, in the order in which it was sent.
#[derive(Clone, Default)]
pub(super) struct Network(Arc<Mutex<Vec<Message>>>);

enum Message {
    Call {
        what: &'static str,
        sent: Timestamp,
        /// May be done more than once.
        arrive: Box<dyn Fn() -> Answer + Send>,
        answer_lost: Box<dyn FnOnce() + Send>,
    },
    Answer(Answer),
}

/// Gives an answer to whoever waits for it.
type Answer = Box<dyn FnOnce() + Send>;

/// The call or its answer never arrived: nobody knows which.
#[derive(Debug)]
pub(super) struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer")
    }
}

impl std::error::Error for Lost {}

impl Network {
    pub(super) fn is_silent(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Lets something happen to one message; says what. Where the network `works` it arrives.
    pub(super) fn turn(&self, chance: &mut Rng, time: Timestamp, works: bool) -> Option<String> {
        let message = {
            let mut messages = self.0.lock();
            if messages.is_empty() {
                return None;
            }
            let index = chance.usize(..messages.len());
            messages.remove(index)
        };
        let fate = match &message {
            Message::Call { sent, .. } if *sent + OLDEST < time => 0,
            _ if works => 9,
            _ => chance.u8(0..10),
        };
        Some(match (message, fate) {
            (Message::Call { what, answer_lost, .. }, 0) => {
                answer_lost();
                format!("{what} lost")
            }
            (Message::Call { what, arrive, answer_lost, .. }, 1) => {
                drop(arrive());
                answer_lost();
                format!("{what} answered in vain")
            }
            // An erasure that comes once more would erase what came between, wherever nobody else knows of that.
            (Message::Call { what, sent, arrive, .. }, 2) if what != "forget" => {
                let answer = arrive();
                let again = Message::Call { what, sent, arrive, answer_lost: Box::new(|| ()) };
                self.0.lock().extend([Message::Answer(answer), again]);
                format!("{what} arrived, and will once more")
            }
            (Message::Call { what, arrive, .. }, _) => {
                let answer = arrive();
                self.0.lock().push(Message::Answer(answer));
                format!("{what} arrived")
            }
            (Message::Answer(answer), _) => {
                answer();
                "answer".to_owned()
            }
        })
    }
}

/// The store, from one process.
pub(super) struct Remote {
    pub store: MemoryStore,
    pub clock: ManualClock,
    pub network: Network,
}

impl Remote {
    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        act: impl Fn(&MemoryStore) -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let (sender, receiver) = oneshot::channel();
        // Of several answers the first counts.
        let sender = Arc::new(Mutex::new(Some(sender)));
        let (store, waiting) = (self.store.clone(), Arc::clone(&sender));
        let arrive = Box::new(move || -> Answer {
            let (outcome, waiting) = (act(&store), Arc::clone(&waiting));
            Box::new(move || {
                // The process may be gone.
                let _ = waiting.lock().take().map(|waiting| waiting.send(outcome));
            })
        });
        let answer_lost = Box::new(move || drop(sender.lock().take()));
        self.network.0.lock().push(Message::Call { what, sent: self.clock.now(), arrive, answer_lost });
        receiver.await.map_err(|_| Lost)
    }
}

/// That it succeeds at once.
fn done<T>(future: impl Future<Output = Result<T, std::convert::Infallible>>) -> T {
    now(future).unwrap_or_else(|never| match never {})
}

impl Store for Remote {
    type Error = Lost;

    async fn write(&self, batch: &[Record], at: Timestamp) -> Result<(), Lost> {
        let batch = batch.to_vec();
        self.call("write", move |store| done(store.write(&batch, at))).await
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, Lost> {
        let user = user.clone();
        self.call("read", move |store| done(store.read(&user))).await
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, Lost> {
        let page = page.cloned();
        self.call("recent", move |store| done(store.recent(since, page.as_ref()))).await
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, Lost> {
        let cursor = cursor.cloned();
        self.call("follow", move |store| done(store.follow(cursor.as_ref()))).await
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), Lost> {
        let user = user.clone();
        self.call("forget", move |store| done(store.forget(&user, at, now))).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), Lost> {
        let (user, profile) = (user.clone(), profile.clone());
        self.call("set profile", move |store| done(store.set_profile(&user, &profile))).await
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, Lost> {
        let users = users.to_vec();
        self.call("profiles", move |store| done(store.profiles(&users))).await
    }

    async fn expire(&self, since: KeptSince, at: Timestamp, page: Option<&Cursor>) -> Result<Option<Cursor>, Lost> {
        let page = page.cloned();
        self.call("expire", move |store| done(store.expire(since, at, page.as_ref()))).await
    }
}
