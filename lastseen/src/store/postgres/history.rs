//! How many were online when, and the most ever.

use tokio_postgres::Error;
use tokio_postgres::types::Type;

use super::date::Date;
use super::{Handle, PostgresError};
use crate::{MostOnline, OnlineSpan, Resolution, Timestamp};

impl Handle {
    pub(super) async fn write_history(
        &self,
        spans: &[OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Result<(), PostgresError> {
        let tables = self.tables().await?;
        let resolutions: Vec<i32> = spans.iter().map(|span| span.resolution.seconds()).collect();
        let at: Vec<Date> = spans.iter().map(|span| Date(span.at)).collect();
        let online: Vec<i32> = spans.iter().map(|span| to_server(span.online)).collect();
        let peak: Vec<i32> = spans.iter().map(|span| to_server(span.peak)).collect();
        let kept: Vec<i32> = Resolution::ALL.into_iter().map(Resolution::seconds).collect();
        let oldest: Vec<Date> = Resolution::ALL.iter().map(|resolution| Date(resolution.oldest(now))).collect();
        let params = [
            (&resolutions as _, Type::INT4_ARRAY),
            (&at as _, Type::TIMESTAMPTZ_ARRAY),
            (&online as _, Type::INT4_ARRAY),
            (&peak as _, Type::INT4_ARRAY),
            (&most.map(|most| to_server(most.online)) as _, Type::INT4),
            (&most.map(|most| Date(most.at)) as _, Type::TIMESTAMPTZ),
            (&kept as _, Type::INT4_ARRAY),
            (&oldest as _, Type::TIMESTAMPTZ_ARRAY),
        ];
        self.ask("writing the history", &tables.write_history, &params).await.map(drop)
    }

    pub(super) async fn history(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, PostgresError> {
        const DOING: &str = "reading the history";
        let tables = self.tables().await?;
        let params = [
            (&resolution.seconds() as _, Type::INT4),
            (&Date(from) as _, Type::TIMESTAMPTZ),
            (&Date(to) as _, Type::TIMESTAMPTZ),
        ];
        let rows = self.ask(DOING, &tables.history, &params).await?;
        let span = |row: &tokio_postgres::Row| {
            let Date(at) = row.try_get(0)?;
            Ok(OnlineSpan { resolution, at, online: from_server(row.try_get(1)?), peak: from_server(row.try_get(2)?) })
        };
        let spans: Result<Vec<_>, Error> = rows.iter().map(span).collect();
        spans.map_err(|error| self.unreadable(DOING, error))
    }

    pub(super) async fn most_online(&self) -> Result<Option<MostOnline>, PostgresError> {
        const DOING: &str = "reading the most ever online";
        let tables = self.tables().await?;
        let rows = self.ask(DOING, &tables.most_online, &[]).await?;
        let most = |row: &tokio_postgres::Row| {
            let Date(at) = row.try_get(1)?;
            Ok(MostOnline { online: from_server(row.try_get(0)?), at })
        };
        rows.first().map(most).transpose().map_err(|error| self.unreadable(DOING, error))
    }
}

/// More than the server's integers hold are more than memory does.
fn to_server(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn from_server(count: i32) -> u32 {
    u32::try_from(count).unwrap_or(0)
}
