//! The tables, their version, and how a database is brought up to it.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row, Transaction};

use super::error::{Kind, PostgresError};
use super::key::PostgresKey;
use super::names::{Names, Users};
use super::pool::Pool;
use super::target::Target;

/// What brings a database from each version to the next; from 0 it makes the tables.
const MIGRATIONS: &[&str] = &[
    include_str!("../sql/postgres/schema_1.sql"),
    include_str!("../sql/postgres/schema_2.sql"),
    include_str!("../sql/postgres/schema_3.sql"),
];

/// The oldest server that has transaction numbers of 64 bits, by which the feed is read.
const OLDEST_SERVER: i32 = 130_000;

/// What the tables' names add to that of the records'.
const TABLES: [&str; 8] = ["", "_profile", "_feed", "_meta", "_history", "_number", "_active", "_day"];

/// How long the tables may take to be made, with other processes that make them at the same time waited for.
const MIGRATING: Duration = Duration::from_secs(30);

/// What the tables are to be like.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub schema: Option<String>,
    pub table: String,
    /// `None` for the type of the users' key or, without users, of the tables that are there.
    pub key: Option<PostgresKey>,
    pub users: Option<Users>,
    pub migrate: bool,
}

/// The tables as they are.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub names: Names,
    pub key: PostgresKey,
    pub users: Option<Users>,
}

/// Finds the tables, brings them up to date where that may be done, and checks them.
pub(super) async fn prepare(pool: &Pool, wanted: &Wanted) -> Result<Found, PostgresError> {
    let mut connection = pool.connection("finding lastseen's tables").await?;
    let target = pool.target();
    match timeout(MIGRATING, prepare_on(&mut connection.client, target, wanted)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(pool.give_up("making lastseen's tables", connection, MIGRATING)),
    }
}

async fn prepare_on(client: &mut Client, target: &Target, wanted: &Wanted) -> Result<Found, PostgresError> {
    let failed = |error| target.failed("finding lastseen's tables", error);
    let place = Place::look(client, target, wanted).await?;
    let latest = latest(MIGRATIONS);
    if place.version(client, target, latest).await? < latest {
        if !wanted.migrate {
            let message = format!(
                "{target} has no up-to-date table {}, and this process may not make it: run `lastseen migrate` as a role \
                 that may",
                place.names
            );
            return Err(PostgresError::new(Kind::Missing, message));
        }
        migrate(client, target, wanted, &place, MIGRATIONS).await?;
    }
    let describe = include_str!("../sql/postgres/describe.sql");
    let names = &place.names;
    let tables = TABLES.map(|suffix| names.quoted(suffix));
    let row = client
        .query_typed_one(describe, &[(&tables[0], Type::TEXT), (&tables.as_slice(), Type::TEXT_ARRAY)])
        .await
        .map_err(failed)?;
    check(target, wanted, place.names, &place.role, &row).map_err(failed)?
}

fn latest(migrations: &[&str]) -> i32 {
    i32::try_from(migrations.len()).unwrap_or(i32::MAX)
}

/// What there is before anything is made.
struct Place {
    names: Names,
    role: String,
    has_schema: bool,
    has_table: bool,
    has_version: bool,
}

impl Place {
    async fn look(client: &Client, target: &Target, wanted: &Wanted) -> Result<Self, PostgresError> {
        let failed = |error| target.failed("finding lastseen's tables", error);
        let meta = format!("{}_meta", wanted.table);
        let row = client
            .query_typed_one(
                include_str!("../sql/postgres/look.sql"),
                &[(&wanted.schema, Type::TEXT), (&wanted.table, Type::TEXT), (&meta, Type::TEXT)],
            )
            .await
            .map_err(failed)?;
        let (server, server_text): (i32, String) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        if server < OLDEST_SERVER {
            let message = format!("{target} is PostgreSQL {server_text}: it must be 13 or newer");
            return Err(PostgresError::new(Kind::Other, message));
        }
        let encoding: String = row.try_get(2).map_err(failed)?;
        if !matches!(encoding.as_str(), "UTF8" | "SQL_ASCII") {
            let message = format!("{target} is encoded in {encoding}, and ids may have any character: it must be UTF8");
            return Err(PostgresError::new(Kind::Other, message));
        }
        let role = row.try_get(3).map_err(failed)?;
        let Some(schema) = row.try_get(4).map_err(failed)? else {
            let message = format!("{target} has no schema in the search path of the role {role}: name one by `schema`");
            return Err(PostgresError::new(Kind::Missing, message));
        };
        Ok(Self {
            names: Names { schema, table: wanted.table.clone() },
            role,
            has_schema: row.try_get(5).map_err(failed)?,
            has_table: row.try_get(6).map_err(failed)?,
            has_version: row.try_get(7).map_err(failed)?,
        })
    }

    /// The version of the tables; 0 where there are none.
    async fn version(&self, client: &Client, target: &Target, latest: i32) -> Result<i32, PostgresError> {
        let names = &self.names;
        if !self.has_version {
            if self.has_table {
                let message = format!(
                    "{target} has a table {names} that isn't lastseen's: name another by `table`, or another schema"
                );
                return Err(PostgresError::new(Kind::Foreign, message));
            }
            return Ok(0);
        }
        let version = format!("SELECT version FROM {}", names.quoted("_meta"));
        let version = match client.query_typed_opt(&version, &[]).await {
            Ok(row) => row.map_or(Ok(0), |row| row.try_get(0)),
            Err(error) => Err(error),
        };
        let version = version.map_err(|error| self.refused(target, "reading the tables' version", error))?;
        if version > latest {
            let message = format!(
                "{target} has {names} in schema version {version}, and this version of lastseen knows those up to {latest}: \
                 run a newer one"
            );
            return Err(PostgresError::new(Kind::Newer, message));
        }
        Ok(version)
    }

    /// What the server said to making the tables or reading them, with what would help.
    fn refused(&self, target: &Target, doing: &str, error: tokio_postgres::Error) -> PostgresError {
        let Self { names, role, .. } = self;
        match error.code() {
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
                let schema = &names.schema;
                let message = format!(
                    "{target} doesn't let the role {role} make tables in the schema {schema}, or use them: \
                     GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}, or run `lastseen migrate` as a role that may and \
                     then grant this one what it needs"
                );
                PostgresError::from_server(Kind::Denied, message, error)
            }
            _ => target.failed(doing, error),
        }
    }
}

/// Runs the migrations that the database lacks, all in one transaction; several processes may try at once.
async fn migrate(
    client: &mut Client,
    target: &Target,
    wanted: &Wanted,
    place: &Place,
    migrations: &[&str],
) -> Result<(), PostgresError> {
    let refused = |error| place.refused(target, "making lastseen's tables", error);
    let transaction = client.transaction().await.map_err(refused)?;
    // It is let go of at the transaction's end, so a pooler may sit in between.
    let lock = place.names.lock();
    transaction.batch_execute(&lock).await.map_err(refused)?;
    // The site's own writes wait behind whoever waits for a lock on its user table.
    transaction.batch_execute("SET LOCAL lock_timeout = '2s'").await.map_err(refused)?;

    // Another process may have been faster.
    let place = Place::look(transaction.client(), target, wanted).await?;
    let latest = latest(migrations);
    let version = place.version(transaction.client(), target, latest).await?;
    if version < latest {
        let (key, users) = match &wanted.users {
            Some(users) => {
                check_users(&transaction, target, wanted.key, users).await.map(|(key, users)| (key, Some(users)))?
            }
            None => (wanted.key.unwrap_or_default(), None),
        };
        if !place.has_schema {
            let schema = place.names.quoted_schema();
            transaction.batch_execute(&format!("CREATE SCHEMA {schema}")).await.map_err(refused)?;
        }
        for migration in migrations.iter().skip(usize::try_from(version).unwrap_or(0)) {
            let sql = place.names.fill(migration, key, users.as_ref());
            transaction.batch_execute(&sql).await.map_err(|error| match (error.code(), &users) {
                (Some(code), Some(users)) if *code == SqlState::INVALID_FOREIGN_KEY => {
                    let message = format!(
                        "{target} has no unique index on {users}: name the user table's key, to which others may refer"
                    );
                    PostgresError::from_server(Kind::Mismatch, message, error)
                }
                _ => refused(error),
            })?;
        }
        let version = format!("UPDATE {} SET version = {latest}", place.names.quoted("_meta"));
        transaction.batch_execute(&version).await.map_err(refused)?;
    }
    transaction.commit().await.map_err(refused)
}

/// The type of the users' key, and their table with the schema in which it is, if the key can be referred to.
async fn check_users(
    transaction: &Transaction<'_>,
    target: &Target,
    wanted: Option<PostgresKey>,
    users: &Users,
) -> Result<(PostgresKey, Users), PostgresError> {
    let failed = |error| target.failed("looking at the user table", error);
    let row = transaction
        .query_typed_opt(
            include_str!("../sql/postgres/user_table.sql"),
            &[(&users.schema, Type::TEXT), (&users.table, Type::TEXT), (&users.column, Type::TEXT)],
        )
        .await
        .map_err(failed)?;
    let Some(row) = row else {
        let message = format!("{target} has no table {}: name the site's user table", users.table_for_people());
        return Err(PostgresError::new(Kind::Missing, message));
    };
    let Some(column) = row.try_get::<_, Option<String>>(1).map_err(failed)? else {
        let message = format!(
            "{target} has no column {} in {}: name the user table's key",
            users.column,
            users.table_for_people()
        );
        return Err(PostgresError::new(Kind::Missing, message));
    };
    let mismatch = |what: &str| {
        let message = format!("{target} has {users} as {column}, {what}");
        Err(PostgresError::new(Kind::Mismatch, message))
    };
    let key = match (PostgresKey::of_column(&column), wanted) {
        (None, _) => return mismatch("to which none of the key types can refer: name another column"),
        (Some(right), Some(key)) if right != key => {
            return mismatch(&format!("and the key type is {key}: the key type {right} is right"));
        }
        (Some(right), _) => right,
    };
    Ok((key, Users { schema: Some(row.try_get(0).map_err(failed)?), ..users.clone() }))
}

/// The tables, with the key and the user table that they have, if they are what was asked for, and usable.
fn check(
    target: &Target,
    wanted: &Wanted,
    names: Names,
    role: &str,
    row: &Row,
) -> Result<Result<Found, PostgresError>, tokio_postgres::Error> {
    let column: Option<String> = row.try_get(0)?;
    let refers_to: Option<String> = row.try_get(2)?;
    let users = match refers_to {
        Some(table) => Some(Users { schema: row.try_get(1)?, table, column: row.try_get(3)? }),
        None => None,
    };
    let lacking: Option<String> = row.try_get(4)?;
    let mismatch = |message| Ok(Err(PostgresError::new(Kind::Mismatch, message)));

    let column = column.unwrap_or_default();
    let key = match (PostgresKey::of_column(&column), wanted.key) {
        (None, _) => {
            return mismatch(format!("{target} has {names}.user_id as {column}: it can be text, bigint or uuid"));
        }
        (Some(found), Some(key)) if found != key => {
            return mismatch(format!(
                "{target} has {names}.user_id as {column}, and the key type is {key}: set the key type to the table's, or name \
                 another table"
            ));
        }
        (Some(found), _) => found,
    };
    if let Some(lacking) = lacking {
        let tables = TABLES.map(|suffix| format!("{names}{suffix}")).join(", ");
        let message =
            format!("{target} doesn't let the role {role} use {names}: GRANT {lacking} ON {tables} TO {role}");
        return Ok(Err(PostgresError::new(Kind::Denied, message)));
    }
    match (&wanted.users, &users) {
        (Some(wanted), Some(users)) if wanted.is(users) => {}
        (Some(wanted), Some(users)) => {
            return mismatch(format!("{target} has {names} referring to {users}, and it was to refer to {wanted}"));
        }
        (Some(wanted), None) => {
            return mismatch(format!(
                "{target} has {names} without a foreign key to {wanted}: add one by ALTER TABLE, to {names}_profile too, or \
                 ask for none"
            ));
        }
        (None, _) => {}
    }
    Ok(Ok(Found { names, key, users }))
}
