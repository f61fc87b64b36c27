//! How many were online when, and the most ever.

use rusqlite::{Connection, OptionalExtension};

use crate::{MostOnline, OnlineSpan, Resolution, Timestamp};

pub(super) fn write(
    connection: &Connection,
    spans: &[OnlineSpan],
    most: Option<MostOnline>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut put = connection.prepare(include_str!("../sql/sqlite/put_span.sql"))?;
    for span in spans {
        put.execute((span.resolution.seconds(), span.at.as_micros(), span.online, span.peak))?;
    }
    for resolution in Resolution::ALL {
        let oldest = resolution.oldest(now).as_micros();
        connection.execute(include_str!("../sql/sqlite/prune_history.sql"), (resolution.seconds(), oldest))?;
    }
    if let Some(most) = most {
        let row = (most.online, most.at.as_micros());
        connection.execute(include_str!("../sql/sqlite/put_most_online.sql"), row)?;
    }
    Ok(())
}

pub(super) fn read(
    connection: &Connection,
    resolution: Resolution,
    from: Timestamp,
    to: Timestamp,
) -> rusqlite::Result<Vec<OnlineSpan>> {
    let mut history = connection.prepare(include_str!("../sql/sqlite/history.sql"))?;
    let spans = history.query_map((resolution.seconds(), from.as_micros(), to.as_micros()), |row| {
        let at = Timestamp::from_micros(row.get(0)?);
        Ok(OnlineSpan { resolution, at, online: row.get(1)?, peak: row.get(2)? })
    })?;
    spans.collect()
}

pub(super) fn most(connection: &Connection) -> rusqlite::Result<Option<MostOnline>> {
    let most =
        |row: &rusqlite::Row<'_>| Ok(MostOnline { online: row.get(0)?, at: Timestamp::from_micros(row.get(1)?) });
    connection.query_row(include_str!("../sql/sqlite/most_online.sql"), (), most).optional()
}
