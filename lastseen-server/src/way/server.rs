//! Calls to a running server, over HTTP.

use std::fmt;
use std::time::Duration;

use axum::http::uri::{Scheme, Uri};
use axum::http::{HeaderValue, Method, Request, header};
use serde_json::Value;
use ureq::Agent;

use super::Answer;
use crate::Failure;

/// How long an answer may take. A server waits for its store less long than this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether calls may be below it: HTTP, and a port, if there is one, that can be one.
fn is_base(uri: &Uri) -> bool {
    let is_http = matches!(uri.scheme(), Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    is_http && uri.authority().is_some_and(|at| at.port().is_some() || at.host() == at.as_str())
}

pub(crate) struct Server {
    agent: Agent,
    /// Without a slash at its end.
    base: String,
    /// What the `Authorization` header says.
    authorization: Option<HeaderValue>,
}

impl Server {
    pub(super) fn at(url: &str, token: Option<&str>) -> Result<Self, Failure> {
        if !url.parse().is_ok_and(|uri| is_base(&uri)) || url.contains(['?', '#']) {
            return Err(Failure::usage(format!(
                "--server {url:?} is not the address of a server, such as http://127.0.0.1:7700"
            )));
        }
        let authorization = token.map(|token| {
            let value = HeaderValue::try_from(format!("Bearer {token}"));
            value.map_err(|_| Failure::usage("the token has characters that no token has: is it another file?"))
        });
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            // A server listens at a loopback address, which a proxy would look for on its own machine.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("lastseen/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: config.into(),
            base: url.trim_end_matches('/').to_owned(),
            authorization: authorization.transpose()?,
        })
    }

    pub(super) fn call(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let no_answer = |error: &dyn fmt::Display| Failure::runtime(format!("no answer from {}: {error}", self.base));
        let failed = |error| match error {
            ureq::Error::Io(error) => no_answer(&error),
            error => no_answer(&error),
        };
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let answer = match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string())
                .map_err(|error| no_answer(&error))
                .and_then(|request| self.agent.run(request).map_err(failed)),
            None => request
                .body(())
                .map_err(|error| no_answer(&error))
                .and_then(|request| self.agent.run(request).map_err(failed)),
        };
        let (head, mut body) = answer?.into_parts();
        Ok(Answer { status: head.status, body: body.read_to_vec().map_err(failed)? })
    }
}
