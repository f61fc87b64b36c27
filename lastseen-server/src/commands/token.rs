//! `lastseen token`: a new token, and the line of the settings by which a server knows it.

use clap::Args;

use crate::Failure;
use crate::access::{Scope, Token};
use crate::value::Value;

#[derive(Args, Debug)]
pub(super) struct NewToken {
    /// What to call it, such as the application that gets it
    name: String,
    /// What it lets do: write (report activities, set profiles), read (see who is online) or admin (both, addresses, erase, the store)
    #[arg(long, value_name = "SCOPE")]
    scope: String,
}

impl NewToken {
    /// Lines that begin with `#` are for people; of the others the first is the token.
    pub(super) fn run(&self) -> Result<String, Failure> {
        let scope = Scope::read(&self.scope).map_err(|error| Failure::usage(format!("--scope: {error}")))?;
        let token = Token::new(&self.name, scope)?;
        Ok(format!(
            "# The token. Keep it secret; it can't be shown again.\n{}\n\
             # For lastseen.toml, beside those that are there. It can't be used as a token.\ntokens = [\"{}\"]\n",
            token.text(),
            token.line()
        ))
    }
}
