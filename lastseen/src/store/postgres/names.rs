//! What lastseen's tables are called in a database, and its SQL with those names filled in.

use super::error::{Kind, PostgresError};
use super::key::PostgresKey;
use crate::VOID_AHEAD;

/// The longest name that PostgreSQL doesn't cut off, in bytes.
const LONGEST: usize = 63;

/// What the names of the other tables add to that of the records'.
const SUFFIXES: [&str; 8] = ["_readable", "_profile", "_feed", "_meta", "_history", "_number", "_active", "_day"];

/// The site's table of users, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Users {
    /// `None` where it is found without.
    pub schema: Option<String>,
    pub table: String,
    pub column: String,
}

impl Users {
    /// By the table's name, after a dot that of its schema.
    pub(super) fn new(table: &str, column: String) -> Result<Self, PostgresError> {
        let (schema, table) = match table.split_once('.') {
            Some((schema, table)) => (Some(schema.to_owned()), table.to_owned()),
            None => (None, table.to_owned()),
        };
        if let Some(schema) = &schema {
            check_identifier("user table's schema", schema)?;
        }
        check_identifier("user table", &table)?;
        check_identifier("user table's key", &column)?;
        Ok(Self { schema, table, column })
    }

    /// As SQL names the table.
    fn quoted(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.table)),
            None => quoted(&self.table),
        }
    }

    /// Whether the user of a row called `known` is among them, in SQL.
    fn has_known(&self) -> String {
        format!("EXISTS (SELECT FROM {} AS users WHERE users.{} = known.user_id)", self.quoted(), quoted(&self.column))
    }

    fn references(&self) -> String {
        format!("REFERENCES {} ({}) ON DELETE CASCADE", self.quoted(), quoted(&self.column))
    }

    pub(super) fn table_for_people(&self) -> String {
        self.schema.as_ref().map_or_else(|| self.table.clone(), |schema| format!("{schema}.{}", self.table))
    }

    /// Whether that is what was found to be there.
    pub(super) fn is(&self, found: &Self) -> bool {
        (self.schema.is_none() || self.schema == found.schema)
            && (&self.table, &self.column) == (&found.table, &found.column)
    }
}

/// For people: `auth_user.id`.
impl std::fmt::Display for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.table_for_people(), self.column)
    }
}

/// Where the tables are.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub schema: String,
    pub table: String,
}

impl Names {
    /// The SQL with names in place of what is in braces.
    pub(super) fn fill(&self, sql: &str, key: PostgresKey, users: Option<&Users>) -> String {
        let mut filled = String::with_capacity(2 * sql.len());
        let mut rest = sql;
        // In one pass: a name may have braces of its own.
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            filled.push_str(before);
            let value = match name {
                "activity" => self.quoted(""),
                "readable" | "profile" | "feed" | "meta" | "history" | "number" | "active" | "day" => {
                    self.quoted(&format!("_{name}"))
                }
                "channel" => literal(&self.table),
                "lock" => self.lock_name(),
                "server" => format!("(SELECT {})", include_str!("../sql/postgres/server.sql")),
                "server_limit" => format!("clock_timestamp() + interval '{} seconds'", VOID_AHEAD.as_secs()),
                "key_type" => key.name().into(),
                "key" => key.column().into(),
                "is_user" => users.map_or_else(|| "true".into(), Users::has_known),
                "references" => users.map_or_else(String::new, Users::references),
                other => format!("{{{other}}}"),
            };
            filled.push_str(&value);
            rest = after;
        }
        filled + rest
    }

    /// The statement that waits until no other process makes the tables, for as long as the transaction lasts.
    pub(super) fn lock(&self) -> String {
        format!("SELECT pg_advisory_xact_lock(hashtextextended({}, 0))", self.lock_name())
    }

    fn lock_name(&self) -> String {
        literal(&format!("lastseen {self}"))
    }

    pub(super) fn quoted_schema(&self) -> String {
        quoted(&self.schema)
    }

    pub(super) fn quoted(&self, suffix: &str) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&format!("{}{suffix}", self.table)))
    }
}

/// For people: `public.user_activity`.
impl std::fmt::Display for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// Refuses what no table or schema can be called.
pub(super) fn check(what: &str, name: &str, longest: usize) -> Result<(), PostgresError> {
    if name.is_empty() || name.len() > longest || name.contains('\0') {
        let message = format!("the {what} {name:?} can't be had: its name must have 1 to {longest} bytes");
        return Err(PostgresError::new(Kind::Invalid, message));
    }
    Ok(())
}

/// Refuses a name that is too long with the other tables' endings.
pub(super) fn check_table(name: &str) -> Result<(), PostgresError> {
    let ending = SUFFIXES.iter().map(|suffix| suffix.len()).max().unwrap_or(0);
    check("table", name, LONGEST - ending)
}

pub(super) fn check_identifier(what: &str, name: &str) -> Result<(), PostgresError> {
    check(what, name, LONGEST)
}

/// A name as SQL writes it, whatever characters it has.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it, whether or not the server takes backslashes for more than they are.
fn literal(text: &str) -> String {
    let quotes = text.replace('\'', "''");
    if quotes.contains('\\') { format!("E'{}'", quotes.replace('\\', "\\\\")) } else { format!("'{quotes}'") }
}
