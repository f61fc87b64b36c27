//! Rows as values.

use rusqlite::Row;

use crate::{Profile, Record, Seen, Timestamp, UserId};

/// Text; `None` also where it isn't UTF-8, as what somebody else has written may be.
pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Option<&'r str>> {
    Ok(row.get_ref(column)?.as_str().ok())
}

/// The user whose row it is; `None` for an id that no part of lastseen can have written.
pub(super) fn user(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<UserId>> {
    Ok(text(row, column)?.and_then(|id| UserId::new(id).ok()))
}

pub(super) fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros))
}

/// The record from three columns: date, address, sign-out.
///
/// An address that can't be read counts as unknown: whoever edits the table by hand must not stop every batch.
pub(super) fn record(row: &Row<'_>, user: UserId, first: usize) -> rusqlite::Result<Record> {
    let at = timestamp(row, first)?;
    let ip = text(row, first + 1)?.and_then(|text| text.parse().ok());
    Ok(Record { user, seen: at.map(|at| Seen { at, ip }), left_at: timestamp(row, first + 2)? })
}

/// The profile from three columns: name, active, hidden. A name that can't be read is none.
pub(super) fn profile(row: &Row<'_>, first: usize) -> rusqlite::Result<Profile> {
    let profile = match text(row, first)? {
        Some(name) => Profile::named(name),
        None => Profile::new(),
    };
    Ok(profile.active(row.get(first + 1)?).hidden(row.get(first + 2)?))
}
