//! What is asked of every request that is reported from outside: does it count, and from where did it come?

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderName;
use axum::http::request::Parts;
use lastseen::http::Verdict;
use lastseen::{ClientIp, SkipRules};

use crate::Failure;
use crate::settings::Settings;

/// The settings' skip rules and trusted proxies. However a request is reported, it is judged as by a layer in the site.
#[derive(Debug)]
pub(crate) struct Judge {
    client_ip: ClientIp,
    client_ip_header: HeaderName,
    skip: SkipRules,
    rules: Vec<String>,
    skipped: Vec<AtomicU64>,
}

impl Judge {
    pub(crate) fn of(settings: &Settings) -> Result<Self, Failure> {
        Ok(Self {
            client_ip: ClientIp::trusting(settings.trust_proxy.iter().copied(), settings.client_ip_header),
            client_ip_header: settings.client_ip_header.to_string().parse().expect("a header's name is one"),
            skip: SkipRules::new(&settings.skip)?,
            rules: settings.skip.clone(),
            skipped: settings.skip.iter().map(|_| AtomicU64::new(0)).collect(),
        })
    }

    /// Whether a rule says that the request doesn't count; that is counted.
    pub(crate) fn skips(&self, request: &Parts) -> bool {
        let Verdict::Skipped(rule) = self.skip.explain(request) else { return false };
        if let Some(index) = self.rules.iter().position(|pattern| pattern == rule) {
            self.skipped[index].fetch_add(1, Ordering::Relaxed);
        }
        true
    }

    pub(crate) fn client_ip(&self, request: &Parts) -> Option<IpAddr> {
        self.client_ip.of(request)
    }

    /// The header in which proxies name the client.
    pub(crate) fn client_ip_header(&self) -> &HeaderName {
        &self.client_ip_header
    }

    /// How many requests each rule has skipped, in the rules' order.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = u64> {
        self.skipped.iter().map(|skipped| skipped.load(Ordering::Relaxed))
    }
}
