//! What changes the tables, within the writer's transaction.

use std::time::SystemTime;

use rusqlite::{Connection, Row, Statement};

use super::{active, row};
use crate::store::tombstone;
use crate::{Profile, Record, Timestamp, UserId, VOID_AHEAD};

/// How many changes are kept for others to follow, at most, and for how many seconds. A process that follows twice a
/// second needs a second of them; one further behind reads all that is recent again.
pub(super) const FEED_ROWS: i64 = 100_000;
const FEED_SECONDS: i64 = 600;

/// No handle's: those are drawn by chance.
const NOBODY: i64 = 0;

/// The later of the writer's time and the machine's, by which dates are void: a write may be late. Once the transaction has
/// begun nobody else writes, so it can't become later than this.
fn latest(now: Timestamp) -> Timestamp {
    now.max(SystemTime::now().into())
}

/// Merges a batch.
///
/// Each record is read, merged by [`Record::merge`] and put back: the transaction lets no other writer in between.
pub(super) fn write(connection: &Connection, batch: &[Record], now: Timestamp, origin: i64) -> rusqlite::Result<()> {
    let mut find = connection.prepare(include_str!("../sql/sqlite/find_record.sql"))?;
    let mut put = connection.prepare(include_str!("../sql/sqlite/put_record.sql"))?;
    let mut publish = connection.prepare(include_str!("../sql/sqlite/publish.sql"))?;

    let mut notes = active::Notes::new(connection, now)?;
    let latest = latest(now);

    for record in batch {
        let user = record.user.as_str();
        let (before, forgotten_at, number) = find.query_row([user], |row| known(row, &record.user))?;

        let mut incoming = record.clone();
        if let Some(forgotten_at) = forgotten_at.filter(|at| tombstone::holds(*at, now, latest)) {
            incoming.forget_until(forgotten_at);
        }
        let incoming = incoming.plausible(latest);
        notes.note(&incoming, &before, number)?;
        let mut after = before.clone();
        after.merge(&incoming, latest);
        if after == before {
            continue;
        }
        if after.is_empty() {
            connection.execute(include_str!("../sql/sqlite/delete_record.sql"), [user])?;
        } else {
            put_record(&mut put, &after)?;
        }
        publish.execute((user, "activity", None::<i64>, origin))?;
    }
    notes.fold()?;
    prune_feed(connection)?;
    prune_forgotten(connection, now)
}

/// A user's record, up to when they were erased, and their number.
fn known(row: &Row<'_>, user: &UserId) -> rusqlite::Result<(Record, Option<Timestamp>, Option<u32>)> {
    Ok((row::record(row, user.clone(), 0)?, row::timestamp(row, 3)?, row.get(4)?))
}

fn put_record(put: &mut Statement<'_>, record: &Record) -> rusqlite::Result<()> {
    let seen = record.seen.map(|seen| seen.at.as_micros());
    let ip = record.seen.and_then(|seen| seen.ip).map(|ip| ip.to_string());
    put.execute((record.user.as_str(), seen, ip, record.left_at.map(Timestamp::as_micros)))?;
    Ok(())
}

pub(super) fn forget(
    connection: &Connection,
    user: &UserId,
    at: Timestamp,
    now: Timestamp,
    origin: i64,
) -> rusqlite::Result<()> {
    let find = include_str!("../sql/sqlite/find_record.sql");
    let (mut later, ..) = connection.query_row(find, [user.as_str()], |row| known(row, user))?;
    later.forget_until(at);

    active::erase(connection, user)?;
    let user = user.as_str();
    for sql in [
        include_str!("../sql/sqlite/delete_record.sql"),
        include_str!("../sql/sqlite/delete_profile.sql"),
        include_str!("../sql/sqlite/unpublish.sql"),
    ] {
        connection.execute(sql, [user])?;
    }
    let limit = (latest(now) + VOID_AHEAD).as_micros();
    let put_forgotten = include_str!("../sql/sqlite/put_forgotten.sql");
    let forgotten_at: i64 = connection.query_row(put_forgotten, (user, at.as_micros(), limit), |row| row.get(0))?;
    // An erasure that is another's is news to this handle too.
    let origin = if forgotten_at > at.as_micros() { NOBODY } else { origin };
    connection.execute(include_str!("../sql/sqlite/publish.sql"), (user, "forgotten", forgotten_at, origin))?;
    // What came after it is written anew, and news to all.
    write(connection, &[later], now, NOBODY)
}

pub(super) fn set_profile(
    connection: &Connection,
    user: &UserId,
    profile: &Profile,
    origin: i64,
) -> rusqlite::Result<()> {
    let user = user.as_str();
    let row = (user, profile.name(), profile.is_active(), profile.is_hidden());
    connection.execute(include_str!("../sql/sqlite/put_profile.sql"), row)?;
    connection.execute(include_str!("../sql/sqlite/publish.sql"), (user, "profile", None::<i64>, origin))?;
    prune_feed(connection)
}

fn prune_feed(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(include_str!("../sql/sqlite/prune_feed.sql"), (FEED_ROWS, FEED_SECONDS)).map(drop)
}

fn prune_forgotten(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let oldest = tombstone::oldest(now).as_micros();
    connection.execute(include_str!("../sql/sqlite/prune_forgotten.sql"), [oldest]).map(drop)
}
