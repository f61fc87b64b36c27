//! Which servers have answered, one after another: whether another has taken over.

use parking_lot::Mutex;

/// The server that answered last, and how often it was another than before.
#[derive(Debug, Default)]
pub(super) struct Servers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Box<str>>,
    changes: u64,
}

impl Servers {
    /// Notes who answered, as `server.sql` names servers; says whether that is another than the last.
    ///
    /// Every answer to a write bears that name. So nothing has to be asked at connecting, and a pooler that keeps its
    /// clients while it changes servers hides nothing.
    pub(super) fn note(&self, server: Option<&str>) -> bool {
        let Some(server) = server else { return false };
        let mut state = self.0.lock();
        if state.last.as_deref() == Some(server) {
            return false;
        }
        let is_another = state.last.replace(server.into()).is_some();
        state.changes += u64::from(is_another);
        is_another
    }

    pub(super) fn changes(&self) -> u64 {
        self.0.lock().changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_server_is_none_that_took_over_and_a_standby_is_no_server() {
        let servers = Servers::default();
        for (server, changes) in [(None, 0), (Some("a"), 0), (Some("a"), 0), (None, 0), (Some("b"), 1), (Some("a"), 2)]
        {
            assert_eq!((servers.note(server), servers.changes()), (changes > 0 && server.is_some(), changes));
        }
    }
}
