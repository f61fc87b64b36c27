//! How much is kept of addresses, and for how long anything.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use lastseen::http::AddressPolicy;

use super::Value;
use crate::value::{Span, one_of};

/// How much is kept of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses(pub AddressPolicy);

impl Addresses {
    /// As much of an address as is kept.
    pub(crate) fn of(self, ip: Option<IpAddr>) -> Option<IpAddr> {
        ip.and_then(|ip| self.0.apply(ip))
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            AddressPolicy::Keep => "keep",
            AddressPolicy::Mask => "mask",
            AddressPolicy::Drop => "drop",
        })
    }
}

impl Value for Addresses {
    fn read(text: &str) -> Result<Self, String> {
        one_of([AddressPolicy::Keep, AddressPolicy::Mask, AddressPolicy::Drop].map(Self), text)
            .ok_or_else(|| format!("{text:?} is not what becomes of addresses: there are keep, mask and drop"))
    }
}

/// For how long something is kept; `None` for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept(pub Option<Duration>);

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => Span(time).fmt(f),
            None => f.write_str("forever"),
        }
    }
}

impl Value for Kept {
    fn read(text: &str) -> Result<Self, String> {
        if text == "forever" {
            return Ok(Self(None));
        }
        match Span::read(text) {
            Ok(Span(Duration::ZERO)) | Err(_) => Err(format!(
                "{text:?} is not how long something is kept: there are durations, such as 30days, and forever"
            )),
            Ok(Span(time)) => Ok(Self(Some(time))),
        }
    }
}
