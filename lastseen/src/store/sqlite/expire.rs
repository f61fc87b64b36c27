//! What is kept no longer, a page of the records in a transaction.

use rusqlite::Connection;

use super::active;
use crate::store::{Cursor, KeptSince};
use crate::{Day, Timestamp};

/// How many records a page looks at: other writers wait meanwhile.
const PAGE: u32 = 5_000;

/// Lets go of what a page has of it; gives where the next begins.
pub(super) fn expire(
    connection: &Connection,
    since: KeptSince,
    after: Option<&Cursor>,
) -> rusqlite::Result<Option<Cursor>> {
    let from = after.map_or("", Cursor::as_str);
    let page = connection.query_row(include_str!("../sql/sqlite/expire_page.sql"), (from, PAGE), |row| {
        Ok((row.get::<_, Option<String>>(0)?, row.get::<_, u32>(1)?))
    });
    let (last, rows) = page?;
    if let Some(records) = since.records.filter(|_| after.is_none()) {
        active::prune(connection, Day::of(records))?;
    }
    let Some(last) = last else { return Ok(None) };
    if let Some(records) = since.records {
        let mut expired = connection.prepare(include_str!("../sql/sqlite/find_expired.sql"))?;
        let users = expired.query_map((from, &last, records.as_micros()), |row| row.get(0))?;
        erase(connection, &users.collect::<rusqlite::Result<Vec<String>>>()?)?;
    }
    if let Some(addresses) = since.addresses.map(Timestamp::as_micros) {
        connection.execute(include_str!("../sql/sqlite/expire_addresses.sql"), (from, &last, addresses))?;
    }
    Ok((rows == PAGE).then(|| Cursor::new(last)))
}

/// Unlike one who is forgotten, whoever has been away for so long may come back with whatever is still in flight.
fn erase(connection: &Connection, users: &[String]) -> rusqlite::Result<()> {
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
            delete.execute([user])?;
        }
    }
    connection.execute(include_str!("../sql/sqlite/unpublish_gone.sql"), ()).map(drop)
}
