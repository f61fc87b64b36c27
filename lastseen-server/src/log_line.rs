//! A line of a web server's access log: who asked for what, when, from where.
//!
//! # Forms
//!
//! **Common**, as Apache and nginx write it unless told otherwise, and whatever comes after it on the line, such as
//! what **combined** adds:
//!
//! ```text
//! 203.0.113.7 - ada [24/Nov/2026:03:15:00 +0000] "GET /about HTTP/1.1" 200 5120 "-" "Mozilla/5.0"
//! ```
//!
//! **JSON**, as nginx writes it when it has this format:
//!
//! ```nginx
//! log_format lastseen escape=json '{"user":"$remote_user","ip":"$remote_addr","method":"$request_method",'
//!     '"uri":"$request_uri","status":"$status","time":"$msec"}';
//! ```
//!
//! All fields but `user` may be left out, others are passed over, and numbers needn't be quoted. `forwarded`, which is
//! `$http_x_forwarded_for` or what another header says, is of use where a further proxy stands in front. `time` may
//! also be RFC 3339, as `$time_iso8601` is.
//!
//! A user that is empty or `-` is nobody.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{Method, Request, Uri};
use clap::ValueEnum;
use lastseen::Timestamp;

mod common;
mod json;

/// One request, as its log line tells of it. Text borrows from the line unless something in it was escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// Who was signed in, if anybody.
    pub user: Option<Cow<'a, str>>,
    /// The socket's peer, where it is told and is an address.
    pub ip: Option<IpAddr>,
    /// What the header said in which proxies name the client.
    pub forwarded: Cow<'a, str>,
    /// The request's method; empty where it isn't told.
    pub method: Cow<'a, str>,
    /// Its target, as the client sent it; empty where it isn't told, or where it isn't UTF-8.
    pub target: Cow<'a, str>,
    /// The response's status code.
    pub status: Option<u16>,
    /// When it was logged.
    pub at: Option<Timestamp>,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Each line as it looks: JSON where it begins with a brace, else common
    #[default]
    Auto,
    /// Common log format, and whatever comes after it on the line
    Common,
    /// Common log format with referer and user agent
    Combined,
    /// A JSON object a line, as the documentation has nginx write it
    Json,
}

/// Why a line can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has no date in brackets with a request in quotes after it.
    NotCommon,
    /// It is no JSON object with text in its fields.
    NotJson,
    /// Its time is missing, or is none.
    Date,
    /// The user can't be one: not UTF-8, or not 1 to 128 bytes without control characters.
    User,
    /// It has more bytes than a line is read to.
    TooLong,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotCommon => "no date in brackets with a request in quotes after it",
            Self::NotJson => "no JSON object with text in its fields",
            Self::Date => "no time in seconds since 1970 or in RFC 3339",
            Self::User => "the user is not text of 1 to 128 bytes without control characters",
            Self::TooLong => "more than 64 KiB",
        })
    }
}

impl Format {
    /// Reads a line, without its end.
    ///
    /// # Errors
    ///
    /// Where it isn't in this form. Whatever its bytes are, that is all that can happen.
    pub fn read(self, line: &[u8]) -> Result<LogLine<'_>, Fault> {
        match self {
            Self::Auto if line.first() == Some(&b'{') => json::read(line),
            Self::Json => json::read(line),
            Self::Auto | Self::Common | Self::Combined => common::read(line),
        }
    }
}

impl LogLine<'_> {
    /// Whether somebody's activity: of a request whose credentials were refused, the user is a mere claim.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.status == Some(401)
    }

    /// Makes `request` the one that was logged, for rules to look at; false where that can't be, so that the request
    /// counts.
    pub(crate) fn fill(&self, request: &mut Parts) -> bool {
        let Ok(uri) = Uri::try_from(&*self.target) else { return false };
        request.uri = uri;
        request.method = Method::from_bytes(self.method.as_bytes()).unwrap_or_default();
        true
    }
}

/// A request to fill.
pub(crate) fn blank_request() -> Parts {
    Request::new(()).into_parts().0
}

/// A user, as logs name nobody.
pub(crate) fn somebody(user: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!matches!(&*user, "" | "-")).then_some(user)
}
