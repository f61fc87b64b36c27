//! The site in actix-web.

use std::future::{Future, pending};
use std::pin::Pin;

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Data};
use actix_web::{App, Error, HttpMessage, HttpRequest, HttpResponse, error};
use lastseen::{LastActivityLayer, SignedIn, Tracker, UserId};

use crate::behaves;
use crate::site::{self, Framework, Session, ada};

behaves!(Actix);

type Answer = Pin<Box<dyn Future<Output = ServiceResponse>>>;

/// The app, whose type has no name.
struct Actix(Box<dyn Fn(TestRequest) -> Answer>);

impl Actix {
    /// `head` is `TestRequest::to_request`, whose type has no name in actix-web.
    fn of<R, B, S>(service: S, head: fn(TestRequest) -> R) -> Self
    where
        R: 'static,
        B: MessageBody + 'static,
        S: Service<R, Response = ServiceResponse<B>, Error = Error> + 'static,
        S::Future: 'static,
    {
        Self(Box::new(move |request| {
            let answer = service.call(head(request));
            Box::pin(async { answer.await.expect("errors have become answers").map_into_boxed_body() })
        }))
    }
}

impl Framework for Actix {
    type Identify = fn(&HttpRequest) -> Option<UserId>;

    fn identify() -> Self::Identify {
        |request| request.extensions().get().map(|Session(user)| user.clone())
    }

    async fn site(tracker: Tracker, layer: LastActivityLayer<Self::Identify>) -> Self {
        let site = App::new()
            .app_data(Data::new(tracker))
            .route("/page", web::get().to(async || "page"))
            .route("/echo", web::route().to(echo))
            .route("/am-i-online", web::get().to(am_i_online))
            .route("/forever", web::get().to(pending::<HttpResponse>))
            .route("/broken", web::get().to(broken))
            .route("/sign-in", web::post().to(sign_in))
            .route("/sign-in/refused", web::post().to(HttpResponse::Unauthorized))
            .route("/sign-out", web::post().to(sign_out));
        Self::of(init_service(site.wrap(layer).wrap(from_fn(authenticate))).await, TestRequest::to_request)
    }

    async fn nested(layer: LastActivityLayer<Self::Identify>) -> Self {
        let inner = web::scope("/static")
            .route("/logo.png", web::get().to(async || "picture"))
            .route("/page", web::get().to(async || "page"))
            .wrap(layer);
        let site = App::new().service(web::scope("/shop").service(inner)).wrap(from_fn(authenticate));
        Self::of(init_service(site).await, TestRequest::to_request)
    }

    async fn send(&self, request: site::Request) -> (u16, Option<String>, String) {
        let made = TestRequest::with_uri(request.path).method(request.method.parse().unwrap());
        let made = request.headers.iter().fold(made, |made, header| made.append_header(*header));
        let made = request.peer.into_iter().fold(made, TestRequest::peer_addr);
        let answer: ServiceResponse<BoxBody> = (self.0)(made).await;
        let status = answer.status().as_u16();
        let echo = answer.headers().get("x-echo").map(|value| value.to_str().unwrap().to_owned());
        let body = to_bytes(answer.into_body()).await.unwrap();
        (status, echo, String::from_utf8(body.to_vec()).unwrap())
    }
}

async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let user = request.headers().get("x-user").and_then(|user| user.to_str().ok()?.parse().ok());
    if let Some(user) = user {
        request.extensions_mut().insert(Session(user));
    }
    next.call(request).await
}

async fn echo(request: HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::Created();
    if let Some(value) = request.headers().get("x-echo") {
        answer.insert_header(("x-echo", value));
    }
    answer.body("echo")
}

async fn am_i_online(tracker: Data<Tracker>) -> String {
    tracker.is_online(&ada()).to_string()
}

async fn broken() -> Result<HttpResponse, Error> {
    Err(error::InternalError::new("broken", StatusCode::INTERNAL_SERVER_ERROR).into())
}

async fn sign_in() -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.extensions_mut().insert(SignedIn(ada()));
    answer.finish()
}

async fn sign_out(tracker: Data<Tracker>) -> HttpResponse {
    tracker.leave(&ada());
    HttpResponse::Ok().finish()
}
