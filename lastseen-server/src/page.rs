//! The live page at `/`: who is online, for people. It works as it is sent; the script only keeps it fresh.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use lastseen::{Status, Timestamp};
use serde::Deserialize;

use crate::access::Reader;
use crate::api::{DEFAULT_LIMIT, OnlineAnswer, Parameters, Problem};
use crate::app::AppState;
use crate::words;

mod chart;
mod history;
mod person;
mod search;
mod sign_in;

use history::History;
pub(crate) use history::Recalled;
use person::Person;
use search::Found;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/", get(page))
        .route("/history", get(history::part))
        .route("/sign-in", post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/assets/page.css", get(async || asset("text/css; charset=utf-8", CSS)))
        .route(
            "/assets/page.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("../assets/page.js"))),
        )
        .route("/assets/icon.svg", get(async || asset("image/svg+xml", include_str!("../assets/icon.svg"))))
}

/// One sheet. Elements come before the parts that are made of them, and what depends on the width last.
const CSS: &str = concat!(
    include_str!("../assets/base.css"),
    include_str!("../assets/page.css"),
    include_str!("../assets/people.css"),
    include_str!("../assets/steps.css"),
    include_str!("../assets/history.css"),
    include_str!("../assets/layout.css"),
);

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
    /// The same, with its thousands apart.
    number: String,
    people: Vec<Person>,
    /// Whom the script dresses as whoever arrives.
    nobody: Person,
    /// Those beyond what the page lists; nothing where there are none.
    more: String,
    /// Whom the visitor has looked for, as typed.
    asked: String,
    found: Found,
    history: Arc<History>,
    store: String,
    /// Why the answers may be wanting, where they may: then nobody is said to be absent.
    trouble: Option<String>,
    moments: [Moment; 2],
    /// Where a newcomer's first call goes.
    server: String,
    /// How it shows its token.
    bearer: &'static str,
    /// Whether there is anything to sign out of.
    is_signed_in: bool,
}

/// When something last happened that happens all the time.
struct Moment {
    id: &'static str,
    what: &'static str,
    at: Option<Timestamp>,
    ago: String,
}

impl Moment {
    fn all(status: &Status) -> [Self; 2] {
        let moment = |id, what, at: Option<Timestamp>| {
            let ago = at.map_or_else(String::new, |at| words::ago(status.as_of.since(at)));
            Self { id, what, at, ago }
        };
        [moment("flushed", "Written", status.flushed_at), moment("followed", "Followed", status.followed_at)]
    }
}

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    user: String,
}

/// The page for those who may read, and for others the form that asks who they are.
async fn page(
    reader: Result<Reader, Problem>,
    State(state): State<Arc<AppState>>,
    Parameters(Query { user: asked }): Parameters<Query>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Ok(Reader(viewer)) = reader else { return sign_in::form(StatusCode::UNAUTHORIZED, None) };
    let found = Found::of(&asked, viewer, &state.tracker).await;
    let online = state.tracker.online(viewer.dates().enough(DEFAULT_LIMIT));
    let OnlineAnswer { count, users } = viewer.online(&online, DEFAULT_LIMIT);
    let status = state.tracker.status();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:7700");
    html(&Page {
        as_of: count.as_of,
        clock: words::clock(count.as_of),
        window: words::window(count.window),
        count: count.count,
        number: words::grouped(count.count as u64),
        more: match count.count.saturating_sub(users.len()) {
            0 => String::new(),
            more => format!("and {} more", words::grouped(more as u64)),
        },
        people: users.iter().map(|user| Person::online(user, count.as_of)).collect(),
        nobody: Person::default(),
        asked,
        found,
        history: state.history.get(&state.tracker).await,
        store: state.store.to_string(),
        trouble: crate::api::not_ready(&status).map(|trouble| words::sentence(&trouble)),
        moments: Moment::all(&status),
        server: format!("http://{host}"),
        bearer: if state.access.is_open() { "" } else { " --oauth2-bearer $LASTSEEN_TOKEN" },
        is_signed_in: !state.access.is_open(),
    })
}

fn html(template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(error) => {
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the page could not be written: {error}")))
        }
    }
}
