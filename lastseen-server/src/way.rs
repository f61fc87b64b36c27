//! A command's way to its answer: the same calls, over HTTP to a server, or without a port straight on a store.

use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Failure;
use crate::api::IN_QUERY;
use crate::settings::Settings;

mod server;
mod straight;

use server::Server;
use straight::Straight;
pub(crate) use straight::runtime;

/// Where a command's calls go.
pub(crate) enum Way {
    /// To a running server.
    Server(Server),
    /// To the same service, in this process, on a tracker of its own.
    Straight(Straight),
}

impl Way {
    pub(crate) fn to_server(url: &str, token: Option<&str>) -> Result<Self, Failure> {
        Server::at(url, token).map(Self::Server)
    }

    pub(crate) fn to_store(settings: &Settings) -> Result<Self, Failure> {
        Straight::on(settings, runtime()?).map(Self::Straight)
    }

    /// To a store that is followed between calls, too.
    #[cfg(feature = "top")]
    pub(crate) fn along_store(settings: &Settings) -> Result<Self, Failure> {
        Straight::on(settings, straight::runtime_behind()?).map(Self::Straight)
    }

    #[cfg(feature = "top")]
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// Makes one call, and ends.
    pub(crate) fn call(self, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let answer = self.ask(method, path, body)?;
        self.close()?;
        Ok(answer)
    }

    /// Makes one call of several.
    pub(crate) fn ask(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let answer = match self {
            Self::Server(server) => server.call(method, path, body),
            Self::Straight(straight) => straight.call(method, path, body),
        }?;
        if answer.status.is_success() { Ok(answer) } else { Err(answer.problem()) }
    }

    /// Ends, with what was reported in the store.
    pub(crate) fn close(self) -> Result<(), Failure> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Straight(straight) => straight.close(),
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::runtime(format!("the answer is not one of lastseen's: {error}")))
    }

    /// The body as it is, as a line.
    pub(crate) fn into_line(self) -> String {
        String::from_utf8_lossy(&self.body).into_owned() + "\n"
    }

    /// What a server refuses as wrong is the caller's to mend; everything else happened underway.
    fn problem(&self) -> Failure {
        #[derive(Deserialize)]
        struct Problem {
            detail: String,
        }
        let detail = match serde_json::from_slice(&self.body) {
            Ok(Problem { detail }) => detail,
            Err(_) => format!("the server answers {}, and not as lastseen does", self.status),
        };
        // The parameters of a query are made of the flags of the same names.
        let detail = detail.strip_prefix(IN_QUERY).map_or_else(|| detail.clone(), |detail| format!("--{detail}"));
        match self.status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Failure::usage(detail),
            _ => Failure::runtime(detail),
        }
    }
}
