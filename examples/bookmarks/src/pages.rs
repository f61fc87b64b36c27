//! The pages: what is the same on all of them, and where each is found.

use askama::Template;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_login::AuthSession;
use lastseen::{Online, Timestamp};

use crate::{Accounts, Site, User};

mod account;
mod bookmarks;
mod pictures;

/// At most so many names are listed in the corner. The number under them is always the whole one.
const IN_THE_CORNER: usize = 20;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/", get(bookmarks::list).post(bookmarks::add))
        .route("/bookmarks/{id}", get(bookmarks::show).post(bookmarks::comment))
        .route("/users/{name}", get(account::show))
        .route("/sign-in", get(account::sign_in_form).post(account::sign_in))
        .route("/sign-out", post(account::sign_out))
        .route("/static/site.css", get(pictures::style_sheet))
        .route("/static/icons/{file}", get(pictures::icon))
        .fallback(missing)
        .layer(map_response(protect))
}

/// What every page has around its content: who is looking, and who is online.
pub(crate) struct Frame {
    viewer: Option<User>,
    online: Online,
}

impl FromRequestParts<Site> for Frame {
    type Rejection = Response;

    async fn from_request_parts(request: &mut Parts, site: &Site) -> Result<Self, Response> {
        let session = Session::from_request_parts(request, site).await.map_err(IntoResponse::into_response)?;
        // Who came online this very millisecond has no name yet, and ids are not for show: wait for the user table. Should
        // it fail, the page is shown all the same.
        let _ = site.tracker.resolve_profiles().await;
        Ok(Self { viewer: session.user, online: site.tracker.online(IN_THE_CORNER) })
    }
}

/// A session of this site, with the user who is signed in.
pub(crate) type Session = AuthSession<Accounts>;

/// A handler that takes a [`User`] is for those who are signed in; others are led to the sign-in.
impl FromRequestParts<Site> for User {
    type Rejection = Response;

    async fn from_request_parts(request: &mut Parts, site: &Site) -> Result<Self, Response> {
        let session = Session::from_request_parts(request, site).await.map_err(IntoResponse::into_response)?;
        session.user.ok_or_else(|| Redirect::to("/sign-in").into_response())
    }
}

/// Why a page could not be made. The visitor learns only that it is our fault; the log has the rest.
pub(crate) struct Broken(Box<dyn std::error::Error>);

impl<E: std::error::Error + 'static> From<E> for Broken {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Broken {
    fn into_response(self) -> Response {
        tracing::error!(error = self.0, "a page could not be made");
        (StatusCode::INTERNAL_SERVER_ERROR, "Something is broken on our side. Please try again.").into_response()
    }
}

/// A page, or why there is none.
pub(crate) type Answer = Result<Response, Broken>;

fn page(status: StatusCode, template: &impl Template) -> Answer {
    Ok((status, Html(template.render()?)).into_response())
}

#[derive(Template)]
#[template(path = "missing.html")]
struct Missing {
    frame: Frame,
}

async fn missing(frame: Frame) -> Answer {
    page(StatusCode::NOT_FOUND, &Missing { frame })
}

/// Names, titles and comments are what anybody chose to write. The templates escape them; should one ever slip
/// through, browsers still run no script.
async fn protect(mut response: Response) -> Response {
    let policy = HeaderValue::from_static("default-src 'self'; base-uri 'none'; frame-ancestors 'none'");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// How long before `now` something was, as people say it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
fn ago(now: &Timestamp, at: &Timestamp) -> String {
    let seconds = now.since(*at).as_secs();
    let (number, unit) = match seconds {
        0..60 => return "just now".into(),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lastseen::Timestamp;

    use super::ago;

    #[test]
    fn time_is_told_in_the_largest_unit() {
        for (seconds, text) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3599, "59 minutes ago"),
            (7200, "2 hours ago"),
            (86_400, "1 day ago"),
        ] {
            let at = Timestamp::UNIX_EPOCH;
            assert_eq!(ago(&(at + Duration::from_secs(seconds)), &at), text);
        }
    }
}
