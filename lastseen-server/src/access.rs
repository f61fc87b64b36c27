//! Who asks, and what they may: by a token's scope, or by the session that a token began; without tokens everyone all.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::request::Parts;
use lastseen::Timestamp;

use crate::api::Problem;
use crate::app::AppState;
use crate::viewer::Viewer;

mod session;
mod token;

pub use token::{Scope, TokenLine};
pub(crate) use token::{Token, hex};

use session::Sessions;

/// The tokens that are known here, and the sessions begun with them.
#[derive(Debug)]
pub(crate) struct Access {
    tokens: Vec<TokenLine>,
    sessions: Sessions,
}

impl Access {
    pub(crate) fn by(tokens: Vec<TokenLine>) -> Self {
        Self { tokens, sessions: Sessions::default() }
    }

    /// Whether anyone has to say who they are.
    pub(crate) const fn is_open(&self) -> bool {
        self.tokens.is_empty()
    }

    /// What the token in the `Authorization` header, or else the session of the cookie, may do.
    fn scope(&self, headers: &HeaderMap, now: Timestamp) -> Result<Scope, Problem> {
        if self.is_open() {
            return Ok(Scope::Admin);
        }
        if let Some(given) = headers.get(header::AUTHORIZATION) {
            let token = bearer(given).ok_or_else(|| {
                Problem::unauthorized("the Authorization header holds no token: send \"Bearer \" and the token")
            })?;
            return self.of_token(token);
        }
        self.sessions.scope(headers, now).ok_or_else(|| {
            Problem::unauthorized(
                "this call needs a token: send it as \"Authorization: Bearer ...\"; `lastseen token` makes one",
            )
        })
    }

    fn of_token(&self, token: &str) -> Result<Scope, Problem> {
        token::find(&self.tokens, token).ok_or_else(|| Problem::unauthorized("the token is not known here"))
    }

    fn admit(&self, headers: &HeaderMap, wanted: Scope, now: Timestamp) -> Result<Scope, Problem> {
        let scope = self.scope(headers, now)?;
        if scope.allows(wanted) {
            return Ok(scope);
        }
        Err(Problem::forbidden(format!("the token's scope is {scope}: this call needs one of the scope {wanted}")))
    }

    /// Whether a token says so: without tokens nobody can.
    pub(crate) fn has_write_token(&self, headers: &HeaderMap) -> bool {
        let token = headers.get(header::AUTHORIZATION).and_then(bearer);
        token.is_some_and(|token| token::find(&self.tokens, token).is_some_and(|scope| scope.allows(Scope::Write)))
    }

    /// Begins a session with a token that may read; gives the cookie.
    pub(crate) fn sign_in(&self, token: &str, headers: &HeaderMap, now: Timestamp) -> Result<HeaderValue, Problem> {
        let scope = self.of_token(token)?;
        if !scope.allows(Scope::Read) {
            return Err(Problem::forbidden(format!(
                "the token's scope is {scope}: this page needs one of the scope {}",
                Scope::Read
            )));
        }
        Ok(self.sessions.begin(scope, headers, now))
    }

    /// Ends the session of the cookie; gives the cookie that forgets it.
    pub(crate) fn sign_out(&self, headers: &HeaderMap) -> HeaderValue {
        self.sessions.end(headers)
    }
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Someone who may report activities and set profiles.
pub(crate) struct Writer;

/// Someone who may see who is online.
pub(crate) struct Reader(pub(crate) Viewer);

/// Someone who may do everything.
pub(crate) struct Admin;

fn admit(parts: &Parts, state: &AppState, wanted: Scope) -> Result<Scope, Problem> {
    state.access.admit(&parts.headers, wanted, state.tracker.now())
}

impl FromRequestParts<Arc<AppState>> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Problem> {
        admit(parts, state, Scope::Write).map(|_| Self)
    }
}

impl FromRequestParts<Arc<AppState>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Problem> {
        let scope = admit(parts, state, Scope::Read)?;
        Ok(Self(if scope == Scope::Admin { Viewer::Admin } else { Viewer::Reader(state.dates) }))
    }
}

impl FromRequestParts<Arc<AppState>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Problem> {
        admit(parts, state, Scope::Admin).map(|_| Self)
    }
}
