//! The store behind a server, with the server in this very process: the suite, what is wrong in words, and TLS.
#![cfg(feature = "http-store")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as OfPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::Listener;
use lastseen::conformance::{Fault, Faulty, Operation};
use lastseen::store::{HttpStoreError, SharedStore};
use lastseen::{HttpStore, MemoryStore, Record, Seen, Store, Timestamp, UserId};
use lastseen_harness::eventually;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const PATIENCE: Duration = Duration::from_secs(20);

const NOW: Timestamp = Timestamp::from_micros(1_795_490_100_123_456);

/// A server of a store, as small as can be; it ends with this value.
struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    async fn of(store: SharedStore) -> Self {
        Self::answering(answering(store)).await
    }

    async fn answering(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { address, task: tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }) }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answering(store: SharedStore) -> Router {
    async fn answer(State(store): State<Arc<SharedStore>>, OfPath(call): OfPath<String>, body: Bytes) -> Response {
        match store.answer(&call, &body).await {
            Ok(Some(answer)) => answer.into_response(),
            Ok(None) => problem(StatusCode::NOT_FOUND, "there is no such call"),
            Err(error) if error.is_invalid() => problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
            Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        }
    }
    Router::new().route("/v1/store/{call}", post(answer)).with_state(Arc::new(store))
}

fn problem(status: StatusCode, detail: &str) -> Response {
    (status, serde_json::json!({ "detail": detail }).to_string()).into_response()
}

fn in_memory() -> SharedStore {
    let store = MemoryStore::new();
    SharedStore::new(store.another(), store.another())
}

fn seen(user: &str) -> Record {
    let user = UserId::new(user).unwrap();
    Record { seen: Some(Seen { at: NOW, ip: "203.0.113.7".parse().ok() }), ..Record::empty(user) }
}

mod suite {
    use super::{Server, in_memory};
    use lastseen::HttpStore;

    lastseen::conformance_tests!({
        let server = Server::of(in_memory()).await;
        async move || HttpStore::connect(&server.url()).await.unwrap()
    });
}

/// Why a call fails at once, though opening the store may have passed it by.
async fn refusal(url: &str) -> HttpStoreError {
    match HttpStore::connect(url).await {
        Ok(store) => store.ready().await.unwrap_err(),
        Err(error) => error,
    }
}

#[tokio::test]
async fn whatever_else_answers_is_told_from_a_server() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = refusal(&format!("http://{nobody}")).await;
    assert!(error.is_unavailable(), "{error:?}");
    assert_eq!(error.to_string(), format!("the lastseen server at http://{nobody} can't be reached"));

    for (status, body, unavailable, says) in [
        (StatusCode::OK, "<html>", false, "answers what can't be read, so it is something else"),
        (StatusCode::NOT_FOUND, "<html>", false, "is something else: it says 404 Not Found"),
        (StatusCode::MOVED_PERMANENTLY, "", false, "is something else: it says 301 Moved Permanently"),
        (StatusCode::BAD_GATEWAY, "<html>", true, "is something else: it says 502 Bad Gateway"),
        (StatusCode::NOT_FOUND, r#"{"detail":"nothing here"}"#, false, "so it is of another version than 0."),
    ] {
        let other = Server::answering(Router::new().fallback(async move || (status, body))).await;
        let error = refusal(&other.url()).await;
        assert_eq!((error.is_mismatch(), error.is_unavailable()), (!unavailable, unavailable), "{error:?}");
        assert!(error.to_string().contains(says) && error.to_string().contains(&other.url()), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_longer_than_told() {
    let silent = Server::answering(Router::new().fallback(async || std::future::pending::<StatusCode>().await)).await;
    let store = HttpStore::builder(&silent.url()).timeout(Duration::from_millis(50)).connect().await.unwrap();
    let error = store.write(&[seen("ada")], NOW).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    assert!(error.to_string().ends_with("gave no answer within 50ms while writing activities"), "{error}");
    let error = HttpStore::builder(&silent.url()).timeout(Duration::ZERO).connect().await.unwrap_err();
    assert!(error.is_invalid() && error.to_string().contains("timeout is 0"), "{error}");
}

#[tokio::test]
async fn the_store_s_own_failure_is_told_in_its_words() {
    let faulty = Faulty::new(MemoryStore::new());
    let server = Server::of(SharedStore::new(faulty.clone(), faulty.inner().another())).await;
    let store = HttpStore::connect(&server.url()).await.unwrap();
    faulty.faults().inject(Fault::every().on(Operation::Write));
    let error = store.write(&[seen("ada")], NOW).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    assert!(error.to_string().contains("can't serve while writing activities: the store failed"), "{error}");
    faulty.faults().heal();
    store.write(&[seen("ada")], NOW).await.unwrap();
    assert_eq!(store.failovers(), 0);
}

/// What a server acknowledged whose store is its memory is gone with it.
#[tokio::test]
async fn rule_12_a_server_that_was_started_anew_counts_as_another() {
    let first = Server::of(in_memory()).await;
    let (address, second) = (first.address, in_memory());
    let store = HttpStore::connect(&first.url()).await.unwrap();
    store.write(&[seen("ada")], NOW).await.unwrap();
    let cursor = store.follow(None).await.unwrap().cursor;
    assert_eq!(store.failovers(), 0);
    drop(first);

    let store_of_second = answering(second);
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let task = tokio::spawn(async move { axum::serve(listener, store_of_second).await.unwrap() });
    let written = async || {
        // The first one's connections may take a moment to end, and so answer still.
        store.write(&[seen("bob")], NOW).await.is_ok().then(|| store.failovers())
    };
    eventually(PATIENCE, written, |failovers| *failovers == Some(1)).await;
    assert!(store.follow(Some(&cursor)).await.unwrap().missed, "a place in the first one's feed says nothing");
    task.abort();
}

#[tokio::test]
async fn the_good_records_of_a_batch_are_taken_and_the_bad_ones_named() {
    let shared = in_memory().addresses(|_| None);
    let batch = br#"{"now": 1795490100123456, "records": [
        {"user": "bob", "at": 1795490100000000},
        {"user": "", "at": 1795490100000000},
        {"user": "ada", "at": 1795490100000001, "ip": "203.0.113.7"},
        {"user": "eve", "at": "noon"},
        {"user": "bob", "left_at": 1795490100000002}
    ]}"#;
    let answer = shared.answer("write", batch).await.unwrap().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    let refused: Vec<_> = answer["refused"].as_array().unwrap().iter().map(|one| one["record"].clone()).collect();
    assert_eq!(refused, [1, 3], "{answer}");
    assert!(answer["refused"][0]["detail"].as_str().unwrap().contains("a user id is empty"), "{answer}");

    let ask = async |user: &str| {
        let question = serde_json::json!({ "user": user }).to_string();
        String::from_utf8(shared.answer("read", question.as_bytes()).await.unwrap().unwrap()).unwrap()
    };
    assert_eq!(ask("bob").await, r#"{"record":{"user":"bob","at":1795490100000000,"left_at":1795490100000002}}"#);
    assert_eq!(ask("ada").await, r#"{"record":{"user":"ada","at":1795490100000001}}"#, "no address is kept here");
    let error = shared.answer("read", b"{}").await.unwrap_err();
    assert!(error.is_invalid() && error.to_string().contains("no question of the call read: missing field `user`"));
}

/// The same server behind TLS.
struct Secure(TcpListener, TlsAcceptor);

impl Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, peer) = self.0.accept().await.unwrap();
            // Who doesn't trust the certificate hangs up.
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

fn authority(directory: &Path, name: &str) -> (CertifiedIssuer<'static, KeyPair>, String) {
    let mut params = CertificateParams::new(vec![name.into()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let path = directory.join(name);
    std::fs::write(&path, authority.pem()).unwrap();
    (authority, path.display().to_string())
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_for_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, our_file) = authority(directory.path(), "ours");
    let (_, other_file) = authority(directory.path(), "others");
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &ours).unwrap();
    let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![certificate.der().clone()], key.into())
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let listener = Secure(listener, Arc::new(config).into());
    let server = tokio::spawn(async move { axum::serve(listener, answering(in_memory())).await.unwrap() });

    let url = |host: &str, roots: &str| format!("https://{host}:{port}?cacert={roots}");
    HttpStore::connect(&url("localhost", &our_file)).await.unwrap().ready().await.unwrap();
    for (host, roots) in [("localhost", &other_file), ("127.0.0.1", &our_file)] {
        let error = refusal(&url(host, roots)).await;
        assert!(error.is_mismatch(), "trying again can't help: {error:?}");
        assert!(error.to_string().contains("has no certificate that is trusted for it"), "{error}");
    }
    server.abort();
}
