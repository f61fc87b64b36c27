//! A site on a thread of its own, and a client that keeps some connections to it busy.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::measure::{Duel, Time, duel, nanos, thread_time};

/// How many connections a client has; on each the next request waits for the answer.
const CONNECTIONS: usize = 16;

/// What a request costs on two sites.
pub struct Outcome {
    /// The time that passes, of client and server together.
    pub passed: Duel,
    /// The server's own time on a processor.
    pub worked: Duel,
}

/// Two sites that answer the same requests in turns; each round has its own.
pub fn beside(rounds: usize, ours: &mut Site, other: &mut Site, requests: impl Fn(u64) -> Vec<String>) -> Outcome {
    let (mut worked, mut its_worked) = (Vec::new(), Vec::new());
    let passed = duel(
        rounds,
        |round| ours.load(&requests(round), &mut worked),
        |round| other.load(&requests(round), &mut its_worked),
    );
    Outcome { passed, worked: Duel::of(&worked.into_iter().zip(its_worked).collect::<Vec<_>>()) }
}

pub struct Site {
    connections: Vec<TcpStream>,
    /// How long the site has worked so far. The site ends with it.
    worked: Box<dyn Fn() -> Duration>,
}

impl Site {
    pub fn serve(site: Router) -> Result<Self, Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let (address, handle) = (listener.local_addr()?, runtime.handle().clone());
        let (stop, stopped) = oneshot::channel::<()>();
        thread::spawn(move || {
            let site = site.into_make_service_with_connect_info::<SocketAddr>();
            runtime.block_on(async {
                tokio::select! {
                    ended = axum::serve(listener, site) => ended.expect("a loopback listener goes on"),
                    _ = stopped => {}
                }
            });
        });
        Ok(Self::at(address, move || {
            let _is_served = &stop;
            let (send, receive) = mpsc::channel();
            handle.spawn(async move { send.send(thread_time()) });
            receive.recv().expect("the site runs")
        })?)
    }

    /// One that is served already, and ends with what tells how long it has worked.
    pub fn at(address: SocketAddr, worked: impl Fn() -> Duration + 'static) -> io::Result<Self> {
        let connect = || {
            let connection = TcpStream::connect(address)?;
            connection.set_nodelay(true)?;
            Ok::<_, io::Error>(connection)
        };
        let connections = (0..CONNECTIONS).map(|_| connect()).collect::<Result<_, _>>()?;
        Ok(Self { connections, worked: Box::new(worked) })
    }

    /// The nanoseconds that pass a request; those that the server works for it are added to `worked`.
    pub fn load(&mut self, requests: &[String], worked: &mut Vec<f64>) -> f64 {
        let worked_before = (self.worked)();
        let passed = nanos(Time::Wall, || {
            for wave in requests.chunks(CONNECTIONS) {
                // All connections have a request under way at once.
                for (connection, request) in self.connections.iter_mut().zip(wave) {
                    connection.write_all(request.as_bytes()).expect("the site reads");
                }
                for (connection, _) in self.connections.iter_mut().zip(wave) {
                    read_answer(connection);
                }
            }
        });
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
        let requests = requests.len() as f64;
        worked.push((self.worked)().saturating_sub(worked_before).as_secs_f64() * 1e9 / requests);
        passed / requests
    }
}

fn read_answer(connection: &mut TcpStream) {
    let (mut answer, mut length) = ([0; 2048], 0);
    while !is_whole(&answer[..length]) {
        match connection.read(&mut answer[length..]).expect("the site answers") {
            0 => panic!("the site closed the connection after {:?}", String::from_utf8_lossy(&answer[..length])),
            read => length += read,
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 20"), "{:?}", String::from_utf8_lossy(&answer[..length]));
}

/// Whether an answer is there with all of its body.
fn is_whole(answer: &[u8]) -> bool {
    const END_OF_HEAD: &[u8] = b"\r\n\r\n";
    const LENGTH: &[u8] = b"content-length: ";
    let find = |what: &[u8]| answer.windows(what.len()).position(|window| window.eq_ignore_ascii_case(what));
    let Some(head) = find(END_OF_HEAD) else { return false };
    let body = find(LENGTH).map_or(0, |at| {
        let digits = answer[at + LENGTH.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |length, digit| 10 * length + usize::from(digit - b'0'))
    });
    answer.len() >= head + END_OF_HEAD.len() + body
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::routing::get;

    use super::*;

    #[test]
    fn an_answer_is_whole_with_the_last_byte_of_its_body() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nx: y\r\n\r\nhello, world";
        for length in 0..answer.len() {
            assert!(!is_whole(&answer[..length]), "{length}");
        }
        assert!(is_whole(answer));
        assert!(is_whole(b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n"));
    }

    #[test]
    fn every_request_is_answered_by_both_sides() {
        let served = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = {
            let served = served.clone();
            async move || {
                served.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                (StatusCode::ACCEPTED, "taken")
            }
        };
        let site = || Site::serve(Router::new().route("/", get(count.clone()))).unwrap();
        let (mut ours, mut other) = (site(), site());
        let request = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned();
        let outcome = beside(3, &mut ours, &mut other, |_| vec![request.clone(); 2 * CONNECTIONS + 1]);
        // A first, short round is not counted.
        assert_eq!(served.load(std::sync::atomic::Ordering::Relaxed), 4 * 2 * (2 * CONNECTIONS + 1));
        assert!(outcome.passed.ours.median > 0.0 && outcome.worked.peer.median > 0.0);
    }
}
