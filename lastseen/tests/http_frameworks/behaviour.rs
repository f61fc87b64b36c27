//! What is true in every framework.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use http::{HeaderValue, Method};
use lastseen::http::{AddressPolicy, PeerAddr};
use lastseen::{ClientIp, ForwardedHeader, SkipRules};

use crate::site::{Framework, Request, Site, ada};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn behind_proxies() -> ClientIp {
    ClientIp::trusting(["192.0.2.0/24".parse().unwrap()], ForwardedHeader::XForwardedFor)
}

pub(crate) async fn a_users_request_is_reported_and_a_guests_is_not<F: Framework>() {
    let site = Site::<F>::plain().await;
    site.send(Request::get("/page")).await;
    assert_eq!(site.tracker.count(), 0);

    site.send(Request::get("/page").by_ada()).await;
    site.clock.advance(Duration::from_mins(1));
    site.send(Request::get("/page").by_ada()).await;
    let online = site.tracker.online(10);
    assert_eq!(online.count, 1);
    assert_eq!(online.users[0].user, ada());
    assert_eq!(online.users[0].at, site.tracker.now());
    assert_eq!(online.users[0].ip, Some(ip("192.0.2.1")));
}

pub(crate) async fn the_user_is_online_before_the_handler_runs<F: Framework>() {
    let site = Site::<F>::plain().await;
    let (_, _, body) = site.answer(Request::get("/am-i-online").by_ada()).await;
    assert_eq!(body, "true");
}

pub(crate) async fn a_request_that_its_client_gives_up_counts<F: Framework>() {
    let site = Site::<F>::plain().await;
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(site.send(Request::get("/forever").by_ada())).poll(&mut cx).is_pending());
    assert!(site.ada_is_online());
}

pub(crate) async fn a_request_counts_whatever_becomes_of_it<F: Framework>() {
    for (path, status) in [("/broken", 500), ("/nowhere", 404)] {
        let site = Site::<F>::plain().await;
        assert_eq!(site.send(Request::get(path).by_ada()).await, status);
        assert!(site.ada_is_online(), "{path}");
    }
}

pub(crate) async fn answers_pass_as_they_are<F: Framework>() {
    let site = Site::<F>::plain().await;
    let echo = Request::new("PUT", "/echo?a=b").header("x-echo", b"as it came");
    for request in [echo.clone(), echo.by_ada()] {
        let answer = site.answer(request).await;
        assert_eq!(answer, (201, Some("as it came".to_owned()), "echo".to_owned()));
    }
}

pub(crate) async fn rule_3_the_request_that_signs_out_does_not_bring_its_user_back<F: Framework>() {
    let site = Site::<F>::plain().await;
    site.send(Request::get("/page").by_ada()).await;
    site.clock.advance(Duration::from_secs(1));
    // The clock stands still from here: the touch of this request and the leaving have the same date.
    site.send(Request::new("POST", "/sign-out").by_ada()).await;
    assert!(!site.ada_is_online());

    site.clock.advance(Duration::from_secs(1));
    site.send(Request::get("/page")).await;
    assert!(!site.ada_is_online());
    site.send(Request::get("/page").by_ada()).await;
    assert!(site.ada_is_online());
}

pub(crate) async fn rule_10_a_skipped_request_is_served_and_not_reported<F: Framework>() {
    let rules = SkipRules::new([r"^ech", r"\.png$"]).unwrap().method(Method::OPTIONS);
    let rules = rules.header("sec-purpose", "^prefetch").unwrap();
    let site = Site::<F>::open(rules, ClientIp::default()).await;
    let skipped = [
        (Request::get("/echo?page"), 201),
        (Request::get("/caf%C3%A9.png"), 404),
        (Request::get("/logo.png"), 404),
        (Request::new("OPTIONS", "/echo"), 201),
        (Request::get("/page").header("sec-purpose", b"prefetch;prerender"), 200),
        (Request::get("/page").header("sec-purpose", b"\xff").header("sec-purpose", b"prefetch"), 200),
    ];
    for (request, status) in skipped {
        let path = request.path;
        assert_eq!(site.send(request.by_ada()).await, status, "{path}");
        assert_eq!(site.tracker.count(), 0, "{path}");
    }
    site.send(Request::get("/page").header("sec-purpose", b"no prefetch").by_ada()).await;
    assert!(site.ada_is_online());
}

pub(crate) async fn rule_10_in_doubt_a_request_counts<F: Framework>() {
    for path in ["/static/../page", "/static/%2e%2e/page", "//static/page", "/static/%zz", "/page?static/"] {
        let site = Site::<F>::open(SkipRules::new(["static/"]).unwrap(), ClientIp::default()).await;
        site.send(Request::get(path).by_ada()).await;
        assert!(site.ada_is_online(), "{path}");
    }
}

pub(crate) async fn rule_10_a_nested_layer_sees_the_path_that_the_client_sent<F: Framework>() {
    let site = Site::<F>::nested(SkipRules::new(["^shop/static/logo"]).unwrap()).await;
    assert_eq!(site.send(Request::get("/shop/static/logo.png").by_ada()).await, 200);
    assert!(!site.ada_is_online());
    assert_eq!(site.send(Request::get("/shop/static/page").by_ada()).await, 200);
    assert!(site.ada_is_online());

    // And not what its prefixes leave of it.
    let site = Site::<F>::nested(SkipRules::new(["^logo"]).unwrap()).await;
    assert_eq!(site.send(Request::get("/shop/static/logo.png").by_ada()).await, 200);
    assert!(site.ada_is_online());
}

pub(crate) async fn rule_10_a_rule_of_the_sites_own_sees_the_head<F: Framework>() {
    let rules = SkipRules::default().when("probe", |request| {
        let lines: Vec<&[u8]> = request.headers.get_all("x-probe").iter().map(HeaderValue::as_bytes).collect();
        request.method == Method::PUT
            && request.uri.path() == "/echo"
            && request.uri.query() == Some("a=b%20c")
            && lines == [b"one".as_slice(), b"two\xff"]
            && request.extensions.get().is_some_and(|PeerAddr(peer)| peer.port() == 4711)
    });
    let site = Site::<F>::open(rules, ClientIp::default()).await;
    let probe = Request::new("PUT", "/echo?a=b%20c").header("x-probe", b"one");
    assert_eq!(site.send(probe.clone().header("x-probe", b"two\xff").by_ada()).await, 201);
    assert!(!site.ada_is_online());
    assert_eq!(site.send(probe.by_ada()).await, 201);
    assert!(site.ada_is_online());
}

pub(crate) async fn rule_11_the_address_is_the_clients_and_no_more_of_it_than_is_kept<F: Framework>() {
    let cases = [
        (ClientIp::default(), Some(ip("192.0.2.1"))),
        (behind_proxies(), Some(ip("203.0.113.7"))),
        (behind_proxies().policy(AddressPolicy::Mask), Some(ip("203.0.113.0"))),
        (behind_proxies().policy(AddressPolicy::Drop), None),
    ];
    for (client_ip, expected) in cases {
        let site = Site::<F>::open(SkipRules::default(), client_ip).await;
        site.send(Request::get("/page").header("x-forwarded-for", b"1.1.1.1, 203.0.113.7").by_ada()).await;
        assert_eq!(site.address().await, expected);
    }
}

pub(crate) async fn rule_11_all_lines_of_the_named_header_count_and_no_other<F: Framework>() {
    let cases: [(&[&'static [u8]], &str); 4] = [
        (&[], "192.0.2.1"),
        (&[b"1.1.1.1", b"203.0.113.7"], "203.0.113.7"),
        (&[b"203.0.113.7", b"192.0.2.3", b"192.0.2.2"], "203.0.113.7"),
        (&[b"203.0.113.7", b"\xff"], "192.0.2.1"),
    ];
    for (lines, expected) in cases {
        let site = Site::<F>::open(SkipRules::default(), behind_proxies()).await;
        let others = Request::get("/page").header("x-real-ip", b"1.1.1.1").header("forwarded", b"for=1.1.1.1");
        let request = lines.iter().fold(others, |request, line| request.header("x-forwarded-for", line));
        site.send(request.by_ada()).await;
        assert_eq!(site.address().await, Some(ip(expected)), "{lines:?}");
    }
}

pub(crate) async fn rule_11_without_a_peer_there_is_no_address<F: Framework>() {
    let site = Site::<F>::open(SkipRules::default(), behind_proxies()).await;
    let mut request = Request::get("/page").header("x-forwarded-for", b"203.0.113.7").by_ada();
    request.peer = None;
    site.send(request).await;
    assert_eq!(site.address().await, None);
}

pub(crate) async fn a_user_just_signed_in_is_reported_with_the_address_of_that_request<F: Framework>() {
    let site = Site::<F>::open(SkipRules::new(["^sign-in"]).unwrap(), behind_proxies()).await;
    assert_eq!(site.send(Request::new("POST", "/sign-in/refused")).await, 401);
    assert_eq!(site.tracker.count(), 0);
    assert_eq!(site.send(Request::new("POST", "/sign-in").header("x-forwarded-for", b"203.0.113.7")).await, 200);
    assert!(site.ada_is_online());
    assert_eq!(site.address().await, Some(ip("203.0.113.7")));
}
