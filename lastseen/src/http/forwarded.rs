//! The headers by which proxies say whom they forward for, read from the nearest proxy's end.

use std::borrow::Cow;
use std::fmt;
use std::iter;
use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderName;
use http::header::FORWARDED;

use super::head::Head;
use crate::Error;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The header in which the site's proxies report the client's address.
///
/// Choose the one that your proxies write: any other is passed on from the client, and says what the client likes.
///
/// As text it is the header's name, in any case:
///
/// ```
/// use lastseen::ForwardedHeader;
///
/// let header: ForwardedHeader = "X-Real-IP".parse()?;
/// assert_eq!(header, ForwardedHeader::XRealIp);
/// assert_eq!(header.to_string(), "x-real-ip");
/// # Ok::<(), lastseen::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses, to which each proxy appends its own peer's. The default.
    #[default]
    XForwardedFor,
    /// `X-Real-IP`: one address, which the proxy sets anew. Where there are several, none is believed.
    XRealIp,
    /// `Forwarded`, by RFC 7239: elements, to which each proxy appends one that names its own peer as `for`.
    Forwarded,
}

impl ForwardedHeader {
    const ALL: [Self; 3] = [Self::XForwardedFor, Self::XRealIp, Self::Forwarded];

    fn name(self) -> &'static HeaderName {
        match self {
            Self::XForwardedFor => &X_FORWARDED_FOR,
            Self::XRealIp => &X_REAL_IP,
            Self::Forwarded => &FORWARDED,
        }
    }

    /// The addresses in all lines of the header, the last first; `None` stands for what is no address.
    ///
    /// What is left of the place where the caller stops costs nothing, and all of it is linear in its length.
    pub(super) fn addresses(self, request: &impl Head) -> impl Iterator<Item = Option<IpAddr>> {
        let entries = move || {
            let lines = request.values(self.name()).rev();
            let entries = lines.flat_map(|line| split_right(line, b',')).map(<[u8]>::trim_ascii);
            entries.filter(|entry| !entry.is_empty())
        };
        let conflict = self == Self::XRealIp && entries().nth(1).is_some();
        entries().map(move |entry| match self {
            _ if conflict => None,
            Self::XForwardedFor | Self::XRealIp => node(entry),
            Self::Forwarded => element(entry),
        })
    }
}

/// The header's name, in lower case.
impl fmt::Display for ForwardedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name().as_str())
    }
}

impl FromStr for ForwardedHeader {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|header| header.name().as_str().eq_ignore_ascii_case(name)).ok_or_else(|| {
            let [a, b, c] = Self::ALL;
            Error::invalid(format!("{name:?} is no header for a client's address: it must be {a}, {b} or {c}"))
        })
    }
}

/// Splits at each `separator` outside quotes, from the right.
///
/// The right end is what trusted proxies wrote. Reading from there, a quote that a client has left open can't swallow it.
fn split_right(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    iter::from_fn(move || {
        let text = rest?;
        let Some(at) = last_unquoted(text, separator) else { return rest.take() };
        rest = Some(&text[..at]);
        Some(&text[at + 1..])
    })
}

fn last_unquoted(text: &[u8], separator: u8) -> Option<usize> {
    let mut quoted = false;
    (0..text.len()).rev().find(|&at| {
        if text[at] == b'"' {
            let backslashes = text[..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
            quoted ^= backslashes % 2 == 0;
        }
        !quoted && text[at] == separator
    })
}

/// The address of `for` in one element of `Forwarded`. No `for` is no address, and neither are two.
fn element(text: &[u8]) -> Option<IpAddr> {
    let mut nodes = split_right(text, b';').filter_map(|pair| {
        let pair = pair.trim_ascii();
        let equals = pair.iter().position(|&byte| byte == b'=')?;
        pair[..equals].eq_ignore_ascii_case(b"for").then(|| &pair[equals + 1..])
    });
    match (nodes.next(), nodes.next()) {
        (Some(value), None) => node(&unquoted(value)?),
        _ => None,
    }
}

fn unquoted(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(rest) = value.strip_prefix(b"\"") else { return Some(value.into()) };
    let inner = rest.strip_suffix(b"\"")?;
    if !inner.contains(&b'\\') {
        return Some(inner.into());
    }
    let mut bytes = inner.iter().copied();
    let mut plain = Vec::with_capacity(inner.len());
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'\\' { bytes.next()? } else { byte });
    }
    Some(plain.into())
}

/// The address in `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`, where an IPv6
/// address may have a zone; not in RFC 7239's `unknown` and `_hidden`. IPv4 in IPv6 is unwrapped.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let (ip, port) = if let Some(text) = text.strip_prefix('[') {
        let (host, rest) = text.split_once(']')?;
        (ipv6(host)?, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
    } else {
        match text.split_once(':') {
            None => (IpAddr::V4(text.parse().ok()?), None),
            Some((_, rest)) if rest.contains(':') => (ipv6(text)?, None),
            Some((host, port)) => (IpAddr::V4(host.parse().ok()?), Some(port)),
        }
    };
    port.is_none_or(is_port).then(|| ip.to_canonical())
}

fn ipv6(text: &str) -> Option<IpAddr> {
    let host = match text.split_once('%') {
        Some((_, "")) => return None,
        Some((host, _zone)) => host,
        None => text,
    };
    host.parse().ok().map(IpAddr::V6)
}

/// Digits, or RFC 7239's obfuscated port, which begins with an underscore.
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(hidden) => {
            !hidden.is_empty() && hidden.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }
        None => text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_11_nodes() {
        let v4 = "192.0.2.1".parse().ok();
        let v6 = "2001:db8::1".parse().ok();
        let link_local = "fe80::1".parse().ok();
        let cases: &[(&[u8], Option<IpAddr>)] = &[
            (b"192.0.2.1", v4),
            (b"192.0.2.1:80", v4),
            (b"192.0.2.1:_web-1", v4),
            (b"::ffff:192.0.2.1", v4),
            (b"[::ffff:192.0.2.1]:80", v4),
            (b"2001:db8::1", v6),
            (b"[2001:db8::1]", v6),
            (b"[2001:DB8::1]:65535", v6),
            (b"fe80::1%eth0", link_local),
            (b"[fe80::1%25eth0]:80", link_local),
            (b"", None),
            (b"unknown", None),
            (b"_hidden", None),
            (b"unix:", None),
            (b"example.com", None),
            (b"192.0.2", None),
            (b"192.0.2.256", None),
            (b"192.0.2.010", None),
            (b"192.0.2.1:", None),
            (b"192.0.2.1:+80", None),
            (b"192.0.2.1:65536", None),
            (b"192.0.2.1:_", None),
            (b"192.0.2.1%eth0", None),
            (b"[192.0.2.1]", None),
            (b"[2001:db8::1", None),
            (b"2001:db8::1]", None),
            (b"[2001:db8::1]80", None),
            (b"[2001:db8::1]:", None),
            (b"fe80::1%", None),
            (b"192.0.2.1 192.0.2.2", None),
            (b"\"192.0.2.1\"", None),
            (b"192.0.2.\xb9", None),
        ];
        for (text, expected) in cases {
            assert_eq!(node(text), *expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn rule_11_elements_of_forwarded() {
        let v4 = "192.0.2.1".parse().ok();
        let v6 = "2001:db8::1".parse().ok();
        let cases: &[(&[u8], Option<IpAddr>)] = &[
            (b"for=192.0.2.1", v4),
            (b"For=\"192.0.2.1:80\"", v4),
            (b"FOR=\"[2001:db8::1]:80\"", v6),
            (b"for=\"[2001:db8::1]:_x\"", v6),
            (b"proto=https;for=192.0.2.1;by=203.0.113.9", v4),
            (b"by=\"a;for=203.0.113.9\" ; for=192.0.2.1 ; host=\"x,y\"", v4),
            (b"for=\"192\\.0.2\\.1\"", v4),
            // Tolerated, though RFC 7239 wants quotes here.
            (b"for=192.0.2.1:80", v4),
            (b"for=[2001:db8::1]", v6),
            (b"for=unknown", None),
            (b"for=_hidden", None),
            (b"for=\"_hidden:80\"", None),
            (b"for=", None),
            (b"for=\"\"", None),
            (b"for=\"", None),
            (b"for", None),
            (b"192.0.2.1", None),
            (b"by=192.0.2.1", None),
            (b"for=192.0.2.1;for=192.0.2.1", None),
            (b"for=\"192.0.2.1", None),
            (b"for=192.0.2.1\"", None),
            (b"for=\"192.0.2.1\\\"", None),
        ];
        for (text, expected) in cases {
            assert_eq!(element(text), *expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn quoted_separators_do_not_split_and_open_quotes_do_not_swallow() {
        let split = |text: &'static str| -> Vec<&str> {
            split_right(text.as_bytes(), b',').map(|part| std::str::from_utf8(part).unwrap()).collect()
        };
        assert_eq!(split("a,b,,c"), ["c", "", "b", "a"]);
        assert_eq!(split(r#"a="x,y",b"#), ["b", r#"a="x,y""#]);
        assert_eq!(split(r#"a="x\",y",b"#), ["b", r#"a="x\",y""#]);
        assert_eq!(split(r#"a="x\\",b"#), ["b", r#"a="x\\""#]);
        assert_eq!(split(r#"a="x,b="y,z",c"#), ["c", r#"b="y,z""#, r#"a="x"#]);
        assert_eq!(split(""), [""]);
    }

    #[test]
    fn an_unknown_header_is_refused_with_the_known_ones() {
        for header in ForwardedHeader::ALL {
            assert_eq!(header.to_string().to_uppercase().parse::<ForwardedHeader>().unwrap(), header);
        }
        let message = "x-client".parse::<ForwardedHeader>().unwrap_err().to_string();
        assert!(message.contains("\"x-client\"") && message.contains("x-forwarded-for"), "{message}");
    }
}
