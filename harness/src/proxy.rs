//! What a network does to connections, between a program and its server.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Passes everything on to a port of 127.0.0.1, until told otherwise.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    refuses: AtomicBool,
    attempts: AtomicU32,
    /// A part of what the answers to which are lost.
    loses_answers_to: Mutex<Option<&'static str>>,
    lost: AtomicU32,
    delay_micros: AtomicU64,
    cut: Notify,
}

impl Proxy {
    /// In front of a port.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    pub async fn to(server: u16) -> Self {
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

    /// The port here.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL by which to come here instead.
    #[must_use]
    pub fn url(&self, url: &str, server: u16) -> String {
        url.replace(&format!(":{server}/"), &format!(":{}/", self.port))
    }

    /// Ends new connections at once, or serves them.
    pub fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::Relaxed);
    }

    /// How many connections have been made, those that were refused included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.shared.attempts.load(Ordering::Relaxed)
    }

    /// Cuts connections that have sent `part` when the server answers, or ceases to: the answer is lost.
    ///
    /// # Panics
    ///
    /// Where another thread has panicked here.
    pub fn lose_answers(&self, part: Option<&'static str>) {
        *self.shared.loses_answers_to.lock().expect("no panic under the lock") = part;
    }

    /// How many answers were lost.
    #[must_use]
    pub fn lost(&self) -> u32 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Holds each answer back for so long.
    ///
    /// # Panics
    ///
    /// Where it is longer than can be told.
    pub fn delay(&self, delay: Duration) {
        self.shared.delay_micros.store(u64::try_from(delay.as_micros()).unwrap(), Ordering::Relaxed);
    }

    /// Cuts all connections that there are.
    pub fn cut(&self) {
        self.shared.cut.notify_waiters();
    }
}

impl Shared {
    fn part(&self) -> Option<&'static str> {
        *self.loses_answers_to.lock().expect("no panic under the lock")
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
    let is_to_be_lost = AtomicBool::new(false);
    let note = |bytes: &[u8]| {
        let has_part =
            shared.part().is_some_and(|part| bytes.windows(part.len()).any(|window| window == part.as_bytes()));
        is_to_be_lost.fetch_or(has_part, Ordering::Relaxed);
        Some(Duration::ZERO)
    };
    let answer = |_: &[u8]| {
        if is_to_be_lost.load(Ordering::Relaxed) && shared.part().is_some() {
            shared.lost.fetch_add(1, Ordering::Relaxed);
            return None;
        }
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
