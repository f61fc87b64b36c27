//! `lastseen touch`: a user is active.

use std::path::Path;

use axum::http::Method;
use clap::Args;
use serde_json::json;

use super::Target;
use crate::Failure;

#[derive(Args, Debug)]
pub(super) struct Touch {
    /// The user's id
    user: String,
    /// The address that they came from
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    /// When, in RFC 3339 [default: now]
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl Touch {
    /// Returns once it is stored.
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let touch = json!({ "user": self.user, "ip": self.ip, "at": self.at });
        self.target.open_or_create(file)?.call(&Method::POST, "/v1/touch?ack=stored", Some(&touch))?;
        Ok(String::new())
    }
}
