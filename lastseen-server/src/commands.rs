//! The command line: a file a command. Each gives what is to be printed, so that tests can read it.

use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use lastseen::UserId;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::Failure;
use crate::settings::{SettingFlags, Settings, StoreUrl};
use crate::way::Way;

mod active;
mod completions;
mod config;
mod count;
mod explain;
mod export;
mod forget;
mod history;
mod import;
mod leave;
mod man;
mod migrate;
mod online;
mod replay;
mod seen;
mod token;
#[cfg(feature = "top")]
mod top;
mod touch;

#[cfg(feature = "top")]
pub(crate) use online::table;

const SETTINGS_HELP: &str = "\
Settings are taken from flags, over variables such as LASTSEEN_WINDOW, over the settings file, over defaults;
`lastseen config` shows the outcome. Logs go to standard error, as LASTSEEN_LOG says: error, warn, info, debug.";

/// Below this the help has what no command has for itself.
const EVERYWHERE: &str = "Options of every command";

/// Who is online, and when was everyone last seen.
#[derive(Debug, Parser)]
#[command(name = "lastseen", version, max_term_width = 100, after_help = SETTINGS_HELP)]
pub struct Cli {
    /// Settings file [default: lastseen.toml, where there is one]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "LASTSEEN_CONFIG")]
    config: Option<PathBuf>,
    /// How log lines are written
    #[arg(long, global = true, help_heading = EVERYWHERE, value_enum, default_value_t)]
    #[arg(value_name = "FORMAT", env = "LASTSEEN_LOG_FORMAT")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For programs: an object a line
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and the live page
    Serve(Serve),
    /// Report that a user is active
    Touch(touch::Touch),
    /// List who is online, newest first
    Online(online::Online),
    /// Print how many are online
    Count(count::Count),
    /// Watch who is online, how much happens, and how the store does
    #[cfg(feature = "top")]
    Top(top::Top),
    /// Tell when a user was last seen
    Seen(seen::Seen),
    /// List how many were online when, and the most ever
    History(history::History),
    /// Print how many users were active on a day, in a week and in a month
    Active(active::Active),
    /// Sign a user out: offline at once
    Leave(leave::Leave),
    /// Print all that is known of a user, as JSON
    Export(export::Export),
    /// Erase a user: activity, address, profile
    Forget(forget::Forget),
    /// Tell whether a request would count, or which rule skips it
    Explain(explain::Explain),
    /// Tell what access logs would have made of who is online
    Replay(replay::ReplayLogs),
    /// Take over the dates of last activity that a site's database has already
    Import(import::Import),
    /// Bring the store's tables to this version
    Migrate(migrate::Migrate),
    /// Make a token, by which a server knows who may do what
    Token(token::NewToken),
    /// Print every setting, and where its value came from
    Config(SettingFlags),
    /// Print the API's description for programs
    Openapi,
    /// Print what makes a shell complete these arguments
    Completions(completions::Completions),
    /// Write the manual pages
    Man(man::Man),
}

#[derive(Args, Debug)]
struct Serve {
    #[command(flatten)]
    settings: SettingFlags,
    /// Where the SQLite file is damaged or another program's, give it another name, say which, and begin a new one
    #[arg(long)]
    recover: bool,
}

impl Cli {
    /// Logs to standard error: what `LASTSEEN_LOG` says, or else what operators of a server want to know.
    pub fn start_logging(&self) {
        let usual = match self.command {
            Command::Serve(_) => "info",
            // It says so on its screen, which a log would spoil.
            #[cfg(feature = "top")]
            Command::Top(_) => "off",
            _ => "warn",
        };
        let filter = EnvFilter::try_from_env("LASTSEEN_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
        match self.log_format {
            LogFormat::Text => log.with_ansi(stderr().is_terminal()).init(),
            LogFormat::Json => log.json().init(),
        }
    }

    /// Does what was asked for, and gives what is to be printed.
    ///
    /// # Errors
    ///
    /// Where it can't be done; the failure has the exit code.
    pub fn run(self) -> Result<String, Failure> {
        let file = self.config.as_deref();
        match self.command {
            Command::Serve(command) => command.run(file),
            Command::Touch(command) => command.run(file),
            Command::Online(command) => command.run(file),
            Command::Count(command) => command.run(file),
            #[cfg(feature = "top")]
            Command::Top(command) => command.run(file),
            Command::Seen(command) => command.run(file),
            Command::History(command) => command.run(file),
            Command::Active(command) => command.run(file),
            Command::Leave(command) => command.run(file),
            Command::Export(command) => command.run(file),
            Command::Forget(command) => command.run(file),
            Command::Explain(command) => command.run(file),
            Command::Replay(command) => command.run(file),
            Command::Import(command) => command.run(file),
            Command::Migrate(command) => command.run(file),
            Command::Token(command) => command.run(),
            Command::Config(flags) => config::run(file, &flags),
            Command::Openapi => Ok(crate::openapi::DESCRIPTION.to_owned()),
            Command::Completions(command) => Ok(command.run()),
            Command::Man(command) => command.run(),
        }
    }
}

impl Serve {
    fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let (settings, origins) = Settings::load(file, &self.settings)?;
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Failure::runtime(format!("can't start the server's threads: {error}")))?;
        runtime.block_on(crate::serve::serve(&settings, &origins, self.recover))?;
        Ok(String::new())
    }
}

/// What a command works on: a server, or straight on a store.
#[derive(Args, Clone, Debug, Default, Serialize)]
struct Target {
    #[arg(long, value_name = "URL", conflicts_with = "store")]
    #[arg(help = "Server to ask, such as http://127.0.0.1:7700 [default: work on the store itself]")]
    #[serde(skip)]
    server: Option<String>,
    #[arg(long, value_name = "FILE", requires = "server")]
    #[arg(help = "File with the token to show to the server [default: what LASTSEEN_TOKEN holds]")]
    #[serde(skip)]
    token_file: Option<PathBuf>,
    /// Store to work on, such as sqlite:lastseen.db [default: that of the settings]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

impl Target {
    /// The way to what is there.
    fn open(&self, file: Option<&Path>) -> Result<Way, Failure> {
        if let Some(url) = &self.server {
            return Way::to_server(url, self.token()?.as_deref());
        }
        Way::to_store(&self.store_that_is_there(file)?)
    }

    /// The way to what is there, to be asked again and again, and what that is called.
    #[cfg(feature = "top")]
    fn keep_open(&self, file: Option<&Path>) -> Result<(Way, String), Failure> {
        if let Some(url) = &self.server {
            return Ok((Way::to_server(url, self.token()?.as_deref())?, url.clone()));
        }
        let settings = self.store_that_is_there(file)?;
        Ok((Way::along_store(&settings)?, settings.store.to_string()))
    }

    /// Asked of a file that was misspelt, an empty answer would be a wrong one.
    fn store_that_is_there(&self, file: Option<&Path>) -> Result<Settings, Failure> {
        let (settings, origins) = Settings::load(file, self)?;
        match &settings.store {
            StoreUrl::Sqlite(path) if !path.exists() => Err(Failure::runtime(format!(
                "there is no file {} (store, {}): name another with --store, or a server with --server",
                path.display(),
                origins.get("store")
            ))),
            _ => Ok(settings),
        }
    }

    /// The token for the server. It is no argument, since everyone on a machine sees those.
    fn token(&self) -> Result<Option<String>, Failure> {
        let Some(file) = &self.token_file else {
            return Ok(std::env::var("LASTSEEN_TOKEN").ok().filter(|token| !token.is_empty()));
        };
        match std::fs::read_to_string(file) {
            Ok(token) => Ok(Some(token.trim().to_owned())),
            Err(error) => Err(Failure::usage(format!("--token-file {}: {error}", file.display()))),
        }
    }

    /// The way, for a command that may begin a store.
    fn open_or_create(&self, file: Option<&Path>) -> Result<Way, Failure> {
        match &self.server {
            Some(url) => Way::to_server(url, self.token()?.as_deref()),
            None => Way::to_store(&Settings::load(file, self)?.0),
        }
    }
}

/// The path of a user's calls. An id that is none has no such path.
fn path_of(user: &str) -> Result<String, Failure> {
    Ok(format!("/v1/users/{}", encoded(UserId::new(user)?.as_str())))
}

/// A text as a part of a path or a query.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
