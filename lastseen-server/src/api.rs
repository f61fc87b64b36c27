//! The calls below `/v1`, and what operators probe.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::AppState;

mod answer;
pub(crate) mod body;
mod check;
mod events;
mod export;
mod health;
mod history;
mod intake;
mod leave;
mod online;
mod problem;
mod query;
mod store;
mod touch;
mod users;

pub use answer::{
    ActiveAnswer, CountAnswer, ExportAnswer, GuestAnswer, GuestUserAnswer, HistoryAnswer, LastSeenAnswer,
    MostOnlineAnswer, OnlineAnswer, OnlineSpanAnswer, OnlineUserAnswer,
};
pub(crate) use check::Proxies;
pub(crate) use health::not_ready;
pub(crate) use online::Limit;
pub(crate) use problem::IN_QUERY;
pub use problem::Problem;
pub(crate) use query::Parameters;

/// The most users in one answer.
pub const MAX_LIMIT: usize = 1000;

/// The users in an answer that doesn't say how many are wanted.
pub const DEFAULT_LIMIT: usize = 50;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/v1/touch", post(touch::touch))
        .route("/v1/leave", post(leave::leave))
        .route("/v1/online", get(online::online))
        .route("/v1/online/count", get(online::count))
        .route("/v1/users/{user}", get(users::get).put(users::put).delete(users::delete))
        .route("/v1/users/{user}/export", get(export::export))
        .route("/v1/history", get(history::history))
        .route("/v1/active", get(history::active))
        .route("/v1/events", get(events::events))
        .route("/v1/check", get(check::check))
        .route("/v1/store/{call}", post(store::answer))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
}
