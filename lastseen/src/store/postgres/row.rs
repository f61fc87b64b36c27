//! Rows as values.

use std::net::IpAddr;

use tokio_postgres::{Error, Row};

use super::date::Date;
use crate::{Profile, Record, Seen, Timestamp, UserId};

/// The user whose row it is; `None` for an id that no part of lastseen can have written.
pub(super) fn user(row: &Row, column: usize) -> Result<Option<UserId>, Error> {
    Ok(row.try_get::<_, Option<&str>>(column)?.and_then(|id| UserId::new(id).ok()))
}

pub(super) fn timestamp(row: &Row, column: usize) -> Result<Option<Timestamp>, Error> {
    Ok(row.try_get::<_, Option<Date>>(column)?.map(|date| date.0))
}

/// The record from three columns: date, address, sign-out.
pub(super) fn record(row: &Row, user: UserId, first: usize) -> Result<Record, Error> {
    let ip: Option<IpAddr> = row.try_get(first + 1)?;
    let seen = timestamp(row, first)?.map(|at| Seen { at, ip });
    Ok(Record { user, seen, left_at: timestamp(row, first + 2)? })
}

/// The profile from three columns: name, active, hidden.
pub(super) fn profile(row: &Row, first: usize) -> Result<Profile, Error> {
    let profile = match row.try_get::<_, Option<&str>>(first)? {
        Some(name) => Profile::named(name),
        None => Profile::new(),
    };
    Ok(profile.active(row.try_get(first + 1)?).hidden(row.try_get(first + 2)?))
}
