//! What is kept no longer, a page of the records in a transaction.

use rusqlite::Connection;

use super::{active, row};
use crate::store::{Cursor, KeptSince};
use crate::{Day, Timestamp, UserId};

/// How many records a page looks at, or a few more where its last has an id that is no text: other writers wait meanwhile.
const PAGE: u32 = 5_000;

/// Lets go of what a page has of it; gives where the next begins.
pub(super) fn expire(
    connection: &Connection,
    since: KeptSince,
    after: Option<&Cursor>,
) -> rusqlite::Result<Option<Cursor>> {
    let from = after.map_or("", Cursor::as_str);
    let last = page_end(connection, from)?;
    if let Some(records) = since.records.filter(|_| after.is_none()) {
        active::prune(connection, Day::of(records))?;
    }
    if let Some(records) = since.records {
        let mut expired = connection.prepare(include_str!("../sql/sqlite/find_expired.sql"))?;
        let users = expired.query_map((from, &last, records.as_micros()), |row| row::user(row, 0))?;
        let users = users.filter_map(Result::transpose).collect::<rusqlite::Result<Vec<UserId>>>()?;
        erase(connection, &users)?;
    }
    if let Some(addresses) = since.addresses.map(Timestamp::as_micros) {
        connection.execute(include_str!("../sql/sqlite/expire_addresses.sql"), (from, &last, addresses))?;
    }
    Ok(last.map(Cursor::new))
}

/// The last user of the page that begins after this one; `None` where it is the last page.
fn page_end(connection: &Connection, from: &str) -> rusqlite::Result<Option<String>> {
    let mut page = connection.prepare(include_str!("../sql/sqlite/expire_page.sql"))?;
    let mut rows = page.query([from])?;
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        looked_at += 1;
        if looked_at >= PAGE
            && let Some(user) = row::text(row, 0)?
        {
            return Ok(Some(user.to_owned()));
        }
    }
    Ok(None)
}

/// Unlike one who is forgotten, whoever has been away for so long may come back with whatever is still in flight.
fn erase(connection: &Connection, users: &[UserId]) -> rusqlite::Result<()> {
    if users.is_empty() {
        return Ok(());
    }
    for sql in [
        include_str!("../sql/sqlite/delete_record.sql"),
        include_str!("../sql/sqlite/delete_profile.sql"),
        // Who is on the days that are kept stays counted there, as a number that is nobody's.
        include_str!("../sql/sqlite/delete_number.sql"),
    ] {
        let mut delete = connection.prepare(sql)?;
        for user in users {
            delete.execute([user.as_str()])?;
        }
    }
    connection.execute(include_str!("../sql/sqlite/unpublish_gone.sql"), ()).map(drop)
}
