//! Gets commands to the servers that have their slots, and goes along with a Cluster that moves them.

mod mapping;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use ::redis::{Cmd, Pipeline, ServerError, Value};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::error::{Kind, RedisError};
use super::map::Map;
use super::node::{Limits, Node, Role, asking};
use super::script::Lua;
use super::target::{Address, Target};

/// For how long whoever can do with some of the answers waits for servers that aren't connected, once the others have
/// answered.
const GRACE: Duration = Duration::from_millis(200);

/// How long to wait before a slot that is being moved is asked for again: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// A command for the server that has a slot.
#[derive(Clone)]
pub(super) struct Request {
    pub slot: u16,
    pub command: Cmd,
    /// Which script it calls, for a server that doesn't know it.
    pub script: Option<&'static Lua>,
}

pub(super) struct Router {
    pub target: Arc<Target>,
    limits: Limits,
    nodes: Mutex<HashMap<(Address, Role), Arc<Node>>>,
    map: Mutex<Option<Arc<Map>>>,
    /// Slots that a server has said to be elsewhere than the map says.
    moved: Mutex<HashMap<u16, Address>>,
    /// Held by whoever asks for a map.
    mapping: tokio::sync::Mutex<()>,
    /// Counts maps, so that not the same server is asked every time.
    mapped: AtomicUsize,
    lineages: Mutex<Lineages>,
    failovers: AtomicU64,
}

/// Whose data it was that was worked with.
#[derive(Default)]
struct Lineages {
    /// By slot, the last.
    current: HashMap<u16, Arc<str>>,
    /// Which has taken over from which, so that it counts once and not at each slot.
    successions: HashSet<(Arc<str>, Arc<str>)>,
}

/// What became of a request.
enum Outcome {
    Answer(Value),
    /// Again, with the script in full.
    InFull,
    /// Again, at once, where the map says.
    Moved,
    /// Again, at another server, this once.
    Ask(Address),
    /// Again, a little later.
    Later(ServerError),
    Failed(RedisError),
}

/// A request that has no answer yet.
struct Open {
    index: usize,
    request: Request,
    ask: Option<Address>,
}

/// An answer to each request, `None` where there is none, and why there isn't.
#[derive(Default)]
pub(super) struct Answers {
    pub values: Vec<Option<Value>>,
    pub failure: Option<RedisError>,
}

/// Who is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// All servers, also those that are down: what the others can do is done.
    All,
    /// Those with a connection, and others for the [`GRACE`] alone.
    Connected,
}

impl Router {
    pub(super) fn new(target: Arc<Target>, limits: Limits) -> Self {
        Self {
            target,
            limits,
            nodes: Mutex::default(),
            map: Mutex::default(),
            moved: Mutex::default(),
            mapping: tokio::sync::Mutex::default(),
            mapped: AtomicUsize::new(0),
            lineages: Mutex::default(),
            failovers: AtomicU64::new(0),
        }
    }

    /// How many times the data of some slot has been found on a server that may lack what was acknowledged last.
    pub(super) fn failovers(&self) -> u64 {
        self.failovers.load(Ordering::Acquire)
    }

    /// Sends commands, those of a server together and to all servers at once, and returns an answer to each.
    ///
    /// Each must be one that may be done twice: where one fails, or an answer is lost, the others may have been done.
    pub(super) async fn send(self: &Arc<Self>, doing: &str, requests: Vec<Request>) -> Result<Vec<Value>, RedisError> {
        let Answers { values, failure } = self.collect(doing, requests, For::All).await;
        match failure {
            Some(failure) => Err(failure),
            None => Ok(values.into_iter().map(Option::unwrap_or_default).collect()),
        }
    }

    /// The same, for whoever can do with some of the answers: where a server is down it doesn't hold up the others.
    pub(super) async fn send_to_some(self: &Arc<Self>, doing: &str, requests: Vec<Request>) -> Answers {
        self.collect(doing, requests, For::Connected).await
    }

    async fn collect(self: &Arc<Self>, doing: &str, requests: Vec<Request>, whom: For) -> Answers {
        let deadline = Instant::now() + self.limits.timeout;
        let mut answers = Answers { values: vec![None; requests.len()], failure: None };
        let mut open: Vec<Open> =
            requests.into_iter().enumerate().map(|(index, request)| Open { index, request, ask: None }).collect();
        let mut pause = PAUSE.0;
        loop {
            let mut again = Vec::new();
            let mut reason = None;
            let (outcomes, mut failure) = self.round(doing, open, whom).await;
            for (one, outcome) in outcomes {
                match outcome {
                    Outcome::Answer(answer) => answers.values[one.index] = Some(answer),
                    Outcome::InFull => {
                        let script = one.request.script.expect("only scripts lack a name");
                        let command = script.in_full(&one.request.command);
                        again.push(Open { request: Request { command, script: None, ..one.request }, ..one });
                    }
                    Outcome::Moved => again.push(Open { ask: None, ..one }),
                    Outcome::Ask(address) => again.push(Open { ask: Some(address), ..one }),
                    Outcome::Later(error) => {
                        reason = Some(error);
                        again.push(Open { ask: None, ..one });
                    }
                    Outcome::Failed(error) => failure = Some(error),
                }
            }
            answers.failure = failure.or(answers.failure);
            if again.is_empty() || (whom == For::All && answers.failure.is_some()) {
                return answers;
            }
            if Instant::now() >= deadline {
                answers.failure = Some(self.undecided(doing, reason));
                return answers;
            }
            // A slot that is on its way may send back and forth.
            if reason.is_some() || pause > PAUSE.0 {
                sleep(pause).await;
            }
            pause = (pause * 2).min(PAUSE.1);
            open = again;
        }
    }

    fn undecided(&self, doing: &str, reason: Option<ServerError>) -> RedisError {
        let within = self.limits.timeout;
        let message = format!("{} was still moving a slot after {within:?} while {doing}", self.target);
        let error = RedisError::new(Kind::Unavailable, message);
        match reason {
            Some(reason) => error.because(reason),
            None => error,
        }
    }

    /// Sends each request to where it belongs, once. Says what failed besides what the outcomes tell.
    async fn round(
        self: &Arc<Self>,
        doing: &str,
        open: Vec<Open>,
        whom: For,
    ) -> (Vec<(Open, Outcome)>, Option<RedisError>) {
        let map = match self.map().await {
            Ok(map) => map,
            Err(failure) => return (Vec::new(), Some(failure)),
        };
        let (mut outcomes, mut failure) = (Vec::new(), None);
        let mut by_address: HashMap<Address, Vec<Open>> = HashMap::new();
        for one in open {
            let slot = one.request.slot;
            let moved = self.moved.lock().get(&slot).cloned();
            if let Some(address) = one.ask.clone().or(moved).or_else(|| map.find(slot).cloned()) {
                by_address.entry(address).or_default().push(one);
            } else {
                let message = format!("{} has no master for slot {slot}: all slots need one", self.target);
                failure = Some(RedisError::new(Kind::Unavailable, message));
            }
        }
        let doing: Arc<str> = doing.into();
        // Where none is connected there is nobody to hold up.
        let mut late: Vec<Address> = by_address.keys().filter(|address| !self.is_connected(address)).cloned().collect();
        if whom == For::All || late.len() == by_address.len() {
            late.clear();
        }
        let mut servers = JoinSet::new();
        for (address, open) in by_address {
            let (router, doing) = (self.clone(), doing.clone());
            servers.spawn(async move { (address.clone(), router.deliver(address, &doing, open).await) });
        }
        let mut until = None;
        loop {
            let next = if servers.len() > late.len() {
                Ok(servers.join_next().await)
            } else {
                timeout_at(*until.get_or_insert_with(|| Instant::now() + GRACE), servers.join_next()).await
            };
            match next {
                Ok(Some(Ok((address, delivered)))) => {
                    late.retain(|late| *late != address);
                    match delivered {
                        Ok(done) => outcomes.extend(done),
                        Err(error) => failure = Some(error),
                    }
                }
                // The runtime ends.
                Ok(Some(Err(error))) => {
                    let message = format!("{} was given up while {doing}", self.target);
                    failure = Some(RedisError::new(Kind::Unavailable, message).because(error));
                }
                Ok(None) => break,
                Err(_) => {
                    let late: Vec<_> = late.iter().map(Address::to_string).collect();
                    let message = format!("Redis at {} can't be reached so far, while {doing}", late.join(", "));
                    failure = Some(RedisError::new(Kind::Unavailable, message));
                    // They go on with it.
                    servers.detach_all();
                    break;
                }
            }
        }
        if failure.is_some() {
            self.forget_map();
        }
        (outcomes, failure)
    }

    /// Sends requests to one server.
    async fn deliver(
        &self,
        address: Address,
        doing: &str,
        open: Vec<Open>,
    ) -> Result<Vec<(Open, Outcome)>, RedisError> {
        let node = self.node(&address, Role::Data);
        let live = node.connection().await?;
        self.note_lineage(&open, &live.lineage);
        let mut pipeline = Pipeline::with_capacity(open.len());
        for one in &open {
            if one.ask.is_some() {
                pipeline.add_command(asking());
            }
            pipeline.add_command(one.request.command.clone());
        }
        let mut answers = node.exchange(&live, doing, &pipeline).await?.into_iter();
        let mut outcomes = Vec::with_capacity(open.len());
        for one in open {
            if one.ask.is_some() {
                answers.next();
            }
            let outcome = match answers.next().unwrap_or(Value::Nil) {
                Value::ServerError(error) => self.outcome(&node, doing, &one, error),
                answer => Outcome::Answer(answer),
            };
            if let Outcome::Failed(error) = &outcome
                && (error.is_read_only() || error.is_unavailable())
            {
                // Another may have taken its place.
                self.forget_map();
                if error.is_read_only() {
                    node.lost(&live);
                }
            }
            outcomes.push((one, outcome));
        }
        Ok(outcomes)
    }

    fn outcome(&self, node: &Node, doing: &str, one: &Open, error: ServerError) -> Outcome {
        // `MOVED slot host:port`, and `ASK` likewise.
        let redirected = || Address::redirected(error.details()?.split(' ').nth(1)?, &node.address);
        match (error.code(), redirected()) {
            ("NOSCRIPT", _) if one.request.script.is_some() => Outcome::InFull,
            ("MOVED", Some(address)) => {
                self.moved.lock().insert(one.request.slot, address);
                Outcome::Moved
            }
            ("ASK", Some(address)) => Outcome::Ask(address),
            ("TRYAGAIN", _) => Outcome::Later(error),
            _ => Outcome::Failed(self.target.failed(&node.address, doing, error)),
        }
    }

    /// Counts a failover where some of the slots were last worked with in another lineage.
    fn note_lineage(&self, open: &[Open], lineage: &Arc<str>) {
        let mut lineages = self.lineages.lock();
        let mut is_new = false;
        for one in open {
            if let Some(before) = lineages.current.insert(one.request.slot, lineage.clone())
                && before != *lineage
            {
                is_new |= lineages.successions.insert((before, lineage.clone()));
            }
        }
        if is_new {
            self.failovers.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The lineage of the data that a slot was last found with.
    pub(super) fn lineage(&self, slot: u16) -> Option<Arc<str>> {
        self.lineages.lock().current.get(&slot).cloned()
    }

    fn is_connected(&self, address: &Address) -> bool {
        self.node(address, Role::Data).is_connected()
    }

    fn node(&self, address: &Address, role: Role) -> Arc<Node> {
        let mut nodes = self.nodes.lock();
        let made = || Arc::new(Node::new(address.clone(), role, self.target.clone(), self.limits));
        nodes.entry((address.clone(), role)).or_insert_with(made).clone()
    }
}
