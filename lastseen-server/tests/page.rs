//! The page as it is sent, before any script: looking someone up, and what it says of the server.

mod service;

use std::time::Duration;

use axum::http::StatusCode;
use lastseen::conformance::Fault;
use lastseen_harness::eventually;
use lastseen_server::settings::Settings;
use service::{Answer, Service};

const SOON: Duration = Duration::from_secs(10);

/// What the page says of whoever was looked for, with the tags taken out.
fn found(page: &Answer) -> String {
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let Some((_, rest)) = page.body.split_once("id=\"found\"") else { return String::new() };
    let found = rest.split_once('>').unwrap().1.split("</section>").next().unwrap();
    let texts = found.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text).trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" | ")
}

#[tokio::test]
async fn anyone_can_be_looked_up_by_a_plain_form() {
    let service = Service::start().await;
    service.post("/v1/touch", r#"{"user":"a/b é","ip":"203.0.113.7"}"#).await;
    service.put("/v1/users/a%2Fb%20%C3%A9", r#"{"name":"Ada Lovelace"}"#).await;
    let look_up = async |user: &str| found(&service.get(&format!("/?user={user}")).await);
    assert_eq!(look_up("+a%2Fb+%C3%A9").await, "AL | Ada Lovelace | a/b é | 203.0.113.7 | just now | Online now");
    service.clock.advance(Duration::from_mins(16));
    assert!(look_up("a%2Fb+%C3%A9").await.ends_with("| 16 min ago | Offline"));
    service.post("/v1/touch", r#"{"user":"a/b é"}"#).await;
    service.post("/v1/leave", r#"{"user":"a/b é"}"#).await;
    assert!(look_up("a%2Fb+%C3%A9").await.ends_with("| Signed out just now"));

    assert_eq!(look_up("eve").await, "The user eve was never seen.");
    service.put("/v1/users/a%2Fb%20%C3%A9", r#"{"hidden":true}"#).await;
    assert_eq!(look_up("a%2Fb+%C3%A9").await, "The user a/b é was never seen.", "nor is one who hides");
    assert_eq!(look_up("").await, "");
    assert_eq!(look_up("+").await, "");
    assert!(look_up(&"x".repeat(129)).await.contains("129 bytes"));
    let hostile = service.get("/?user=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(!hostile.body.contains("<script>") && found(&hostile).contains("was never seen"), "{}", hostile.body);
    service.faults.inject(Fault::every());
    assert!(look_up("eve").await.contains("made to fail"));
}

#[tokio::test]
async fn it_says_when_the_store_was_last_written_and_read() {
    let service = Service::start().await;
    let time = |page: &Answer, id: &str| {
        let rest = page.body.split_once(&format!("id=\"{id}\"")).unwrap().1;
        rest.split_once('>').unwrap().1.split('<').next().unwrap().to_owned()
    };
    assert_eq!(time(&service.get("/").await, "flushed"), "not yet");
    service.post("/v1/touch?ack=stored", r#"{"user":"ada"}"#).await;
    service.tracker.flush().await.unwrap();
    service.clock.advance(Duration::from_secs(10));
    let page = service.get("/").await;
    assert_eq!(time(&page, "flushed"), "10 s ago");
    assert!(page.body.contains("<code>sqlite:lastseen.db</code>") && page.body.contains("id=\"health\">Ready"));
}

/// Which parts of the page are there to be seen.
fn seen(page: &Answer) -> Vec<&'static str> {
    let is_seen = |id: &&str| {
        let tag = page.body.split_once(&format!("id=\"{id}\"")).unwrap().1.split_once('>').unwrap().0;
        !tag.ends_with(" hidden")
    };
    ["corner", "wanting", "steps"].into_iter().filter(is_seen).collect()
}

#[tokio::test]
async fn nobody_is_said_to_be_absent_while_the_store_cannot_be_read() {
    let service = Service::start().await;
    assert_eq!(seen(&service.get("/").await), ["steps"]);

    let service = Service::on_dead_store(&Settings::default()).await;
    let page = service.get("/").await;
    assert_eq!(seen(&page), ["corner", "wanting"]);
    assert!(page.body.contains("known to be online"), "{}", page.body);
    let health = page.body.split_once("id=\"health\">").unwrap().1;
    assert!(health.starts_with("The store does not answer: ") && health.contains(".</p>"), "{health}");
    // Who has come since is there, and once the store answers, so is everybody.
    service.post("/v1/touch", r#"{"user":"ada"}"#).await;
    let page = service.get("/").await;
    assert_eq!(seen(&page), ["corner", "wanting"]);
    assert!(page.body.contains("data-user=\"ada\""));
    service.faults.heal();
    let page = eventually(
        SOON,
        async || {
            service.clock.advance(Duration::from_secs(1));
            service.get("/").await
        },
        |page| page.body.contains("online now"),
    )
    .await;
    assert_eq!(seen(&page), ["corner"]);
}

#[tokio::test]
async fn a_name_of_blanks_is_none() {
    let service = Service::start().await;
    service.post("/v1/touch", r#"{"user":"ada"}"#).await;
    service.put("/v1/users/ada", r#"{"name":" \t"}"#).await;
    assert_eq!(found(&service.get("/?user=ada").await), "A | ada | just now | Online now");
    assert_eq!(service.get("/v1/online").await.json()["users"][0]["name"], serde_json::Value::Null);
    assert_eq!(service.get("/v1/users/ada").await.json()["name"], serde_json::Value::Null);
}
