//! `lastseen export`: all that is known of a user.

use std::path::Path;

use axum::http::Method;
use clap::Args;

use super::{Target, path_of};
use crate::Failure;

#[derive(Args, Debug)]
pub(super) struct Export {
    /// The user's id
    user: String,
    #[command(flatten)]
    target: Target,
}

impl Export {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let path = format!("{}/export", path_of(&self.user)?);
        Ok(self.target.open(file)?.call(&Method::GET, &path, None)?.into_line())
    }
}
