//! Answers as values: whatever isn't of the expected kind comes to `None`.

use std::net::IpAddr;

use ::redis::{ServerError, Value};

use crate::{Profile, Record, Seen, Timestamp, UserId};

/// The greatest whole number up to which a double holds all: dates are kept within it on either side of 1970.
const EXACT: i64 = 1 << 53;

/// Whether the server says no more than that something is wrong.
pub(super) fn is_plain(error: &ServerError) -> bool {
    error.code() == "ERR"
}

pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::VerbatimString { text, .. } => Some(text),
        value => std::str::from_utf8(bytes(value)?).ok(),
    }
}

pub(super) fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

pub(super) fn user(id: &[u8]) -> Option<UserId> {
    UserId::new(std::str::from_utf8(id).ok()?).ok()
}

/// A date as it is kept: outside the years 1684 to 2255, the nearest within. So dates stay in order, and rule 1 holds.
pub(super) fn kept(at: Timestamp) -> i64 {
    at.as_micros().clamp(-EXACT, EXACT)
}

pub(super) fn timestamp(text: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(text).ok()?.parse().ok().map(Timestamp::from_micros)
}

/// An address in as many bytes as it has.
pub(super) fn ip_bytes(ip: Option<IpAddr>) -> Vec<u8> {
    match ip {
        None => Vec::new(),
        Some(IpAddr::V4(ip)) => ip.octets().into(),
        Some(IpAddr::V6(ip)) => ip.octets().into(),
    }
}

/// The address; `None` also where it can't be one.
fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// The record from its date, address and sign-out.
pub(super) fn record(user: UserId, at: &[u8], address: &[u8], left_at: &[u8]) -> Record {
    let seen = timestamp(at).map(|at| Seen { at, ip: ip(address) });
    Record { user, seen, left_at: timestamp(left_at) }
}

/// A letter each for active and hidden, and the name after `=` where there is one.
pub(super) fn profile_text(profile: &Profile) -> String {
    let active = if profile.is_active() { 'a' } else { '-' };
    let hidden = if profile.is_hidden() { 'h' } else { '-' };
    match profile.name() {
        Some(name) => format!("{active}{hidden}={name}"),
        None => format!("{active}{hidden}"),
    }
}

pub(super) fn profile(text: &[u8]) -> Option<Profile> {
    let (flags, name) = std::str::from_utf8(text).ok()?.split_at_checked(2)?;
    let profile = match name.split_at_checked(1) {
        Some(("=", name)) => Profile::named(name),
        _ => Profile::new(),
    };
    Some(profile.active(flags.starts_with('a')).hidden(flags.ends_with('h')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        for address in ["", "0.0.0.0", "203.0.113.7", "::1", "::ffff:10.0.0.1"] {
            let address = address.parse().ok();
            assert_eq!(ip(&ip_bytes(address)), address);
        }
        for name in [None, Some(""), Some("="), Some("Ada\nLovelace")] {
            let known = name.map_or_else(Profile::new, Profile::named);
            for known in [known.clone(), known.clone().active(false), known.hidden(true)] {
                assert_eq!(profile(profile_text(&known).as_bytes()), Some(known));
            }
        }
        for nothing in ["", "a", "a\u{e4}"] {
            assert_eq!(profile(nothing.as_bytes()), None);
        }
    }

    #[test]
    fn dates_beyond_what_is_exact_stay_in_order() {
        let dates = [i64::MIN, -EXACT - 1, -EXACT + 1, 0, EXACT - 1, EXACT + 1, i64::MAX].map(Timestamp::from_micros);
        assert!(dates.is_sorted_by_key(|at| kept(*at)));
        assert_eq!(kept(dates[3]), 0);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "that there is none")]
        let exact = dates.iter().all(|at| kept(*at) as f64 as i64 == kept(*at));
        assert!(exact);
    }
}
