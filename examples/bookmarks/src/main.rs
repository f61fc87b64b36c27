//! Serves the example site on its own: `cargo run -p bookmarks`.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bookmarks::Database;
use clap::Parser;
use lastseen::{MemoryStore, SqliteStore, Tracker};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// A small site with an online corner. Sign in as demo1 to demo8; the password is the name.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The address to listen on; port 0 takes a free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7800")]
    listen: SocketAddr,
    /// Where activity is kept: memory: or sqlite:PATH. [default: a file that is gone at the end]
    #[arg(long, value_parser = Kept::parse)]
    store: Option<Kept>,
    /// The site's own database: users, bookmarks, comments. [default: a file that is gone at the end]
    #[arg(long, value_name = "PATH")]
    users: Option<PathBuf>,
    /// How recently a user must have been active to be online.
    #[arg(long, default_value = "15m", value_parser = humantime::parse_duration)]
    window: Duration,
}

/// Where activity is kept.
#[derive(Clone)]
enum Kept {
    Memory,
    Sqlite(PathBuf),
}

impl Kept {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => Err("write memory: or sqlite:PATH".into()),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let users = options.users.unwrap_or_else(|| scratch.path().join("site.db"));
    let database = Database::open(&users).map_err(|error| format!("can't open {}: {error}", users.display()))?;
    let kept = options.store.unwrap_or_else(|| Kept::Sqlite(scratch.path().join("lastseen.db")));

    let tracker = match kept {
        Kept::Memory => Tracker::builder(MemoryStore::new()),
        Kept::Sqlite(path) => Tracker::builder(SqliteStore::open(path).await?),
    };
    let tracker = tracker.window(options.window).directory(database.directory().await?).start().await?;

    let app = bookmarks::app(database, tracker.clone())?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("can't listen on {}: {error}", options.listen))?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;

    let (stop, stopped) = oneshot::channel::<()>();
    // With the peer's address beside each request, the layer stamps that too.
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async { drop(stopped.await) });
    let server = tokio::spawn(server.into_future());

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    drop(stop);
    // Requests under way may end; a visitor who dawdles holds nothing up.
    drop(tokio::time::timeout(Duration::from_secs(3), server).await);
    // What only memory knows goes to the store.
    tracker.shutdown().await?;
    Ok(())
}
