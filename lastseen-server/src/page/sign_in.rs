//! Signing in with a token, for people with a browser, and out again.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::html;
use crate::api::{Problem, body};
use crate::app::AppState;

/// The most bytes of the form.
const MAX_BYTES: usize = 1024;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Form {
    /// What was wrong with the last try.
    trouble: Option<String>,
}

pub(super) fn form(status: StatusCode, trouble: Option<String>) -> Result<Response, Problem> {
    let mut response = html(&Form { trouble })?;
    *response.status_mut() = status;
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    Ok(response)
}

/// To the page, with a cookie, or back to the form.
pub(super) async fn sign_in(State(state): State<Arc<AppState>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = body::read(body, MAX_BYTES).await?;
    let token = form_urlencoded::parse(&body).find(|(field, _)| field == "token").map(|(_, token)| token);
    let token = token.unwrap_or_default();
    match state.access.sign_in(token.trim(), &parts.headers, state.tracker.now()) {
        Ok(cookie) => Ok(with_cookie(cookie)),
        Err(problem) => form(problem.status(), Some(problem.detail().to_owned())),
    }
}

pub(super) async fn sign_out(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    with_cookie(state.access.sign_out(&headers))
}

fn with_cookie(cookie: HeaderValue) -> Response {
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}
