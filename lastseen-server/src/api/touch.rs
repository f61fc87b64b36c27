//! `POST /v1/touch`: users were active.

use std::sync::Arc;

use axum::extract::State;

use super::Problem;
use super::answer::TakenAnswer;
use super::body::JsonBody;
use super::intake;
use super::query::{Parameters, WriteParameters};
use crate::access::Writer;
use crate::app::AppState;

/// 202 once memory knows; with `?ack=stored` 200 once the store has committed all of it.
pub(super) async fn touch(
    _: Writer,
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<WriteParameters>,
    body: JsonBody,
) -> Result<TakenAnswer, Problem> {
    let mut activities = intake::activities(&body, state.tracker.now())?;
    for activity in &mut activities {
        activity.ip = state.judge.address(activity.ip);
    }
    let touches = activities.len();
    if parameters.ack.is_some() {
        state.tracker.record_all(activities).await?;
        return Ok(TakenAnswer::Stored(touches));
    }
    state.tracker.touch_all(&activities)?;
    Ok(TakenAnswer::Accepted(touches))
}
