//! What reads the tables, each in one statement.

use std::future::pending;

use tokio_postgres::Error;
use tokio_postgres::types::Type;

use super::date::Date;
use super::place::Place;
use super::{Handle, PostgresError, row};
use crate::store::{Change, Changes, Cursor, Page};
use crate::{Profile, Record, Timestamp, UserId};

/// How many records a page looks at.
const PAGE: i64 = 10_000;

impl Handle {
    pub(super) async fn read(&self, user: &UserId) -> Result<Option<Record>, PostgresError> {
        let tables = self.tables().await?;
        if !tables.key.fits(user) {
            return Ok(None);
        }
        let rows = self.ask("reading a record", &tables.read, &[(&user.as_str(), Type::TEXT)]).await?;
        let record = rows.first().map(|row| row::record(row, user.clone(), 1)).transpose();
        record.map_err(|error| self.unreadable("reading a record", error))
    }

    pub(super) async fn recent(&self, since: Timestamp, after: Option<&Cursor>) -> Result<Page, PostgresError> {
        const DOING: &str = "listing what is recent";
        let tables = self.tables().await?;
        let params = [
            (&after.map(Cursor::as_str) as _, Type::TEXT),
            (&PAGE as _, Type::INT8),
            (&Date(since) as _, Type::TIMESTAMPTZ),
        ];
        let rows = self.ask(DOING, &tables.page, &params).await?;
        // The first page has them all: they are a day's worth.
        let erased = match after {
            None => self.ask(DOING, &tables.forgotten, &[]).await?,
            Some(_) => Vec::new(),
        };
        let page = || -> Result<Page, Error> {
            let mut page = Page::default();
            for row in &rows {
                if row.try_get(4)? {
                    page.next = Some(Cursor::new(row.try_get::<_, &str>(0)?));
                }
                if let Some(user) = row::user(row, 0)? {
                    let record = row::record(row, user, 1)?;
                    page.records.extend(Some(record).filter(|record| record.latest() >= Some(since)));
                }
            }
            for row in &erased {
                page.forgotten.extend(row::user(row, 0)?.zip(row::timestamp(row, 1)?));
            }
            Ok(page)
        };
        page().map_err(|error| self.unreadable(DOING, error))
    }

    pub(super) async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, PostgresError> {
        const DOING: &str = "following other processes";
        let tables = self.tables().await?;
        let place = cursor.map(Place::of);
        let params = [
            (&self.origin as _, Type::INT8),
            (&place.as_ref().map(|place| &place.timeline) as _, Type::TEXT),
            (&place.as_ref().map(|place| place.at) as _, Type::TIMESTAMPTZ),
            (&place.as_ref().map(|place| &place.snapshot) as _, Type::TEXT),
        ];
        let rows = self.ask(DOING, &tables.follow, &params).await?;
        let changes = || -> Result<Option<Changes>, Error> {
            let Some(first) = rows.first() else { return Ok(None) };
            self.note_server(first)?;
            let cursor = Place::from_row(first, 1)?.cursor();
            let mut changes = Changes { changes: Vec::new(), cursor, missed: first.try_get(0)? };
            for row in &rows {
                let (Some(kind), Some(user)) = (row.try_get::<_, Option<&str>>(4)?, row::user(row, 5)?) else {
                    continue;
                };
                changes.changes.push(match kind {
                    "activity" => Change::Record(row::record(row, user, 7)?),
                    "profile" => Change::Profile(user, row::profile(row, 10)?),
                    _ => Change::Forgotten(user, row::timestamp(row, 6)?.unwrap_or(Timestamp::MIN)),
                });
            }
            Ok(Some(changes))
        };
        let changes = changes().map_err(|error| self.unreadable(DOING, error))?;
        // The statement always gives a row.
        Ok(changes.unwrap_or_else(|| Changes { changes: Vec::new(), cursor: Cursor::new(""), missed: true }))
    }

    pub(super) async fn changed(&self) {
        match &self.listener {
            Some(listener) => listener.changed(&self.pool, &self.wanted.table, self.origin).await,
            None => pending().await,
        }
    }

    pub(super) async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, PostgresError> {
        const DOING: &str = "reading profiles";
        let tables = self.tables().await?;
        let keys: Vec<&str> = users.iter().filter(|user| tables.key.fits(user)).map(UserId::as_str).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.ask(DOING, &tables.profiles, &[(&keys, Type::TEXT_ARRAY)]).await?;
        let profile = |row| Ok(row::user(row, 0)?.zip(Some(row::profile(row, 1)?)));
        let profiles: Result<Vec<_>, Error> = rows.iter().filter_map(|row| profile(row).transpose()).collect();
        profiles.map_err(|error| self.unreadable(DOING, error))
    }
}
