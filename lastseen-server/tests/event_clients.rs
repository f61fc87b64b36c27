//! Many who listen to a whole program, and its end under them.

mod program;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use lastseen_harness::{Http, Program, eventually};
use program::Place;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

/// A connection that listens to events.
struct Client(BufReader<TcpStream>);

impl Client {
    fn of(server: &Program) -> Self {
        let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(b"GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        Self(BufReader::new(stream))
    }

    /// Reads on until a user of this id is told of, and gives how many bytes that took.
    fn reads_of(&mut self, user: &str) -> usize {
        let (mut line, mut bytes) = (String::new(), 0);
        let wanted = format!("\"user\":\"{user}\"");
        while !line.contains(&wanted) {
            line.clear();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the stream has ended");
            bytes += line.len();
        }
        bytes
    }

    /// The data of the next event of this name.
    fn next(&mut self, event: &str) -> Value {
        let mut line = String::new();
        let mut name = String::new();
        loop {
            line.clear();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the stream has ended");
            if let Some(text) = line.strip_prefix("event: ") {
                text.trim_end().clone_into(&mut name);
            }
            if let Some(data) = line.strip_prefix("data: ").filter(|_| name == event) {
                return serde_json::from_str(data).unwrap();
            }
        }
    }

    /// What is left of the stream, to its end.
    fn rest(mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
    }
}

#[tokio::test]
async fn sigterm_with_200_open_streams_ends_well_and_soon() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let mut clients: Vec<_> = (0..200).map(|_| Client::of(&server)).collect();
    for client in &mut clients {
        assert_eq!(client.next("snapshot")["count"], 0);
    }
    let touch = json!({ "user": "ada" });
    assert_eq!(Http::new(server.url()).post("/v1/touch").json(&touch).await.status, 202);
    for client in &mut clients {
        assert_eq!(client.next("online")["users"][0]["user"], "ada");
    }
    let finished = server.terminate().await;
    assert!(finished.status.success(), "{finished:?}");
    assert!(finished.took < Duration::from_secs(5), "{finished:?}");
    assert!(!finished.stderr.contains("cut off"), "each stream is ended, none is cut off: {finished:?}");
    for client in clients {
        assert!(client.rest().ends_with("0\r\n\r\n"), "the last chunk says that it is the last");
    }
    let server = place.serve(&[]).await;
    assert_eq!(Http::new(server.url()).get("/v1/online/count").await.json()["count"], 1, "nothing is lost");
}

#[tokio::test]
async fn who_never_reads_takes_nothing_from_the_others_nor_holds_up_the_end() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:", "--event-clients", "40"]).await;
    let idle: Vec<_> = (0..39).map(|_| Client::of(&server)).collect();
    let mut client = Client::of(&server);
    client.next("snapshot");
    let http = Http::new(server.url());
    eventually(Duration::from_secs(5), async || http.get("/v1/events").await.status, |status| *status == 503).await;
    for user in ["ada", "bob"] {
        http.post("/v1/touch").json(&json!({ "user": user })).await;
        assert_eq!(client.next("online")["users"][0]["user"], user);
    }
    drop(client);
    let finished = server.terminate().await;
    assert!(finished.status.success() && finished.took < Duration::from_secs(5), "{finished:?}");
    drop(idle);
}

/// How many listen, how many never read, how many touches there are between two batches, and how many batches.
struct Load {
    clients: usize,
    deaf: usize,
    touches: usize,
    batches: usize,
}

/// All of it takes a minute where tests aren't optimised, so a part stands for it unless it is asked for.
fn load() -> Load {
    if std::env::var_os("LASTSEEN_TEST_FULL").is_some() {
        Load { clients: 1_000, deaf: 100, touches: 10_000, batches: 20 }
    } else {
        Load { clients: 200, deaf: 20, touches: 2_000, batches: 3 }
    }
}

/// Lets this process open as many files as the system allows.
fn allow_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

/// The memory that a process has, and the most that it ever had, in MiB.
fn memory(process: &Program) -> [usize; 2] {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    ["VmRSS:", "VmHWM:"].map(|name| {
        let value = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        value.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
    })
}

/// Touches come as fast as the server takes them, and as many as are said between two batches, of which there is one a
/// second: so nothing here hangs on how fast the machine is.
#[tokio::test]
async fn all_who_read_get_every_batch_and_memory_is_bounded_however_many_touches_there_are() {
    allow_files();
    let load = load();
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    let http = Http::new(server.url());
    let mut clients: Vec<_> = (0..load.clients).map(|_| Client::of(&server)).collect();
    let deaf: Vec<_> = (0..load.deaf).map(|_| Client::of(&server)).collect();
    for client in &mut clients {
        client.next("snapshot");
    }
    let mut before = None;
    for batch in 0..load.batches {
        let last = format!("last of {batch}");
        let users = (1..load.touches).map(|touch| format!("{}", (touch * 7919 + batch) % (load.touches / 2)));
        let lines = users.map(|user| json!({ "user": user }).to_string() + "\n");
        let answer = http.post("/v1/touch").body("application/x-ndjson", lines.collect::<String>()).await;
        assert_eq!((answer.status, &answer.json()["accepted"]), (202, &json!(load.touches - 1)));
        // Those of one body are of one moment, and nobody among them is the newest.
        assert_eq!(http.post("/v1/touch").json(&json!({ "user": last })).await.status, 202);
        for client in &mut clients {
            let bytes = client.reads_of(&last);
            assert!(bytes < 64 * 1024, "{bytes} bytes for a batch");
        }
        before.get_or_insert_with(|| memory(&server));
    }
    let metrics = http.get("/metrics").await.text().to_owned();
    assert!(metrics.contains(&format!("lastseen_event_clients {}\n", load.clients + load.deaf)), "{metrics}");
    assert!(metrics.contains(&format!("lastseen_touches_total {}\n", load.touches * load.batches)), "{metrics}");
    let (now, before) = (memory(&server), before.unwrap());
    assert!(now[0] < before[0] + 32 && now[1] < 256, "{before:?} MiB after a batch, {now:?} after all");
    drop((clients, deaf));
    assert!(server.terminate().await.status.success());
}
