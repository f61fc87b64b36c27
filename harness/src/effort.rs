//! How much a test does that draws its cases by chance, and from where it draws them.

use std::env;

/// `ordinary` cases, or `full` where the variable `LASTSEEN_TEST_FULL` is set, as `scripts/test soak` does.
#[must_use]
pub fn cases(ordinary: u64, full: u64) -> u64 {
    if env::var_os("LASTSEEN_TEST_FULL").is_some() { full } else { ordinary }
}

/// What chance begins with: the number in the variable `LASTSEEN_TEST_SEED`, or else 1.
///
/// # Panics
///
/// When that variable is no number.
#[must_use]
pub fn seed() -> u64 {
    match env::var("LASTSEEN_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap_or_else(|_| panic!("LASTSEEN_TEST_SEED={seed} is no seed: give it a number")),
        Err(_) => 1,
    }
}
