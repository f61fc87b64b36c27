//! The site in axum.

use std::future::pending;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http_body_util::BodyExt;
use lastseen::http::PeerAddr;
use lastseen::{LastActivityLayer, SignedIn, Tracker, UserId};
use tower::ServiceExt;

use crate::behaves;
use crate::site::{self, Framework, Session, ada};

behaves!(Axum);

struct Axum(Router);

impl Framework for Axum {
    type Identify = fn(&Parts) -> Option<UserId>;

    fn identify() -> Self::Identify {
        |request| request.extensions.get().map(|Session(user)| user.clone())
    }

    async fn site(tracker: Tracker, layer: LastActivityLayer<Self::Identify>) -> Self {
        let site = Router::new()
            .route("/page", get("page"))
            .route("/echo", any(echo))
            .route("/am-i-online", get(async |tracker: Tracker| tracker.is_online(&ada()).to_string()))
            .route("/forever", get(pending::<()>))
            .route("/broken", get(StatusCode::INTERNAL_SERVER_ERROR))
            .route("/sign-in", post(async || SignedIn(ada())))
            .route("/sign-in/refused", post(StatusCode::UNAUTHORIZED))
            .route("/sign-out", post(async |tracker: Tracker| tracker.leave(&ada())));
        Self(site.layer(layer).layer(from_fn(authenticate)).with_state(tracker))
    }

    async fn nested(layer: LastActivityLayer<Self::Identify>) -> Self {
        let inner = Router::new().route("/logo.png", get("picture")).route("/page", get("page")).layer(layer);
        let middle = Router::new().nest("/static", inner);
        Self(Router::new().nest("/shop", middle).layer(from_fn(authenticate)))
    }

    async fn send(&self, request: site::Request) -> (u16, Option<String>, String) {
        let made = Request::builder().method(request.method).uri(request.path);
        let made = request.headers.iter().fold(made, |made, (name, value)| made.header(*name, *value));
        let mut made = made.body(Body::empty()).unwrap();
        if let Some(peer) = request.peer {
            made.extensions_mut().insert(PeerAddr(peer));
        }
        let (head, body) = self.0.clone().oneshot(made).await.unwrap().into_parts();
        let echo = head.headers.get("x-echo").map(|value| value.to_str().unwrap().to_owned());
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), echo, String::from_utf8(body.to_vec()).unwrap())
    }
}

async fn authenticate(mut request: Request, next: Next) -> Response {
    let user = request.headers().get("x-user").and_then(|user| user.to_str().ok()?.parse().ok());
    if let Some(user) = user {
        request.extensions_mut().insert(Session(user));
    }
    next.run(request).await
}

async fn echo(headers: HeaderMap) -> impl IntoResponse {
    let echo = headers.get("x-echo").map(|value| [("x-echo", value.clone())]);
    (StatusCode::CREATED, echo, "echo")
}
