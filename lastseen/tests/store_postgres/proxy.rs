//! What a network does to connections, between the store and its server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Passes everything on, until told otherwise.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    refuses: AtomicBool,
    attempts: AtomicU32,
    loses_answers: AtomicBool,
    lost: AtomicU32,
    delay_micros: AtomicU64,
    cut: Notify,
}

impl Proxy {
    /// In front of a port on this machine.
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let listening = tokio::spawn({
            let shared = shared.clone();
            async move {
                loop {
                    let (client, _) = listener.accept().await.unwrap();
                    shared.attempts.fetch_add(1, Ordering::Relaxed);
                    if !shared.refuses.load(Ordering::Relaxed) {
                        tokio::spawn(connect(client, server, shared.clone()));
                    }
                }
            }
        });
        Self { port, shared, listening }
    }

    /// The URL by which to come here instead.
    pub(crate) fn url(&self, url: &str, server: u16) -> String {
        url.replace(&format!(":{server}/"), &format!(":{}/", self.port))
    }

    /// Ends new connections at once, or serves them.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::Relaxed);
    }

    /// How many connections have been made, those that were refused included.
    pub(crate) fn attempts(&self) -> u32 {
        self.shared.attempts.load(Ordering::Relaxed)
    }

    /// Cuts connections that write when the server answers, or ceases to: the answer is lost.
    pub(crate) fn lose_answers(&self, loses: bool) {
        self.shared.loses_answers.store(loses, Ordering::Relaxed);
    }

    /// How many answers were lost.
    pub(crate) fn lost(&self) -> u32 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Holds each answer back for so long.
    pub(crate) fn delay(&self, delay: Duration) {
        self.shared.delay_micros.store(u64::try_from(delay.as_micros()).unwrap(), Ordering::Relaxed);
    }

    /// Cuts all connections that there are.
    pub(crate) fn cut(&self) {
        self.shared.cut.notify_waiters();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn connect(client: TcpStream, server: u16, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let writes = AtomicBool::new(false);
    let note = |bytes: &[u8]| {
        writes.fetch_or(bytes.windows(11).any(|window| window == b"INSERT INTO"), Ordering::Relaxed);
        Some(Duration::ZERO)
    };
    let answer = |_: &[u8]| {
        if shared.loses_answers.load(Ordering::Relaxed) && writes.load(Ordering::Relaxed) {
            shared.lost.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        writes.store(false, Ordering::Relaxed);
        Some(Duration::from_micros(shared.delay_micros.load(Ordering::Relaxed)))
    };
    // Where one direction ends, both do.
    tokio::select! {
        () = pass_on(from_client, to_server, note) => {}
        () = pass_on(from_server, to_client, answer) => {}
        () = shared.cut.notified() => {}
    }
}

/// Passes on what comes, after so long, until it ends or `delay` says that it is to be cut.
async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: impl Fn(&[u8]) -> Option<Duration>) {
    let mut bytes = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let Some(delay) = delay(&bytes[..length]) else { return };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
