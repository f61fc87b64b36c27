//! The live page at `/`: who is online, for people. It works as it is sent; the script only keeps it fresh.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use lastseen::Timestamp;

use crate::api::{DEFAULT_LIMIT, Problem};
use crate::app::AppState;
use crate::words;

mod person;

use person::Person;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/", get(page))
        .route("/assets/page.css", get(async || asset("text/css; charset=utf-8", include_str!("../assets/page.css"))))
        .route(
            "/assets/page.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("../assets/page.js"))),
        )
        .route("/assets/icon.svg", get(async || asset("image/svg+xml", include_str!("../assets/icon.svg"))))
}

fn asset(content_type: &'static str, content: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], content)
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    as_of: Timestamp,
    clock: String,
    window: String,
    count: usize,
    people: Vec<Person>,
    /// Those beyond what the page lists.
    more: usize,
    store: String,
    /// Why the answers may be wanting, where they may.
    trouble: Option<String>,
    stored: Option<(Timestamp, String)>,
    /// Where a newcomer's first call goes.
    server: String,
}

async fn page(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Result<Response, Problem> {
    let online = state.tracker.online(DEFAULT_LIMIT);
    let status = state.tracker.status();
    let as_of = online.as_of;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:7700");
    let page = Page {
        as_of,
        clock: words::clock(as_of),
        window: words::window(online.window),
        count: online.count,
        more: online.count.saturating_sub(online.users.len()),
        people: online.users.iter().map(|user| Person::of(user, as_of)).collect(),
        store: state.store.to_string(),
        trouble: crate::api::not_ready(&status),
        stored: status.flushed_at.map(|at| (at, words::ago(as_of.since(at)))),
        server: format!("http://{host}"),
    };
    match page.render() {
        Ok(page) => Ok(Html(page).into_response()),
        Err(error) => {
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the page could not be written: {error}")))
        }
    }
}
