//! Users whom the proxy before the site has let in.

#[cfg(feature = "actix")]
use actix_web::HttpRequest;
use http::HeaderName;
use http::request::Parts;
use ipnet::IpNet;

use super::super::head::Head;
use super::super::networks::Networks;
use crate::{Error, Identify, UserId};

/// Finds whom a proxy names in a header of its own, such as `Remote-User` (Authelia, Apache) or `X-Forwarded-User`
/// (`OAuth2` Proxy).
///
/// The header is believed
///
/// 1. from the socket's peer alone, and only where that lies in a trusted network: what other headers say of where the
///    request comes from makes no difference;
/// 2. once: where there are two lines of it, one may be the client's own, and the request is nobody's;
/// 3. where its value is a valid id.
///
/// The proxy must remove the header from what clients send, or set it on every request, also on those of guests.
///
/// # Examples
///
/// ```
/// use lastseen::identity::ForwardAuth;
///
/// let identify = ForwardAuth::trusting(["10.0.0.0/8".parse()?], "remote-user")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Whom it believes:
///
/// ```
/// use lastseen::http::PeerAddr;
/// use lastseen::identity::ForwardAuth;
/// use lastseen::{Identify, UserId};
///
/// # #[cfg(feature = "tower")]
/// # fn shown() -> Result<(), Box<dyn std::error::Error>> {
/// let identify = ForwardAuth::trusting(["10.0.0.0/8".parse()?], "x-forwarded-user")?;
/// let request = |peer| {
///     let mut request = http::Request::get("/").header("X-Forwarded-User", "ada").body(()).unwrap();
///     request.extensions_mut().insert::<PeerAddr>(PeerAddr(peer));
///     request.into_parts().0
/// };
/// assert_eq!(identify.identify(&request("10.0.0.1:4711".parse()?)), Some(UserId::new("ada")?));
/// assert_eq!(identify.identify(&request("203.0.113.7:4711".parse()?)), None);
/// # Ok(())
/// # }
/// # #[cfg(feature = "tower")]
/// # shown()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ForwardAuth {
    trusted: Networks,
    header: HeaderName,
}

impl ForwardAuth {
    /// Believes what peers in these networks say in this header.
    ///
    /// The networks are those of your own proxies. Whoever else can connect from them can claim to be anybody. A network
    /// of IPv6, even `::/0`, holds no IPv4 address.
    ///
    /// # Errors
    ///
    /// Where `header` can't be a header's name.
    pub fn trusting(networks: impl IntoIterator<Item = IpNet>, header: &str) -> Result<Self, Error> {
        let header = HeaderName::try_from(header).map_err(|error| {
            Error::invalid(format!("{header:?} can't be a header's name: write one such as remote-user")).because(error)
        })?;
        Ok(Self { trusted: Networks::new(networks), header })
    }

    fn of(&self, request: &impl Head) -> Option<UserId> {
        if !self.trusted.contains(request.peer()?.ip().to_canonical()) {
            return None;
        }
        let mut lines = request.values(&self.header);
        let (Some(line), None) = (lines.next(), lines.next()) else { return None };
        UserId::new(std::str::from_utf8(line).ok()?).ok()
    }
}

impl Identify for ForwardAuth {
    fn identify(&self, request: &Parts) -> Option<UserId> {
        self.of(request)
    }
}

#[cfg(feature = "actix")]
#[cfg_attr(docsrs, doc(cfg(feature = "actix")))]
impl Identify<HttpRequest> for ForwardAuth {
    fn identify(&self, request: &HttpRequest) -> Option<UserId> {
        self.of(request)
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::http::PeerAddr;

    #[test]
    fn only_one_line_from_a_trusted_peer_identifies() {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let identify = ForwardAuth::trusting(networks, "Remote-User").unwrap();
        let long = "x".repeat(129);
        // From a peer, with these lines of the header, the user is:
        let cases: [(&str, &[&[u8]], &str); 14] = [
            ("10.0.0.1:80", &[b"ada"], "ada"),
            ("10.0.0.1:80", &["ålöf".as_bytes()], "ålöf"),
            ("10.0.0.1:80", &[b"cn=ada,ou=site"], "cn=ada,ou=site"),
            ("[::ffff:10.0.0.1]:80", &[b"ada"], "ada"),
            ("[fd00::1]:80", &[b"ada"], "ada"),
            ("203.0.113.7:80", &[b"ada"], ""),
            ("[2001:db8::1]:80", &[b"ada"], ""),
            ("", &[b"ada"], ""),
            ("10.0.0.1:80", &[], ""),
            ("10.0.0.1:80", &[b""], ""),
            ("10.0.0.1:80", &[b"ada", b"grace"], ""),
            ("10.0.0.1:80", &[b"ada", b"ada"], ""),
            ("10.0.0.1:80", &[b"\xff"], ""),
            ("10.0.0.1:80", &[long.as_bytes()], ""),
        ];
        for (peer, lines, expected) in cases {
            let request = Request::get("/").header("x-forwarded-for", "10.0.0.1").header("x-forwarded-user", "eve");
            let request = lines.iter().fold(request, |request, line| request.header("remote-user", *line));
            let mut request = request.body(()).unwrap();
            if let Ok(peer) = peer.parse() {
                request.extensions_mut().insert(PeerAddr(peer));
            }
            let user = identify.identify(&request.into_parts().0);
            assert_eq!(user.as_ref().map_or("", UserId::as_str), expected, "{peer:?} {lines:?}");
        }
    }

    #[test]
    fn a_bad_name_is_quoted() {
        let error = ForwardAuth::trusting([], "remote user").unwrap_err();
        assert!(error.is_invalid());
        assert!(error.to_string().contains("\"remote user\""), "{error}");
    }
}
