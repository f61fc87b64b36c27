//! What a store says that it has, asked as a process does that has just started.

use lastseen::{OnlineUser, Store, Timestamp};

/// How many users it has.
pub(crate) async fn stored<S: Store>(store: &S) -> Result<u32, S::Error> {
    let (mut stored, mut next) = (0, None);
    loop {
        let page = store.recent(Timestamp::MIN, next.as_ref()).await?;
        stored += u32::try_from(page.records.len()).unwrap();
        next = page.next;
        if next.is_none() {
            return Ok(stored);
        }
    }
}

/// Whether it has the last that is known of this user.
pub(crate) async fn has<S: Store>(store: &S, user: &OnlineUser) -> Result<bool, S::Error> {
    let stored = store.read(&user.user).await?;
    Ok(stored.and_then(|record| record.seen).map(|seen| seen.at) == Some(user.at))
}
