//! One second's changes, and everyone who is online after it; each written when the first client asks, and once.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use lastseen::{Online, OnlineUser, UserId};

use super::Shown;
use super::changes::{self, Changes};
use super::text::{self, Text};
use crate::api::{DEFAULT_LIMIT, GuestAnswer, OnlineUserAnswer};
use crate::viewer::{self, Viewer};

/// How many users a look takes in: those whom clients list, and below them room for all who may have come.
pub(super) const LOOKED_AT: usize = DEFAULT_LIMIT + changes::MOST;

/// What is written for viewers, once for each kind.
#[derive(Debug, Default)]
pub(super) struct Written {
    admin: OnceLock<Bytes>,
    reader: OnceLock<Bytes>,
}

impl Written {
    fn once(&self, viewer: Viewer, write: impl FnOnce() -> Bytes) -> Bytes {
        let written = match viewer {
            Viewer::Admin => &self.admin,
            Viewer::Reader(_) => &self.reader,
        };
        written.get_or_init(write).clone()
    }
}

/// Who is online after the batch of this number.
#[derive(Debug)]
pub(super) struct Whole {
    id: String,
    online: Online,
    written: Written,
    /// What readers see who see no exact dates, where there are such.
    blurred: Option<Vec<OnlineUserAnswer>>,
    /// The same object as before while guests would see no difference.
    pub(super) for_guests: Option<Arc<ForGuests>>,
}

impl Whole {
    pub(super) fn new(id: String, online: Online, shown: Shown, before: Option<&Self>) -> Self {
        let Shown { guests, dates } = shown;
        let blurred = (!dates.are_exact()).then(|| Viewer::Reader(dates).online(&online, DEFAULT_LIMIT).users);
        let for_guests = guests.online(&online, dates, DEFAULT_LIMIT).map(|answer| {
            let before = before.and_then(|before| before.for_guests.as_ref());
            match before.filter(|before| before.looks_like(&answer)) {
                Some(before) => Arc::clone(before),
                None => Arc::new(ForGuests { answer, written: OnceLock::new() }),
            }
        });
        Self { id, online, written: Written::default(), blurred, for_guests }
    }

    pub(super) fn write(&self, viewer: Viewer) -> Bytes {
        self.written.once(viewer, || text::snapshot(&self.id, &viewer.online(&self.online, DEFAULT_LIMIT)))
    }
}

/// What guests see.
#[derive(Debug)]
pub(super) struct ForGuests {
    answer: GuestAnswer,
    written: OnceLock<Bytes>,
}

impl ForGuests {
    /// All but the moment.
    fn looks_like(&self, answer: &GuestAnswer) -> bool {
        self.answer.count.count == answer.count.count && self.answer.users == answer.users
    }

    pub(super) fn write(&self) -> Bytes {
        self.written.get_or_init(|| text::for_guests(&self.answer)).clone()
    }
}

/// What clients are told of one second.
#[derive(Debug)]
pub(super) struct Batch {
    after: Arc<Whole>,
    changed: Changed,
    /// What of it is there for readers who see no exact dates, where there are such.
    blurred: Option<Blurred>,
    written: Written,
}

/// Were they told who has just been active, or only that somebody has, they would know when.
#[derive(Clone, Copy, Debug)]
enum Blurred {
    Nothing,
    Count,
    /// The list anew.
    List,
}

impl Batch {
    pub(super) fn new(before: &Whole, after: Arc<Whole>, changed: Changed) -> Self {
        let blurred = after.blurred.as_ref().map(|list| match before.blurred.as_ref() {
            Some(old) if old != list => Blurred::List,
            _ if before.online.count != after.online.count => Blurred::Count,
            _ => Blurred::Nothing,
        });
        Self { after, changed, blurred, written: Written::default() }
    }

    /// `None` where this viewer sees no difference.
    pub(super) fn write(&self, viewer: Viewer) -> Option<Bytes> {
        let count = |text: Text| text.count(&self.after.id, &viewer::count(&self.after.online));
        match (viewer, self.blurred) {
            (Viewer::Reader(_), Some(Blurred::Nothing)) => return None,
            (Viewer::Reader(_), Some(Blurred::List)) => return Some(self.after.write(viewer)),
            (Viewer::Reader(_), Some(Blurred::Count)) => {
                return Some(self.written.once(viewer, || count(Text::default())));
            }
            _ => {}
        }
        let Changed::By { online, active, offline } = &self.changed else { return Some(self.after.write(viewer)) };
        Some(self.written.once(viewer, || {
            let users = |users: &[OnlineUser]| users.iter().map(|user| viewer.online_user(user)).collect::<Vec<_>>();
            let mut text = Text::default();
            text.users("online", &users(online));
            text.users("active", &users(active));
            text.users("offline", &offline.iter().map(UserId::as_str).collect::<Vec<_>>());
            count(text)
        }))
    }
}

/// What changed from one look to the next.
#[derive(Debug)]
pub(super) enum Changed {
    /// So much that the batch is everything anew.
    Much,
    /// This, and the count.
    By {
        /// Who came.
        online: Vec<OnlineUser>,
        /// Who was online, and in the list isn't what or where they were.
        active: Vec<OnlineUser>,
        /// Who went.
        offline: Vec<UserId>,
    },
}

impl Changed {
    /// `None` where nothing did that a client would see.
    pub(super) fn between(before: &Whole, after: &Online, changes: &Changes) -> Option<Self> {
        if changes.are_too_many() {
            return Some(Self::Much);
        }
        let known: HashMap<_, _> = listed(&before.online).map(|user| (&user.user, user)).collect();
        let is_other = |user: &&OnlineUser| known.get(&user.user) != Some(user) && !changes.has_come(&user.user);
        let online: Vec<_> = after.iter().filter(|user| changes.has_come(&user.user)).cloned().collect();
        let active: Vec<_> = listed(after).filter(is_other).cloned().collect();
        let offline = changes.gone();
        let is_nothing = online.is_empty() && active.is_empty() && offline.is_empty();
        (!is_nothing || before.online.count != after.count).then_some(Self::By { online, active, offline })
    }
}

/// Those whom clients list.
fn listed(online: &Online) -> impl Iterator<Item = &OnlineUser> {
    online.iter().take(DEFAULT_LIMIT)
}
