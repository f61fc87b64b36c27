//! A site with an online corner: bookmarks and comments, and on every page who is online.
//!
//! All that the corner needs of the site is in four places:
//!
//! - [`app`] puts a `LastActivityLayer` behind the sign-in;
//! - [`Accounts::directory`] lets the site's own user table say who a user is;
//! - signing in and out report themselves (`pages/account.rs`);
//! - `Frame` (`pages.rs`) asks who is online, for every page.

use axum::Router;
use axum::extract::FromRef;
use axum_login::AuthManagerLayerBuilder;
use lastseen::identity::AxumLogin;
use lastseen::{LastActivityLayer, SkipRules, Tracker};
use tower_sessions::{MemoryStore, SessionManagerLayer};

mod accounts;
mod bookmarks;
mod database;
mod pages;

pub use accounts::{Accounts, AccountsError, Django, User};
pub use database::Database;

/// What the pages work on.
#[derive(Clone)]
struct Site {
    database: Database,
    accounts: Accounts,
    tracker: Tracker,
}

/// A handler that takes a [`Tracker`] gets the site's.
impl FromRef<Site> for Tracker {
    fn from_ref(site: &Site) -> Self {
        site.tracker.clone()
    }
}

/// A handler that takes a `State<Database>` gets the site's.
impl FromRef<Site> for Database {
    fn from_ref(site: &Site) -> Self {
        site.database.clone()
    }
}

/// A handler that takes a `State<Accounts>` gets the site's.
impl FromRef<Site> for Accounts {
    fn from_ref(site: &Site) -> Self {
        site.accounts.clone()
    }
}

/// The whole site, ready to be served.
///
/// # Errors
///
/// Where a skip rule is no regular expression.
pub fn app(database: Database, accounts: Accounts, tracker: Tracker) -> Result<Router, lastseen::Error> {
    // Sessions outlast the window by far: a visit hours later comes on the old one, without a new sign-in. The cookie
    // is not marked `Secure` because the example speaks plain HTTP; it is `SameSite=Strict`, which keeps forged posts
    // from other sites out.
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    let sign_in = AuthManagerLayerBuilder::new(accounts.clone(), sessions).build();

    let last_activity =
        LastActivityLayer::new(tracker.clone(), AxumLogin::<Accounts>::new()).skip(SkipRules::new([r"^static/"])?);

    // The layer added last runs first, so the sign-in is known when the activity is stamped.
    Ok(pages::routes().layer(last_activity).layer(sign_in).with_state(Site { database, accounts, tracker }))
}
