//! `GET /v1/history` and `/v1/active`: how many were online when, and how many users were active on which days.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use lastseen::{ACTIVE_DAYS, Day, Resolution, Timestamp};
use serde::Deserialize;

use super::Problem;
use super::answer::{ActiveAnswer, HistoryAnswer};
use super::query::Parameters;
use crate::access::Reader;
use crate::app::AppState;
use crate::value::Text;

/// How far back the history goes that says no beginning.
const USUAL: Duration = Duration::from_hours(24);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryParameters {
    from: Option<Text<Timestamp>>,
    to: Option<Text<Timestamp>>,
    resolution: Option<Text<Resolution>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActiveParameters {
    day: Option<Text<Day>>,
}

pub(super) async fn history(
    _: Reader,
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<HistoryParameters>,
) -> Result<Json<HistoryAnswer>, Problem> {
    let as_of = state.tracker.now();
    let to = parameters.to.map_or(as_of, |Text(to)| to);
    let from = parameters.from.map_or(to - USUAL, |Text(from)| from);
    if from > to {
        return Err(Problem::in_query(format_args!("from: {from} is after {to}, up to which it was to reach")));
    }
    let resolution = parameters.resolution.map_or_else(|| Resolution::finest(from, as_of), |Text(asked)| asked);
    let spans = state.tracker.history_by(resolution, from, to).await?;
    let most_online = state.tracker.most_online().await?;
    Ok(Json(HistoryAnswer {
        as_of,
        from,
        to,
        resolution: resolution.width(),
        spans: spans.into_iter().map(Into::into).collect(),
        most_online: most_online.map(Into::into),
    }))
}

pub(super) async fn active(
    _: Reader,
    State(state): State<Arc<AppState>>,
    Parameters(parameters): Parameters<ActiveParameters>,
) -> Result<Json<ActiveAnswer>, Problem> {
    let as_of = state.tracker.now();
    let today = Day::of(as_of);
    let oldest = today - (ACTIVE_DAYS - 1);
    let day = parameters.day.map_or(today, |Text(day)| day);
    if !(oldest..=today).contains(&day) {
        return Err(Problem::in_query(format_args!(
            "day: {day} is not among the days that are kept, which are {oldest} to {today}"
        )));
    }
    let within = async |days: u32| {
        let first = day - (days - 1);
        let kept = first >= oldest;
        if kept { state.tracker.active_users(first..=day).await.map(Some) } else { Ok(None) }
    };
    Ok(Json(ActiveAnswer { as_of, day, daily: within(1).await?, weekly: within(7).await?, monthly: within(30).await? }))
}
