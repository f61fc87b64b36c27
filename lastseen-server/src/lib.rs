//! The `lastseen` program, as a library, so that its parts can be tested without a process.
//!
//! A call's way: [`serve`](serve::serve) accepts connections, [`app`](app::app) is the service behind each of them,
//! `guard` stands before it, and [`api`] and the page answer from a [`Tracker`](lastseen::Tracker). The commands are
//! clients of the same calls: over HTTP where they name a server, and without a port where they name a store.

pub mod access;
pub mod api;
pub mod app;
pub mod commands;
mod demo;
mod ended_by;
mod events;
mod failure;
mod guard;
mod guests;
mod judge;
mod load;
pub mod log_line;
mod look_up;
mod metrics;
pub mod openapi;
mod page;
pub mod replay;
pub mod serve;
pub mod settings;
pub mod store;
pub mod syslog;
#[cfg(feature = "top")]
mod top;
pub mod value;
mod viewer;
mod way;
mod words;

pub use failure::Failure;
