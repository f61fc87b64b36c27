//! `GET /v1/guest/online` and `/v1/guest/events`: what guests may see of who is online, once or for as long as they stay.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::api::{DEFAULT_LIMIT, GuestAnswer, Limit, Parameters, Problem};
use crate::app::AppState;
use crate::value::Text;
use crate::viewer::Guests;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnlineParameters {
    limit: Option<Text<Limit>>,
}

fn nothing() -> Problem {
    Problem::forbidden("guests may see nothing here: the server's setting `guests` is off, and may be count or names")
}

/// At most as many names as there are in the events.
pub(super) async fn online(
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<OnlineParameters>,
) -> Result<Json<GuestAnswer>, Problem> {
    let limit = parameters.limit.map_or(DEFAULT_LIMIT, |Text(Limit(limit))| limit.min(DEFAULT_LIMIT));
    let online = state.tracker.online(state.dates.enough(limit));
    let answer = state.guests.online(&online, state.dates, limit).ok_or_else(nothing)?;
    if online.count == 0 && !state.tracker.status().loaded {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "who is online can't be told yet: the recent records have still to be read from the store",
        ));
    }
    Ok(Json(answer))
}

/// The same, whole, whenever it looks different, at most once a second.
pub(super) async fn events(State(state): State<Arc<AppState>>) -> Result<Response, Problem> {
    if state.guests == Guests::Off {
        return Err(nothing());
    }
    state.events.for_guest().await
}
