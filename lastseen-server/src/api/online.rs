//! `GET /v1/online` and `/v1/online/count`: who is online, and how many.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::answer::{CountAnswer, OnlineAnswer};
use super::query::Parameters;
use super::{DEFAULT_LIMIT, MAX_LIMIT, Problem};
use crate::access::Reader;
use crate::app::AppState;
use crate::value::{Span, Text, Value};
use crate::viewer::{self, Viewer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnlineParameters {
    window: Option<Text<Span>>,
    limit: Option<Text<Limit>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CountParameters {
    window: Option<Text<Span>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(crate) usize);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Value for Limit {
    fn read(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(limit) if limit <= MAX_LIMIT => Ok(Self(limit)),
            _ => Err(format!("{text:?} is not a whole number from 0 to {MAX_LIMIT}")),
        }
    }
}

/// The window asked for, or else that of the settings.
fn window(state: &AppState, viewer: Viewer, asked: Option<Text<Span>>) -> Result<Duration, Problem> {
    let Some(Text(asked)) = asked else { return Ok(state.tracker.window()) };
    let dates = viewer.dates();
    if !dates.are_exact() && asked.0 != state.tracker.window() {
        return Err(Problem::forbidden(format!(
            "a window of one's own would tell when somebody was active more exactly than to the {dates}, as the server's \
             setting `dates` has it: leave window out, or show a token of the scope admin"
        )));
    }
    let horizon = Span(state.tracker.horizon());
    if asked > horizon {
        return Err(Problem::in_query(format_args!(
            "window: {asked} reaches further back than memory does, which is {horizon}: ask for less, or \
             start the server with a longer --horizon"
        )));
    }
    Ok(asked.0)
}

pub(super) async fn online(
    Reader(viewer): Reader,
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<OnlineParameters>,
) -> Result<Json<OnlineAnswer>, Problem> {
    let limit = parameters.limit.map_or(DEFAULT_LIMIT, |Text(limit)| limit.0);
    let window = window(&state, viewer, parameters.window)?;
    Ok(Json(viewer.online(&state.tracker.online_within(window, viewer.dates().enough(limit))?, limit)))
}

pub(super) async fn count(
    Reader(viewer): Reader,
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<CountParameters>,
) -> Result<Json<CountAnswer>, Problem> {
    let window = window(&state, viewer, parameters.window)?;
    Ok(Json(viewer::count(&state.tracker.online_within(window, 0)?)))
}
