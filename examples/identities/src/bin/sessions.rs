//! Users by a session of tower-sessions: `cargo run -p identities --bin sessions`.

use axum::extract::Form;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Router, http::StatusCode};
use lastseen::identity::{SessionUser, SessionUserLayer};
use lastseen::{LastActivityLayer, MemoryStore, SignedIn, Tracker, UserId};
use serde::Deserialize;
use tower_sessions::{MemoryStore as Sessions, Session, SessionManagerLayer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tracker = Tracker::builder(MemoryStore::new()).start().await?;
    // The layer added last runs first: the session is there when its user is looked for, and the user when the activity
    // is noted.
    let site = Router::new()
        .route("/", get(identities::online))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .layer(LastActivityLayer::new(tracker.clone(), SessionUser))
        .layer(SessionUserLayer::new("user_id"))
        .layer(SessionManagerLayer::new(Sessions::default()).with_secure(false))
        .with_state(tracker.clone());
    identities::serve(site, tracker).await
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

async fn sign_in(session: Session, Form(given): Form<Credentials>) -> Result<(SignedIn, Redirect), StatusCode> {
    // A site looks the user up in its own table.
    let user = UserId::new(&given.user).map_err(|_| StatusCode::FORBIDDEN)?;
    if given.password != given.user {
        return Err(StatusCode::FORBIDDEN);
    }
    session.cycle_id().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    session.insert("user_id", user.as_str()).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok((SignedIn(user), Redirect::to("/")))
}

async fn sign_out(session: Session, tracker: Tracker) -> Result<Redirect, StatusCode> {
    let user: Option<String> = session.get("user_id").await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    if let Some(user) = user.and_then(|user| UserId::new(&user).ok()) {
        tracker.leave(&user);
    }
    session.flush().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Redirect::to("/"))
}
