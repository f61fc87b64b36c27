//! The PostgreSQL store on real servers: the suite, and what it does beyond the contract.
#![cfg(feature = "postgres")]

mod agree;
mod conformance;
mod directory;
mod failover;
mod faults;
mod feed;
#[path = "../shared/histories.rs"]
mod histories;
mod history;
mod model;
#[path = "../shared/outages.rs"]
mod outages;
mod pooler;
mod setup;
mod site;
mod tls;
mod users;
mod wake_up;
mod writes;
