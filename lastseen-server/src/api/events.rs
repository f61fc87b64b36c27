//! `GET /v1/events`: who is online, and then who comes and goes, as server-sent events.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::Problem;
use crate::access::Reader;
use crate::app::AppState;

/// A snapshot, and then changes; or these alone, where the client says up to where it has them.
pub(super) async fn events(
    Reader(viewer): Reader,
    State(state): State<Arc<AppState>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    state.events.for_viewer(viewer, last).await
}
