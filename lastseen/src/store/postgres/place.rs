//! A reader's place in the feed, as a cursor.

use tokio_postgres::{Error, Row};

use super::date::Date;
use crate::Timestamp;
use crate::store::Cursor;

/// A history of the server's, its clock, and the transactions that a look saw: `follow.sql` says how they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub timeline: String,
    pub at: Date,
    pub snapshot: String,
}

impl Place {
    /// From the columns timeline, time and snapshot.
    pub(super) fn from_row(row: &Row, first: usize) -> Result<Self, Error> {
        Ok(Self { timeline: row.try_get(first)?, at: row.try_get(first + 1)?, snapshot: row.try_get(first + 2)? })
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor::new(format!("{}/{}/{}", self.timeline, self.at.0.as_micros(), self.snapshot))
    }

    /// The place that a cursor stands for. For one that is no cursor of this store it is one in a history that no server
    /// has: whoever stands there has missed everything.
    pub(super) fn of(cursor: &Cursor) -> Self {
        Self::parse(cursor.as_str()).unwrap_or_else(|| Self {
            timeline: "elsewhere".into(),
            at: Date(Timestamp::UNIX_EPOCH),
            snapshot: "1:1:".into(),
        })
    }

    fn parse(cursor: &str) -> Option<Self> {
        let mut parts = cursor.split('/');
        let (timeline, micros, snapshot) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let known = parts.next().is_none() && is_snapshot(snapshot);
        known.then(|| Self {
            timeline: timeline.into(),
            at: Date(Timestamp::from_micros(micros)),
            snapshot: snapshot.into(),
        })
    }
}

/// Whether the server will understand it: `xmin:xmax:` and those between the two that were under way, in order.
fn is_snapshot(text: &str) -> bool {
    fn number(text: &str) -> Option<u64> {
        text.parse().ok().filter(|number| (1..=u64::MAX / 2).contains(number))
    }
    let mut parts = text.split(':');
    let (Some(first), Some(end), Some(running), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let (Some(first), Some(end)) = (number(first), number(end)) else { return false };
    let mut last = first;
    let running_in_order = running.split(',').filter(|_| !running.is_empty()).all(|xid| {
        let follows = number(xid).filter(|xid| (last..end).contains(xid));
        last = follows.unwrap_or(last);
        follows.is_some()
    });
    first <= end && running_in_order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_from_its_cursor_and_nothing_else_does() {
        for snapshot in ["745:745:", "745:760:750,751"] {
            let place =
                Place { timeline: "00000001".into(), at: Date(Timestamp::from_micros(-5)), snapshot: snapshot.into() };
            assert_eq!(Place::of(&place.cursor()), place);
        }
        for cursor in
            ["", "1", "1-0", "-1", "a/b/c", "1/2/3", "1/2/5:3:", "1/2/3:9:x", "1/2/3:9:5,4", "1/2/3:9:/", "1/2/0:9:"]
        {
            assert_eq!(Place::of(&Cursor::new(cursor)).timeline, "elsewhere", "{cursor}");
        }
    }
}
