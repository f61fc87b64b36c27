//! `GET /v1/users/{user}/export`: all that is known of one user, for administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Problem;
use super::answer::ExportAnswer;
use super::users::InPath;
use crate::access::Admin;
use crate::app::AppState;

/// 404 where nothing is known, whoever hides or not.
pub(super) async fn export(
    _: Admin,
    State(state): State<Arc<AppState>>,
    InPath(user): InPath,
) -> Result<Json<ExportAnswer>, Problem> {
    match state.tracker.export(&user).await? {
        Some(export) => Ok(Json(export.into())),
        None => Err(Problem::new(StatusCode::NOT_FOUND, format!("nothing is known of the user {user}"))),
    }
}
