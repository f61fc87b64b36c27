//! The suite that every store passes, and a store that fails on demand.
//!
//! [`Store`] numbers what it promises; here is a function for each number. Each takes a way to open handles on the
//! same data, as several processes have them, and panics with the number of the rule that was broken. Where they
//! start nothing may be stored yet; each uses users of its own, so that [`all`] can run them one after another.
//!
//! [`conformance_tests!`](crate::conformance_tests) makes tests of them. For a store of your own, with this crate's
//! feature `conformance` and tokio among the `dev-dependencies`:
//!
//! ```
//! mod my_store {
//!     # use lastseen::store::MemoryStore as MyStore;
//!     lastseen::conformance_tests!({
//!         let store = MyStore::new();
//!         async move || store.another()
//!     });
//! }
//! ```
//!
//! [`Faulty`] wraps a store and makes chosen calls fail, to test what depends on it.

mod expiry;
mod faults;
mod faulty;
mod feed;
mod histories;
mod history;
mod ids;
mod records;
mod sample;

pub use expiry::rule_16_expiry;
pub use faults::{Fault, Faults, Operation};
pub use faulty::{Faulty, FaultyError};
pub use feed::{rule_5_recent, rule_6_follow, rule_7_behind, rule_8_forget};
pub use histories::histories;
pub use history::{rule_13_history, rule_14_most_online, rule_15_active_users};
pub use ids::{rule_9_profiles, rule_10_any_valid_id};
pub use records::{rule_1_merge, rule_2_commit, rule_3_whole, rule_4_read};

use crate::Store;

/// Runs the whole suite, one rule after another.
///
/// # Panics
///
/// With the number of the first rule that the store breaks, or where it fails.
pub async fn all<S: Store>(open: impl AsyncFn() -> S) {
    rule_1_merge(&open).await;
    rule_2_commit(&open).await;
    rule_3_whole(&open).await;
    rule_4_read(&open).await;
    rule_5_recent(&open).await;
    rule_6_follow(&open).await;
    rule_7_behind(&open).await;
    rule_8_forget(&open).await;
    rule_9_profiles(&open).await;
    rule_10_any_valid_id(&open).await;
    rule_13_history(&open).await;
    rule_14_most_online(&open).await;
    rule_15_active_users(&open).await;
    rule_16_expiry(&open).await;
    histories(&open).await;
}

/// Makes a `#[tokio::test]` of each function of the [suite](crate::conformance), in the module where it stands.
///
/// Its argument is evaluated for each of them: an expression for a place where nothing is stored yet, as an async
/// closure that opens another handle on it at each call.
///
/// ```
/// mod memory {
///     use lastseen::MemoryStore;
///
///     lastseen::conformance_tests!({
///         let store = MemoryStore::new();
///         async move || store.another()
///     });
/// }
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($place:expr) => {
        $crate::conformance_tests!(@tests $place;
            rule_1_merge
            rule_2_commit
            rule_3_whole
            rule_4_read
            rule_5_recent
            rule_6_follow
            rule_7_behind
            rule_8_forget
            rule_9_profiles
            rule_10_any_valid_id
            rule_13_history
            rule_14_most_online
            rule_15_active_users
            rule_16_expiry
            histories
        );
    };
    (@tests $place:expr; $($rule:ident)*) => {$(
        #[tokio::test]
        async fn $rule() {
            $crate::conformance::$rule($place).await;
        }
    )*};
}
