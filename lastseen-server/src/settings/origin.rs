//! Where each setting's value came from, for people.

use std::collections::BTreeMap;

use figment::error::Kind;
use figment::{Figment, Metadata, Source};

use super::KEYS;
use crate::Failure;

/// Where each setting's value came from: `--window`, `LASTSEEN_WINDOW`, `lastseen.toml`, `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<&'static str, String>);

impl Origins {
    pub(super) fn of(figment: &Figment) -> Self {
        Self(KEYS.iter().filter_map(|&key| Some((key, name(figment.find_metadata(key)?)))).collect())
    }

    /// Where the value of the setting `key` came from.
    #[must_use]
    pub fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("default", String::as_str)
    }
}

/// A file goes by its path; everything else was named when it was read.
fn name(metadata: &Metadata) -> String {
    match &metadata.source {
        Some(Source::File(path)) => path.display().to_string(),
        _ => metadata.name.to_string(),
    }
}

/// A message that names the setting, where it came from, and what is wrong with it.
pub(super) fn explain(error: &figment::Error) -> Failure {
    let origin = error.metadata.as_ref().map(name);
    let key = error.path.join(".");
    Failure::usage(match (&error.kind, origin) {
        (Kind::UnknownField(key, known), origin) => {
            let place = origin.map(|origin| format!(" in {origin}")).unwrap_or_default();
            format!("{key:?}{place} is no setting: there are {}", known.join(", "))
        }
        (_, Some(origin)) if key.is_empty() => format!("{origin}: {}", error.kind),
        (_, Some(origin)) => format!("{key} ({origin}): {}", error.kind),
        (_, None) => error.to_string(),
    })
}
