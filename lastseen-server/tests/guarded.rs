//! A server with tokens, as a whole program: who reaches it, with what, and what it keeps to itself.

mod program;

use std::fs;

use lastseen_harness::{Http, run};
use program::{Place, complaint, printed};
use serde_json::json;

/// A new token, and its line in the settings, which it is added to.
async fn token(place: &Place, scope: &str) -> String {
    let printed = printed(place.run(&["token", scope, "--scope", scope]).await);
    let lines: Vec<_> = printed.lines().filter(|line| !line.starts_with('#')).collect();
    let [token, setting] = lines[..] else { panic!("{printed}") };
    let line = setting.strip_prefix("tokens = [").and_then(|rest| rest.strip_suffix(']')).unwrap();
    let file = place.path().join("lastseen.toml");
    let before = fs::read_to_string(&file).unwrap_or_else(|_| "tokens = [\n]\n".to_owned());
    fs::write(file, before.replace("\n]", &format!("\n{line},\n]"))).unwrap();
    token.to_owned()
}

/// An address that is no machine's, so that nobody reaches the test: without tokens it is refused before it is tried.
#[tokio::test]
async fn with_tokens_it_may_be_reached_from_other_machines() {
    let place = Place::new();
    let elsewhere = ["serve", "--store", "memory:", "--listen", "203.0.113.1:0"];
    assert!(complaint(place.run(&elsewhere).await, 2).contains("lastseen token"));
    token(&place, "read").await;
    assert!(complaint(place.run(&elsewhere).await, 1).contains("can't listen at 203.0.113.1:0"));
}

#[tokio::test]
async fn commands_show_their_token() {
    let place = Place::new();
    let (write, read, admin) =
        (token(&place, "write").await, token(&place, "read").await, token(&place, "admin").await);
    let server = place.serve(&["--store", "memory:"]).await;
    for (name, token) in [("write", &write), ("read", &read), ("admin", &admin)] {
        fs::write(place.path().join(name), format!("{token}\n")).unwrap();
    }
    let command = async |arguments: &[&str], file: &str| {
        place.run(&[arguments, &["--server", server.url(), "--token-file", file]].concat()).await
    };
    printed(command(&["touch", "ada", "--ip", "203.0.113.7"], "write").await);
    assert_eq!(printed(command(&["count"], "read").await), "1\n");
    assert!(!printed(command(&["seen", "ada"], "read").await).contains("203.0.113.7"));
    assert!(printed(command(&["seen", "ada"], "admin").await).contains("203.0.113.7"));
    assert!(complaint(command(&["forget", "ada"], "write").await, 1).contains("one of the scope admin"));
    printed(command(&["forget", "ada"], "admin").await);
    assert!(complaint(command(&["count"], "nowhere").await, 2).contains("--token-file nowhere"));

    let count = ["count", "--server", server.url()];
    assert_eq!(printed(run(place.command(&count).env("LASTSEEN_TOKEN", &read)).await), "0\n");
    assert!(complaint(place.run(&count).await, 1).contains("needs a token"));
    // Whoever may open the store needs none.
    printed(place.run(&["touch", "ada"]).await);
    assert_eq!(printed(place.run(&["count"]).await), "1\n");
}

#[tokio::test]
async fn no_token_and_no_cookie_gets_into_a_log() {
    let place = Place::new();
    let admin = token(&place, "admin").await;
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--store", "memory:"];
    let server = lastseen_harness::Program::start(place.command(&arguments).env("LASTSEEN_LOG", "trace")).await;
    let http = Http::new(server.url());
    let other = "lastseen_another";
    for token in [admin.as_str(), other] {
        http.get(&format!("/v1/online?token={token}")).await;
        http.get("/v1/online").header("authorization", &format!("Bearer {token}")).await;
        http.post("/v1/touch")
            .header("authorization", &format!("Bearer {token}"))
            .json(&json!({ "user": "ada" }))
            .await;
        http.post("/sign-in").form(&[("token", token)]).await;
    }
    let signed_in = http.post("/sign-in").form(&[("token", &admin)]).await;
    let cookie = signed_in.header("set-cookie").unwrap().split(['=', ';']).nth(1).unwrap();
    assert_eq!(http.get("/v1/online").await.status, 200, "the jar has the cookie");
    let finished = server.terminate().await;
    assert!(finished.stderr.contains("serving"), "{finished:?}");
    for secret in [&admin["lastseen_".len()..], other, cookie] {
        assert!(!finished.stderr.contains(secret) && !finished.stdout.contains(secret), "{secret}: {finished:?}");
    }
    let config = printed(place.run(&["config"]).await);
    assert!(config.contains("admin:admin:") && !config.contains(&admin), "{config}");
}

#[tokio::test]
async fn what_is_no_token_s_line_is_refused_without_being_quoted() {
    let place = Place::new();
    let admin = token(&place, "admin").await;
    let file = place.path().join("lastseen.toml");
    let settings = fs::read_to_string(&file).unwrap();
    let refused = async |settings: String| {
        fs::write(&file, settings).unwrap();
        complaint(place.run(&["serve", "--listen", "127.0.0.1:0"]).await, 2)
    };
    let said = refused(format!("tokens = [\"{admin}\"]")).await;
    assert!(said.contains("tokens (") && said.contains("NAME:SCOPE:SHA256") && !said.contains(&admin), "{said}");
    let line = settings.lines().nth(1).unwrap();
    let said = refused(format!("tokens = [{line} {line}]")).await;
    assert!(said.contains("two of the name \"admin\""), "{said}");
    for (arguments, named) in [
        (&["token", "a b", "--scope", "read"][..], "\"a b\""),
        (&["token", "a", "--scope", "all"], "\"all\" is no scope"),
        (&["token", "a"], "--scope"),
    ] {
        assert!(complaint(Place::new().run(arguments).await, 2).contains(named));
    }
}

#[tokio::test]
async fn a_ticket_key_that_is_none_is_named() {
    let place = Place::new();
    fs::write(place.path().join("key"), "secret").unwrap();
    for (file, named) in [("key", "holds 6 bytes"), ("nowhere", "nowhere")] {
        let said = complaint(place.run(&["serve", "--listen", "127.0.0.1:0", "--ticket-key-file", file]).await, 2);
        assert!(said.contains(named) && !said.contains("secret"), "{said}");
    }
    // Commands on the store itself have no use for it.
    let mut count = place.command(&["count", "--store", "memory:"]);
    assert_eq!(printed(run(count.env("LASTSEEN_TICKET_KEY_FILE", "nowhere")).await), "0\n");
    let guests = complaint(place.run(&["serve", "--guests", "all"]).await, 2);
    assert!(guests.contains("guests (--guests): \"all\"") && guests.contains("names"), "{guests}");
}

#[tokio::test]
async fn a_session_ends_with_the_server() {
    let place = Place::new();
    let read = token(&place, "read").await;
    let serve = async || place.serve(&["--store", "memory:"]).await;
    let server = serve().await;
    let cookie = {
        let answer = Http::new(server.url()).post("/sign-in").form(&[("token", &read)]).await;
        answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    };
    let status = async |url: &str| Http::new(url).get("/v1/online").header("cookie", &cookie).await.status;
    assert_eq!(status(server.url()).await, 200);
    assert!(server.terminate().await.status.success());
    let server = serve().await;
    assert_eq!(status(server.url()).await, 401);
}
