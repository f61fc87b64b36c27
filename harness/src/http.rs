//! A small HTTP client with a cookie jar, for tests of servers.

use std::pin::Pin;

use http::request::Builder;
use http::{HeaderMap, Method};
use serde_json::Value;
use ureq::Agent;

use crate::patience::PATIENCE;

/// One visitor of a server: a base address and a cookie jar, which clones share.
///
/// Redirects are answers like any other and aren't followed, and the environment's proxies are ignored.
#[derive(Clone, Debug)]
pub struct Http {
    base: String,
    agent: Agent,
}

impl Http {
    /// A visitor with an empty jar; `base` is such as `http://127.0.0.1:40123`.
    pub fn new(base: impl Into<String>) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build();
        Self { base: base.into(), agent: config.into() }
    }

    /// GET of `/path?query`.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// POST to `/path?query`.
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// PUT to `/path?query`.
    pub fn put(&self, path: &str) -> Request {
        self.request(Method::PUT, path)
    }

    /// DELETE of `/path?query`.
    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    /// Any other method.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let head = Builder::new().method(method).uri(format!("{}{path}", self.base));
        Request { agent: self.agent.clone(), head, body: Vec::new() }
    }
}

/// A request, sent when it is awaited.
///
/// # Panics
///
/// When awaited, where it can't be sent or isn't answered within 30 seconds. Any answer is fine, whatever its status.
#[derive(Debug)]
#[must_use = "a request is sent when it is awaited"]
pub struct Request {
    agent: Agent,
    head: Builder,
    body: Vec<u8>,
}

impl Request {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head = self.head.header(name, value);
        self
    }

    /// Sets the body and its content type.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sets a JSON body.
    pub fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// Sets the body that a browser would send for a form.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", encoded)
    }
}

impl IntoFuture for Request {
    type Output = Response;
    type IntoFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

    /// Sends it on a thread beside the runtime's, so that the server may run on the same one.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { agent, head, body } = self;
            let request = head.body(body).expect("a path, header names and values that HTTP allows");
            let what = format!("{} {}", request.method(), request.uri());
            match tokio::task::spawn_blocking(move || send(&agent, request)).await.expect("sending doesn't panic") {
                Ok(response) => response,
                Err(error) => panic!("{what}: {error}"),
            }
        })
    }
}

fn send(agent: &Agent, request: http::Request<Vec<u8>>) -> Result<Response, ureq::Error> {
    // Not every method may have a body, be it an empty one.
    let answer = if request.body().is_empty() { agent.run(request.map(drop)) } else { agent.run(request) }?;
    let (head, mut body) = answer.into_parts();
    Ok(Response { status: head.status.as_u16(), headers: head.headers, body: body.read_to_vec()? })
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Response {
    /// A header's value, where it has that header, in ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// When it isn't UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(error) => panic!("the body of the answer {self:?} is no text: {error}"),
        }
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it isn't JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("status {}, and a body that is no JSON ({error}): {}", self.status, self.text()),
        }
    }
}
