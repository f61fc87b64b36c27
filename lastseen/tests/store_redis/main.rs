//! The Redis store on real servers: the suite, and what it does beyond the contract.
#![cfg(feature = "redis")]

mod conformance;
mod model;
mod place;
