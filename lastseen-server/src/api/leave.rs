//! `POST /v1/leave`: a user signed out.

use std::sync::Arc;

use axum::extract::State;
use lastseen::UserId;
use serde::Deserialize;

use super::Problem;
use super::answer::TakenAnswer;
use super::body::JsonBody;
use super::intake::user_id;
use super::query::{Parameters, WriteParameters};
use crate::access::Writer;
use crate::app::AppState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leave {
    #[serde(deserialize_with = "user_id")]
    user: UserId,
}

/// 202 once memory knows; with `?ack=stored` 200 once the store has committed it.
pub(super) async fn leave(
    _: Writer,
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<WriteParameters>,
    body: JsonBody,
) -> Result<TakenAnswer, Problem> {
    let Leave { user } = body.one()?;
    if parameters.ack.is_some() {
        state.tracker.record_leave(&user).await?;
        return Ok(TakenAnswer::Stored(1));
    }
    state.tracker.leave(&user);
    Ok(TakenAnswer::Accepted(1))
}
