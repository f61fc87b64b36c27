//! Who was active on which day, within the writer's transaction.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, Statement};

use crate::store::bitmap;
use crate::{Day, Record, Timestamp, UserId};

/// What notes the users of a batch.
pub(super) struct Notes<'c> {
    connection: &'c Connection,
    put_number: Statement<'c>,
    note: Statement<'c>,
    now: Timestamp,
    has_noted: bool,
}

impl<'c> Notes<'c> {
    pub(super) fn new(connection: &'c Connection, now: Timestamp) -> rusqlite::Result<Self> {
        let put_number = connection.prepare(include_str!("../sql/sqlite/put_number.sql"))?;
        let note = connection.prepare(include_str!("../sql/sqlite/note_active.sql"))?;
        Ok(Self { connection, put_number, note, now, has_noted: false })
    }

    /// Notes on which day the user was active, unless that is the day of what is stored: a user who has a number is noted
    /// already then.
    pub(super) fn note(&mut self, incoming: &Record, stored: &Record, number: Option<u32>) -> rusqlite::Result<()> {
        let is_news = |day: &Day| *day >= bitmap::oldest(self.now) && (number.is_none() || stored.day() != Some(*day));
        let Some(day) = incoming.day().filter(is_news) else { return Ok(()) };
        let number = match number {
            Some(number) => number,
            None => self.put_number.query_row([incoming.user.as_str()], |row| row.get(0))?,
        };
        self.note.execute((day.as_days(), number))?;
        self.has_noted = true;
        Ok(())
    }

    /// Folds what was noted into the days' sets where it is time to, and lets go of days that are no longer kept.
    pub(super) fn fold(self) -> rusqlite::Result<()> {
        let Self { connection, now, .. } = self;
        if !self.has_noted {
            return Ok(());
        }
        prune(connection, bitmap::oldest(now))?;

        let mut to_fold = connection.prepare(include_str!("../sql/sqlite/days_to_fold.sql"))?;
        let days = to_fold.query_map((bitmap::FOLD_AT, Day::of(now).as_days()), |row| row.get(0))?;
        for day in days.collect::<rusqlite::Result<Vec<i32>>>()? {
            let noted = numbers(connection, include_str!("../sql/sqlite/take_active.sql"), [day])?;
            let before = connection.query_row(include_str!("../sql/sqlite/active_day.sql"), [day], |row| set(row, 0));
            put(connection, day, before.optional()?.unwrap_or_default() | noted)?;
        }
        Ok(())
    }
}

/// Lets go of the days before this one.
pub(super) fn prune(connection: &Connection, oldest: Day) -> rusqlite::Result<()> {
    connection.execute(include_str!("../sql/sqlite/prune_active.sql"), [oldest.as_days()])?;
    connection.execute(include_str!("../sql/sqlite/prune_active_day.sql"), [oldest.as_days()])?;
    Ok(())
}

/// Takes a user out of every day, and their number with them.
pub(super) fn erase(connection: &Connection, user: &UserId) -> rusqlite::Result<()> {
    let number = connection.query_row(include_str!("../sql/sqlite/take_number.sql"), [user.as_str()], |row| row.get(0));
    let Some(number) = number.optional()? else { return Ok(()) };
    connection.execute(include_str!("../sql/sqlite/erase_active.sql"), [number])?;
    let mut days = connection.prepare(include_str!("../sql/sqlite/active_days.sql"))?;
    let days = days.query_map((i32::MIN, i32::MAX), |row| Ok((row.get(0)?, set(row, 1)?)))?;
    for (day, mut users) in days.collect::<rusqlite::Result<Vec<(i32, _)>>>()? {
        if users.remove(number) {
            put(connection, day, users)?;
        }
    }
    Ok(())
}

/// How many different users were active from one day to another.
pub(super) fn count(connection: &Connection, from: Day, to: Day) -> rusqlite::Result<u64> {
    // One transaction, so that who is being folded is seen in the one place or in the other.
    let transaction = connection.unchecked_transaction()?;
    let days = (from.as_days(), to.as_days());
    let mut users = numbers(&transaction, include_str!("../sql/sqlite/active_users.sql"), days)?;
    let mut sets = transaction.prepare(include_str!("../sql/sqlite/active_days.sql"))?;
    let mut rows = sets.query(days)?;
    while let Some(row) = rows.next()? {
        users |= set(row, 1)?;
    }
    Ok(users.len())
}

/// The days on which a user was active, the earliest first.
pub(super) fn days_of(connection: &Connection, user: &UserId, now: Timestamp) -> rusqlite::Result<Vec<Day>> {
    let transaction = connection.unchecked_transaction()?;
    let number: Option<u32> = transaction
        .query_row(include_str!("../sql/sqlite/number.sql"), [user.as_str()], |row| row.get(0))
        .optional()?;
    let Some(number) = number else { return Ok(Vec::new()) };
    let oldest = bitmap::oldest(now).as_days();
    let mut noted = transaction.prepare(include_str!("../sql/sqlite/user_days.sql"))?;
    let noted = noted.query_map((number, oldest), |row| row.get(0))?;
    let mut days = noted.collect::<rusqlite::Result<BTreeSet<i32>>>()?;
    let mut sets = transaction.prepare(include_str!("../sql/sqlite/active_days.sql"))?;
    let mut rows = sets.query((oldest, i32::MAX))?;
    while let Some(row) = rows.next()? {
        if set(row, 1)?.contains(number) {
            days.insert(row.get(0)?);
        }
    }
    Ok(days.into_iter().map(Day::from_days).collect())
}

fn numbers(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<RoaringBitmap> {
    connection.prepare(sql)?.query_map(params, |row| row.get::<_, u32>(0))?.collect()
}

fn set(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<RoaringBitmap> {
    Ok(bitmap::decode(row.get_ref(column)?.as_blob().unwrap_or_default()))
}

fn put(connection: &Connection, day: i32, users: RoaringBitmap) -> rusqlite::Result<()> {
    connection.execute(include_str!("../sql/sqlite/put_active_day.sql"), (day, bitmap::encode(users))).map(drop)
}
