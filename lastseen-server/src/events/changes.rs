//! Who came and who went since the last look, each person once.

use std::collections::HashMap;

use lastseen::{Event, Missed, Presence, UserId};

/// The most people in a batch. When more come and go within a second, the batch is a snapshot instead, which says less
/// and stays small.
pub(super) const MOST: usize = 100;

/// What happened to whom.
#[derive(Debug, Default)]
pub(super) struct Changes {
    turns: HashMap<UserId, Turn>,
    /// More than there is room for, or than the tracker kept.
    too_many: bool,
}

/// What happened to one user: whether that was to come first, and whether they are there now.
#[derive(Clone, Copy, Debug)]
struct Turn {
    came_first: bool,
    is_here: bool,
}

impl Changes {
    pub(super) fn take(&mut self, event: Result<Event, Missed>) {
        let Ok(event) = event else {
            self.give_up();
            return;
        };
        if self.too_many {
            return;
        }
        let is_here = event.change == Presence::CameOnline;
        self.turns.entry(event.user).or_insert(Turn { came_first: is_here, is_here }).is_here = is_here;
        if self.turns.len() > MOST {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.too_many = true;
        self.turns.clear();
    }

    pub(super) const fn are_too_many(&self) -> bool {
        self.too_many
    }

    /// Whether this user was away and is here.
    pub(super) fn has_come(&self, user: &UserId) -> bool {
        self.turns.get(user).is_some_and(|turn| turn.came_first && turn.is_here)
    }

    /// Those who were here and are gone. Who came and went in between is in neither, so that nobody is told of someone
    /// who turned out to hide; nor is who went and came back.
    pub(super) fn gone(&self) -> Vec<UserId> {
        let gone = self.turns.iter().filter(|(_, turn)| !turn.came_first && !turn.is_here);
        let mut gone: Vec<_> = gone.map(|(user, _)| user.clone()).collect();
        gone.sort_unstable();
        gone
    }
}

#[cfg(test)]
mod tests {
    use lastseen::Timestamp;

    use super::*;

    fn event(user: &str, change: Presence) -> Event {
        let user = UserId::new(user).unwrap();
        Event { number: 1, change, user, name: None, at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn what_is_undone_within_a_second_is_not_told() {
        use Presence::{CameOnline, WentOffline};
        let mut changes = Changes::default();
        for (user, change) in [
            ("comes", CameOnline),
            ("goes", WentOffline),
            ("passes", CameOnline),
            ("passes", WentOffline),
            ("reloads", WentOffline),
            ("reloads", CameOnline),
            ("flutters", CameOnline),
            ("flutters", WentOffline),
            ("flutters", CameOnline),
        ] {
            changes.take(Ok(event(user, change)));
        }
        let came = |user| changes.has_come(&UserId::new(user).unwrap());
        assert_eq!(["comes", "goes", "passes", "reloads", "flutters"].map(came), [true, false, false, false, true]);
        assert_eq!(changes.gone(), [UserId::new("goes").unwrap()]);
    }

    #[test]
    fn more_than_there_is_room_for_are_not_kept() {
        let mut changes = Changes::default();
        for user in 0..=MOST {
            assert!(!changes.are_too_many());
            changes.take(Ok(event(&user.to_string(), Presence::CameOnline)));
        }
        assert!(changes.are_too_many() && changes.turns.is_empty());

        let mut changes = Changes::default();
        changes.take(Err(Missed { events: 1 }));
        assert!(changes.are_too_many());
    }
}
