//! A small site in actix-web: sign in, and see who is online. `cargo run -p online-actix`, then sign in as ada.
//!
//! All that being online needs of the site is here: the layer behind the sign-in, and the shutdown.

use std::env;
use std::io::{self, Write};

use actix_identity::IdentityMiddleware;
use actix_session::SessionMiddleware;
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::Key;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use lastseen::identity::ActixIdentity;
use lastseen::{LastActivityLayer, SkipRules, SqliteStore, Tracker};

mod pages;

/// Listens on the first argument, `127.0.0.1:7801` unless given, and keeps its records in the second, `online.db`.
#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:7801".into());
    let records = arguments.next().unwrap_or_else(|| "online.db".into());

    let tracker = Tracker::builder(SqliteStore::open(records).await?).start().await?;
    let last_activity = LastActivityLayer::new(tracker.clone(), ActixIdentity).skip(SkipRules::new([r"^static/"])?);
    let (key, state) = (Key::generate(), Data::new(tracker.clone()));
    let server = HttpServer::new(move || {
        // The example speaks plain HTTP, which a secure cookie doesn't go over.
        let sessions = SessionMiddleware::builder(CookieSessionStore::default(), key.clone()).cookie_secure(false);
        // What is wrapped last runs first: the sign-in is known when the activity is noted.
        App::new()
            .app_data(state.clone())
            .configure(pages::configure)
            .wrap(last_activity.clone())
            .wrap(IdentityMiddleware::default())
            .wrap(sessions.build())
    });

    let server = server.bind(listen)?;
    for address in server.addrs() {
        writeln!(io::stdout(), "listening on http://{address}")?;
    }
    // It ends at SIGINT and SIGTERM, when all requests are answered.
    server.run().await?;
    Ok(tracker.shutdown().await?)
}
