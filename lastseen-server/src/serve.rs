//! `lastseen serve`: from the settings to a server that answers, and to an end that loses nothing.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::time::Duration;

use lastseen::{SystemClock, Tracker};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::{AppState, app};
use crate::settings::{Origins, Settings};
use crate::syslog::Syslog;
use crate::{Failure, demo, store};

mod accept;

/// How long requests under way may take to end, and then the last flush: 5 s are promised for all.
const GRACE: Duration = Duration::from_secs(2);

/// How long a client may take to send a request's head, and half of how long it may take to read.
const TIME: Duration = Duration::from_secs(30);

/// Connections besides those of event clients.
const CONNECTIONS: usize = 1024;

/// Files that are open besides connections: the store's, the listener, what the runtime needs.
const OTHER_FILES: usize = 128;

/// Serves until it is told to end. To `recover` is to set aside a SQLite file that can't be used, and to begin a new one.
///
/// # Errors
///
/// Where it can't listen or the store can't be opened; or, at the end, where the last flush failed.
pub async fn serve(settings: &Settings, origins: &Origins, recover: bool) -> Result<(), Failure> {
    if settings.tokens.is_empty() {
        loopback_alone(settings.listen, origins.get("listen"))?;
    }
    let connections = CONNECTIONS + settings.event_clients;
    allow_files(connections + OTHER_FILES);
    // Before anything else happens, so that a signal is heard from the first line printed on.
    let end = end_signal()?;
    outlive_file_size_limit()?;
    // A port that is taken must not cost the store anything, so it comes first.
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| cannot_listen(settings.listen, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(settings.listen, &error))?;

    let syslog = Syslog::bind(settings)?;

    let clock = SystemClock::new();
    if recover && let Some(aside) = store::recover(settings).await? {
        announce(format_args!("{} can't be used, and is now {}", settings.store, aside.display()));
    }
    let (tracker, shared) = store::start_shared(settings, clock.clone()).await?;
    let visits = || demo::run(tracker.clone(), clock.clone(), settings.demo, settings.addresses);
    let invention = (settings.demo > 0).then(|| tokio::spawn(visits()));
    if let Some(error) = tracker.status().store_error {
        tracing::warn!(%error, "the store does not answer; serving from memory");
    }

    let state = AppState::new(tracker.clone(), clock.clone(), settings)?.sharing(shared);
    let (events, intake, load) = (state.events(), state.intake(), state.load());
    let stop = CancellationToken::new();
    let syslog = syslog.map(|syslog| {
        announce(format_args!("taking syslog at {}", syslog.address()));
        tokio::spawn(syslog.run(intake, clock, stop.clone()))
    });
    tracing::info!(%address, store = %settings.store, window = %settings.window, "serving");
    announce(format_args!("listening on http://{address}"));
    let end = async {
        end.await;
        tracing::info!("told to end");
        // They would go on for ever, and this for as long.
        events.close();
    };
    let limits = accept::Limits { connections, time_for_head: TIME, time_to_read: 2 * TIME, grace: GRACE };
    accept::serve(listener, app(state), end, limits, load).await;
    stop.cancel();
    if let Some(syslog) = syslog
        && let Err(error) = syslog.await
    {
        tracing::error!(%error, "the intake by syslog ended before its time");
    }
    if let Some(invention) = invention {
        invention.abort();
    }
    flush(&tracker).await
}

/// Whoever can reach the server can ask it everything, so nobody else's machine may.
fn loopback_alone(listen: SocketAddr, origin: &str) -> Result<(), Failure> {
    if listen.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "listen = {listen} ({origin}) can be reached from other machines, and there are no tokens that would say who may \
         ask what: make some with `lastseen token`, or listen at a loopback address such as 127.0.0.1:{}, and let a \
         proxy on this machine decide",
        listen.port()
    )))
}

/// Raises the system's limit of open files to what so many need: each connection is one. It is 1024 as a rule, and any
/// process may raise it, up to the administrator's own limit.
fn allow_files(wanted: usize) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    // A limit that isn't there is one that is never reached.
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let allowed = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum: limit.maximum });
    if raised.is_err() || allowed < wanted {
        tracing::warn!(
            wanted,
            allowed,
            "the system allows fewer open files than connections: raise its limit, or lower event_clients"
        );
    }
}

fn cannot_listen(listen: SocketAddr, error: &io::Error) -> Failure {
    Failure::runtime(match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{listen} is in use by another program: end it, or choose another port with --listen (port 0 is any free one)"
        ),
        _ => format!("can't listen at {listen}: {error}"),
    })
}

/// Lets a write past the limit on a file's size be an error of the store's, as a full disk is, and not the end: that is what
/// its signal means to a program that doesn't listen for it.
fn outlive_file_size_limit() -> Result<(), Failure> {
    listen_for(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}

fn listen_for(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::runtime(format!("can't listen for signals: {error}")))
}

/// SIGTERM or SIGINT, whichever comes first.
fn end_signal() -> Result<impl Future<Output = ()>, Failure> {
    let (mut terminate, mut interrupt) = (listen_for(SignalKind::terminate())?, listen_for(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// A line on standard output, for whoever started this and waits until it answers; the address to ask is the last.
fn announce(what: fmt::Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    // Nobody reading it is no reason not to serve.
    let _ = writeln!(stdout, "{what}").and_then(|()| stdout.flush());
}

async fn flush(tracker: &Tracker) -> Result<(), Failure> {
    match tokio::time::timeout(GRACE, tracker.shutdown()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::runtime(format!("the last activities could not be stored: {error}"))),
        Err(_) => Err(Failure::runtime(format!(
            "the last activities could not be stored within {} s: {} users' are lost",
            GRACE.as_secs(),
            tracker.status().pending
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_are_refused() {
        for listen in ["127.0.0.1:7700", "127.9.9.9:0", "[::1]:7700", "[::ffff:127.0.0.1]:7700"] {
            assert!(loopback_alone(listen.parse().unwrap(), "default").is_ok(), "{listen}");
        }
        for listen in ["0.0.0.0:7700", "10.0.0.1:7700", "[::]:7700"] {
            let failure = loopback_alone(listen.parse().unwrap(), "--listen").unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            assert!(failure.to_string().contains(&format!("{listen} (--listen)")), "{failure}");
            assert!(failure.to_string().contains("127.0.0.1:7700"), "{failure}");
        }
    }
}
