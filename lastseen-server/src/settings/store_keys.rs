//! What a store in a site's own database is told of the site's users: `store_key` and `store_users`.

use std::fmt;

use lastseen::store::PostgresKey;

use crate::value::Value;

/// The type of the users' keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKey {
    /// `auto`: that of the user table, or else of the tables that are there, or else text.
    Auto,
    /// `text`, `bigint` or `uuid`.
    Is(PostgresKey),
}

impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Is(key) => key.fmt(f),
        }
    }
}

impl Value for StoreKey {
    fn read(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => Self::Auto,
            "text" => Self::Is(PostgresKey::Text),
            "bigint" => Self::Is(PostgresKey::Bigint),
            "uuid" => Self::Is(PostgresKey::Uuid),
            _ => return Err(format!("{text:?} is no type of key: write text, bigint or uuid, or auto")),
        })
    }
}

/// The site's table of users, to whose rows the records belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUsers {
    /// `none`
    None,
    /// `TABLE.COLUMN` or `SCHEMA.TABLE.COLUMN`, exactly so, in upper case too.
    In {
        /// With its schema before it, where that is named.
        table: String,
        /// The key.
        column: String,
    },
}

impl fmt::Display for StoreUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::In { table, column } => write!(f, "{table}.{column}"),
        }
    }
}

impl Value for StoreUsers {
    fn read(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        match text.rsplit_once('.') {
            Some((table, column))
                if table.matches('.').count() <= 1 && text.split('.').all(|name| !name.is_empty()) =>
            {
                Ok(Self::In { table: table.into(), column: column.into() })
            }
            _ => Err(format!(
                "{text:?} is no column of a table: write TABLE.COLUMN or SCHEMA.TABLE.COLUMN, such as auth_user.id, or none"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_round_trip_and_what_is_none_is_named() {
        for key in ["auto", "text", "bigint", "uuid"] {
            assert_eq!(StoreKey::read(key).unwrap().to_string(), key);
        }
        assert!(StoreKey::read("int").unwrap_err().contains("\"int\" is no type of key: write text"));
        for users in ["none", "auth_user.id", "Accounts.AspNetUsers.Id"] {
            assert_eq!(StoreUsers::read(users).unwrap().to_string(), users);
        }
        let users = StoreUsers::read("accounts.users.id").unwrap();
        assert_eq!(users, StoreUsers::In { table: "accounts.users".into(), column: "id".into() });
        for users in ["", "auth_user", ".id", "users.", "a..b", "a.b.c.d"] {
            assert!(StoreUsers::read(users).unwrap_err().contains("such as auth_user.id"), "{users}");
        }
    }
}
