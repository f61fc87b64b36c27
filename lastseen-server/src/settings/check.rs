//! What no single value shows: settings that contradict each other, expressions that don't compile.

use std::collections::HashSet;
use std::time::Duration;

use lastseen::SkipRules;

use super::{Kept, Origins, Settings, StoreKey, StoreUrl, StoreUsers};
use crate::Failure;
use crate::value::Span;

pub(super) fn check(settings: &Settings, origins: &Origins) -> Result<(), Failure> {
    let Settings { window, granularity, flush_every, follow_every, horizon, .. } = *settings;
    let shown = |key, value: Span| format!("{key} = {value} ({})", origins.get(key));

    let spans = [
        ("window", window),
        ("granularity", granularity),
        ("flush_every", flush_every),
        ("follow_every", follow_every),
    ];
    if let Some((key, zero)) = spans.into_iter().find(|(_, span)| span.0 == Duration::ZERO) {
        return Err(Failure::usage(format!("{}: it must be longer than nothing", shown(key, zero))));
    }
    if granularity.0 > window.0 / 3 {
        return Err(Failure::usage(format!(
            "{} is more than a third of {}: set granularity to {} at most, or window to {} at least",
            shown("granularity", granularity),
            shown("window", window),
            Span(window.0 / 3),
            Span(granularity.0.saturating_mul(3)),
        )));
    }
    if flush_every > granularity {
        return Err(Failure::usage(format!(
            "{} is longer than {}: set flush_every to {granularity} at most",
            shown("flush_every", flush_every),
            shown("granularity", granularity),
        )));
    }
    if window > horizon {
        return Err(Failure::usage(format!(
            "{} is longer than {}: set horizon to {window} at least",
            shown("window", window),
            shown("horizon", horizon),
        )));
    }
    if let Kept(Some(kept)) = settings.keep_records
        && kept < horizon.0
    {
        return Err(Failure::usage(format!(
            "{} is shorter than {}: set keep_records to {horizon} at least, or a shorter horizon",
            shown("keep_records", Span(kept)),
            shown("horizon", horizon),
        )));
    }
    if settings.capacity == 0 {
        return Err(Failure::usage(format!("capacity = 0 ({}): it must be 1 at least", origins.get("capacity"))));
    }
    let mut names = HashSet::new();
    if let Some(again) = settings.tokens.iter().find(|line| !names.insert(line.name())) {
        return Err(Failure::usage(format!(
            "tokens ({}): there are two of the name {:?}: give each its own, so that one can be taken away",
            origins.get("tokens"),
            again.name()
        )));
    }
    if !matches!(settings.store, StoreUrl::Postgres(_)) {
        let store_key = (settings.store_key != StoreKey::Auto).then(|| ("store_key", settings.store_key.to_string()));
        let store_users =
            (settings.store_users != StoreUsers::None).then(|| ("store_users", settings.store_users.to_string()));
        if let Some((key, value)) = store_key.or(store_users) {
            return Err(Failure::usage(format!(
                "{key} = {value} ({}) is for PostgreSQL, and store = {} ({}): leave it out, or set store to \
                 postgres://HOST/DATABASE",
                origins.get(key),
                settings.store,
                origins.get("store")
            )));
        }
    }
    SkipRules::new(&settings.skip)
        .map_err(|error| Failure::usage(format!("skip ({}): {error}", origins.get("skip"))))?;
    Ok(())
}
