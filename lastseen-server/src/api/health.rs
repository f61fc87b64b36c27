//! `/healthz`: the process answers. `/readyz`: its answers are whole.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lastseen::Status;
use serde::Serialize;
use serde_json::{Value, json};

use super::Problem;
use crate::access::Reader;
use crate::app::AppState;

pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// That all recent records are in memory and the store answers.
#[derive(Serialize)]
pub(super) struct Ready {
    status: &'static str,
    as_of: String,
    /// When memory was last written to the store.
    flushed_at: Option<String>,
    /// When others' writes were last read from it.
    followed_at: Option<String>,
}

/// 503 until and unless so; with the reason, which may name hosts, for those who may read.
pub(super) async fn readyz(
    reader: Result<Reader, Problem>,
    State(state): State<Arc<AppState>>,
) -> Result<Json<Ready>, Problem> {
    let status = state.tracker.status();
    match not_ready(&status) {
        Some(_) if reader.is_err() => {
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not ready: a token that may read is told why"))
        }
        Some(reason) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason)),
        None => Ok(Json(Ready {
            status: "ready",
            as_of: status.as_of.to_string(),
            flushed_at: status.flushed_at.map(|at| at.to_string()),
            followed_at: status.followed_at.map(|at| at.to_string()),
        })),
    }
}

/// Why answers may be wanting, where they may.
pub(crate) fn not_ready(status: &Status) -> Option<String> {
    match &status.store_error {
        Some(error) => Some(format!("the store does not answer: {error}")),
        None if !status.loaded => Some("the recent records are still being read from the store".to_owned()),
        None => None,
    }
}
