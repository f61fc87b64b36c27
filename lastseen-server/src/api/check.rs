//! `GET /v1/check`: a proxy asks about every request that it has, and thereby reports its user.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use ipnet::IpNet;
use lastseen::http::PeerAddr;
use lastseen::{ClientIp, ForwardedHeader, UserId};

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
    client_ip_header: ForwardedHeader,
}

impl Proxies {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            trusted: settings.trust_proxy.clone(),
            user_header: settings.user_header.clone(),
            client_ip_header: settings.client_ip_header,
        }
    }

    fn trust(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&peer))
    }

    /// How the address is found where this peer, too, is believed.
    fn besides(&self, peer: IpAddr) -> ClientIp {
        ClientIp::trusting(self.trusted.iter().copied().chain([peer.into()]), self.client_ip_header)
    }
}

/// 204 whatever the request was: a proxy lets it pass then, and what is reported costs its user nothing. 403 to who
/// is no trusted proxy and has no token to write.
pub(super) async fn check(State(state): State<Arc<AppState>>, request: Parts) -> Result<StatusCode, Problem> {
    let proxies = &state.proxies;
    let peer = request.extensions.get::<PeerAddr>().map(|peer| peer.0.ip().to_canonical());
    let ip = match peer {
        Some(peer) if proxies.trust(peer) => state.judge.client_ip(&request),
        Some(peer) if state.access.has_write_token(&request.headers) => {
            state.judge.address(proxies.besides(peer).of(&request))
        }
        peer => {
            let from = peer.map_or_else(String::new, |peer| format!(" from {peer}"));
            return Err(Problem::forbidden(format!(
                "what this request{from} says of users is not believed: name the proxy's network with --trust-proxy, or \
                 give it a token of the scope write"
            )));
        }
    };
    let named = text(&request.headers, proxies.user_header.as_str()).filter(|user| !user.is_empty());
    let Some(user) = named else { return Ok(StatusCode::NO_CONTENT) };
    match UserId::new(user) {
        Ok(_) if original(&request.headers).is_some_and(|original| state.judge.skips(&original)) => {}
        Ok(user) => state.tracker.touch(&user, ip),
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
