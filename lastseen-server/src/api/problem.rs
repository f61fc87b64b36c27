//! What an answer says when something is wrong: RFC 9457 problem details.

use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What a detail begins with that goes on with the name of a parameter.
pub(crate) const IN_QUERY: &str = "in the query: ";

/// Problem details. The status says what kind of problem it is, so the type is `about:blank`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    detail: String,
    /// The line of the body that is at fault, where it has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem of this kind; `detail` names the value at fault and what would be right.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Problem");
        Self { kind: "about:blank", title, status, detail: detail.into(), line: None }
    }

    /// 400: the request can't be read.
    pub fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 400: a parameter of the query, whose name `detail` begins with, is at fault.
    pub(crate) fn in_query(detail: impl fmt::Display) -> Self {
        Self::unreadable(format!("{IN_QUERY}{detail}"))
    }

    /// 422: the request can be read, and a value in it is wrong.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 401: without a token, or with one that isn't known.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// 403: not from there.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(crate) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing at this path: the calls are below /v1/, the page is at /")
    }

    pub(crate) fn no_such_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this path takes other methods: see the Allow header")
    }

    /// At this line of the body, the first being 1.
    #[must_use]
    pub fn at_line(self, line: usize) -> Self {
        Self { detail: format!("line {line}: {}", self.detail), line: Some(line), ..self }
    }

    /// What went wrong, in one sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The answer's status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

/// Wrong input is 422, what the store never keeps 501. A store, a directory or a memory that can't take more is 503: try again.
impl From<lastseen::Error> for Problem {
    fn from(error: lastseen::Error) -> Self {
        if error.is_invalid() {
            Self::invalid(error.to_string())
        } else if error.is_unsupported() {
            Self::new(StatusCode::NOT_IMPLEMENTED, error.to_string())
        } else {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Text, numbers and nothing else: this can't fail.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let mut response = (self.status, [content_type], body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(detail = self.detail, "a call could not be served");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
