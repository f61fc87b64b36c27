//! The API's description for programs. It is kept by hand; tests hold it against what is served.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;

use crate::app::AppState;

/// The description, in JSON: `OpenAPI` 3.1.
pub const DESCRIPTION: &str = include_str!("../assets/openapi.json");

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/openapi.json", get(async || ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION)))
}
