//! The intake by syslog: a web server reports by its own access log, and none of its requests waits for that.
//!
//! nginx sends each line as a datagram, to a UDP port or to a socket in the file system, and forgets it; so may a site.
//! What waits to be read, waits in the kernel; what finds no room there is dropped, and counted. Nothing else queues,
//! since taking a datagram in is a matter of memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::HeaderValue;
use lastseen::http::PeerAddr;
use lastseen::{Activity, Clock, Tracker, UserId};
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::judge::Judge;
use crate::log_line::{Format, LogLine, blank_request};
use crate::settings::{Settings, SyslogAddress};

mod drops;
pub mod message;
mod socket;

use socket::{Datagram, Socket};

/// How often operators are told of what was not taken, at most.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// How many datagrams are taken in before others have their turn.
const TURN: usize = 256;

/// How long more may gather before they are taken in together. To wake for each line would cost a machine more than to
/// take it in; and the queue of UDP holds what comes within so short a time.
const REST: Duration = Duration::from_millis(1);

/// No datagram is longer.
const LONGEST: usize = 1 << 16;

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Touched,
    /// By one of the rules.
    Skipped,
    /// The request had no user.
    Nobody,
    /// The credentials were refused, or the date lies ahead of the clock, or memory is full.
    Refused,
    /// It is no line that can be read, or its user can't be one.
    Malformed,
    /// The sender is in none of the networks that may send.
    Stranger,
}

impl Outcome {
    pub(crate) const ALL: [Self; 6] =
        [Self::Touched, Self::Skipped, Self::Nobody, Self::Refused, Self::Malformed, Self::Stranger];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Touched => "touched",
            Self::Skipped => "skipped",
            Self::Nobody => "nobody",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Stranger => "stranger",
        }
    }
}

/// What has become of the datagrams so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    dropped: AtomicU64,
}

impl Counts {
    pub(crate) fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize].load(Ordering::Relaxed)
    }

    /// Those that found no room in the kernel's queue, where it tells: on Linux, of UDP. Brought up to date each second.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn add(&self, outcome: Outcome) {
        self.outcomes[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn not_taken(&self) -> [u64; 3] {
        [self.of(Outcome::Malformed), self.of(Outcome::Stranger), self.dropped()]
    }
}

/// A socket that web servers send their log to.
#[derive(Debug)]
pub(crate) struct Syslog(Socket);

impl Syslog {
    /// Binds the socket that the settings name, if they do.
    ///
    /// # Errors
    ///
    /// Where it can't be had.
    pub(crate) fn bind(settings: &Settings) -> Result<Option<Self>, Failure> {
        let socket = match &settings.syslog {
            SyslogAddress::Off => return Ok(None),
            SyslogAddress::Udp(address) => Socket::udp(*address, settings.syslog_from.clone())?,
            SyslogAddress::Unix(path) => Socket::unix(path)?,
        };
        Ok(Some(Self(socket)))
    }

    /// Where it is, as the setting would name it.
    pub(crate) fn address(&self) -> SyslogAddress {
        self.0.address()
    }

    /// Takes datagrams in until `stop`, and then what has arrived by then.
    pub(crate) async fn run(self, intake: Intake, clock: impl Clock, stop: CancellationToken) {
        let mut buffer = vec![0; LONGEST];
        let mut look_at = clock.monotonic();
        let mut tell_at = clock.monotonic();
        let mut told = intake.counts.not_taken();
        loop {
            let mut arrived = 0;
            while arrived < TURN
                && let Some(datagram) = self.0.receive(&mut buffer)
            {
                intake.datagram(datagram);
                arrived += 1;
            }
            let now = clock.monotonic();
            if now >= look_at {
                look_at = now + Duration::from_secs(1);
                self.look_at_drops(&intake.counts);
                if now >= tell_at && tell(&intake.counts, &mut told) {
                    tell_at = now + TELL_EVERY;
                }
            }
            if arrived == TURN {
                tokio::task::yield_now().await;
                continue;
            }
            if stop.is_cancelled() {
                break;
            }
            let rests = arrived > 0 && self.0.has_long_queue();
            tokio::select! {
                () = self.0.readable(), if !rests => {}
                () = clock.sleep_until(if rests { now + REST } else { look_at }) => {}
                () = stop.cancelled() => {}
            }
        }
        self.look_at_drops(&intake.counts);
        tell(&intake.counts, &mut told);
    }

    fn look_at_drops(&self, counts: &Counts) {
        if let Some(dropped) = self.0.dropped() {
            counts.dropped.store(dropped, Ordering::Relaxed);
        }
    }
}

/// Logs what was not taken since the last time; false where that is nothing.
fn tell(counts: &Counts, told: &mut [u64; 3]) -> bool {
    let before = std::mem::replace(told, counts.not_taken());
    let [malformed, strangers, dropped] = std::array::from_fn(|index| told[index].saturating_sub(before[index]));
    if malformed + strangers + dropped == 0 {
        return false;
    }
    tracing::warn!(malformed, strangers, dropped, "syslog datagrams that could not be taken");
    true
}

/// What makes activities of datagrams.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    pub(crate) tracker: Tracker,
    pub(crate) judge: Arc<Judge>,
    pub(crate) counts: Arc<Counts>,
}

impl Intake {
    fn datagram(&self, datagram: Datagram<'_>) {
        self.counts.add(match datagram {
            Datagram::From(text) => self.take(text),
            Datagram::Stranger => Outcome::Stranger,
        });
    }

    fn take(&self, datagram: &[u8]) -> Outcome {
        let Some(Ok(line)) = message::of(datagram).map(|line| Format::Json.read(line)) else {
            return Outcome::Malformed;
        };
        if line.is_refused() {
            return Outcome::Refused;
        }
        let Some(user) = &line.user else { return Outcome::Nobody };
        let Ok(user) = UserId::new(user) else { return Outcome::Malformed };
        let mut request = blank_request();
        if line.fill(&mut request) && self.judge.skips(&request) {
            return Outcome::Skipped;
        }
        let LogLine { ip, forwarded, at, .. } = line;
        if let Some(peer) = ip {
            // What the web server's own request said, for the same walk as everywhere.
            request.extensions.insert(PeerAddr(SocketAddr::new(peer, 0)));
            if let (false, Ok(value)) = (forwarded.is_empty(), HeaderValue::from_bytes(forwarded.as_bytes())) {
                request.headers.insert(self.judge.client_ip_header(), value);
            }
        }
        let at = at.unwrap_or_else(|| self.tracker.now());
        match self.tracker.touch_at(Activity { user, at, ip: self.judge.client_ip(&request) }) {
            Ok(()) => Outcome::Touched,
            Err(_) => Outcome::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use lastseen::{ManualClock, MemoryStore};
    use serde_json::json;

    use super::*;

    const NOW: &str = "2026-11-24T03:15:00Z";

    async fn intake(settings: &serde_json::Value) -> Intake {
        let clock = ManualClock::new(NOW.parse().unwrap());
        let tracker = Tracker::builder(MemoryStore::new()).clock(clock).start().await.unwrap();
        let (settings, _) = Settings::load(None, settings).unwrap();
        let judge = Arc::new(Judge::of(&settings).unwrap());
        Intake { tracker, judge, counts: Arc::default() }
    }

    fn from_nginx(line: &str) -> Vec<u8> {
        format!("<190>Nov 24 03:15:00 web1 nginx: {line}").into_bytes()
    }

    #[tokio::test]
    async fn every_datagram_comes_to_what_it_deserves() {
        let intake = intake(&json!({ "skip": ["^static/"] })).await;
        for (line, outcome) in [
            (r#"{"user":"ada","uri":"/about","status":"200","time":"1795490099.5"}"#, Outcome::Touched),
            (r#"{"user":"bob"}"#, Outcome::Touched),
            (r#"{"user":"cy","uri":"/static/a.png"}"#, Outcome::Skipped),
            (r#"{"user":"","uri":"/about"}"#, Outcome::Nobody),
            (r#"{"user":"eve","uri":"/about","status":"401"}"#, Outcome::Refused),
            (r#"{"user":"eve","time":"1795490106"}"#, Outcome::Refused),
            (r#"{"user":"a\u0007"}"#, Outcome::Malformed),
            (r#"{"user":"ada""#, Outcome::Malformed),
            ("203.0.113.7 - ada [24/Nov/2026:03:15:00 +0000]", Outcome::Malformed),
        ] {
            assert_eq!(intake.take(&from_nginx(line)), outcome, "{line}");
        }
        assert_eq!(intake.take(b"user=eve"), Outcome::Malformed);
        let online: Vec<_> = intake.tracker.online(9).iter().map(|user| format!("{} {}", user.user, user.at)).collect();
        assert_eq!(online, [format!("bob {NOW}"), "ada 2026-11-24T03:14:59.5Z".to_owned()]);
        assert_eq!(intake.judge.skipped().collect::<Vec<_>>(), [1]);
    }

    #[tokio::test]
    async fn rule_11_the_address_is_found_as_in_the_web_server_s_own_request() {
        let intake = intake(&json!({ "trust_proxy": ["10.0.0.0/8"] })).await;
        for (user, ip, forwarded, expected) in [
            ("a", "203.0.113.7", "", Some("203.0.113.7")),
            ("b", "203.0.113.7", "1.1.1.1", Some("203.0.113.7")),
            ("c", "10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", Some("198.51.100.1")),
            ("d", "10.0.0.1", "", Some("10.0.0.1")),
            ("e", "unix:", "1.1.1.1", None),
        ] {
            let line = json!({ "user": user, "ip": ip, "forwarded": forwarded });
            assert_eq!(intake.take(&from_nginx(&line.to_string())), Outcome::Touched);
            let seen = intake.tracker.last_seen(&UserId::new(user).unwrap()).await.unwrap().unwrap();
            assert_eq!(seen.ip.map(|ip| ip.to_string()).as_deref(), expected, "{line}");
        }
    }

    #[tokio::test]
    async fn what_has_arrived_by_the_end_is_taken_in() {
        let settings = Settings { syslog: SyslogAddress::Udp("127.0.0.1:0".parse().unwrap()), ..Settings::default() };
        let syslog = Syslog::bind(&settings).unwrap().unwrap();
        let SyslogAddress::Udp(address) = syslog.address() else { panic!("{syslog:?}") };
        let intake = intake(&json!({})).await;
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for user in 0..=TURN {
            sender.send_to(&from_nginx(&json!({ "user": user }).to_string()), address).unwrap();
        }
        let stop = CancellationToken::new();
        stop.cancel();
        syslog.0.readable().await;
        syslog.run(intake.clone(), ManualClock::new(NOW.parse().unwrap()), stop).await;
        assert_eq!(intake.tracker.count(), TURN + 1);
        assert_eq!((intake.counts.of(Outcome::Touched), intake.counts.dropped()), (257, 0));
    }
}
