//! When one user was last seen, in a line on the page.

use lastseen::{Tracker, UserId};

use super::person::Person;
use crate::look_up::last_seen;
use crate::viewer::Viewer;
use crate::words;

/// What there is to say of whoever was looked for.
pub(super) enum Found {
    /// Nobody was.
    Nothing,
    Seen(Person, Standing),
    /// No such user, or no answer.
    Trouble(String),
}

/// Whether someone is here, in words.
pub(super) struct Standing {
    pub(super) online: bool,
    pub(super) words: String,
}

impl Found {
    pub(super) async fn of(asked: &str, viewer: Viewer, tracker: &Tracker) -> Self {
        let asked = asked.trim();
        if asked.is_empty() {
            return Self::Nothing;
        }
        let user = match UserId::new(asked) {
            Ok(user) => user,
            Err(error) => return Self::Trouble(words::sentence(&error.to_string())),
        };
        match last_seen(tracker, &user).await {
            Ok(Some(seen)) => {
                let seen = viewer.last_seen(seen);
                let words = match (seen.online, seen.left_at) {
                    (true, _) => "Online now".to_owned(),
                    (false, Some(left_at)) => format!("Signed out {}", words::ago(seen.as_of.since(left_at))),
                    (false, None) => "Offline".to_owned(),
                };
                Self::Seen(Person::seen(&seen), Standing { online: seen.online, words })
            }
            Ok(None) => Self::Trouble(format!("The user {user} was never seen.")),
            Err(error) => Self::Trouble(words::sentence(&error.to_string())),
        }
    }
}
