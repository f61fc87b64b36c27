//! `lastseen leave`: a user signed out.

use std::path::Path;

use axum::http::Method;
use clap::Args;
use serde_json::json;

use super::Target;
use crate::Failure;

#[derive(Args, Debug)]
pub(super) struct Leave {
    /// The user's id
    user: String,
    #[command(flatten)]
    target: Target,
}

impl Leave {
    /// Returns once it is stored.
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let leave = json!({ "user": self.user });
        self.target.open(file)?.call(&Method::POST, "/v1/leave?ack=stored", Some(&leave))?;
        Ok(String::new())
    }
}
