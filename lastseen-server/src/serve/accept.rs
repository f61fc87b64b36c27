//! Accepting connections, within bounds: how many, how slow, and how long they may outlast the end.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use lastseen::http::PeerAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::load::Load;

/// What bounds connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The most connections at once. More wait in the system's queue until one ends.
    pub(super) connections: usize,
    /// How long a client may take to send a request's head, and how long a connection may idle between two.
    pub(super) time_for_head: Duration,
    /// How long a client may take to acknowledge what it is sent, where the system can tell (Linux). One that never reads
    /// would keep its place for ever, and an event client that is gone without a word would, too.
    pub(super) time_to_read: Duration,
    /// How long requests under way may take to finish at the end.
    pub(super) grace: Duration,
}

/// The most bytes that a connection has read or written in advance: a slow client of many events costs no more.
const MOST_BUFFERED: usize = 64 * 1024;

/// How long to wait where the system can't accept, for want of file descriptors for instance.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `end`. Then no more are accepted, idle ones are closed at once, and requests under way may
/// finish, or are cut off: when this returns, none goes on.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    end: impl Future<Output = ()>,
    limits: Limits,
    load: Arc<Load>,
) {
    let mut end = pin!(end);
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let cut_off = CancellationToken::new();
    let next = async || {
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await.ok();
        (accept(&listener).await, place)
    };
    loop {
        let ((stream, peer), place) = tokio::select! {
            connection = next() => connection,
            () = &mut end => break,
        };
        let connection = connections.watch(connection(stream, peer, app.clone(), limits));
        let (cut_off, load) = (cut_off.clone(), Arc::clone(&load));
        load.connected();
        tokio::spawn(async move {
            // A client that hangs up is no fault of ours, and hyper has answered what is.
            if let Some(Err(error)) = cut_off.run_until_cancelled(connection).await
                && error.is_timeout()
            {
                load.was_slow();
            }
            load.ended();
            drop(place);
        });
    }
    drop(listener);
    let mut closed = pin!(connections.shutdown());
    if tokio::time::timeout(limits.grace, &mut closed).await.is_err() {
        tracing::warn!("requests under way were cut off after {:?}", limits.grace);
        cut_off.cancel();
        closed.await;
    }
}

/// The next connection. Errors are those of a connection that is gone already, or of a system short of something.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "can't accept connections");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

/// The system sends no error for a reader that is there and reads nothing; with this it does.
#[cfg(target_os = "linux")]
fn hang_up_when_unread(stream: &TcpStream, after: Duration) {
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(after));
}

#[cfg(not(target_os = "linux"))]
fn hang_up_when_unread(_: &TcpStream, _: Duration) {}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    limits: Limits,
) -> http1::Connection<
    TokioIo<TcpStream>,
    impl hyper::service::Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>,
> {
    // Answers are small and written whole: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    hang_up_when_unread(&stream, limits.time_to_read);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddr(peer));
        app.clone().oneshot(request.map(Body::new))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.time_for_head)
        .max_buf_size(MOST_BUFFERED)
        .serve_connection(TokioIo::new(stream), answer)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::{Notify, oneshot};

    use super::*;

    const TIME: Duration = Duration::from_secs(30);
    const LIMITS: Limits = Limits { connections: 2, time_for_head: TIME, time_to_read: TIME, grace: TIME };

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn a_client_that_never_ends_its_request_s_head_is_hung_up_on() {
        let (listener, address) = listen().await;
        let limits = Limits { time_for_head: Duration::from_millis(20), ..LIMITS };
        let load = Arc::new(Load::default());
        tokio::spawn(serve(listener, Router::new(), pending(), limits, Arc::clone(&load)));
        // The last has its answer, and idles.
        for head in ["", "GET / HTTP/1.1\r\nhost: ", "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"] {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(head.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
        }
        // What is counted after the connection is closed may be so a moment later.
        while load.connections() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(load.ended_as_slow(), 3);
    }

    #[tokio::test]
    async fn a_request_that_never_ends_is_cut_off_at_the_end() {
        let (listener, address) = listen().await;
        let (started, cut_off) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let app = Router::new().route(
            "/",
            get({
                let (started, cut_off) = (Arc::clone(&started), Arc::clone(&cut_off));
                async move || {
                    let _guard = NotifyOnDrop(cut_off);
                    started.notify_one();
                    pending::<()>().await;
                }
            }),
        );
        let (tell, told) = oneshot::channel::<()>();
        let end = async { told.await.unwrap_or_default() };
        let serving = tokio::spawn(serve(
            listener,
            app,
            end,
            Limits { grace: Duration::from_millis(20), ..LIMITS },
            Arc::default(),
        ));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        started.notified().await;
        tell.send(()).unwrap();
        serving.await.unwrap();
        cut_off.notified().await;
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_client_that_never_reads_is_hung_up_on() {
        let (listener, address) = listen().await;
        let cut_off = Arc::new(Notify::new());
        let endless = {
            let cut_off = Arc::clone(&cut_off);
            async move || {
                let guard = NotifyOnDrop(cut_off);
                let chunks = futures_util::stream::repeat_with(move || {
                    let _ = &guard;
                    Ok::<_, Infallible>(axum::body::Bytes::from_static(&[0; 1024]))
                });
                Body::from_stream(chunks)
            }
        };
        let limits = Limits { time_to_read: Duration::from_millis(100), ..LIMITS };
        tokio::spawn(serve(listener, Router::new().route("/", get(endless)), pending(), limits, Arc::default()));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        tokio::time::timeout(TIME, cut_off.notified()).await.unwrap();
    }

    #[tokio::test]
    async fn who_comes_while_all_places_are_taken_waits_for_one() {
        let (listener, address) = listen().await;
        tokio::spawn(serve(listener, Router::new(), pending(), Limits { connections: 1, ..LIMITS }, Arc::default()));
        // An answer without a body ends with its head.
        let ask = async |client: &mut TcpStream| {
            client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(client.read_u8().await.unwrap());
            }
        };
        let mut first = TcpStream::connect(address).await.unwrap();
        ask(&mut first).await;
        let mut second = TcpStream::connect(address).await.unwrap();
        tokio::select! {
            biased;
            () = ask(&mut second) => panic!("answered, though there is no place"),
            () = ask(&mut first) => {}
        }
        drop(first);
        ask(&mut second).await;
    }

    #[tokio::test]
    async fn nothing_under_way_ends_at_once() {
        let (listener, address) = listen().await;
        let _idle = TcpStream::connect(address).await.unwrap();
        serve(listener, Router::new(), ready(()), LIMITS, Arc::default()).await;
    }

    struct NotifyOnDrop(Arc<Notify>);

    impl Drop for NotifyOnDrop {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
}
