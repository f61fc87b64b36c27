use std::net::SocketAddr;

use axum::http::request::Parts;
use axum::{Router, routing::get};
use lastseen::{LastActivityLayer, SkipRules, SqliteStore, Tracker, UserId};

/// Whose request it is. Your sessions know; here a header says.
fn user_of(request: &Parts) -> Option<UserId> {
    request.headers.get("remote-user")?.to_str().ok()?.parse().ok()
}

async fn corner(tracker: Tracker) -> String {
    let online = tracker.online(50);
    let names: Vec<&str> = online.iter().map(|user| user.label()).collect();
    format!("{} online: {}\n", online.count, names.join(", "))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tracker = Tracker::builder(SqliteStore::open("lastseen.db").await?).start().await?;
    let last_activity = LastActivityLayer::new(tracker.clone(), user_of).skip(SkipRules::new([r"^static/"])?);
    let site = Router::new().route("/", get(corner)).layer(last_activity).with_state(tracker.clone());

    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let site = site.into_make_service_with_connect_info::<SocketAddr>();
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, site).with_graceful_shutdown(stop).await?;
    Ok(tracker.shutdown().await?)
}
