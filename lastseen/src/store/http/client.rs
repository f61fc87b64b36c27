//! Calls to the server: sent, bounded in time and size, and what failed on the way, in words.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::Deserialize;
use tokio::net::TcpStream;
use tower_service::Service;

use super::error::{HttpStoreError, Kind};
use super::target::Target;
use super::wire::Call;
use crate::store::gate::Gate;

/// The most bytes of an answer: more than any store tells at once.
const MOST: usize = 256 * 1024 * 1024;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub connect_timeout: Duration,
    pub timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(5), timeout: Duration::from_secs(10) }
    }
}

/// A server, and the connections to it that are open.
pub(super) struct Client {
    pub target: Arc<Target>,
    limits: Limits,
    gate: Arc<Gate<HttpStoreError>>,
    http: legacy::Client<Connector, Full<Bytes>>,
}

impl Client {
    pub(super) fn new(target: Target, limits: Limits) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(limits.connect_timeout));
        let (gate, tls) = (Arc::new(Gate::new()), target.tls.clone());
        let target = Arc::new(target);
        let connector = Connector { connect: (tcp, tls).into(), gate: Arc::clone(&gate), target: Arc::clone(&target) };
        Self { target, limits, gate, http: legacy::Client::builder(TokioExecutor::new()).build(connector) }
    }

    /// Makes a call. Where there is no answer none may have been needed: what was asked may have been done.
    pub(super) async fn call<C: Call>(&self, question: &C) -> Result<C::Answer, HttpStoreError> {
        let failed = |kind, what: &str| HttpStoreError::new(kind, format!("{} {what} while {}", self.target, C::DOING));
        let body =
            serde_json::to_vec(question).map_err(|error| failed(Kind::Other, "can't be asked").because(error))?;
        let mut request = Request::post(self.target.address_of(C::NAME))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("lastseen/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = &self.target.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::from(body));
        let request = request.map_err(|error| failed(Kind::Invalid, "can't be asked").because(error))?;
        let exchange = async {
            let (head, body) = self.http.request(request).await.map_err(|error| self.lost::<C>(error))?.into_parts();
            let body = Limited::new(body, MOST).collect().await.map_err(|error| {
                self.gate.lost();
                failed(Kind::Unavailable, "ended its answer early").because(error)
            })?;
            Ok((head.status, body.to_bytes()))
        };
        let within = self.limits.timeout;
        let (status, body) = tokio::time::timeout(within, exchange).await.unwrap_or_else(|_| {
            self.gate.lost();
            Err(failed(Kind::Unavailable, &format!("gave no answer within {within:?}")))
        })?;
        if status != StatusCode::OK {
            return Err(self.refused::<C>(status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| {
            failed(Kind::Mismatch, "answers what can't be read, so it is something else or of another version")
                .because(error)
        })
    }

    /// Why there was no answer.
    fn lost<C: Call>(&self, error: legacy::Error) -> HttpStoreError {
        if let Some(error) = error.source().and_then(|error| error.downcast_ref::<HttpStoreError>()) {
            return error.clone();
        }
        self.gate.lost();
        HttpStoreError::new(Kind::Unavailable, format!("{} gave no answer while {}", self.target, C::DOING))
            .because(error)
    }

    /// What the server refused, in its own words where it is one of ours.
    fn refused<C: Call>(&self, status: StatusCode, body: &Bytes) -> HttpStoreError {
        #[derive(Deserialize)]
        struct Problem {
            detail: String,
        }
        let target = &self.target;
        let Ok(Problem { detail }) = serde_json::from_slice(body) else {
            let kind = if status.is_server_error() { Kind::Unavailable } else { Kind::Mismatch };
            let message = format!(
                "what answers for {target} is something else: it says {status} while {}. Is the address right, and \
                 `lastseen serve` running there?",
                C::DOING
            );
            return HttpStoreError::new(kind, message);
        };
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let token = match target.authorization {
                    None => ": name a file with a token of the scope admin by token_file=FILE",
                    Some(_) => "",
                };
                HttpStoreError::new(Kind::Denied, format!("{target} refuses this process: {detail}{token}"))
            }
            StatusCode::NOT_FOUND => HttpStoreError::new(
                Kind::Mismatch,
                format!(
                    "{target} has no such call as {} needs, so it is of another version than {}: {detail}",
                    C::DOING,
                    env!("CARGO_PKG_VERSION")
                ),
            ),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => {
                HttpStoreError::new(Kind::Unavailable, format!("{target} can't serve while {}: {detail}", C::DOING))
            }
            _ => HttpStoreError::new(Kind::Other, format!("{target} answers {status} while {}: {detail}", C::DOING)),
        }
    }
}

/// Connects through the gate, so that a server that comes back isn't met by everybody at once.
#[derive(Clone)]
struct Connector {
    connect: HttpsConnector<HttpConnector>,
    gate: Arc<Gate<HttpStoreError>>,
    target: Arc<Target>,
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = HttpStoreError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, HttpStoreError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), HttpStoreError>> {
        self.connect.poll_ready(context).map_err(|error| unreachable(&self.target, error))
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        // It does nothing until it is polled.
        let connecting = self.connect.call(address);
        let (gate, target) = (Arc::clone(&self.gate), Arc::clone(&self.target));
        Box::pin(
            async move { gate.pass(async { connecting.await.map_err(|error| unreachable(&target, error)) }).await },
        )
    }
}

fn unreachable(target: &Target, error: Box<dyn StdError + Send + Sync>) -> HttpStoreError {
    let (kind, what) = if is_of_tls(&*error) {
        (
            Kind::Mismatch,
            "has no certificate that is trusted for it, or speaks no TLS: name the right ones by cacert=FILE",
        )
    } else if target.is_secure() {
        (Kind::Unavailable, "can't be reached by TLS")
    } else {
        (Kind::Unavailable, "can't be reached")
    };
    HttpStoreError::new(kind, format!("{target} {what}")).because(error)
}

/// Whether TLS itself is at fault, however deep within errors of the system's.
fn is_of_tls(error: &(dyn StdError + 'static)) -> bool {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(within) => is_of_tls(within),
        None => error.is::<rustls::Error>(),
    }
}
