//! The PostgreSQL store on real servers: the suite, and what it does beyond the contract.
#![cfg(feature = "postgres")]

mod conformance;
mod directory;
mod faults;
mod feed;
mod history;
mod model;
mod pooler;
mod proxy;
mod setup;
mod site;
mod tls;
mod users;
mod writes;
