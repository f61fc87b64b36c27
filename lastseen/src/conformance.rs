//! The test kit: for a site that tests its own corner, and for a store of one's own.
//!
//! | part | does | with the feature |
//! |---|---|---|
//! | [`ManualClock`](crate::ManualClock) | stands still until the test moves it | always there |
//! | [`MemoryStore`](crate::MemoryStore) | keeps records as long as the test runs, for as many trackers as it likes | always there |
//! | [`Faulty`] | makes chosen calls of a store fail, lose their answer, or hang | `conformance` |
//! | [`conformance_tests!`](crate::conformance_tests) | makes a test of each rule of [`Store`]'s contract | `conformance` |
//!
//! ```toml
//! [dev-dependencies]
//! lastseen = { version = "0.1", features = ["conformance"] }
//! tokio = { version = "1", features = ["macros", "rt"] }
//! ```
//!
//! # A site's own corner
//!
//! No test waits for a window to end: time passes when the test says so, to the microsecond.
//!
//! ```
//! use std::time::Duration;
//!
//! use lastseen::{ManualClock, MemoryStore, Tracker, UserId};
//!
//! /// What the site shows.
//! fn corner(tracker: &Tracker) -> String {
//!     let online = tracker.online(10);
//!     let names: Vec<&str> = online.iter().map(|user| user.label()).collect();
//!     format!("{} online: {}", online.count, names.join(", "))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), lastseen::Error> {
//! let clock = ManualClock::new("2026-11-24T12:00:00Z".parse()?);
//! let tracker = Tracker::builder(MemoryStore::new()).clock(clock.clone()).start().await?;
//! let (ada, bob) = (UserId::new("ada")?, UserId::new("bob")?);
//!
//! tracker.touch(&ada, None);
//! clock.advance(Duration::from_mins(10));
//! tracker.touch(&bob, None);
//! assert_eq!(corner(&tracker), "2 online: bob, ada");
//!
//! // Ada's window of 15 minutes: its edge counts, and a microsecond later she is offline.
//! clock.advance(Duration::from_mins(5));
//! assert_eq!(corner(&tracker), "2 online: bob, ada");
//! clock.advance(Duration::from_micros(1));
//! assert_eq!(corner(&tracker), "1 online: bob");
//! # Ok(())
//! # }
//! ```
//!
//! # A dead store
//!
//! What a site's visitors notice of it is nothing, and what it missed is written once it is back.
//!
//! ```
//! use lastseen::conformance::{Fault, Faulty};
//! use lastseen::{MemoryStore, Store, Tracker, UserId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Faulty::new(MemoryStore::new());
//! let tracker = Tracker::builder(store.clone()).start().await?;
//! let ada = UserId::new("ada")?;
//!
//! store.faults().inject(Fault::every());
//! tracker.touch(&ada, None);
//! assert!(tracker.is_online(&ada));
//! // A test need not wait for the tasks behind the tracker: it flushes when it likes.
//! assert!(tracker.flush().await.unwrap_err().is_store());
//! assert!(!tracker.status().is_ready());
//!
//! store.faults().heal();
//! tracker.flush().await?;
//! assert!(store.inner().read(&ada).await?.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! [`Fault`] has the other ways to die: at the nth call, of one operation alone, with the answer lost, hanging.
//!
//! # A store of one's own
//!
//! [`Store`] numbers what it promises; here is a function for each number. Each takes a way to open handles on the
//! same data, as several processes have them, and panics with the number of the rule that was broken. Where they
//! start nothing may be stored yet; each uses users of its own, so that [`all`] can run them one after another.
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
//! A store that leaves out the history, as the contract lets it, passes rules 13 to 15 without being asked for more.
//! One that has a clock of its own is asked rule 17 too, by a test that calls [`rule_17_late`].
//! `examples/custom_store` in this crate's repository is a whole one in under 100 lines of code.

mod expiry;
mod faults;
mod faulty;
mod feed;
mod histories;
mod history;
mod ids;
mod late;
mod records;
mod sample;

pub use expiry::rule_16_expiry;
pub use faults::{Fault, Faults, Operation};
pub use faulty::{Faulty, FaultyError};
pub use feed::{rule_5_recent, rule_6_follow, rule_7_behind, rule_8_forget};
pub use histories::histories;
pub use history::{rule_13_history, rule_14_most_online, rule_15_active_users};
pub use ids::{rule_9_profiles, rule_10_any_valid_id};
pub use late::rule_17_late;
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
