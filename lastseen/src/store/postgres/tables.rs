//! The statements on tables that have been found.

use super::key::PostgresKey;
use super::schema::Found;

/// What is asked of the tables, with their names in it.
pub(super) struct Tables {
    pub key: PostgresKey,
    pub write: String,
    pub read: String,
    pub page: String,
    pub forgotten: String,
    pub follow: String,
    pub forget: String,
    pub put_profile: String,
    pub profiles: String,
    pub prune: String,
}

impl Tables {
    pub(super) fn new(found: &Found) -> Self {
        let Found { names, key, users } = found;
        let fill = |sql| names.fill(sql, *key, users.as_ref());
        Self {
            key: *key,
            write: fill(include_str!("../sql/postgres/write.sql")),
            read: fill(include_str!("../sql/postgres/read.sql")),
            page: fill(include_str!("../sql/postgres/page.sql")),
            forgotten: fill(include_str!("../sql/postgres/forgotten.sql")),
            follow: fill(include_str!("../sql/postgres/follow.sql")),
            forget: fill(include_str!("../sql/postgres/forget.sql")),
            put_profile: fill(include_str!("../sql/postgres/put_profile.sql")),
            profiles: fill(include_str!("../sql/postgres/profiles.sql")),
            prune: fill(include_str!("../sql/postgres/prune.sql")),
        }
    }
}
