//! What is promised to the people who are tracked, by the server: who hides isn't there, dates are blurred, erased is erased.

mod program;
mod service;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use lastseen::conformance::{Fault, Operation};
use lastseen::{Activity, UserId};
use lastseen_harness::{Http, eventually};
use program::{Place, complaint, printed};
use serde_json::{Value, json};
use service::{Answer, Event, Listening, Service, settings};

/// The digests of the tokens below, as `lastseen token` prints them.
const TOKENS: [&str; 2] = [
    "board:read:c96b305264700c0897d0214621fb5c3daa6838c89f9e8f386605a6ce5bf135e7",
    "me:admin:5e5328cf861e120d83e2b0aa65c482bf1058785afb5d0eca8572845965dd5c1f",
];
const READ: &str = "lastseen_read";
const ADMIN: &str = "lastseen_admin";
const SECOND: Duration = Duration::from_secs(1);

fn id(user: &str) -> UserId {
    UserId::new(user).unwrap()
}

async fn get(service: &Service, token: &str, path: &str) -> Answer {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    service.send(request.body(Body::empty()).unwrap()).await
}

async fn listen(service: &Service, token: &str, last: Option<&str>) -> Listening {
    let mut request = Request::get("/v1/events").header("authorization", format!("Bearer {token}"));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    service.listen(request.body(Body::empty()).unwrap()).await
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

async fn service(values: Value) -> Service {
    let mut values = values;
    values["tokens"] = json!(TOKENS);
    Service::with(&settings(&values)).await
}

/// Answers but for the name that was asked for.
fn anonymous(answer: &Answer, user: &str) -> (StatusCode, String, String) {
    (answer.status, answer.body.replace(user, "NAME"), format!("{:?}", answer.headers).replace(user, "NAME"))
}

#[tokio::test]
async fn rule_12_who_hides_is_answered_for_as_who_was_never_there_on_every_path() {
    let service = service(json!({ "guests": "names" })).await;
    let hidden = lastseen::Profile::named("Sly Fox").hidden(true);
    for user in ["sly-one", "sly-two"] {
        service.tracker.set_profile(&id(user), hidden.clone()).await.unwrap();
    }
    let mut events = listen(&service, READ, None).await;
    events.next().await;
    service.tracker.touch(&id("sly-one"), None);
    let before = service.tracker.now() - Duration::from_hours(30);
    service.tracker.record(Activity { user: id("sly-two"), at: before, ip: None }).await.unwrap();
    service.tracker.resolve_profiles().await.unwrap();
    service.clock.advance(SECOND);
    assert!(events.is_silent().await, "events don't tell");

    for token in [READ, ADMIN] {
        for path in ["/v1/users/{}", "/?user={}"] {
            let ask = async |user: &str| {
                let calls = service.faults.all_calls();
                let answer = get(&service, token, &path.replace("{}", user)).await;
                (anonymous(&answer, user), service.faults.all_calls() - calls)
            };
            // What the page reads of the past it reads once.
            ask("not-one").await;
            let nobody = ask("not-one").await;
            for user in ["sly-one", "sly-two"] {
                assert_eq!(ask(user).await, nobody, "{path} for {user}, with as many rounds to the store");
            }
        }
        for path in ["/v1/online", "/v1/online?window=1d", "/v1/online/count", "/v1/guest/online", "/"] {
            let answer = get(&service, token, path).await;
            assert!(!answer.body.contains("sly-") && !answer.body.contains("Fox"), "{path}: {}", answer.body);
            assert!(path == "/" || answer.json()["count"] == 0, "{path}: {}", answer.body);
        }
    }
    service.faults.inject(Fault::every().on(Operation::Read));
    let failed = get(&service, READ, "/v1/users/not-one").await;
    let hidden = get(&service, READ, "/v1/users/sly-one").await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((hidden.status, hidden.body), (failed.status, failed.body), "where the store fails, too");
    service.faults.heal();

    service.clock.advance(Duration::from_mins(10));
    service.tracker.flush().await.unwrap();
    let history = get(&service, READ, "/v1/history").await.json();
    assert!(history["spans"].as_array().unwrap().iter().all(|span| span["peak"] == 0), "{history}");
    let metrics = get(&service, READ, "/metrics").await.body;
    assert!(metrics.contains("lastseen_online_users 0\n") && !metrics.contains("Fox"), "{metrics}");
}

#[tokio::test]
async fn dates_are_blurred_for_all_but_administrators() {
    let service = service(json!({ "dates": "hour", "guests": "names" })).await;
    let exact = "2026-11-24T03:15:00Z";
    for user in ["zoe", "ada", "left"] {
        service.tracker.touch(&id(user), None);
        service.clock.advance(SECOND);
    }
    service.tracker.leave(&id("left"));

    let of = |answer: &Answer| answer.json()["last_activity_date"].clone();
    assert_eq!(of(&get(&service, ADMIN, "/v1/users/zoe").await), exact);
    assert_eq!(of(&get(&service, READ, "/v1/users/zoe").await), "2026-11-24T03:00:00Z");
    assert_eq!(get(&service, READ, "/v1/users/left").await.json()["left_at"], "2026-11-24T03:00:00Z");
    assert_eq!(get(&service, ADMIN, "/v1/users/left").await.json()["left_at"], "2026-11-24T03:15:03Z");
    let page = get(&service, READ, "/?user=zoe").await.body;
    let found = page.split_once("id=\"found\"").unwrap().1.split_once("</section>").unwrap().0;
    assert!(found.contains("15 min ago") && !found.contains("03:15:"), "{found}");

    let list = |answer: &Answer| {
        let users = answer.json()["users"].clone();
        users.as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(&get(&service, ADMIN, "/v1/online").await), ["ada", "zoe"], "newest first");
    assert_eq!(list(&get(&service, READ, "/v1/online").await), ["ada", "zoe"]);
    service.tracker.touch(&id("zoe"), None);
    assert_eq!(list(&get(&service, ADMIN, "/v1/online?limit=1").await), ["zoe"]);
    assert_eq!(list(&get(&service, READ, "/v1/online?limit=1").await), ["ada"], "the order tells nothing either");
    for path in ["/v1/online?window=1m", "/v1/online/count?window=1m"] {
        let detail = get(&service, READ, path).await.problem(StatusCode::FORBIDDEN);
        assert!(detail.contains("`dates`") && detail.contains("hour"), "{detail}");
        assert_eq!(get(&service, ADMIN, path).await.status, StatusCode::OK);
    }
    assert_eq!(get(&service, READ, "/v1/online?window=15m").await.status, StatusCode::OK, "the usual one is as none");
}

/// The store and the look for a profile may take longer of the one than of the other, so the answer doesn't wait for them alone.
#[tokio::test(start_paused = true)]
async fn rule_12_that_somebody_was_never_seen_is_said_at_a_moment_set_beforehand() {
    let service = service(json!({})).await;
    service.tracker.set_profile(&id("eve"), lastseen::Profile::new().hidden(true)).await.unwrap();
    service.tracker.touch(&id("eve"), None);
    service.tracker.touch(&id("ada"), None);
    for path in ["/v1/users/", "/?user="] {
        let mut took = Vec::new();
        for user in ["eve", "nobody", "ada"] {
            let asked = tokio::time::Instant::now();
            get(&service, READ, &format!("{path}{user}")).await;
            took.push(asked.elapsed().as_millis());
        }
        assert_eq!(took, [10, 10, 0], "{path}");
    }
}

#[tokio::test]
async fn a_stream_of_blurred_dates_tells_who_comes_and_goes_and_not_who_has_just_been_active() {
    let service = service(json!({ "dates": "hour", "guests": "names" })).await;
    for user in ["ada", "zoe"] {
        service.tracker.set_profile(&id(user), lastseen::Profile::named(user)).await.unwrap();
        service.tracker.touch(&id(user), None);
    }
    service.tracker.resolve_profiles().await.unwrap();
    let (mut admin, mut reader) = (listen(&service, ADMIN, None).await, listen(&service, READ, None).await);
    let mut guest = service.listen(Request::get("/v1/guest/events").body(Body::empty()).unwrap()).await;
    admin.next().await;
    guest.next().await;
    let snapshot = reader.next().await.remove(0);
    assert_eq!(snapshot.data["users"][1]["last_activity_date"], "2026-11-24T03:00:00Z");

    service.clock.advance(SECOND);
    service.tracker.touch(&id("zoe"), None);
    service.clock.advance(SECOND);
    assert_eq!(names(&admin.next().await), ["active", "count"]);
    assert!(reader.is_silent().await && guest.is_silent().await);

    service.tracker.touch(&id("eve"), None);
    service.clock.advance(SECOND);
    assert_eq!(names(&admin.next().await), ["online", "count"]);
    let events = reader.next().await;
    assert_eq!((names(&events), &events[0].data["count"]), (vec!["snapshot"], &json!(3)));
    let again = listen(&service, READ, snapshot.id.as_deref()).await.next().await;
    assert_eq!(again[0].data["count"], 3, "whoever comes back goes on past what there was nothing to tell of");
}

/// Batches name people, and wait for clients who come back.
#[tokio::test]
async fn who_was_erased_is_told_of_to_no_client_that_comes_back_a_minute_later() {
    let service = service(json!({})).await;
    let mut client = listen(&service, ADMIN, None).await;
    let first = client.next().await.remove(0).id.unwrap();
    service.tracker.touch(&id("ada"), "203.0.113.7".parse().ok());
    service.clock.advance(SECOND);
    client.next().await;
    service.tracker.forget(&id("ada")).await.unwrap();
    for _ in 0..66 {
        service.clock.advance(SECOND);
        let _ = client.is_silent().await;
    }
    let mut again = listen(&service, ADMIN, Some(&first)).await;
    let told = again.next().await;
    assert_eq!((names(&told), &told[0].data["users"]), (vec!["snapshot"], &json!([])));
}

#[tokio::test]
async fn an_export_is_all_that_is_known_and_after_an_erasure_nothing() {
    let service = service(json!({})).await;
    let hidden = lastseen::Profile::named("Ada").hidden(true);
    service.tracker.set_profile(&id("a/b"), hidden).await.unwrap();
    service.tracker.touch(&id("a/b"), "203.0.113.7".parse().ok());
    service.tracker.flush().await.unwrap();
    let path = "/v1/users/a%2Fb/export";
    let known = get(&service, ADMIN, path).await.json();
    assert_eq!(
        known,
        json!({
            "as_of": "2026-11-24T03:15:00Z",
            "user": "a/b",
            "last_activity_date": "2026-11-24T03:15:00Z",
            "last_activity_ip": "203.0.113.7",
            "left_at": null,
            "profile": { "name": "Ada", "active": true, "hidden": true },
            "active_days": ["2026-11-24"],
        })
    );
    let nobody = get(&service, READ, "/v1/users/nobody/export").await;
    let hidden = get(&service, READ, path).await;
    assert_eq!((nobody.status, &nobody.body), (StatusCode::FORBIDDEN, &hidden.body), "it tells nobody else of anyone");

    service.tracker.forget(&id("a/b")).await.unwrap();
    let detail = get(&service, ADMIN, path).await.problem(StatusCode::NOT_FOUND);
    assert_eq!(detail, "nothing is known of the user a/b");
}

#[tokio::test]
async fn the_program_lets_go_of_addresses_exports_and_erases() {
    let place = Place::new();
    let server = place.serve(&["--keep-addresses", "200ms"]).await;
    let http = Http::new(server.url());
    let touch = json!({ "user": "ada", "ip": "203.0.113.7" });
    assert_eq!(http.post("/v1/touch?ack=stored").json(&touch).await.status, 200);
    let export = ["export", "ada", "--server", server.url()];
    let known = async || serde_json::from_str::<Value>(&printed(place.run(&export).await)).unwrap();
    let without = eventually(Duration::from_secs(10), known, |known| known["last_activity_ip"].is_null()).await;
    assert!(without["last_activity_date"].is_string(), "{without}");
    server.terminate().await;

    let straight = printed(place.run(&["export", "ada"]).await);
    assert_eq!(serde_json::from_str::<Value>(&straight).unwrap()["last_activity_ip"], Value::Null, "nor in the store");
    printed(place.run(&["forget", "ada"]).await);
    assert!(complaint(place.run(&["export", "ada"]).await, 1).contains("nothing is known of the user ada"));
}
