//! A request's query, with problems that name the parameter.

use std::error::Error as _;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Problem;

/// A query's parameters.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => {
                // The rejection itself says only that it's the query; what is wrong with it is its source.
                let detail = rejection.source().map_or_else(|| rejection.to_string(), ToString::to_string);
                Err(Problem::in_query(detail))
            }
        }
    }
}

/// When a call that writes is answered.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteParameters {
    /// `stored`: once the store has committed. Unset: at once.
    #[serde(default)]
    pub(super) ack: Option<Ack>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ack {
    Stored,
}
