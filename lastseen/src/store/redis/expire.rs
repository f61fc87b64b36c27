//! What is kept no longer, a part of a group in a call.

use super::router::Request;
use super::{Handle, RedisError, answer, script};
use crate::store::{Cursor, KeptSince};
use crate::{Day, Timestamp};

impl Handle {
    /// A cursor says which group it is the turn of, which part of it, and where in that.
    pub(super) async fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, RedisError> {
        const DOING: &str = "taking away what is kept no longer";
        let groups = self.groups().await?;
        let mut place = page.map_or("0", Cursor::as_str).splitn(3, ' ');
        let index = place.next().and_then(|index| index.parse().ok()).unwrap_or(0);
        let (part, from) = (place.next().unwrap_or_default(), place.next().unwrap_or_default());
        if index >= groups.len() {
            return Ok(None);
        }
        let group = groups.get(index);
        let days = since.records.filter(|_| part.is_empty()).into_iter().flat_map(days_before);
        let mut command = script::EXPIRE.call(&group.keys.with(days));
        for date in [since.addresses, since.records] {
            match date {
                Some(date) => command.arg(answer::kept(date)),
                None => command.arg(""),
            };
        }
        command.arg(answer::kept(now)).arg(part).arg(from);
        let request = Request { slot: group.slot, command, script: Some(&script::EXPIRE) };
        let answers = self.send(DOING, vec![request]).await?;
        let next = answers.first().and_then(answer::list).and_then(|next| match next {
            [part, from] => Some((answer::text(part)?, answer::text(from)?)),
            _ => None,
        });
        let next = match next.ok_or_else(|| self.unreadable(DOING))? {
            ("", _) if index + 1 == groups.len() => return Ok(None),
            ("", _) => (index + 1).to_string(),
            (part, from) => format!("{index} {part} {from}"),
        };
        Ok(Some(Cursor::new(next)))
    }
}

/// The days before the one of a date that may still be there.
fn days_before(date: Timestamp) -> impl Iterator<Item = Day> {
    let first = Day::of(date);
    Handle::days_until(date).filter(move |day| *day < first)
}
