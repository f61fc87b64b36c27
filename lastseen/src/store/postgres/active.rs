//! Who was active on which day: rows that are folded into sets, and users who are taken out of both.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;
use tokio::time::timeout;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row, Transaction};

use super::date::Date;
use super::pool::Param;
use super::tables::Tables;
use super::{Handle, PostgresError, is_clash};
use crate::store::bitmap;
use crate::{Day, Timestamp, UserId};

/// What is to be done with the days' sets, by one at a time.
#[derive(Clone, Copy)]
pub(super) enum Task<'a> {
    /// Fold rows into them where it is time to, and let go of days that are no longer kept. Whoever finds another at it
    /// leaves it to them.
    Fold(Timestamp),
    /// Take a user out of all but the day of what they have done since their erasure.
    Erase(&'a UserId, Timestamp),
    /// Let go of those before this one.
    Expire(Day),
}

impl Handle {
    /// Does so in one transaction, in which also those are taken out whose rows the site has deleted.
    pub(super) async fn change_days(&self, tables: &Tables, task: Task<'_>) -> Result<(), PostgresError> {
        const DOING: &str = "writing who was active";
        let mut tries = 1;
        loop {
            let mut connection = self.pool.connection(DOING).await?;
            let limit = self.pool.statement_timeout;
            let outcome = match timeout(limit, change_on(&mut connection.client, tables, task)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => self.pool.failed(DOING, connection, error),
                Err(_) => self.pool.give_up(DOING, connection, limit),
            };
            if tries == super::TRIES || !is_clash(&outcome) {
                return Err(outcome);
            }
            tries += 1;
        }
    }

    pub(super) async fn active_users(&self, from: Day, to: Day) -> Result<u64, PostgresError> {
        const DOING: &str = "counting active users";
        let tables = self.tables().await?;
        let params = [(&to_server(from) as _, Type::INT4), (&to_server(to) as _, Type::INT4)];
        let rows = self.ask(DOING, &tables.active_users, &params).await?;
        let users = || -> Result<RoaringBitmap, Error> {
            let mut users = RoaringBitmap::new();
            for row in &rows {
                if let Some(set) = row.try_get::<_, Option<&[u8]>>(0)? {
                    users |= bitmap::decode(set);
                }
                users.extend(row.try_get::<_, Option<i32>>(1)?.map(i32::cast_unsigned));
            }
            Ok(users)
        };
        users().map(|users| users.len()).map_err(|error| self.unreadable(DOING, error))
    }

    pub(super) async fn active_days(&self, user: &UserId, now: Timestamp) -> Result<Vec<Day>, PostgresError> {
        const DOING: &str = "reading when a user was active";
        let tables = self.tables().await?;
        if !tables.key.fits(user) {
            return Ok(Vec::new());
        }
        let params = [(&user.as_str() as _, Type::TEXT), (&to_server(bitmap::oldest(now)) as _, Type::INT4)];
        let rows = self.ask(DOING, &tables.user_days, &params).await?;
        days_of(&rows).map_err(|error| self.unreadable(DOING, error))
    }
}

/// Those of a user, the earliest first.
fn days_of(rows: &[Row]) -> Result<Vec<Day>, Error> {
    let mut days = BTreeSet::new();
    for row in rows {
        let (day, number) = (row.try_get(0)?, row.try_get::<_, i32>(1)?.cast_unsigned());
        if row.try_get::<_, Option<&[u8]>>(2)?.is_none_or(|users| bitmap::decode(users).contains(number)) {
            days.insert(Day::from_days(day));
        }
    }
    Ok(days.into_iter().collect())
}

/// The server's calendar ends earlier than a [`Day`]'s, and nobody is active there.
fn to_server(day: Day) -> i32 {
    day.as_days().clamp(-2_000_000, 2_000_000)
}

async fn change_on(client: &mut Client, tables: &Tables, task: Task<'_>) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    match task {
        Task::Fold(now) => {
            let is_free: bool = transaction.query_typed_one(&tables.try_turn, &[]).await?.try_get(0)?;
            if !is_free {
                return transaction.rollback().await;
            }
            fold(&transaction, tables, now).await?;
        }
        Task::Erase(user, now) => {
            transaction.query_typed(&tables.wait_turn, &[]).await?;
            let user = (&user.as_str() as _, Type::TEXT);
            transaction.query_typed(&tables.free_number, std::slice::from_ref(&user)).await?;
            let oldest = Date(bitmap::oldest(now).start());
            transaction.query_typed(&tables.note_anew, &[user, (&oldest, Type::TIMESTAMPTZ)]).await?;
        }
        Task::Expire(oldest) => {
            transaction.query_typed(&tables.wait_turn, &[]).await?;
            transaction.query_typed(&tables.prune_days, &[(&to_server(oldest), Type::INT4)]).await?;
        }
    }
    let gone = numbers(&transaction, &tables.take_numbers, &[]).await?;
    if !gone.is_empty() {
        for row in transaction.query_typed(&tables.active_days, &[]).await? {
            let day: i32 = row.try_get(0)?;
            let users = set(&transaction, tables, day).await?;
            if !users.is_disjoint(&gone) {
                put(&transaction, tables, day, users - &gone).await?;
            }
        }
    }
    transaction.commit().await
}

async fn fold(transaction: &Transaction<'_>, tables: &Tables, now: Timestamp) -> Result<(), Error> {
    let oldest = to_server(bitmap::oldest(now));
    transaction.query_typed(&tables.prune_days, &[(&oldest, Type::INT4)]).await?;
    let due = [(&bitmap::FOLD_AT as _, Type::INT8), (&to_server(Day::of(now)) as _, Type::INT4)];
    for row in transaction.query_typed(&tables.days_to_fold, &due).await? {
        let day: i32 = row.try_get(0)?;
        let noted = numbers(transaction, &tables.take_active, &[(&day, Type::INT4)]).await?;
        let before = set(transaction, tables, day).await?;
        put(transaction, tables, day, before | noted).await?;
    }
    Ok(())
}

async fn numbers(transaction: &Transaction<'_>, sql: &str, params: &[Param<'_>]) -> Result<RoaringBitmap, Error> {
    let rows = transaction.query_typed(sql, params).await?;
    rows.iter().map(|row| row.try_get(0).map(i32::cast_unsigned)).collect()
}

async fn set(transaction: &Transaction<'_>, tables: &Tables, day: i32) -> Result<RoaringBitmap, Error> {
    let row = transaction.query_typed_opt(&tables.active_day, &[(&day, Type::INT4)]).await?;
    row.map_or(Ok(RoaringBitmap::new()), |row| row.try_get(0).map(bitmap::decode))
}

async fn put(transaction: &Transaction<'_>, tables: &Tables, day: i32, users: RoaringBitmap) -> Result<(), Error> {
    let params = [(&day as _, Type::INT4), (&bitmap::encode(users) as _, Type::BYTEA)];
    transaction.query_typed(&tables.put_active_day, &params).await.map(drop)
}
