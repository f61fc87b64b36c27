//! Users by a JSON Web Token that they send along: `cargo run -p identities --bin jwt -- SECRET`.

use axum::Router;
use axum::routing::get;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use lastseen::identity::Bearer;
use lastseen::{LastActivityLayer, MemoryStore, Tracker, UserId};
use serde::Deserialize;

/// What the site reads of a token. Its time is checked by the crate.
#[derive(Deserialize)]
struct Claims {
    sub: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = std::env::args().nth(1).ok_or("the first argument must be the secret that tokens are signed with")?;
    let (key, validation) = (DecodingKey::from_secret(secret.as_bytes()), Validation::new(Algorithm::HS256));
    let user_of = Bearer::new(move |token: &str| {
        let claims = decode::<Claims>(token, &key, &validation).ok()?.claims;
        UserId::new(&claims.sub).ok()
    });

    let tracker = Tracker::builder(MemoryStore::new()).start().await?;
    let site = Router::new()
        .route("/", get(identities::online))
        .layer(LastActivityLayer::new(tracker.clone(), user_of))
        .with_state(tracker.clone());
    identities::serve(site, tracker).await
}
