//! axum with the layer beside axum without it.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;

use axum::Router;
use axum::routing::get;
use http::request::Parts;
use lastseen::{LastActivityLayer, SkipRules, UserId};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tower::layer::util::Identity;

use super::Rows;
use crate::contender::Contender;
use crate::measure::{Duel, Time, duel, nanos, thread_time};
use crate::options::{Extent, Options};
use crate::ours::Lastseen;
use crate::population::{Ids, Pick, Population};
use crate::report::{Row, Unit};

const WORK: &str = "axum, a request";

/// How many connections a client has; on each the next request waits for the answer.
const CONNECTIONS: usize = 16;

pub fn run(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    if !options.wants(WORK) {
        return Ok(());
    }
    let (rounds, requests) = match options.extent() {
        Extent::Quick => (7, 5_000),
        Extent::Usual | Extent::Full => (25, 40_000),
    };
    let population = Population { ids: Ids::Decimal, users: 10_000 };
    let ours = Lastseen::filled(population);
    let skip = SkipRules::new([r"^static/", r"\.(png|css|js)$"])?;
    let layer = LastActivityLayer::new(ours.tracker.clone(), signed_in).skip(skip);

    let mut with = Site::serve(site().layer(layer))?;
    let others = [
        ("axum without the layer", site(), Some(0.97)),
        // What axum itself takes for having a layer: it boxes the service and its future.
        ("axum with a layer that does nothing", site().layer(Identity::new()), None),
    ];
    for (name, other, goal) in others {
        let mut other = Site::serve(other)?;
        let (mut worked, mut its_worked) = (Vec::new(), Vec::new());
        let passed = duel(
            rounds,
            |round| {
                ours.settle();
                with.load(population, requests, round, &mut worked)
            },
            |round| other.load(population, requests, round, &mut its_worked),
        );
        let worked = Duel::of(&worked.into_iter().zip(its_worked).collect::<Vec<_>>());
        for (what, time, duel) in [("", Time::Wall, passed), (": the server's CPU time", Time::Cpu, worked)] {
            let (work, peer, unit) = (format!("{WORK}{what}"), name.to_owned(), Unit::Time(time));
            rows.push(Row { work, users: population.users, peer, unit, duel, goal });
        }
    }
    Ok(())
}

/// A page that costs next to nothing, so that the layer is as great a part of a request as it can be.
fn site() -> Router {
    Router::new().route("/questions/{id}", get(async || "hello"))
}

/// Who sent a request, by a cookie.
fn signed_in(request: &Parts) -> Option<UserId> {
    request.headers.get("cookie")?.to_str().ok()?.strip_prefix("user=")?.parse().ok()
}

/// A site on a thread of its own, and connections to it.
struct Site {
    connections: Vec<TcpStream>,
    runtime: Handle,
    // Ends the site.
    _stop: oneshot::Sender<()>,
}

impl Site {
    fn serve(site: Router) -> Result<Self, Box<dyn Error>> {
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
        let connect = || {
            let connection = TcpStream::connect(address)?;
            connection.set_nodelay(true)?;
            Ok::<_, std::io::Error>(connection)
        };
        let connections = (0..CONNECTIONS).map(|_| connect()).collect::<Result<_, _>>()?;
        Ok(Self { connections, runtime: handle, _stop: stop })
    }

    /// The nanoseconds that pass a request; those that the server's thread works for it are added to `worked`.
    fn load(&mut self, population: Population, requests: usize, round: u64, worked: &mut Vec<f64>) -> f64 {
        let rendered: Vec<String> = population
            .requests(Pick::Uniform, requests, round)
            .iter()
            .map(|(id, _)| format!("GET /questions/17 HTTP/1.1\r\nhost: localhost\r\ncookie: user={id}\r\n\r\n"))
            .collect();
        let worked_before = self.worked();
        let passed = nanos(Time::Wall, || {
            for wave in rendered.chunks(CONNECTIONS) {
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
        let requests = requests as f64;
        worked.push((self.worked() - worked_before) / requests);
        passed / requests
    }

    /// How long the server's thread has worked so far, in nanoseconds.
    fn worked(&self) -> f64 {
        let (send, receive) = std::sync::mpsc::channel();
        self.runtime.spawn(async move { send.send(thread_time()) });
        receive.recv().expect("the site runs").as_secs_f64() * 1e9
    }
}

fn read_answer(connection: &mut TcpStream) {
    let (mut answer, mut length) = ([0; 1024], 0);
    while !answer[..length].ends_with(b"hello") {
        match connection.read(&mut answer[length..]).expect("the site answers") {
            0 => panic!("the site closed the connection after {:?}", String::from_utf8_lossy(&answer[..length])),
            read => length += read,
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{:?}", String::from_utf8_lossy(&answer[..length]));
}
