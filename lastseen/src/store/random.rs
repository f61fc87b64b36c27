//! Numbers that nobody can foretell.

use std::hash::{BuildHasher, RandomState};

/// One of them: the standard library seeds its hashers so.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
