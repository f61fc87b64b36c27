//! `lastseen explain`: whether a request would count, or which rule skips it.

use std::path::Path;

use axum::http::{Method, Request};
use clap::Args;
use lastseen::SkipRules;
use serde::Serialize;

use crate::Failure;
use crate::settings::Settings;

#[derive(Args, Debug, Serialize)]
pub(super) struct Explain {
    /// The request's method, such as GET
    #[serde(skip)]
    method: String,
    /// Its path, such as /static/logo.png
    #[serde(skip)]
    path: String,
    /// Rule to try, instead of those of the settings; may be given several times
    #[arg(long, value_name = "REGEX")]
    skip: Vec<String>,
}

impl Explain {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let (settings, _) = Settings::load(file, &self)?;
        let rules = SkipRules::new(settings.skip)?;
        let method = Method::from_bytes(self.method.to_ascii_uppercase().as_bytes())
            .map_err(|_| Failure::usage(format!("{:?} is not a method such as GET", self.method)))?;
        let request = Request::builder()
            .method(method)
            .uri(&self.path)
            .body(())
            .map_err(|_| Failure::usage(format!("{:?} is not a path such as /static/logo.png", self.path)))?;
        let (request, ()) = request.into_parts();
        Ok(format!("{} {}: {}\n", request.method, self.path, rules.explain(&request)))
    }
}
