//! Serves the example site on its own: `cargo run -p bookmarks`.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bookmarks::{Accounts, Database, Django};
use clap::Parser;
use lastseen::{MemoryStore, PostgresStore, SqliteStore, Tracker};
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
    #[arg(
        long,
        value_name = "URL",
        value_parser = Kept::parse,
        help = "Where activity is kept: memory:, sqlite:PATH or postgres://HOST/DATABASE [default: a file that is gone at the end]"
    )]
    store: Option<Kept>,
    #[arg(
        long,
        value_name = "PATH",
        help = "The site's own database: users, bookmarks, comments; or postgres://HOST/DATABASE, where Django has its users \
                [default: a file that is gone at the end]"
    )]
    users: Option<String>,
    /// How recently a user must have been active to be online.
    #[arg(long, default_value = "15m", value_parser = humantime::parse_duration)]
    window: Duration,
}

/// Where activity is kept.
#[derive(Clone)]
enum Kept {
    Memory,
    Sqlite(PathBuf),
    Postgres(String),
}

impl Kept {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self::Postgres(text.into())),
            _ => Err("write memory:, sqlite:PATH or postgres://HOST/DATABASE".into()),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(error.source(), |cause| (*cause).source());
            let told = causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"));
            tracing::error!("{told}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let own = scratch.path().join("site.db");
    let cannot = |path: &Path, error| format!("can't open {}: {error}", path.display());
    let (database, accounts) = match &options.users {
        Some(url) if url.starts_with("postgres") && url.contains("://") => {
            let database = Database::without_accounts(&own).map_err(|error| cannot(&own, error))?;
            (database.clone(), Accounts::Django(Django::new(url, database)?))
        }
        path => {
            let path = path.as_ref().map_or(own, PathBuf::from);
            let database = Database::open(&path).map_err(|error| cannot(&path, error))?;
            (database.clone(), Accounts::Own(database))
        }
    };

    let kept = options.store.unwrap_or_else(|| Kept::Sqlite(scratch.path().join("lastseen.db")));
    let tracker = match kept {
        Kept::Memory => Tracker::builder(MemoryStore::new()),
        Kept::Sqlite(path) => Tracker::builder(SqliteStore::open(path).await?),
        Kept::Postgres(url) => {
            let mut store = PostgresStore::builder(&url);
            // In one database a record belongs to its user: SQL joins the two, and with the user goes the record.
            if options.users.as_ref() == Some(&url) {
                store = store.references("auth_user", "id");
            }
            Tracker::builder(store.connect().await?)
        }
    };
    let tracker = tracker.window(options.window).directory(accounts.directory().await?).start().await?;

    let app = bookmarks::app(database, accounts, tracker.clone())?;
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
