//! The settings' skip rules, and how many requests each has skipped.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::request::Parts;
use lastseen::SkipRules;
use lastseen::http::Verdict;

use crate::Failure;

#[derive(Debug)]
pub(crate) struct CountedRules {
    rules: SkipRules,
    /// Each rule's expression, by which it is named, and its count.
    counts: Vec<(String, AtomicU64)>,
}

impl CountedRules {
    pub(crate) fn new(patterns: &[String]) -> Result<Self, Failure> {
        let counts = patterns.iter().map(|pattern| (pattern.clone(), AtomicU64::new(0))).collect();
        Ok(Self { rules: SkipRules::new(patterns)?, counts })
    }

    /// Whether a rule says that the request doesn't count; that is counted.
    pub(crate) fn skips(&self, request: &Parts) -> bool {
        let Verdict::Skipped(rule) = self.rules.explain(request) else { return false };
        if let Some((_, skipped)) = self.counts.iter().find(|(pattern, _)| pattern == rule) {
            skipped.fetch_add(1, Ordering::Relaxed);
        }
        true
    }

    /// Each rule and how many requests it has skipped, in the rules' order.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts.iter().map(|(pattern, skipped)| (pattern.as_str(), skipped.load(Ordering::Relaxed)))
    }
}
