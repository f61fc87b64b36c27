//! `GET /v1/events`: what clients are told, in what order, and what becomes of those who are late or many.

mod service;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use service::{Event, Listening, Service, settings};

const SECOND: Duration = Duration::from_secs(1);

fn events() -> Request<Body> {
    Request::get("/v1/events").body(Body::empty()).unwrap()
}

fn events_after(id: &str) -> Request<Body> {
    Request::get("/v1/events").header("last-event-id", id).body(Body::empty()).unwrap()
}

async fn touch(service: &Service, user: &str) {
    service.post("/v1/touch", &json!({ "user": user }).to_string()).await;
}

async fn touch_all(service: &Service, users: impl IntoIterator<Item = u32>) {
    let lines: Vec<_> = users.into_iter().map(|user| json!({ "user": user }).to_string()).collect();
    assert_eq!(service.post("/v1/touch", &lines.join("\n")).await.status, StatusCode::ACCEPTED);
}

/// A client that has had its snapshot.
async fn listening(service: &Service) -> Listening {
    let mut client = service.listen(events()).await;
    assert_eq!(client.next().await[0].name, "snapshot");
    client
}

/// The batch of the next second: each event's name, and whom it names, or how many there are.
async fn batch(service: &Service, client: &mut Listening) -> Vec<(String, Value)> {
    service.clock.advance(SECOND);
    told(client.next().await)
}

fn told(events: Vec<Event>) -> Vec<(String, Value)> {
    let user = |user: &Value| user.get("user").unwrap_or(user).clone();
    let whom = |data: &Value| match data["users"].as_array() {
        Some(users) => users.iter().map(user).collect(),
        None => data["count"].clone(),
    };
    events.into_iter().map(|event| (event.name.clone(), whom(&event.data))).collect()
}

fn count(count: u64) -> (String, Value) {
    ("count".to_owned(), json!(count))
}

fn of(event: &str, users: &[&str]) -> (String, Value) {
    (event.to_owned(), json!(users))
}

#[tokio::test]
async fn a_snapshot_comes_first_and_then_who_comes_and_goes() {
    let service = Service::start().await;
    service.post("/v1/touch", r#"{"user":"ada","ip":"203.0.113.7"}"#).await;
    let mut client = service.listen(events()).await;
    let snapshot = client.next().await.remove(0);
    assert_eq!((snapshot.name.as_str(), &snapshot.data), ("snapshot", &service.get("/v1/online").await.json()));

    touch(&service, "bob").await;
    service.clock.advance(SECOND);
    let events = client.next().await;
    let names: Vec<_> = events.iter().map(|event| (event.name.as_str(), event.id.is_some())).collect();
    // Only the last has an id: who is cut off before it gets the batch again.
    assert_eq!(names, [("online", false), ("count", true)]);
    assert_eq!(
        events[0].data["users"],
        json!([{
            "user": "bob", "name": null, "last_activity_date": "2026-11-24T03:15:00Z", "last_activity_ip": null,
        }])
    );
    assert_eq!(events[1].data, json!({ "as_of": "2026-11-24T03:15:01Z", "window_seconds": 900, "count": 2 }));

    service.post("/v1/leave", r#"{"user":"ada"}"#).await;
    assert_eq!(batch(&service, &mut client).await, [of("offline", &["ada"]), count(1)]);

    // The tracker notices by itself, within a second.
    service.clock.advance(Duration::from_mins(16));
    let mut batches = told(client.next().await);
    batches.extend(batch(&service, &mut client).await);
    assert!(batches.contains(&of("offline", &["bob"])) && batches.ends_with(&[count(0)]), "{batches:?}");
}

#[tokio::test]
async fn whoever_stays_is_told_with_the_new_date_and_nobody_leaves_or_joins_by_a_reload() {
    let service = Service::start().await;
    touch(&service, "ada").await;
    touch(&service, "bob").await;
    let mut client = listening(&service).await;
    service.clock.advance(SECOND);
    assert!(client.is_silent().await, "nothing has changed");
    touch(&service, "ada").await;
    assert_eq!(batch(&service, &mut client).await, [of("active", &["ada"]), count(2)]);
    // Some sites sign out when a page is left, and in again when it is back.
    service.post("/v1/leave", r#"{"user":"bob"}"#).await;
    service.clock.advance(Duration::from_millis(100));
    touch(&service, "bob").await;
    assert_eq!(batch(&service, &mut client).await, [of("active", &["bob"]), count(2)]);
    // A new name changes the list, too.
    service.put("/v1/users/bob", r#"{"name":"Bob"}"#).await;
    service.clock.advance(SECOND);
    let events = client.next().await;
    assert_eq!((events[0].name.as_str(), &events[0].data["users"][0]["name"]), ("active", &json!("Bob")));
}

#[tokio::test]
async fn many_touches_within_a_second_are_one_batch() {
    let service = Service::start().await;
    let mut client = listening(&service).await;
    for _ in 0..100 {
        touch(&service, "ada").await;
    }
    assert!(client.is_silent().await);
    assert_eq!(batch(&service, &mut client).await, [of("online", &["ada"]), count(1)]);
    assert!(client.is_silent().await);
}

#[tokio::test]
async fn rule_12_who_hides_is_not_told_of() {
    let service = Service::start().await;
    let mut client = listening(&service).await;
    // Before the first touch, right after it, and long after.
    service.put("/v1/users/ada", r#"{"hidden":true}"#).await;
    touch(&service, "ada").await;
    touch(&service, "bob").await;
    service.put("/v1/users/bob", r#"{"hidden":true}"#).await;
    service.clock.advance(SECOND);
    assert!(client.is_silent().await);

    touch(&service, "eve").await;
    assert_eq!(batch(&service, &mut client).await, [of("online", &["eve"]), count(1)]);
    service.put("/v1/users/eve", r#"{"hidden":true}"#).await;
    assert_eq!(batch(&service, &mut client).await, [of("offline", &["eve"]), count(0)]);
    touch(&service, "eve").await;
    service.clock.advance(SECOND);
    assert!(client.is_silent().await);
}

#[tokio::test]
async fn a_client_that_comes_back_goes_on_where_it_was() {
    let service = Service::start().await;
    let mut client = listening(&service).await;
    touch(&service, "ada").await;
    service.clock.advance(SECOND);
    let id = client.next().await.pop().unwrap().id.unwrap();
    for user in ["bob", "eve"] {
        touch(&service, user).await;
        batch(&service, &mut client).await;
    }
    let mut again = service.listen(events_after(&id)).await;
    assert_eq!(told(again.next().await), [of("online", &["bob"]), count(2)]);
    assert_eq!(told(again.next().await), [of("online", &["eve"]), count(3)]);
    assert!(again.is_silent().await);
    touch(&service, "zoe").await;
    assert_eq!(batch(&service, &mut again).await, [of("online", &["zoe"]), count(4)]);

    let (run, number) = id.split_once('-').unwrap();
    for id in [&format!("x{run}-{number}"), &format!("{run}-99"), run, "", "-", "nonsense"] {
        let mut other = service.listen(events_after(id)).await;
        assert_eq!(other.next().await[0].name, "snapshot", "{id:?}");
    }
}

#[tokio::test]
async fn a_client_that_is_too_late_begins_anew_and_one_that_just_is_not_does_not() {
    let service = Service::start().await;
    let mut client = service.listen(events()).await;
    let first = client.next().await.remove(0).id.unwrap();
    for number in 0..64 {
        touch(&service, &number.to_string()).await;
        batch(&service, &mut client).await;
    }
    let mut late = service.listen(events_after(&first)).await;
    assert_eq!(told(late.next().await), [of("online", &["0"]), count(1)]);
    touch(&service, "one too many").await;
    batch(&service, &mut client).await;
    let mut too_late = service.listen(events_after(&first)).await;
    let snapshot = too_late.next().await.remove(0);
    assert_eq!((snapshot.name.as_str(), &snapshot.data["count"]), ("snapshot", &json!(65)));
    assert!(too_late.is_silent().await);
}

/// What isn't read waits in the ring, which all share, and never more of it than that holds.
#[tokio::test]
async fn a_client_that_does_not_read_costs_nothing_and_begins_anew() {
    let service = Service::start().await;
    let (mut slow, mut client) = (listening(&service).await, listening(&service).await);
    for number in 0..100 {
        touch(&service, &number.to_string()).await;
        batch(&service, &mut client).await;
    }
    let missed = slow.next().await;
    assert_eq!((missed[0].name.as_str(), &missed[0].data["count"]), ("snapshot", &json!(100)));
    touch(&service, "next").await;
    assert_eq!(batch(&service, &mut slow).await, [of("online", &["next"]), count(101)]);
}

#[tokio::test]
async fn when_a_crowd_comes_at_once_the_batch_is_a_snapshot_of_bounded_size() {
    let service = Service::start().await;
    let mut client = listening(&service).await;
    touch_all(&service, 0..100).await;
    service.clock.advance(SECOND);
    let events = client.next().await;
    assert_eq!((events[0].name.as_str(), events[0].data["users"].as_array().unwrap().len()), ("online", 100));
    for range in [100..201, 1000..6000] {
        touch_all(&service, range).await;
        service.clock.advance(SECOND);
        let events = client.next().await;
        assert_eq!((events.len(), events[0].name.as_str()), (1, "snapshot"));
        assert_eq!(events[0].data["users"].as_array().unwrap().len(), 50);
    }
}

#[tokio::test]
async fn a_silent_server_says_every_15_seconds_that_it_is_there() {
    let service = Service::start().await;
    let mut client = listening(&service).await;
    for _ in 0..14 {
        service.clock.advance(SECOND);
        assert!(client.is_silent().await);
    }
    service.clock.advance(SECOND);
    assert_eq!(client.chunk().await.unwrap(), ":\n\n");
    assert!(client.is_silent().await);
}

#[tokio::test]
async fn a_thousand_clients_all_get_every_batch_and_it_is_written_once() {
    let service = Service::start().await;
    let mut clients = Vec::new();
    for _ in 0..1000 {
        clients.push(listening(&service).await);
    }
    for second in 0..3 {
        touch_all(&service, (0..10_000).map(|touch| (second * 31 + touch) % 90)).await;
        service.clock.advance(SECOND);
        let mut chunks = std::collections::HashSet::new();
        for client in &mut clients {
            let chunk = client.chunk().await.unwrap();
            assert!(chunk.len() < 20_000, "{}", chunk.len());
            chunks.insert((chunk.as_ptr(), chunk.len()));
        }
        assert_eq!(chunks.len(), 1, "the same bytes in memory");
    }
}

#[tokio::test]
async fn only_so_many_may_listen() {
    let service = Service::with(&settings(&json!({ "event_clients": "2" }))).await;
    let (_one, other) = (listening(&service).await, listening(&service).await);
    let detail = service.send(events()).await.problem(StatusCode::SERVICE_UNAVAILABLE);
    assert!(detail.starts_with("2 clients") && detail.contains("--event-clients"), "{detail}");
    drop(other);
    listening(&service).await;
}
