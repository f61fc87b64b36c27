//! libFuzzer on one parser: the one whose corpus the variable `LASTSEEN_TEST_TARGET` names.

#![no_main]

#[path = "../../lastseen-server/tests/fuzz/targets.rs"]
mod targets;

use std::cell::RefCell;
use std::env;

use targets::Target;

thread_local! {
    static TARGET: RefCell<Target> = {
        let corpus = env::var("LASTSEEN_TEST_TARGET").expect("LASTSEEN_TEST_TARGET has to name a corpus");
        RefCell::new(targets::named(&corpus))
    };
}

libfuzzer_sys::fuzz_target!(|input| TARGET.with_borrow_mut(|target| target(input)));
