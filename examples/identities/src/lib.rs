//! What the small sites have in common: a page that says who is online, and how they are served.

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;

use axum::Router;
use lastseen::{OnlineUser, Tracker};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Whom the tracker shows, newest first, by commas.
#[expect(clippy::unused_async, reason = "a handler of axum is async")]
pub async fn online(tracker: Tracker) -> String {
    let online = tracker.online(20);
    let names: Vec<&str> = online.iter().map(OnlineUser::label).collect();
    names.join(", ")
}

/// Serves a site on a free port of this machine until SIGTERM, and then ends the tracker.
///
/// # Errors
///
/// Where there is no free port, or the tracker can't write what it knows.
pub async fn serve(site: Router, tracker: Tracker) -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    let service = site.into_make_service_with_connect_info::<SocketAddr>();
    let stop = async move { terminate.recv().await.unwrap_or_default() };
    axum::serve(listener, service).with_graceful_shutdown(stop).await?;
    Ok(tracker.shutdown().await?)
}
