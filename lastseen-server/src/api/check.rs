//! `GET /v1/check`: a proxy asks about every request that it has, and thereby reports its user.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use ipnet::IpNet;
use lastseen::UserId;
use lastseen::http::PeerAddr;

use super::Problem;
use crate::app::AppState;
use crate::settings::Settings;

/// Where a proxy says what its own request was: nginx by convention, then Traefik and Caddy.
const METHOD: [&str; 2] = ["x-original-method", "x-forwarded-method"];
const TARGET: [&str; 2] = ["x-original-uri", "x-forwarded-uri"];

/// The proxies that are believed, and how they say who was active.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<IpNet>,
    user_header: HeaderName,
}

impl Proxies {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self { trusted: settings.trust_proxy.clone(), user_header: settings.user_header.clone() }
    }

    fn trust(&self, peer: PeerAddr) -> bool {
        let peer = peer.0.ip().to_canonical();
        self.trusted.iter().any(|network| network.contains(&peer))
    }
}

/// 204 whatever the request was: a proxy lets it pass then, and what is reported costs its user nothing. 403 to who
/// is no trusted proxy.
pub(super) async fn check(State(state): State<Arc<AppState>>, request: Parts) -> Result<StatusCode, Problem> {
    let proxies = &state.proxies;
    match request.extensions.get::<PeerAddr>() {
        Some(peer) if proxies.trust(*peer) => {}
        peer => {
            let from = peer.map_or_else(String::new, |peer| format!(" from {}", peer.0.ip()));
            return Err(Problem::forbidden(format!(
                "what this request{from} says of users is not believed: name the proxy's network with --trust-proxy"
            )));
        }
    }
    let named = text(&request.headers, proxies.user_header.as_str()).filter(|user| !user.is_empty());
    let Some(user) = named else { return Ok(StatusCode::NO_CONTENT) };
    match UserId::new(user) {
        Ok(_) if original(&request.headers).is_some_and(|original| state.judge.skips(&original)) => {}
        Ok(user) => state.tracker.touch(&user, state.judge.client_ip(&request)),
        Err(error) => tracing::warn!(%error, "a proxy reports a user who can't be"),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The proxy's own request; nothing where its target is missing or can't be one, so that it counts.
fn original(headers: &HeaderMap) -> Option<Parts> {
    let method = first(headers, METHOD).and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    let request = Request::builder().method(method.unwrap_or_default()).uri(first(headers, TARGET)?).body(()).ok()?;
    Some(request.into_parts().0)
}

fn first<'a>(headers: &'a HeaderMap, names: [&str; 2]) -> Option<&'a str> {
    names.iter().find_map(|name| text(headers, name))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
}
