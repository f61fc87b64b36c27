//! What is asked of every request that is reported from outside: does it count, and from where did it come?

use std::net::IpAddr;

use axum::http::HeaderName;
use axum::http::request::Parts;
use lastseen::ClientIp;

use crate::Failure;
use crate::settings::{Addresses, Settings};

mod rules;

pub(crate) use rules::CountedRules;

/// The settings' skip rules and trusted proxies. However a request is reported, it is judged as by a layer in the site.
#[derive(Debug)]
pub(crate) struct Judge {
    client_ip: ClientIp,
    client_ip_header: HeaderName,
    addresses: Addresses,
    skip: CountedRules,
}

impl Judge {
    pub(crate) fn of(settings: &Settings) -> Result<Self, Failure> {
        Ok(Self {
            client_ip: ClientIp::trusting(settings.trust_proxy.iter().copied(), settings.client_ip_header)
                .policy(settings.addresses.0),
            client_ip_header: settings.client_ip_header.to_string().parse().expect("a header's name is one"),
            addresses: settings.addresses,
            skip: CountedRules::new(&settings.skip)?,
        })
    }

    /// Whether a rule says that the request doesn't count; that is counted.
    pub(crate) fn skips(&self, request: &Parts) -> bool {
        self.skip.skips(request)
    }

    pub(crate) fn client_ip(&self, request: &Parts) -> Option<IpAddr> {
        self.client_ip.of(request)
    }

    /// As much as is kept of an address that was found elsewhere.
    pub(crate) fn address(&self, ip: Option<IpAddr>) -> Option<IpAddr> {
        self.addresses.of(ip)
    }

    /// The header in which proxies name the client.
    pub(crate) fn client_ip_header(&self) -> &HeaderName {
        &self.client_ip_header
    }

    /// How many requests each rule has skipped, in the rules' order.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = u64> {
        self.skip.skipped().map(|(_, skipped)| skipped)
    }
}
