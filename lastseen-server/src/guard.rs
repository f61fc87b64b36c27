//! What keeps other sites' pages from reaching the server through the browser of someone who may.

use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, LazyLock};

use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::response::{IntoResponse, Response};
use tower::util::MapResponseLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::validate_request::ValidateRequestHeaderLayer;

use crate::api::Problem;
use crate::app::AppState;
use crate::value::HostName;

/// Lets every answer say what a browser may make of it, and counts it.
pub(crate) fn every_answer(state: &AppState) -> MapResponseLayer<impl Fn(Response) -> Response + Clone + use<>> {
    let load = state.load();
    MapResponseLayer::new(move |mut response: Response| {
        secure(response.headers_mut());
        load.answered(response.status());
        response
    })
}

/// Answers nothing to whoever calls by a name that isn't ours.
pub(crate) fn known_host(
    state: &AppState,
) -> ValidateRequestHeaderLayer<impl FnMut(&mut Request) -> Result<(), Response> + Clone + use<>> {
    let allowed: Arc<[HostName]> = state.allow_host.clone().into();
    #[expect(clippy::result_large_err, reason = "it is what the layer asks for")]
    let validate = move |request: &mut Request| match unknown_host(request, &allowed) {
        None => Ok(()),
        Some(host) => Err(Problem::forbidden(format!(
            "the host {host:?} is not known here: call the server by localhost or its address, or start it with \
             --allow-host"
        ))
        .into_response()),
    };
    ValidateRequestHeaderLayer::custom(validate)
}

/// A host name that isn't ours, of those that the request is for: a page whose name was made to resolve to this machine
/// would count as of the same origin (DNS rebinding). `localhost`, plain addresses and the names of the settings are ours; a
/// request without any name is no browser's.
fn unknown_host<'a>(request: &'a Request, allowed: &[HostName]) -> Option<&'a str> {
    let in_headers = request.headers().get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let in_target = request.uri().authority().map(Authority::as_str);
    in_headers.chain(in_target).find(|host| !is_known(host, allowed))
}

fn is_known(host: &str, allowed: &[HostName]) -> bool {
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match address {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse::<Ipv4Addr>().is_ok()
                || allowed.iter().any(|allowed| allowed.is(name))
        }
    }
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
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    headers.map(|(name, value)| (name, HeaderValue::from_static(value))).into_iter().collect()
});

/// To copy a map costs a third of what it costs to put as many headers into one.
fn secure(headers: &mut HeaderMap) {
    let own = mem::replace(headers, HEADERS.clone());
    headers.extend(own);
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
        for host in [
            "",
            ":80",
            "::1",
            "user@localhost",
            "localhost:x",
            "[::1",
            "[127.0.0.1]",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "example.com",
            "[evil]",
        ] {
            assert!(!is_known(host, &allowed), "{host}");
        }
    }
}
