//! The intake by syslog, in the running program.

mod program;

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use lastseen_harness::{Http, eventually};
use program::{Place, complaint};

const LINE: &str = r#"<190>Nov 24 03:15:00 web1 nginx: {"user":"ada","ip":"203.0.113.7","uri":"/about"}"#;

async fn is_online(url: &str, user: &str) {
    let http = Http::new(url);
    let path = format!("/v1/users/{user}");
    eventually(Duration::from_secs(10), async || http.get(&path).await.status, |status| *status == 200).await;
}

#[tokio::test]
async fn what_a_web_server_logs_is_online() {
    let place = Place::new();
    let mut server = place.serve(&["--syslog", "127.0.0.1:0"]).await;
    let address = server.announced("taking syslog at ").await;
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(LINE.as_bytes(), address).unwrap();
    is_online(server.url(), "ada").await;
}

#[tokio::test]
async fn so_is_what_comes_by_a_socket_in_the_file_system_which_goes_with_the_server() {
    let place = Place::new();
    let mut server = place.serve(&["--syslog", "unix:syslog.sock"]).await;
    assert_eq!(server.announced("taking syslog at ").await, "unix:syslog.sock");
    let path = place.path().join("syslog.sock");
    UnixDatagram::unbound().unwrap().send_to(LINE.as_bytes(), &path).unwrap();
    is_online(server.url(), "ada").await;
    assert!(server.terminate().await.status.success());
    assert!(!path.exists());
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_before_anything_is_stored() {
    let place = Place::new();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let complaint = complaint(place.run(&["serve", "--listen", "127.0.0.1:0", "--syslog", &address]).await, 1);
    assert!(complaint.contains(&address) && complaint.contains("--syslog"), "{complaint}");
    assert_eq!(place.contents(), []);
}
