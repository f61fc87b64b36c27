//! What a site would pick instead, each used as its own documentation has it.

mod btree;
mod dash;
mod database;
mod expiring;
mod newest;
mod postgresql;
mod redis;
mod sqlite;

pub use btree::HashMapAndBTreeSet;
pub use dash::Dash;
pub use database::Database;
pub use expiring::Expiring;
pub use postgresql::Postgres;
pub use redis::Redis;
pub use sqlite::Sqlite;
