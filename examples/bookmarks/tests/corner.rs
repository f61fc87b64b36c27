//! The online corner: who is in it, since when, and what doesn't count.

mod site;

use std::time::Duration;

use axum::http::StatusCode;
use lastseen::Presence;
use rusqlite::Connection;
use site::Site;

const NOON: &str = "2026-11-24T12:00:00Z";

#[tokio::test]
async fn it_is_on_every_page_newest_first_for_guests_too() {
    let site = Site::at(NOON).await;
    for name in ["demo2", "demo1", "demo3"] {
        site.minutes(1);
        site.signed_in(name).await;
    }
    for path in ["/", "/bookmarks/50", "/users/demo1", "/users/nobody", "/bookmarks/0", "/sign-in", "/nowhere"] {
        let page = site.guest().get(path).await;
        assert_eq!(page.online(), ["demo3", "demo1", "demo2"], "{path}");
        assert_eq!(page.how_many(), "3 users are online.", "{path}");
    }
}

#[tokio::test]
async fn signing_in_shows_at_once_under_the_name() {
    let site = Site::at(NOON).await;
    assert_eq!(site.guest().get("/").await.how_many(), "Nobody is online.");
    site.signed_in("demo4").await;
    assert_eq!(site.guest().get("/").await.online(), ["demo4"]);
}

#[tokio::test]
async fn signing_out_shows_at_once() {
    let site = Site::at(NOON).await;
    let mut user = site.signed_in("demo4").await;
    site.signed_in("demo5").await;
    site.minutes(1);

    user.post("/sign-out", "").await;
    let page = site.guest().get("/").await;
    assert_eq!((page.online(), page.how_many().as_str()), (vec!["demo5"], "1 user is online."));
    assert!(!user.get("/").await.body.contains("Sign out"), "the session is over");

    site.minutes(1);
    user.sign_in("demo4").await;
    assert_eq!(site.guest().get("/").await.online(), ["demo4", "demo5"]);
}

#[tokio::test]
async fn a_page_of_fifty_pictures_costs_one_touch() {
    let site = Site::at(NOON).await;
    let mut user = site.signed_in("demo1").await;
    let before = site.tracker.status().touches;

    let page = user.get("/").await;
    assert!(page.pictures().len() >= 50, "{} pictures", page.pictures().len());
    for path in page.pictures().into_iter().chain(["/static/site.css"]) {
        assert_eq!(user.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(site.tracker.status().touches, before + 1);
}

#[tokio::test]
async fn an_account_switched_off_cannot_sign_in() {
    let site = Site::at(NOON).await;
    let answer = site.guest().sign_in("demo9").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("No active account"));
    assert_eq!(site.guest().get("/").await.how_many(), "Nobody is online.");
}

#[tokio::test]
async fn an_account_switched_off_while_online_leaves_the_corner() {
    let site = Site::at(NOON).await;
    let mut user = site.signed_in("demo3").await;
    site.signed_in("demo4").await;
    let mut events = site.tracker.events();

    let database = Connection::open(site.database()).unwrap();
    database.execute("UPDATE user SET is_active = FALSE WHERE username = 'demo3'", ()).unwrap();
    site.minutes(1);
    let event = tokio::time::timeout(Duration::from_secs(30), events.next()).await.expect("an event");
    let event = event.unwrap().unwrap();
    assert_eq!((event.change, event.name.as_deref()), (Presence::WentOffline, Some("demo3")));

    let page = site.guest().get("/").await;
    assert_eq!((page.online(), page.how_many().as_str()), (vec!["demo4"], "1 user is online."));
    assert!(!user.get("/").await.body.contains("Sign out"), "the session is worth nothing now");
    assert_eq!(site.guest().get("/").await.online(), ["demo4"]);
}

#[tokio::test]
async fn a_users_page_tells_when_they_were_last_seen() {
    let site = Site::at(NOON).await;
    let last_seen = async || {
        let body = site.guest().get("/users/demo6").await.body;
        let start = body.split_once("<p id=\"last-seen\" class=\"quiet\">").unwrap().1;
        start.split_once("</p>").unwrap().0.trim().to_owned()
    };
    assert_eq!(last_seen().await, "Not seen yet");
    let mut user = site.signed_in("demo6").await;
    site.minutes(1);
    let a_minute_ago = "<time datetime=\"2026-11-24T12:00:00Z\">1 minute ago</time>";
    assert_eq!(last_seen().await, format!("Online, last seen {a_minute_ago}"));
    user.post("/sign-out", "").await;
    site.minutes(3);
    let three_minutes_ago = "<time datetime=\"2026-11-24T12:01:00Z\">3 minutes ago</time>";
    assert_eq!(last_seen().await, format!("Last seen {three_minutes_ago}"));
}
