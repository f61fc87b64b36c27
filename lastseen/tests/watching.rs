//! The spans and events that users may rely on, and the counters beside them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Once;
use std::time::Duration;

use lastseen::conformance::{Fault, Faulty, Operation};
use lastseen::{Activity, ManualClock, MemoryStore, Profile, Tracker, UserId};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

thread_local! {
    /// What this thread has been told, as `LEVEL name field=value`; a span when it closes.
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Tells each thread what it does itself, which is all in a test's runtime. There is one for all of them: with one a thread,
/// what a test is told of would depend on what others do meanwhile, since `tracing` remembers who is interested.
struct Told;

impl Told {
    fn listen() -> Self {
        static LISTENING: Once = Once::new();
        LISTENING
            .call_once(|| tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Self)).unwrap());
        Self
    }

    fn tell(metadata: &Metadata<'_>, fields: &Fields) {
        if metadata.target() == "lastseen" {
            let fields: Vec<String> = fields.0.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            let line = format!("{} {}{}", metadata.level(), metadata.name(), fields.concat());
            TOLD.with_borrow_mut(|told| told.push(line));
        }
    }

    /// What has been told since the last time.
    #[expect(clippy::unused_self, reason = "whoever asks has begun to listen")]
    fn take(&self) -> Vec<String> {
        TOLD.take()
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() != "message" {
            self.0.insert(field.name(), format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Told {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        values.record(context.span(id).unwrap().extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        Self::tell(event.metadata(), &fields);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        Self::tell(span.metadata(), span.extensions().get::<Fields>().unwrap());
    }
}

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

async fn tracker(store: &Faulty<MemoryStore>) -> Tracker {
    tracker_by(store, ManualClock::new("2026-11-24T01:00:00Z".parse().unwrap())).await
}

async fn tracker_by(store: &Faulty<MemoryStore>, clock: ManualClock) -> Tracker {
    let profiles = async |users: Vec<UserId>| {
        Ok::<_, std::io::Error>(users.into_iter().map(|user| (user, Profile::new())).collect::<Vec<_>>())
    };
    Tracker::builder(store.clone()).clock(clock).directory(profiles).start().await.unwrap()
}

#[tokio::test]
async fn spans_are_around_what_takes_time() {
    let told = Told::listen();
    let store = Faulty::new(MemoryStore::new());
    let before = tracker(&store).await;
    before.touch(&user("grace"), None);
    before.shutdown().await.unwrap();
    told.take();

    let tracker = tracker(&store).await;
    let at_start =
        ["DEBUG lastseen.load records=1", "DEBUG lastseen.follow changes=0", "DEBUG lastseen.directory users=1"];
    assert_eq!(told.take(), at_start);
    tracker.touch(&user("ada"), None);
    tracker.touch(&user("alan"), None);
    tracker.resolve_profiles().await.unwrap();
    tracker.flush().await.unwrap();
    tracker.record(Activity { user: user("edsger"), at: tracker.now(), ip: None }).await.unwrap();
    let told = told.take();
    for span in ["lastseen.directory users=2", "lastseen.flush records=2", "lastseen.record records=1"] {
        assert!(told.contains(&format!("DEBUG {span}")), "{span} is not in {told:?}");
    }
}

#[tokio::test]
async fn an_outage_is_told_when_it_begins_and_when_it_ends() {
    let told = Told::listen();
    let store = Faulty::new(MemoryStore::new());
    let tracker = tracker(&store).await;
    tracker.touch(&user("ada"), None);
    told.take();

    store.faults().inject(Fault::every().on(Operation::Write));
    for _ in 0..3 {
        tracker.flush().await.unwrap_err();
    }
    let events =
        |told: Vec<String>| -> Vec<String> { told.into_iter().filter(|line| !line.starts_with("DEBUG")).collect() };
    let failing = events(told.take());
    assert_eq!(failing.len(), 1, "{failing:?}");
    assert!(failing[0].starts_with("WARN lastseen.failing error="), "{failing:?}");
    assert!(failing[0].ends_with(" task=flush"), "{failing:?}");
    assert_eq!(tracker.status().flush_failures, 3);

    store.faults().heal();
    for _ in 0..2 {
        tracker.flush().await.unwrap();
    }
    assert_eq!(events(told.take()), ["INFO lastseen.recovered task=flush"]);
    assert_eq!((tracker.status().batches, tracker.status().records), (1, 1));
}

#[tokio::test]
async fn what_others_wrote_and_what_failed_is_counted() {
    let store = Faulty::new(MemoryStore::new());
    let clock = ManualClock::new("2026-11-24T01:00:00Z".parse().unwrap());
    let tracker = tracker_by(&store, clock.clone()).await;
    assert_eq!(tracker.status().changes, 0);

    let other = tracker_by(&Faulty::new(store.inner().another()), clock.clone()).await;
    other.touch(&user("ada"), None);
    other.flush().await.unwrap();
    for _ in 0..10 {
        pass_a_second(&clock).await;
    }
    assert!(tracker.is_online(&user("ada")));
    assert_eq!(tracker.status().changes, 1);

    store.faults().inject(Fault::every().on(Operation::WriteHistory));
    tracker.flush().await.unwrap_err();
    assert_eq!(tracker.status().history_failures, 1);
    assert!(!tracker.status().is_ready());
}

/// On a runtime of one thread every task that can run has run after some turns.
async fn pass_a_second(clock: &ManualClock) {
    clock.advance(Duration::from_secs(1));
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
