//! `lastseen forget`: nothing of a user is left.

use std::path::Path;

use axum::http::Method;
use clap::Args;

use super::{Target, path_of};
use crate::Failure;

#[derive(Args, Debug)]
pub(super) struct Forget {
    /// The user's id
    user: String,
    #[command(flatten)]
    target: Target,
}

impl Forget {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let path = path_of(&self.user)?;
        self.target.open(file)?.call(&Method::DELETE, &path, None)?;
        Ok(String::new())
    }
}
