//! A request's body, within bounds: what it is, how large it may be, how long it may take.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::Problem;

/// The most bytes of one body: some 20,000 touches.
const MAX_BYTES: usize = 1024 * 1024;

/// How long a client may take to send it.
const TIME_TO_SEND: Duration = Duration::from_secs(10);

/// How the body is written, by its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// One JSON value, or several lines of them.
    Json,
    /// A JSON value a line.
    NdJson,
}

impl Notation {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let given = headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or_default());
        let essence = given.split(';').next().unwrap_or_default().trim();
        let is_one_of = |types: [&str; 3]| types.into_iter().any(|known| essence.eq_ignore_ascii_case(known));
        // The last is what `curl -d` says unless told otherwise. Browsers, which say it too, are kept out by `guard`.
        if is_one_of(["application/json", "", "application/x-www-form-urlencoded"]) {
            return Ok(Self::Json);
        }
        if is_one_of(["application/x-ndjson", "application/ndjson", "application/jsonl"]) {
            return Ok(Self::NdJson);
        }
        Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the content type {given:?} is not taken: send application/json or application/x-ndjson"),
        ))
    }
}

/// A body in JSON, not yet parsed.
#[derive(Debug)]
pub(super) struct JsonBody {
    pub(super) notation: Notation,
    pub(super) bytes: Bytes,
}

impl JsonBody {
    /// The one value that it holds.
    pub(super) fn one<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.bytes).map_err(|error| from_json(&error))
    }
}

/// What is no JSON is 400; what is JSON and not what is wanted is 422.
pub(super) fn from_json(error: &serde_json::Error) -> Problem {
    // Their text ends in the place, which is of use only where a body is read whole.
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    if error.is_data() {
        Problem::invalid(text)
    } else {
        Problem::unreadable(format!("this is not JSON, at column {}: {text}", error.column()))
    }
}

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let notation = Notation::of(request.headers())?;
        Ok(Self { notation, bytes: read(request.into_body(), MAX_BYTES).await? })
    }
}

/// A whole body, of so many bytes at most.
pub(crate) async fn read(body: Body, most: usize) -> Result<Bytes, Problem> {
    match tokio::time::timeout(TIME_TO_SEND, Limited::new(body, most).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body may have at most {most} bytes: send it in parts"),
        )),
        Ok(Err(error)) => Err(Problem::unreadable(format!("the body could not be read: {error}"))),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body did not arrive within {} s", TIME_TO_SEND.as_secs()),
        )),
    }
}
