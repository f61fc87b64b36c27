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
    pub expire: String,
    pub write_history: String,
    pub history: String,
    pub most_online: String,
    pub active_users: String,
    pub user_days: String,
    pub days_to_fold: String,
    pub take_active: String,
    pub active_day: String,
    pub put_active_day: String,
    pub try_turn: String,
    pub wait_turn: String,
    pub free_number: String,
    pub note_anew: String,
    pub take_numbers: String,
    pub active_days: String,
    pub prune_days: String,
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
            expire: fill(include_str!("../sql/postgres/expire.sql")),
            write_history: fill(include_str!("../sql/postgres/write_history.sql")),
            history: fill(include_str!("../sql/postgres/history.sql")),
            most_online: fill(include_str!("../sql/postgres/most_online.sql")),
            active_users: fill(include_str!("../sql/postgres/active_users.sql")),
            user_days: fill(include_str!("../sql/postgres/user_days.sql")),
            days_to_fold: fill(include_str!("../sql/postgres/days_to_fold.sql")),
            take_active: fill(include_str!("../sql/postgres/take_active.sql")),
            active_day: fill(include_str!("../sql/postgres/active_day.sql")),
            put_active_day: fill(include_str!("../sql/postgres/put_active_day.sql")),
            try_turn: fill(include_str!("../sql/postgres/try_turn.sql")),
            wait_turn: fill(include_str!("../sql/postgres/wait_turn.sql")),
            free_number: fill(include_str!("../sql/postgres/free_number.sql")),
            note_anew: fill(include_str!("../sql/postgres/note_anew.sql")),
            take_numbers: fill(include_str!("../sql/postgres/take_numbers.sql")),
            active_days: fill(include_str!("../sql/postgres/active_days.sql")),
            prune_days: fill(include_str!("../sql/postgres/prune_days.sql")),
        }
    }
}
