//! Many who listen to a whole program, and its end under them.

mod program;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use lastseen_harness::{Http, Program, eventually};
use program::Place;
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
