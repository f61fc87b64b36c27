//! `lastseen import`: the dates of last activity that a site's database has already, taken over into the store.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use lastseen::{Activity, Clock, MemoryStore, Record, RedisStore, SqlActivities, SqliteStore, Store, SystemClock};
use serde::Serialize;

use crate::Failure;
use crate::settings::{Addresses, Settings, StoreKeyFlags, StoreUrl};
use crate::store::{postgres, with_causes};
use crate::value::Value;

mod columns;
mod report;

use columns::{Columns, Site};
use report::Report;

const HELP: &str = "\
Dates that name no time zone are taken as UTC, numbers as seconds since 1970. The later date stays, so it may be run again,
beside a running server too. Sites: django (auth_user.last_login), devise (users.current_sign_in_at and its address), laravel
(sessions.last_activity and ip_address), aspnet-identity (AspNetUsers, and the --date that you added to it).";

#[derive(Args, Debug, Serialize)]
#[command(after_help = HELP)]
pub(super) struct Import {
    #[arg(long, value_name = "URL", help = "The site's database: sqlite:PATH or postgres://HOST/DATABASE")]
    #[serde(skip)]
    from: String,
    /// The framework whose tables these are
    #[arg(long, value_name = "NAME")]
    #[serde(skip)]
    site: Option<Site>,
    /// The table, with its schema before a dot where that is needed
    #[arg(long, required_unless_present = "site")]
    #[serde(skip)]
    table: Option<String>,
    /// The column with the user's key
    #[arg(long, value_name = "COLUMN", required_unless_present = "site")]
    #[serde(skip)]
    id: Option<String>,
    /// The column with the date
    #[arg(long, value_name = "COLUMN", required_unless_present = "site")]
    #[serde(skip)]
    date: Option<String>,
    /// The column with the address
    #[arg(long, value_name = "COLUMN")]
    #[serde(skip)]
    ip: Option<String>,
    /// Read and report, and write nothing
    #[arg(long)]
    #[serde(skip)]
    dry_run: bool,
    /// Store to import into [default: that of the settings]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    keys: StoreKeyFlags,
}

impl Import {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let (settings, _) = Settings::load(file, &self)?;
        let from = StoreUrl::read(&self.from).map_err(|error| Failure::usage(format!("--from: {error}")))?;
        let columns = Columns::new(self.site, self.table, self.id, self.date, self.ip)?;
        if settings.store == StoreUrl::Memory && !self.dry_run {
            return Err(Failure::usage("store = memory: ends with this command: name another by --store"));
        }
        let addresses = settings.addresses;
        let report = Report::new(format!("{columns} of {from}"), self.dry_run);
        crate::way::runtime()?
            .block_on(async {
                let source = open(&from, &columns).await?;
                match &settings.store {
                    _ if self.dry_run => take_over(source, report, addresses, None::<&MemoryStore>).await,
                    // Refused above.
                    StoreUrl::Memory => take_over(source, report, addresses, None::<&MemoryStore>).await,
                    StoreUrl::Sqlite(path) => {
                        take_over(source, report, addresses, Some(&SqliteStore::open(path).await?)).await
                    }
                    StoreUrl::Postgres(url) => {
                        let store = postgres(url, &settings).connect().await?;
                        store.ready().await?;
                        let mut report = take_over(source, report, addresses, Some(&store)).await?;
                        report.dropped(store.dropped());
                        Ok(report)
                    }
                    StoreUrl::Redis(url) => {
                        let store = RedisStore::connect(url).await?;
                        store.ready().await?;
                        take_over(source, report, addresses, Some(&store)).await
                    }
                }
            })
            .map(|report| report.to_string())
    }
}

async fn open(from: &StoreUrl, columns: &Columns) -> Result<SqlActivities, Failure> {
    let query = columns.query();
    let misnamed = |is_query, message| {
        let hint = if is_query { ": name the table and its columns by --table, --id, --date and --ip" } else { "" };
        Failure::runtime(format!("--from: {message}{hint}"))
    };
    match from {
        StoreUrl::Sqlite(path) if !path.exists() => {
            Err(Failure::runtime(format!("--from: there is no file {}", path.display())))
        }
        StoreUrl::Sqlite(path) => {
            SqlActivities::sqlite(path, &query).await.map_err(|error| misnamed(error.is_query(), with_causes(&error)))
        }
        StoreUrl::Postgres(url) => {
            SqlActivities::postgres(url, &query).await.map_err(|error| misnamed(error.is_query(), with_causes(&error)))
        }
        StoreUrl::Memory | StoreUrl::Redis(_) => Err(Failure::usage(format!(
            "--from {from} is no site's database: write sqlite:PATH or postgres://HOST/DATABASE"
        ))),
    }
}

/// Reads to the end and writes it, page by page, into the store if there is one.
async fn take_over<S: Store>(
    mut from: SqlActivities,
    mut report: Report,
    addresses: Addresses,
    to: Option<&S>,
) -> Result<Report, Failure> {
    let clock = SystemClock::new();
    let style = ProgressStyle::with_template("{spinner}  {pos} rows, {per_sec}  {elapsed}").expect("a valid template");
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    loop {
        let page = from.next().await.map_err(|error| report.broken_off(&with_causes(&error)))?;
        if page.is_empty() {
            bar.finish_and_clear();
            return Ok(report);
        }
        bar.inc(page.len() as u64);
        let now = clock.now();
        let mut batch: Vec<Record> = page
            .into_iter()
            .filter_map(|row| report.judge(row, now))
            .map(|activity| Activity { ip: addresses.of(activity.ip), ..activity }.into())
            .collect();
        let rows = batch.len();
        // A batch has no user twice, and is sorted.
        batch.sort_unstable_by(|a, b| a.user.cmp(&b.user));
        batch.dedup_by(|later, kept| {
            let same = later.user == kept.user;
            if same {
                kept.merge(later, now);
            }
            same
        });
        if let Some(store) = to {
            store.write(&batch, now).await.map_err(|error| report.broken_off(&with_causes(&error)))?;
        }
        report.imported(rows);
    }
}
