//! How many were online when, and the most ever: all in one slot, since they are few.

use ::redis::{Value, cmd};

use super::groups::slot;
use super::router::Request;
use super::{Handle, META, RedisError, answer, of_meta, script};
use crate::timestamp::micros;
use crate::{MostOnline, OnlineSpan, Resolution, Timestamp};

impl Handle {
    pub(super) async fn write_history(
        &self,
        spans: &[OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Result<(), RedisError> {
        self.groups().await?;
        let most_key = self.meta_key("most");
        let keys = Resolution::ALL.map(|resolution| self.keys_of(resolution));
        let keys: Vec<&str> =
            std::iter::once(most_key.as_str()).chain(keys.iter().flatten().map(String::as_str)).collect();
        let mut command = script::WRITE_HISTORY.call(&keys);
        command.arg(answer::kept(now));
        match most {
            Some(most) => command.arg(most.online).arg(answer::kept(most.at)),
            None => command.arg("").arg(""),
        };
        for resolution in Resolution::ALL {
            command.arg(micros(resolution.kept()));
        }
        for span in spans {
            let resolution = Resolution::ALL.iter().position(|resolution| *resolution == span.resolution);
            command.arg(resolution.map_or(0, |place| place + 1));
            command.arg(answer::kept(span.at)).arg(span.online).arg(span.peak);
        }
        self.send("writing the history", vec![of_meta(command, &script::WRITE_HISTORY)]).await.map(drop)
    }

    pub(super) async fn spans(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, RedisError> {
        const DOING: &str = "reading the history";
        self.groups().await?;
        let [moments, counts] = self.keys_of(resolution);
        let mut command = script::HISTORY.call(&[&moments, &counts]);
        command.arg(answer::kept(from)).arg(answer::kept(to));
        let answers = self.send(DOING, vec![of_meta(command, &script::HISTORY)]).await?;
        let span = |pair: &[Value]| {
            let [at, counts] = pair else { return None };
            let (online, peak) = answer::text(counts)?.split_once(' ')?;
            let at = answer::timestamp(answer::bytes(at)?)?;
            Some(OnlineSpan { resolution, at, online: online.parse().ok()?, peak: peak.parse().ok()? })
        };
        let spans = answers.first().and_then(answer::list).and_then(|values| values.chunks(2).map(span).collect());
        spans.ok_or_else(|| self.unreadable(DOING))
    }

    pub(super) async fn most_online(&self) -> Result<Option<MostOnline>, RedisError> {
        const DOING: &str = "reading the most ever online";
        self.groups().await?;
        let mut command = cmd("HMGET");
        command.arg(self.meta_key("most")).arg("online").arg("at");
        let request = Request { slot: slot(META.as_bytes()), command, script: None };
        let answers = self.send(DOING, vec![request]).await?;
        let Some([online, at]) = answers.first().and_then(answer::list) else { return Err(self.unreadable(DOING)) };
        let most = answer::text(online)
            .zip(answer::bytes(at))
            .map(|(online, at)| Some(MostOnline { online: online.parse().ok()?, at: answer::timestamp(at)? }));
        most.map(|most| most.ok_or_else(|| self.unreadable(DOING))).transpose()
    }

    /// When spans of this resolution began, and what was counted in each.
    fn keys_of(&self, resolution: Resolution) -> [String; 2] {
        ["at", "counts"].map(|what| self.meta_key(&format!("{resolution}:{what}")))
    }
}
