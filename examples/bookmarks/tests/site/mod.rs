//! The site under a clock that the test moves, and visitors who reach it without a port.
#![allow(dead_code, reason = "no test file uses all of it")]

use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use bookmarks::{Accounts, Database};
use http_body_util::BodyExt;
use lastseen::{ManualClock, MemoryStore, Tracker};
use tempfile::TempDir;
use tower::ServiceExt;

/// A site of its own for each test.
pub(crate) struct Site {
    pub(crate) clock: ManualClock,
    pub(crate) tracker: Tracker,
    pub(crate) app: Router,
    directory: TempDir,
}

impl Site {
    /// Opens at this hour.
    pub(crate) async fn at(now: &str) -> Self {
        let clock = ManualClock::new(now.parse().unwrap());
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(directory.path().join("site.db")).unwrap();
        let accounts = Accounts::Own(database.clone());
        let users = accounts.directory().await.unwrap();
        let tracker = Tracker::builder(MemoryStore::new()).directory(users).clock(clock.clone()).start().await.unwrap();
        let app = bookmarks::app(database, accounts, tracker.clone()).unwrap();
        Self { clock, tracker, app, directory }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.directory.path().join("site.db")
    }

    /// Lets time pass until it is this hour of the same day.
    pub(crate) fn until(&self, hour: &str) {
        let now = self.tracker.now();
        let then = format!("{}T{hour}:00Z", &now.to_string()[..10]).parse::<lastseen::Timestamp>().unwrap();
        assert!(then > now, "{hour} has passed: it is {now}");
        self.clock.advance(then.since(now));
    }

    pub(crate) fn minutes(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }

    /// Somebody who has not signed in.
    pub(crate) fn guest(&self) -> Visitor {
        Visitor { app: self.app.clone(), cookie: None }
    }

    /// Somebody who signs in now.
    pub(crate) async fn signed_in(&self, name: &str) -> Visitor {
        let mut visitor = self.guest();
        let answer = visitor.sign_in(name).await;
        assert_eq!((answer.status, answer.location.as_deref()), (StatusCode::SEE_OTHER, Some("/")));
        visitor
    }
}

/// A browser as far as the site can tell: it keeps its cookie.
pub(crate) struct Visitor {
    app: Router,
    cookie: Option<String>,
}

impl Visitor {
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, String::new()).await
    }

    /// Sends a form; `fields` are encoded already.
    pub(crate) async fn post(&mut self, path: &str, fields: &str) -> Page {
        self.send(Method::POST, path, fields.into()).await
    }

    pub(crate) async fn sign_in(&mut self, name: &str) -> Page {
        self.post("/sign-in", &format!("username={name}&password={name}")).await
    }

    async fn send(&mut self, method: Method, path: &str, body: String) -> Page {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body)).unwrap();
        let (head, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let text = |name| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        if let Some(cookie) = text(SET_COOKIE) {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let location = text(LOCATION);
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        Page { status: head.status, location, body }
    }
}

pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

impl Page {
    /// The names in the corner, in their order.
    pub(crate) fn online(&self) -> Vec<&str> {
        let corner = self.body.split_once("<aside id=\"online\">").expect("a corner").1;
        between(corner, "<li data-user=\"", "\"")
    }

    /// What the corner says of how many.
    pub(crate) fn how_many(&self) -> String {
        let corner = self.body.split_once("<aside id=\"online\">").expect("a corner").1;
        let paragraph = between(corner, "<p>", "</p>")[0].replace("<b>", "").replace("</b>", "");
        paragraph.trim().into()
    }

    /// What the browser fetches along with it.
    pub(crate) fn pictures(&self) -> Vec<&str> {
        between(&self.body, "<img src=\"", "\"")
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).map(|rest| rest.split(end).next().unwrap()).collect()
}
