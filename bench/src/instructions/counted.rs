//! The works whose instructions are counted.

use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use clap::ValueEnum;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use lastseen::{Clock, LastActivityLayer, SkipRules, Timestamp, Tracker, UserId};
use tower::{Layer, Service, service_fn};

use crate::contender::Contender;
use crate::ours::{Lastseen, user};
use crate::peers::Dash;
use crate::population::{Ids, Pick, Population, Requests};
use crate::works::calls;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Counted {
    /// A user id of digits from text.
    DecimalId,
    /// A user id of 36 characters from text.
    UuidId,
    /// A user already queued for the store, within the second of the touch before.
    TouchSameSecond,
    /// The same a second later.
    TouchNextSecond,
    /// A second after the store has been sent the user.
    TouchAfterFlush,
    /// A user unknown so far.
    TouchNewcomer,
    IsOnline,
    /// The first 50.
    Online50,
    /// A window whose edge lies within a second.
    CountWindow,
    /// A changed user's way to the store and back, without the store itself.
    Flush,
    /// A service behind the layer: one request of a user signed in.
    Layer,
    /// The same with two expressions that skip paths.
    LayerSkipping,
    /// That service alone.
    LayerBare,
    /// `POST /v1/touch` from the request to the answer, without the bytes of either.
    Call,
    /// A plain handler that parses the same and answers the same.
    CallBare,
}

const USERS: Population = Population { ids: Ids::Decimal, users: 10_000 };

/// At which users come back, one after another, where they go on coming as before.
const PACE: Duration = Duration::from_millis(60);

/// When the works begin: always at the same place within a second.
const START: i64 = 1_800_000_000_000_000;

/// So few that the tracker has the same number of shards whatever the machine's number of processors.
const CAPACITY: usize = 16_000;

impl Counted {
    /// How many operations [`work`] does.
    pub fn operations(self) -> u32 {
        match self {
            Self::Online50 => 200,
            Self::CountWindow => 100,
            Self::Flush => 100_000,
            _ => 1_000,
        }
    }
}

/// Does one work; valgrind counts what happens within [`measured`].
pub fn work(counted: Counted) {
    let clock = Hand(Arc::new(START.into()));
    let ours = Lastseen::counted(clock.clone(), CAPACITY);
    USERS.activities(START, |id, ip, at| ours.touch_at(id, ip, at));
    ours.settle();
    let requests = USERS.requests(Pick::Uniform, counted.operations() as usize, 1);
    let users: Vec<(UserId, IpAddr)> = requests.iter().map(|(id, ip)| (user(id), ip)).collect();
    let touch = || users.iter().for_each(|(user, ip)| ours.tracker.touch(user, Some(*ip)));

    match counted {
        Counted::DecimalId => measured(|| parse(&requests)),
        Counted::UuidId => {
            let requests = Population { ids: Ids::Uuid, ..USERS }.requests(Pick::Uniform, 1_000, 1);
            measured(|| parse(&requests));
        }
        Counted::TouchSameSecond => {
            touch();
            clock.advance(Duration::from_micros(1));
            measured(touch);
        }
        Counted::TouchNextSecond => {
            touch();
            clock.advance(Duration::from_secs(1));
            measured(touch);
        }
        Counted::TouchAfterFlush => {
            touch();
            ours.flush();
            clock.advance(Duration::from_secs(1));
            measured(touch);
        }
        Counted::TouchNewcomer => {
            let newcomers: Vec<_> = (0..1_000).map(|number| UserId::from(1_000_000 + number)).collect();
            measured(|| {
                for user in &newcomers {
                    ours.tracker.touch(user, None);
                }
            });
        }
        Counted::IsOnline => measured(|| {
            for (user, _) in &users {
                black_box(ours.tracker.is_online(user));
            }
        }),
        Counted::Online50 => {
            // Which shards the newest 50 lie in is chance: each answer is about another 50.
            let next = USERS.each_once(1);
            let mut next = next.iter();
            for _ in 0..counted.operations() {
                for (id, ip) in next.by_ref().take(50) {
                    clock.advance(PACE);
                    ours.touch(id, ip);
                }
                measured(|| {
                    black_box(ours.tracker.online(50));
                });
            }
        }
        Counted::CountWindow => {
            let window = Duration::from_micros(432_123_456);
            measured(|| {
                for _ in 0..counted.operations() {
                    black_box(ours.count(window));
                }
            });
        }
        Counted::Flush => {
            // Their order decides how long sorting takes: each flush has another.
            for seed in 0..10 {
                clock.advance(Duration::from_secs(1));
                for (id, ip) in USERS.each_once(seed).iter() {
                    ours.touch(id, ip);
                }
                measured(|| ours.flush());
            }
        }
        Counted::Layer => {
            let last_activity = LastActivityLayer::new(ours.tracker.clone(), signed_in);
            clock.advance(Duration::from_secs(1));
            serve(last_activity.layer(service_fn(answer)), &ours.tracker);
        }
        Counted::LayerSkipping => {
            let skip = SkipRules::new([r"^static/", r"\.(png|css|js)$"]).expect("the expressions are valid");
            let last_activity = LastActivityLayer::new(ours.tracker.clone(), signed_in).skip(skip);
            clock.advance(Duration::from_secs(1));
            serve(last_activity.layer(service_fn(answer)), &ours.tracker);
        }
        Counted::LayerBare => serve(service_fn(answer), &ours.tracker),
        Counted::Call => {
            clock.advance(Duration::from_secs(1));
            call(calls::program(&ours, clock).expect("the settings are valid"), &ours);
        }
        Counted::CallBare => call(calls::handler(), &ours),
    }
}

/// Who is touched where cache misses are counted.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Side {
    Lastseen,
    Dashmap,
    DashmapInPlace,
}

/// How many touches are counted.
pub const TOUCHES: u32 = 100_000;

/// Touches users at random; valgrind counts the second half.
pub fn touched(side: Side, users: u32) {
    let population = Population { ids: Ids::Decimal, users };
    match side {
        Side::Lastseen => touch_twice(population, Lastseen::touch),
        Side::Dashmap => touch_twice(population, Dash::touch),
        Side::DashmapInPlace => touch_twice(population, Dash::touch_in_place),
    }
}

fn touch_twice<C: Contender>(population: Population, touch: impl Fn(&C, &str, IpAddr)) {
    let contender = C::filled(population);
    let all = |seed| {
        let requests = population.requests(Pick::Uniform, TOUCHES as usize, seed);
        move |contender: &C, touch: &dyn Fn(&C, &str, IpAddr)| {
            requests.iter().for_each(|(id, ip)| touch(contender, black_box(id), ip));
        }
    };
    let (first, second) = (all(1), all(2));
    first(&contender, &touch);
    measured(|| second(&contender, &touch));
}

/// What is counted: never a part of another function, so that valgrind can tell it by its name.
#[inline(never)]
fn measured(work: impl FnOnce()) {
    work();
}

fn parse(requests: &Requests) {
    for (id, _) in requests.iter() {
        black_box(user(id));
    }
}

/// What a site's authentication puts into a request.
#[derive(Clone, Copy)]
struct Session(u32);

fn signed_in(request: &Parts) -> Option<UserId> {
    request.extensions.get().map(|Session(user)| UserId::from(*user))
}

async fn answer(request: Request<()>) -> Result<Response<Request<()>>, Infallible> {
    Ok(Response::new(request))
}

/// Requests of known users, each answered at once.
fn serve<S>(service: S, tracker: &Tracker)
where
    S: Service<Request<()>, Response = Response<Request<()>>, Error = Infallible>,
{
    let request = |user| {
        let mut request = Request::get("/questions/17").body(()).expect("the path is valid");
        request.extensions_mut().insert(Session(user));
        request
    };
    let count = tracker.count();
    answer_all(service, (0..1_000).map(request).collect());
    assert_eq!(tracker.count(), count, "the users are known");
}

/// The same over the server's interface.
fn call(server: Router, ours: &Lastseen) {
    let request = |user: u32| {
        let touch = calls::touch(&user.to_string(), Ipv4Addr::from(user).into());
        let request = Request::post("/v1/touch").header("host", "localhost").header("content-type", "application/json");
        request.body(Body::from(touch)).expect("the request is valid")
    };
    // What waits for a body needs timers.
    let _timers = ours.enter();
    let answers = answer_all(server, (0..1_000).map(request).collect());
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::ACCEPTED));
}

fn answer_all<S, R>(mut service: S, requests: Vec<R>) -> Vec<S::Response>
where
    S: Service<R, Error = Infallible>,
{
    // Nothing is freed meanwhile: how long that takes depends on what lies beside it.
    let mut answers = Vec::with_capacity(requests.len());
    measured(|| {
        let mut context = Context::from_waker(Waker::noop());
        for request in requests {
            answers.push(pin!(service.call(request)).poll(&mut context));
        }
    });
    let answered = |answer| match answer {
        Poll::Ready(Ok(answer)) => answer,
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => panic!("a service has nothing to wait for"),
    };
    answers.into_iter().map(answered).collect()
}

/// A clock that moves by hand. No timer ever fires: the tasks behind the tracker would run at a different moment each time.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn advance(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_micros()).expect("it is short"), Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        self.now().since(Timestamp::from_micros(START))
    }

    fn sleep_until(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}
