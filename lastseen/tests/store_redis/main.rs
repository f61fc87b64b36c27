//! The Redis store on real servers: the suite, and what it does beyond the contract.
#![cfg(feature = "redis")]

mod agree;
#[path = "../shared/asked.rs"]
mod asked;
mod cluster;
mod conformance;
mod faults;
mod feed;
#[path = "../shared/histories.rs"]
mod histories;
mod history;
mod keep;
mod model;
mod odd;
#[path = "../shared/outages.rs"]
mod outages;
mod place;
mod setup;
mod tls;
mod users;
mod visits;
