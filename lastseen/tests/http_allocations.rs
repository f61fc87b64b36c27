//! Rule 7 through the layer: a known user's request allocates nothing.
#![cfg(feature = "tower")]

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use http::request::Parts;
use http::{Method, Request, Response};
use lastseen::http::PeerAddr;
use lastseen::{ClientIp, ForwardedHeader, LastActivityLayer, ManualClock, MemoryStore, SkipRules, Tracker, UserId};
use tower::{Layer, Service, service_fn};

#[derive(Clone)]
struct Session(UserId);

fn user_of(request: &Parts) -> Option<UserId> {
    request.extensions.get().map(|Session(user)| user.clone())
}

fn request(path: &str, user: &UserId) -> Request<()> {
    let mut request = Request::get(path)
        .header("x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.0.0.2")
        .header("forwarded", "for=1.1.1.1, for=\"[2001:db8::7]:80\";proto=https, for=10.0.0.2")
        .body(())
        .unwrap();
    request.extensions_mut().insert(PeerAddr("10.0.0.1:4711".parse().unwrap()));
    request.extensions_mut().insert(Session(user.clone()));
    request
}

fn serve(_: Request<()>) -> Ready<Result<Response<()>, Infallible>> {
    ready(Ok(Response::new(())))
}

/// How many allocations one request costs, from the call to the response.
fn allocations<S>(site: &mut S, request: Request<()>) -> u64
where
    S: Service<Request<()>, Response = Response<()>, Error = Infallible>,
{
    let counted = measure(|| {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(matches!(site.poll_ready(&mut cx), Poll::Ready(Ok(()))));
        let mut response = pin!(site.call(request));
        assert!(response.as_mut().poll(&mut cx).is_ready());
    });
    counted.count_total
}

#[tokio::test]
async fn rule_7_a_known_users_request_allocates_nothing() {
    let rules = SkipRules::new([r"^static/", r"\.(png|css|js)$"])
        .unwrap()
        .method(Method::OPTIONS)
        .header("sec-purpose", "prefetch")
        .unwrap();
    for id in ["ada", "an id of more than the thirty-eight bytes that are held inline"] {
        for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
            let user = UserId::new(id).unwrap();
            let clock = ManualClock::new("2026-11-24T01:00:00Z".parse().unwrap());
            let tracker = Tracker::builder(MemoryStore::new()).clock(clock.clone()).start().await.unwrap();
            let mut site = LastActivityLayer::new(tracker.clone(), user_of)
                .skip(rules.clone())
                .client_ip(ClientIp::trusting(["10.0.0.0/8".parse().unwrap()], header))
                .layer(service_fn(serve));

            // These make the user known and stored, and let the expressions build what they search with.
            allocations(&mut site, request("/page", &user));
            tracker.flush().await.unwrap();
            clock.advance(Duration::from_millis(100));
            allocations(&mut site, request("/page", &user));
            allocations(&mut site, request("/static/logo.png", &user));

            for _ in 0..100 {
                clock.advance(Duration::from_millis(100));
                assert_eq!(allocations(&mut site, request("/page", &user)), 0, "{id} {header}");
                assert_eq!(tracker.online(1).users[0].at, tracker.now());
                assert_eq!(allocations(&mut site, request("/static/logo.png", &user)), 0, "{id} {header}");
            }
        }
    }
}

#[test]
fn what_allocates_is_counted() {
    let mut site = service_fn(|request| {
        drop(std::hint::black_box(Box::new(1)));
        serve(request)
    });
    let user = UserId::from(42_u64);
    assert!(allocations(&mut site, request("/page", &user)) > 0);
}

#[cfg(feature = "actix")]
mod in_actix {
    use std::cell::Cell;
    use std::future::{Pending, pending};
    use std::rc::Rc;

    use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
    use actix_web::test::TestRequest;
    use actix_web::{Error, HttpMessage, HttpRequest};

    use super::*;

    /// Takes a request and never answers, since an answer of actix-web's own allocates.
    #[derive(Clone, Default)]
    struct Taken(Rc<Cell<u32>>);

    impl Service<ServiceRequest> for Taken {
        type Response = ServiceResponse;
        type Error = Error;
        type Future = Pending<Result<ServiceResponse, Error>>;

        fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&self, _: ServiceRequest) -> Self::Future {
            self.0.update(|taken| taken + 1);
            pending()
        }
    }

    fn request(path: &str, user: &UserId) -> ServiceRequest {
        let request = TestRequest::with_uri(path)
            .append_header(("x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.0.0.2"))
            .peer_addr("10.0.0.1:4711".parse().unwrap())
            .to_srv_request();
        request.extensions_mut().insert(Session(user.clone()));
        request
    }

    #[tokio::test]
    async fn rule_7_a_known_users_request_allocates_nothing() {
        let rules = SkipRules::new([r"^static/"]).unwrap().method(Method::OPTIONS);
        let rules = rules.header("sec-purpose", "prefetch").unwrap();
        let user = UserId::from(42_u64);
        let clock = ManualClock::new("2026-11-24T01:00:00Z".parse().unwrap());
        let tracker = Tracker::builder(MemoryStore::new()).clock(clock.clone()).start().await.unwrap();
        let layer = LastActivityLayer::new(tracker.clone(), |request: &HttpRequest| {
            request.extensions().get().map(|Session(user)| user.clone())
        })
        .skip(rules)
        .client_ip(ClientIp::trusting(["10.0.0.0/8".parse().unwrap()], ForwardedHeader::XForwardedFor));
        let taken = Taken::default();
        let site = layer.new_transform(taken.clone()).await.unwrap();
        let allocations = |request| measure(|| drop(site.call(request))).count_total;

        for path in ["/page", "/static/logo.png"] {
            allocations(request(path, &user));
            tracker.flush().await.unwrap();
            for _ in 0..10 {
                clock.advance(Duration::from_millis(100));
                assert_eq!(allocations(request(path, &user)), 0, "{path}");
            }
        }
        assert_eq!(taken.0.get(), 22);
        assert_eq!(tracker.online(1).users[0].ip, Some([203, 0, 113, 7].into()));
    }
}
