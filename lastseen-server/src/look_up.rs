//! When one user was last seen; that nobody was, it takes the same time to say whoever is asked for.

use std::time::Duration;

use lastseen::{Error, LastSeen, Tracker, UserId};
use tokio::time::{Instant, sleep_until};

/// After how long it is said that a user was never seen: 10 milliseconds, in which a store answers on an ordinary day.
///
/// To read of somebody who hides that they do takes some microseconds longer than to find nobody, which some dozen look-ups
/// would tell. Who waits for a moment set beforehand sees neither.
const NEVER: Duration = Duration::from_millis(10);

/// `None` for one never seen, and alike for one who hides.
pub(crate) async fn last_seen(tracker: &Tracker, user: &UserId) -> Result<Option<LastSeen>, Error> {
    let due = Instant::now() + NEVER;
    let found = tracker.last_seen(user).await?;
    if found.is_none() {
        sleep_until(due).await;
    }
    Ok(found)
}
