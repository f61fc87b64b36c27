//! The types that a user's key may have in the site's tables, and which ids are such keys.

use std::fmt;

use crate::UserId;

/// The type of the site's user keys, and so of `user_id` in lastseen's tables.
///
/// Ids are text everywhere else. An id is a key only in the one form in which PostgreSQL prints that key: `42` is a
/// `bigint` and `042` is none, so that two ids never share a row. What is reported of an id that is no key is dropped and
/// [counted](super::PostgresStore::dropped), since no user of the site can have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PostgresKey {
    /// `text`: any id. For keys of type `text` and `varchar`.
    #[default]
    Text,
    /// `bigint`: the decimal text of an integer of 64 bits. For keys of type `bigint`, `integer` and `smallint`.
    Bigint,
    /// `uuid`: 36 characters, in lower case and with hyphens.
    Uuid,
}

impl PostgresKey {
    /// Its name in SQL.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bigint => "bigint",
            Self::Uuid => "uuid",
        }
    }

    /// How a column of it is declared. Text is ordered by its bytes, as ids are everywhere in lastseen.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Text => "text COLLATE \"C\"",
            Self::Bigint | Self::Uuid => self.name(),
        }
    }

    /// The key that can refer to a column of this type, or be one.
    pub(super) fn of_column(type_name: &str) -> Option<Self> {
        match type_name {
            "text" | "varchar" => Some(Self::Text),
            "int8" | "int4" | "int2" => Some(Self::Bigint),
            "uuid" => Some(Self::Uuid),
            _ => None,
        }
    }

    /// Whether an id is such a key.
    pub(crate) fn fits(self, user: &UserId) -> bool {
        let id = user.as_str();
        match self {
            Self::Text => true,
            Self::Bigint => id.parse::<i64>().is_ok_and(|key| UserId::from(key) == *user),
            Self::Uuid => {
                id.len() == 36
                    && id.bytes().enumerate().all(|(place, byte)| match place {
                        8 | 13 | 18 | 23 => byte == b'-',
                        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
                    })
            }
        }
    }
}

impl fmt::Display for PostgresKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_key_in_one_form_alone() {
        let fits = |key: PostgresKey, id: &str| key.fits(&UserId::new(id).unwrap());
        for id in ["0", "42", "-7", "9223372036854775807", "-9223372036854775808"] {
            assert!(fits(PostgresKey::Bigint, id), "{id}");
        }
        for id in ["", "00", "042", "+1", "-0", "1.0", " 1", "9223372036854775808", "١", "x"] {
            assert!(id.is_empty() || !fits(PostgresKey::Bigint, id), "{id}");
        }
        let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        assert!(fits(PostgresKey::Uuid, uuid) && fits(PostgresKey::Text, uuid));
        let braces = format!("{{{uuid}}}");
        for id in [&uuid.to_uppercase(), &uuid.replace('-', ""), &braces, &uuid[1..], &uuid.replace('e', "g")] {
            assert!(!fits(PostgresKey::Uuid, id), "{id}");
        }
    }
}
