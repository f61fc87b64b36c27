//! `lastseen explain`: whether a request would count, or which rule skips it.

use std::path::Path;

use axum::http::{Method, Request, Uri};
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
        let wrong = || Failure::usage(format!("{:?} is not a path such as /static/logo.png", self.path));
        let uri: Uri = self.path.parse().map_err(|_| wrong())?;
        // A name without a slash would be read as a host's, which no rule is about.
        if !uri.path().starts_with('/') {
            return Err(wrong());
        }
        let request = Request::builder().method(method).uri(uri).body(()).map_err(|_| wrong())?;
        let (request, ()) = request.into_parts();
        Ok(format!("{} {}: {}\n", request.method, self.path, rules.explain(&request)))
    }
}
