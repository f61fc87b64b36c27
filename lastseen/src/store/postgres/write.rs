//! What changes the tables, each in one statement, which is one transaction.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::types::Type;

use super::active::Task;
use super::date::Date;
use super::pool::Param;
use super::tables::Tables;
use super::{Handle, PostgresError, PostgresKey};
use crate::store::{Cursor, KeptSince, bitmap, tombstone};
use crate::{Day, Profile, Record, Timestamp, UserId, VOID_AHEAD};

/// How many records are looked at in one statement for what is kept no longer.
const PAGE: i64 = 10_000;

/// How often a handle that writes takes away what nobody needs any more.
const PRUNE_EVERY: Duration = Duration::from_secs(10);

impl Handle {
    pub(super) async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), PostgresError> {
        let tables = self.tables().await?;
        let fit: Vec<&Record> = batch.iter().filter(|record| tables.key.fits(&record.user)).collect();
        let unfit = batch.len() - fit.len();

        let users: Vec<&str> = fit.iter().map(|record| record.user.as_str()).collect();
        let dates: Vec<Option<Date>> = fit.iter().map(|record| record.seen.map(|seen| Date(seen.at))).collect();
        let ips: Vec<Option<IpAddr>> = fit.iter().map(|record| record.seen.and_then(|seen| seen.ip)).collect();
        let left: Vec<Option<Date>> = fit.iter().map(|record| record.left_at.map(Date)).collect();
        let params = [
            (&users as _, Type::TEXT_ARRAY),
            (&dates as _, Type::TIMESTAMPTZ_ARRAY),
            (&ips as _, Type::INET_ARRAY),
            (&left as _, Type::TIMESTAMPTZ_ARRAY),
            (&Date(now + VOID_AHEAD) as _, Type::TIMESTAMPTZ),
            (&Date(tombstone::oldest(now)) as _, Type::TIMESTAMPTZ),
            (&self.origin as _, Type::INT8),
            (&Date(bitmap::oldest(now).start()) as _, Type::TIMESTAMPTZ),
        ];
        let unknown = self.change("writing activities", &tables.write, &params).await?;
        self.count_dropped(tables.key, unknown, unfit as u64);
        self.prune(&tables, now).await;
        Ok(())
    }

    pub(super) async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), PostgresError> {
        let tables = self.tables().await?;
        if !tables.key.fits(user) {
            return Ok(());
        }
        let params = [
            (&user.as_str() as _, Type::TEXT),
            (&Date(at) as _, Type::TIMESTAMPTZ),
            (&self.origin as _, Type::INT8),
            (&Date(now + VOID_AHEAD) as _, Type::TIMESTAMPTZ),
        ];
        self.change("erasing a user", &tables.forget, &params).await?;
        // With what was written until then in view.
        self.change_days(&tables, Task::Erase(user, now)).await
    }

    pub(super) async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), PostgresError> {
        let tables = self.tables().await?;
        if !tables.key.fits(user) {
            self.count_dropped(tables.key, 0, 1);
            return Ok(());
        }
        let params = [
            (&user.as_str() as _, Type::TEXT),
            (&profile.name() as _, Type::TEXT),
            (&profile.is_active() as _, Type::BOOL),
            (&profile.is_hidden() as _, Type::BOOL),
            (&self.origin as _, Type::INT8),
        ];
        let unknown = self.change("writing a profile", &tables.put_profile, &params).await?;
        self.count_dropped(tables.key, unknown, 0);
        Ok(())
    }

    pub(super) async fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        after: Option<&Cursor>,
    ) -> Result<Option<Cursor>, PostgresError> {
        const DOING: &str = "taking away what is kept no longer";
        let tables = self.tables().await?;
        let params = [
            (&after.map(Cursor::as_str) as _, Type::TEXT),
            (&PAGE as _, Type::INT8),
            (&since.addresses.map(Date) as _, Type::TIMESTAMPTZ),
            (&since.records.map(Date) as _, Type::TIMESTAMPTZ),
            (&Date(now) as _, Type::TIMESTAMPTZ),
        ];
        let rows = self.ask(DOING, &tables.expire, &params).await?;
        if let (Some(records), []) = (since.records, &rows[..]) {
            // At the end, with all who are gone in view.
            self.change_days(&tables, Task::Expire(Day::of(records))).await?;
        }
        let next = rows.first().map(|row| row.try_get::<_, &str>(0).map(Cursor::new)).transpose();
        next.map_err(|error| self.unreadable(DOING, error))
    }

    /// Asks a statement that changes the tables. Says how many of its users the site doesn't have.
    async fn change(&self, doing: &str, sql: &str, params: &[Param<'_>]) -> Result<u64, PostgresError> {
        let rows = self.ask(doing, sql, params).await?;
        let unknown = || -> Result<i64, tokio_postgres::Error> {
            let Some(row) = rows.first() else { return Ok(0) };
            self.note_server(row)?;
            row.try_get("unknown")
        };
        let unknown = unknown().map_err(|error| self.unreadable(doing, error))?;
        Ok(u64::try_from(unknown).unwrap_or(0))
    }

    /// Whoever only now and then writes wrong ids is told once; the count tells the rest.
    fn count_dropped(&self, key: PostgresKey, unknown: u64, unfit: u64) {
        let dropped = unknown + unfit;
        if dropped > 0 && self.dropped.fetch_add(dropped, Ordering::Relaxed) == 0 {
            tracing::warn!(unknown, unfit, %key, "dropped what was reported of users whom the site can't have");
        }
    }

    /// What was written stays written where this fails, and the next time makes up for it.
    async fn prune(&self, tables: &Tables, now: Timestamp) {
        {
            let mut due = self.prune_at.lock();
            let started = Instant::now();
            if started < *due {
                return;
            }
            *due = started + PRUNE_EVERY;
        }
        let oldest = Date(tombstone::oldest(now));
        if let Err(error) = self.pool.query("pruning", &tables.prune, &[(&oldest, Type::TIMESTAMPTZ)]).await {
            tracing::debug!(%error, "what nobody needs any more stays for now");
        }
        if let Err(error) = self.change_days(tables, Task::Fold(now)).await {
            tracing::debug!(%error, "who was active stays as rows for now");
        }
    }
}
