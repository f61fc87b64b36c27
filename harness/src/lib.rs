//! What tests of whole programs share: child processes that end with their test, an HTTP client, a browser, patience.
//!
//! Everything here panics where a test has to fail, and says what it waited for and what it got instead. It is made
//! for Linux: the processes are bound to the test by util-linux's `setpriv`.
//!
//! ```no_run
//! use std::process::Command;
//! use std::time::Duration;
//!
//! use lastseen_harness::{Http, Program, eventually};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let server = Program::start(Command::new("lastseen").args(["serve", "--listen", "127.0.0.1:0"])).await;
//! let http = Http::new(server.url());
//! http.post("/v1/touch").json(&serde_json::json!({ "user": "ada" })).await;
//! eventually(
//!     Duration::from_secs(2),
//!     async || http.get("/v1/online/count").await.json()["count"].clone(),
//!     |count| count == 1,
//! )
//! .await;
//! assert!(server.terminate().await.status.success());
//! # }
//! ```

mod browser;
mod debian;
mod effort;
mod faulty_disk;
mod http;
mod nginx;
mod patience;
mod pgbouncer;
mod postgres;
mod process;
mod program;
mod proxy;
mod redis;

pub use browser::{Browser, ColorScheme};
pub use effort::{cases, seed};
pub use fantoccini::key::Key;
pub use fantoccini::{Client, Locator};
pub use faulty_disk::{DiskFault, FaultyDisk};
pub use http::{Http, Request, Response};
pub use nginx::Nginx;
pub use patience::eventually;
pub use pgbouncer::PgBouncer;
pub use postgres::Postgres;
pub use process::{Finished, run};
pub use program::Program;
pub use proxy::Proxy;
pub use redis::{Redis, RedisCluster, RedisSentinel};
