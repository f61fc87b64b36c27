//! Users by what the proxy before the site says of them: `cargo run -p identities --bin forward_auth -- NETWORK`.

use axum::Router;
use axum::routing::get;
use lastseen::identity::ForwardAuth;
use lastseen::{ClientIp, ForwardedHeader, LastActivityLayer, MemoryStore, Tracker};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let network =
        std::env::args().nth(1).ok_or("the first argument must be the proxy's network, such as 10.0.0.0/8")?;
    let network: ipnet::IpNet = network.parse()?;

    let tracker = Tracker::builder(MemoryStore::new()).start().await?;
    let last_activity = LastActivityLayer::new(tracker.clone(), ForwardAuth::trusting([network], "remote-user")?)
        .client_ip(ClientIp::trusting([network], ForwardedHeader::XForwardedFor));
    let site = Router::new().route("/", get(identities::online)).layer(last_activity).with_state(tracker.clone());
    identities::serve(site, tracker).await
}
