//! Who is online, and when was everyone last seen, for any web application.
//!
//! A layer reports each request of a signed-in user to a [`Tracker`], which answers both questions from memory. What it
//! knows is written to a store behind the requests, in batches: an SQLite file by default, so that a restart loses
//! nothing and several processes on one machine agree.
//!
//! - A **touch** is a function call in memory: no I/O, no waiting for any, no allocation for a known user.
//! - A **list** of the newest users, a **count** for any window up to a day, **is this user online**: from memory too,
//!   without a scan, exact to the microsecond.
//! - A **dead store** costs the site's users nothing; what it missed is written once it is back.
//!
//! # Getting started
//!
//! ```sh
//! cargo add lastseen --features axum
//! cargo add axum
//! cargo add tokio --features full
//! ```
//!
#![cfg_attr(all(feature = "axum", feature = "sqlite"), doc = "```no_run")]
#![cfg_attr(not(all(feature = "axum", feature = "sqlite")), doc = "```ignore")]
//! use std::net::SocketAddr;
//!
//! use axum::http::request::Parts;
//! use axum::{Router, routing::get};
//! use lastseen::{LastActivityLayer, SkipRules, SqliteStore, Tracker, UserId};
//!
//! /// Whose request it is. Your sessions know; here a header says.
//! fn user_of(request: &Parts) -> Option<UserId> {
//!     request.headers.get("remote-user")?.to_str().ok()?.parse().ok()
//! }
//!
//! async fn corner(tracker: Tracker) -> String {
//!     let online = tracker.online(50);
//!     let names: Vec<&str> = online.iter().map(|user| user.label()).collect();
//!     format!("{} online: {}\n", online.count, names.join(", "))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let tracker = Tracker::builder(SqliteStore::open("lastseen.db").await?).start().await?;
//!     let last_activity = LastActivityLayer::new(tracker.clone(), user_of).skip(SkipRules::new([r"^static/"])?);
//!     let site = Router::new().route("/", get(corner)).layer(last_activity).with_state(tracker.clone());
//!
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     let site = site.into_make_service_with_connect_info::<SocketAddr>();
//!     let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
//!     axum::serve(listener, site).with_graceful_shutdown(stop).await?;
//!     Ok(tracker.shutdown().await?)
//! }
//! ```
//!
//! ```sh
//! curl -H 'Remote-User: ada' http://127.0.0.1:3000/    # 1 online: ada
//! ```
//!
//! # The way of a request
//!
//! ```text
//! request -> LastActivityLayer: who? skipped? from where? -> Tracker::touch -> memory -> your handler
//!                                                                               |  ^
//!                                                            flush, in batches  v  |  follow other processes
//!                                                                               store
//! ```
//!
//! [`http`](crate::http) says how a request is judged, [`Tracker`] what can be asked, [`TrackerBuilder`] what can be set,
//! [`store::Store`] what a store promises, [`Directory`] where names come from.
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `sqlite` | [`SqliteStore`], [`SqlDirectory`] and [`SqlActivities`], with SQLite compiled in | yes |
//! | `postgres` | [`PostgresStore`], [`SqlDirectory`] and [`SqlActivities`] for PostgreSQL, with TLS by rustls | |
//! | `redis` | [`RedisStore`] for Redis and Valkey, alone, behind Sentinel or as a Cluster, with TLS by rustls | |
//! | `http-store` | [`HttpStore`] for what a `lastseen` server keeps, and [`SharedStore`](store::SharedStore), by which it does, with TLS by rustls; and `serde` | |
//! | `tower` | [`LastActivityLayer`] for any tower service, and all of [`http`](crate::http) | |
//! | `axum` | `tower`, extractors, the original path of nested routers, the peer's address | |
//! | `actix` | [`LastActivityLayer`] for actix-web, and all of [`http`](crate::http) | |
//! | `axum-login` | [`identity::AxumLogin`]; and `axum` | |
//! | `tower-sessions` | [`identity::SessionUser`]; and `tower` | |
//! | `actix-identity` | [`identity::ActixIdentity`]; and `actix` | |
//! | `serde` | ids, dates, records and profiles as data: a session may hold a [`UserId`], a store a [`Record`] | |
//! | `conformance` | [`conformance`](crate::conformance), the test kit: a store that fails on demand, and the suite that every store passes | |
//!
//! # Testing
//!
//! [`TrackerBuilder::clock`] takes a [`ManualClock`], and a [`MemoryStore`] needs nothing else:
//! [`conformance`](crate::conformance) shows how a site tests its own corner, and what becomes of it when the store dies.
//!
//! # Watching it
//!
//! [`Tracker::status`] has counters and gauges. Spans and events of `tracing` tell what happens when; these have the target
//! `lastseen`, and their names and fields are stable. None has a user's id or an address.
//!
//! | span (debug) | around | fields |
//! |---|---|---|
//! | `lastseen.flush` | a batch on its way to the store | `records` |
//! | `lastseen.record` | activities that [`Tracker::record`] waits for, in its caller's span | `records` |
//! | `lastseen.follow` | reading what others have written | `changes` |
//! | `lastseen.load` | reading all that is recent: at the start and after a gap | `records` |
//! | `lastseen.directory` | asking the directory for profiles | `users` |
//! | `lastseen.history` | writing how many were online | `spans` |
//!
//! | event | level | when | fields |
//! |---|---|---|---|
//! | `lastseen.failing` | warn | `task` (`flush`, `follow`, `directory` or `history`) fails and did not before | `task`, `error` |
//! | `lastseen.recovered` | info | it works again | `task` |
//! | `lastseen.failover` | warn | another server of the store has taken over | `failovers` |
//! | `lastseen.broken` | error | a task ended before its time: a fault of this crate | `error` |
//!
//! Other events, below the targets of modules, are for people and may change.
//!
//! # What it needs
//!
//! A tokio runtime. Clocks of the machines that share a store should agree within seconds; a date more than
//! [`MAX_AHEAD`] ahead is refused from outside. About 100 bytes of memory for each user seen within a day.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod activities;
mod activity;
mod clock;
#[cfg(any(test, feature = "conformance"))]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod directory;
mod error;
mod history;
#[cfg(any(feature = "actix", feature = "tower"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "actix", feature = "tower"))))]
pub mod http;
#[cfg(feature = "serde")]
mod serialized;
pub mod store;
mod timestamp;
mod tracker;
mod user_id;

#[cfg(any(feature = "actix", feature = "tower"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "actix", feature = "tower"))))]
pub use crate::http::{
    ClientIp, ForwardedHeader, Identify, LastActivity, LastActivityLayer, SignedIn, SkipRules, identity,
};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "sqlite"))))]
pub use activities::{SqlActivities, SqlActivity};
pub use activity::{Activity, MAX_AHEAD, Record, Seen, VOID_AHEAD};
pub use clock::{Clock, ManualClock, SystemClock};
pub use directory::{Directory, Profile};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "sqlite"))))]
pub use directory::{SqlDirectory, SqlDirectoryError};
pub use error::Error;
pub use history::{ACTIVE_DAYS, Day, MostOnline, OnlineSpan, Resolution};
#[cfg(feature = "http-store")]
#[cfg_attr(docsrs, doc(cfg(feature = "http-store")))]
pub use store::HttpStore;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use store::PostgresStore;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use store::RedisStore;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use store::SqliteStore;
pub use store::{MemoryStore, Store};
pub use timestamp::Timestamp;
pub use tracker::{
    Event, Events, Export, LastSeen, Missed, Online, OnlineUser, Presence, Status, Tracker, TrackerBuilder,
};
pub use user_id::UserId;
