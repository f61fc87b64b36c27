//! What keeps other sites' pages from reaching the server through the browser of someone who may.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::csrf::{CsrfLayer, ProtectionError};

use crate::api::Problem;
use crate::app::AppState;
use crate::value::HostName;

/// What stands before every call: who is called by a name that isn't ours doesn't answer, and every answer says what a
/// browser may make of it.
pub(crate) async fn stand(State(state): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    let mut response = match known_host(&request, &state.allow_host) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    secure(response.headers_mut());
    state.load.answered(response.status());
    response
}

/// Refuses a host name that isn't ours: a page whose name was made to resolve to this machine would count as of the
/// same origin (DNS rebinding). `localhost`, plain addresses and the names of the settings are ours; a request
/// without any name is no browser's.
fn known_host(request: &Request, allowed: &[HostName]) -> Result<(), Problem> {
    let in_headers = request.headers().get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let in_target = request.uri().authority().map(Authority::as_str);
    match in_headers.chain(in_target).find(|host| !is_known(host, allowed)) {
        Some(host) => Err(Problem::forbidden(format!(
            "the host {host:?} is not known here: call the server by localhost or its address, or start it with \
             --allow-host"
        ))),
        None => Ok(()),
    }
}

fn is_known(host: &str, allowed: &[HostName]) -> bool {
    let Ok(authority) = Authority::from_str(host) else { return false };
    let name = authority.host();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    address.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || allowed.iter().any(|allowed| allowed.is(name))
}

/// Refuses to let a browser write here on behalf of another site's page.
pub(crate) fn same_origin() -> CsrfLayer<impl Fn(ProtectionError) -> Response + Clone + Send + Sync> {
    CsrfLayer::new().with_rejection_response(|_: ProtectionError| {
        Problem::forbidden("a page of another site may not write here: call from the site's server").into_response()
    })
}

/// Nothing from elsewhere, nothing inline, no frames: a name that slipped through as markup would still do nothing.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Said in every answer, unless it says otherwise itself, as what other sites may load does.
///
/// The referrer goes to this server alone. Were it sent nowhere, browsers would say of our own forms that they come from
/// an unknown place, and `same_origin` would refuse them.
static HEADERS: [(HeaderName, HeaderValue); 7] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

fn secure(headers: &mut HeaderMap) {
    // The map would grow twice otherwise.
    headers.reserve(HEADERS.len());
    for (name, value) in &HEADERS {
        headers.entry(name).or_insert_with(|| value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn addresses_localhost_and_configured_names_are_known() {
        let allowed = [HostName::read("Presence.example.com").unwrap()];
        for host in
            ["localhost", "LOCALHOST:7700", "127.0.0.1:7700", "[::1]:7700", "10.1.2.3", "presence.EXAMPLE.com:80"]
        {
            assert!(is_known(host, &allowed), "{host}");
        }
        for host in ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "example.com", "[evil]"] {
            assert!(!is_known(host, &allowed), "{host}");
        }
    }
}
