//! The Redis store on real servers: the suite, and what it does beyond the contract.
#![cfg(feature = "redis")]

mod agree;
mod cluster;
mod conformance;
mod faults;
mod feed;
mod history;
mod keep;
mod model;
mod place;
mod setup;
mod tls;
mod users;
mod visits;
