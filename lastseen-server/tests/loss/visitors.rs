//! Visitors who report without a pause, until they go or their server does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;
use ureq::Agent;

use super::oracle::{Oracle, Report, now};

const VISITORS: usize = 4;

/// Those who come and stay, beside those who are new.
const REGULARS: u16 = 30;

/// How long an answer may take, a lock of the file's included.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Visitors {
    oracle: Arc<Mutex<Oracle>>,
    gone: Arc<AtomicBool>,
    answers: Receiver<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Visitors {
    pub(crate) fn come(server: &str, oracle: Oracle, chance: &mut Rng) -> Self {
        let (oracle, gone) = (Arc::new(Mutex::new(oracle)), Arc::new(AtomicBool::new(false)));
        let (answered, answers) = channel();
        let visitor = |_| {
            let visitor = Visitor {
                server: server.to_owned(),
                agent: Agent::config_builder()
                    .proxy(None)
                    .http_status_as_error(false)
                    .timeout_global(Some(PATIENCE))
                    .build()
                    .into(),
                chance: chance.fork(),
                oracle: Arc::clone(&oracle),
            };
            let (gone, answered) = (Arc::clone(&gone), answered.clone());
            thread::spawn(move || visitor.visit(&gone, &answered))
        };
        let threads = (0..VISITORS).map(visitor).collect();
        Self { oracle, gone, answers, threads }
    }

    /// Returns once so many more reports have been answered.
    pub(crate) fn wait_for(&self, answers: usize) {
        for _ in 0..answers {
            self.answers.recv_timeout(PATIENCE).expect("the server answers");
        }
    }

    /// They send no more; what has been answered by then.
    pub(crate) fn leave(self) -> Oracle {
        self.gone.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a visitor has seen something wrong");
        }
        let oracle = Arc::into_inner(self.oracle).expect("all visitors have gone");
        oracle.into_inner().expect("no visitor has panicked")
    }
}

struct Visitor {
    server: String,
    agent: Agent,
    chance: Rng,
    oracle: Arc<Mutex<Oracle>>,
}

impl Visitor {
    fn visit(mut self, gone: &AtomicBool, answered: &Sender<()>) {
        while !gone.load(Ordering::Relaxed) {
            // Where there is no answer the server is gone, and what was under way may be stored or not.
            let answer = if self.chance.u8(0..8) == 0 { self.ask() } else { self.report() };
            if answer.is_err() {
                return;
            }
            // Nobody waits any more where the visitors are about to leave.
            let _ = answered.send(());
        }
    }

    /// Reports one user or many, and waits for the commit or doesn't.
    fn report(&mut self) -> Result<(), ureq::Error> {
        let users = if self.chance.u8(0..5) == 0 { self.chance.usize(2..=40) } else { 1 };
        let reports: Vec<Report> = (0..users).map(|_| self.draw()).collect();
        let lines: String = reports
            .iter()
            .map(|report| {
                json!({ "user": report.user, "at": report.at.to_string(), "ip": report.ip() }).to_string() + "\n"
            })
            .collect();
        let ack = if self.chance.bool() { "?ack=stored" } else { "" };
        let request = self.agent.post(format!("{}/v1/touch{ack}", self.server));
        let answer = request.header("content-type", "application/x-ndjson").send(lines)?;
        let mut oracle = self.oracle.lock().unwrap();
        match answer.status().as_u16() {
            200 => oracle.stored(&reports),
            202 => oracle.taken(&reports),
            // It isn't stored yet, and will be.
            503 if !ack.is_empty() => oracle.taken(&reports),
            status => panic!("{status} for {} reports{ack}", reports.len()),
        }
        Ok(())
    }

    fn draw(&mut self) -> Report {
        let user = match self.chance.u16(0..2 * REGULARS) {
            regular @ 0..REGULARS => format!("regular {regular}"),
            _ => format!("new {:016x}", self.chance.u64(..)),
        };
        // Some reports come late, and must not turn a date back.
        let ago = if self.chance.u8(0..4) == 0 { self.chance.u64(0..5_000) } else { 0 };
        self.oracle.lock().unwrap().report(user, Duration::from_millis(ago))
    }

    /// Asks how far the server is behind with writing.
    fn ask(&self) -> Result<(), ureq::Error> {
        let asked = now();
        let mut answer = self.agent.get(format!("{}/metrics", self.server)).call()?;
        let lag = metric(&answer.body_mut().read_to_string()?, "flush_lag_seconds");
        self.oracle.lock().unwrap().caught_up(asked - Duration::from_secs_f64(lag));
        Ok(())
    }
}

/// A number among the server's metrics.
pub(crate) fn metric(metrics: &str, name: &str) -> f64 {
    let name = format!("lastseen_{name} ");
    let value = metrics.lines().find_map(|line| line.strip_prefix(&name));
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("there is no {name:?} in {metrics}"))
}
