//! The history's part of the page: the most ever, how many come in a day, a week and a month, and two charts.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use lastseen::{Day, Error, Resolution, Timestamp, Tracker};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::chart::{Chart, Frame};
use super::html;
use crate::access::Reader;
use crate::api::Problem;
use crate::app::AppState;
use crate::words;

/// For how long what was read is shown again: however many look at the page, the store is asked twice a minute.
const KEPT: Duration = Duration::from_secs(30);

/// How long the page waits for the store.
const PATIENCE: Duration = Duration::from_secs(2);

const DAY: Frame = Frame {
    id: "day",
    title: "Last 24 hours",
    length: Duration::from_hours(24),
    unit: Duration::from_hours(6),
    tick: Duration::from_hours(6),
    label: words::hour,
};

const MONTH: Frame = Frame {
    id: "month",
    title: "Last 30 days",
    length: Duration::from_hours(30 * 24),
    unit: Duration::from_hours(24),
    tick: Duration::from_hours(7 * 24),
    label: words::day,
};

/// What there is to say of the past.
#[derive(Debug)]
pub(super) enum History {
    /// Nobody was ever here, or the store keeps none of it.
    Nothing,
    /// The store doesn't say.
    Trouble(String),
    Told(Box<Past>),
}

#[derive(Debug)]
pub(super) struct Past {
    pub(super) most: String,
    pub(super) most_at: Timestamp,
    pub(super) most_when: String,
    /// How many users, and within which days.
    pub(super) active: [(String, &'static str); 3],
    pub(super) charts: [Chart; 2],
}

impl History {
    async fn read(tracker: &Tracker) -> Self {
        match timeout(PATIENCE, Past::read(tracker)).await {
            Ok(Ok(Some(past))) => Self::Told(past.into()),
            Ok(Ok(None)) => Self::Nothing,
            Ok(Err(error)) if error.is_unsupported() => Self::Nothing,
            Ok(Err(error)) => Self::Trouble(format!("The history can't be shown: {error}.")),
            Err(_) => {
                Self::Trouble(format!("The history can't be shown: the store gave no answer within {PATIENCE:?}."))
            }
        }
    }
}

impl Past {
    async fn read(tracker: &Tracker) -> Result<Option<Self>, Error> {
        let Some(most) = tracker.most_online().await?.filter(|most| most.online > 0) else { return Ok(None) };
        let now = tracker.now();
        let chart = async |frame: Frame, resolution: Resolution| {
            // A span that the left edge would cut is left out.
            let from = now - frame.length + resolution.width();
            Ok::<_, Error>(Chart::draw(frame, &tracker.history_by(resolution, from, now).await?, now))
        };
        let today = Day::of(now);
        let active = async |days: u32| {
            let users = tracker.active_users(today - (days - 1)..=today).await?;
            Ok::<_, Error>(words::grouped(users))
        };
        Ok(Some(Self {
            most: words::grouped(u64::from(most.online)),
            most_at: most.at,
            most_when: words::moment(most.at),
            active: [(active(1).await?, "today"), (active(7).await?, "in 7 days"), (active(30).await?, "in 30 days")],
            charts: [chart(DAY, Resolution::TenMinutes).await?, chart(MONTH, Resolution::Hour).await?],
        }))
    }
}

/// What was last read of the past, and when.
#[derive(Debug, Default)]
pub(crate) struct Recalled(Mutex<Option<(Timestamp, Arc<History>)>>);

impl Recalled {
    /// The past as it was lately. Who asks while it is being read waits for that.
    pub(super) async fn get(&self, tracker: &Tracker) -> Arc<History> {
        let mut recalled = self.0.lock().await;
        let now = tracker.now();
        if let Some((at, history)) = &*recalled
            && (*at..*at + KEPT).contains(&now)
        {
            return Arc::clone(history);
        }
        let history = Arc::new(History::read(tracker).await);
        *recalled = Some((now, Arc::clone(&history)));
        history
    }
}

#[derive(Template)]
#[template(path = "history.html")]
struct Part {
    history: Arc<History>,
}

/// The part alone, by which the script renews it.
pub(super) async fn part(_: Reader, State(state): State<Arc<AppState>>) -> Result<Response, Problem> {
    html(&Part { history: state.history.get(&state.tracker).await })
}
