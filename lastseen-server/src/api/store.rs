//! `POST /v1/store/{call}`: the server's store, for the trackers of other processes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Problem, body};
use crate::access::Admin;
use crate::app::AppState;

/// The most bytes of a question: ten thousand records, which a tracker writes at once, of the longest ids.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Does with the store as a process asks that has it by the library's `HttpStore`.
pub(super) async fn answer(
    _: Admin,
    State(state): State<Arc<AppState>>,
    call: Result<Path<String>, PathRejection>,
    question: Body,
) -> Result<Response, Problem> {
    let (Some(shared), Ok(Path(call))) = (&state.shared, call) else { return Err(Problem::no_such_path()) };
    let question = body::read(question, MAX_BYTES).await?;
    let unusable = |failure: crate::Failure| Problem::new(StatusCode::SERVICE_UNAVAILABLE, failure.to_string());
    match shared.store().await.map_err(unusable)?.answer(&call, &question).await? {
        Some(answer) => {
            let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(([content_type], answer).into_response())
        }
        None => Err(Problem::no_such_path()),
    }
}
