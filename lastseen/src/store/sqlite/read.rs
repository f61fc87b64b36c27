//! What reads the tables, each in a transaction of its own that ends with it.

use rusqlite::{Connection, OptionalExtension};

use super::row;
use crate::store::{Change, Changes, Cursor, Page};
use crate::{Profile, Record, Timestamp, UserId};

/// How many records a page looks at, or a few more where its last has an id that is no text: so short a look never holds up the log's reuse for long.
const PAGE: u32 = 5_000;

pub(super) fn read(connection: &Connection, user: &UserId) -> rusqlite::Result<Option<Record>> {
    let record = |row: &rusqlite::Row<'_>| row::record(row, user.clone(), 1);
    connection.query_row(include_str!("../sql/sqlite/read.sql"), [user.as_str()], record).optional()
}

pub(super) fn recent(connection: &Connection, since: Timestamp, after: Option<&Cursor>) -> rusqlite::Result<Page> {
    let mut page = connection.prepare(include_str!("../sql/sqlite/page.sql"))?;
    let mut rows = page.query([after.map_or("", Cursor::as_str)])?;
    let mut records = Vec::new();
    let mut looked_at = 0;
    let mut next = None;
    while next.is_none()
        && let Some(row) = rows.next()?
    {
        looked_at += 1;
        if looked_at >= PAGE {
            next = row::text(row, 0)?.map(Cursor::new);
        }
        if row::timestamp(row, 1)?.max(row::timestamp(row, 3)?) < Some(since) {
            continue;
        }
        if let Some(user) = row::user(row, 0)? {
            records.push(row::record(row, user, 1)?);
        }
    }
    // The first page has them all: they are a day's worth.
    let forgotten = if after.is_none() { forgotten(connection)? } else { Vec::new() };
    Ok(Page { records, forgotten, next })
}

fn forgotten(connection: &Connection) -> rusqlite::Result<Vec<(UserId, Timestamp)>> {
    let mut statement = connection.prepare(include_str!("../sql/sqlite/forgotten.sql"))?;
    let mut rows = statement.query(())?;
    let mut forgotten = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(user) = row::user(row, 0)? {
            forgotten.push((user, Timestamp::from_micros(row.get(1)?)));
        }
    }
    Ok(forgotten)
}

pub(super) fn follow(connection: &Connection, cursor: Option<&Cursor>, origin: i64) -> rusqlite::Result<Changes> {
    // One transaction, so that what the feed names is read as it was when the feed ended there.
    let transaction = connection.unchecked_transaction()?;
    let (cut_off, last): (i64, i64) =
        transaction.query_row(include_str!("../sql/sqlite/feed_ends.sql"), (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let end = Cursor::new(last.to_string());
    let Some(cursor) = cursor else { return Ok(Changes { changes: Vec::new(), cursor: end, missed: false }) };
    // What isn't a number, or lies beyond the end, is from another file: nothing is known of where its reader stands.
    let reached = cursor.as_str().parse::<i64>().ok().filter(|reached| (cut_off..=last).contains(reached));
    if reached == Some(last) {
        return Ok(Changes { changes: Vec::new(), cursor: end, missed: false });
    }
    let changes = changes(&transaction, reached.unwrap_or(cut_off), origin)?;
    Ok(Changes { changes, cursor: end, missed: reached.is_none() })
}

fn changes(connection: &Connection, after: i64, origin: i64) -> rusqlite::Result<Vec<Change>> {
    let mut statement = connection.prepare(include_str!("../sql/sqlite/changes.sql"))?;
    let mut rows = statement.query((after, origin))?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(user) = row::user(row, 1)? else { continue };
        changes.push(match row.get_ref(0)?.as_str()? {
            "activity" => Change::Record(row::record(row, user, 3)?),
            "profile" => Change::Profile(user, row::profile(row, 6)?),
            _ => match row::timestamp(row, 2)? {
                Some(forgotten_at) => Change::Forgotten(user, forgotten_at),
                None => continue,
            },
        });
    }
    Ok(changes)
}

pub(super) fn profiles(connection: &Connection, users: &[UserId]) -> rusqlite::Result<Vec<(UserId, Profile)>> {
    // Most sites keep none here, and a tracker without one asks about every user that it reads at its start.
    if !connection.query_row(include_str!("../sql/sqlite/any_profile.sql"), (), |row| row.get(0))? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(include_str!("../sql/sqlite/profile.sql"))?;
    let mut profiles = Vec::new();
    for user in users {
        let profile = statement.query_row([user.as_str()], |row| row::profile(row, 0)).optional()?;
        profiles.extend(profile.map(|profile| (user.clone(), profile)));
    }
    Ok(profiles)
}
