//! What pages of other sites may load and call: the widget, what it shows, and the beacon of their readers.
//!
//! Nobody says who they are here. What is shown is the operator's setting, and who reads on is in the site's ticket; so
//! it does no harm that any page may call, in any browser, without cookies.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::AppState;

mod beacon;
mod online;
mod ticket;

pub(crate) use ticket::Tickets;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    let for_everyone = |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    Router::new()
        .route("/v1/guest/online", get(online::online))
        .route("/v1/guest/events", get(online::events))
        .route("/v1/beacon", post(beacon::beacon))
        .route("/widget.js", get(async || script(include_str!("../assets/widget.js"))))
        .route("/beacon.js", get(async || script(include_str!("../assets/beacon.js"))))
        // Without Access-Control-Allow-Credentials no browser sends cookies along and lets a page read the answer.
        .layer(for_everyone(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .layer(for_everyone(HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"))
}

/// A script, which browsers ask for anew after ten minutes; for a day nobody waits for the answer.
fn script(content: &'static str) -> Response {
    const KEEP: &str = "public, max-age=600, stale-while-revalidate=86400";
    let headers = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, KEEP)];
    (headers, content).into_response()
}
