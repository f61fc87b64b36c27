//! Which address a request comes from, when proxies stand between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::request::Parts;
use ipnet::IpNet;

use super::ForwardedHeader;
use super::head::Head;
use super::networks::Networks;

/// How the client's address is found.
///
/// [`default`](Self::default) trusts nobody: the address is that of the socket's peer, and headers make no difference.
/// With [`trusting`](Self::trusting):
///
/// 1. The walk starts at the socket's peer. Where that isn't known, no address is.
/// 2. If the address reached is not in a trusted network, it is the client's.
/// 3. Else the proxy there is believed: the walk goes on to the address that it has added to the header, which is the
///    last that isn't used yet, all lines of the header taken together.
/// 4. If there is none left, or what stands there is no address, the address reached is the client's.
///
/// So what a client writes into the header itself stands left of what is read. Ports and zones are left out, empty
/// list entries passed over, and an IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) is an IPv4 address everywhere.
///
/// ```
/// use lastseen::http::PeerAddr;
/// use lastseen::{ClientIp, ForwardedHeader};
///
/// let mut request = http::Request::get("/").header("X-Forwarded-For", "1.1.1.1, 203.0.113.7, 10.0.0.2").body(())?;
/// request.extensions_mut().insert(PeerAddr("10.0.0.1:4711".parse()?));
/// let (request, ()) = request.into_parts();
///
/// let behind_proxies = ClientIp::trusting(["10.0.0.0/8".parse()?], ForwardedHeader::XForwardedFor);
/// assert_eq!(behind_proxies.of(&request), Some("203.0.113.7".parse()?));
/// assert_eq!(ClientIp::default().of(&request), Some("10.0.0.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientIp {
    trusted: Networks,
    header: ForwardedHeader,
    policy: AddressPolicy,
}

/// A request extension: the address of the socket's peer, for servers other than axum's.
///
/// axum's own `ConnectInfo<SocketAddr>` serves as well, with the feature `axum`, and what actix-web says of the
/// connection. Where both are there, this one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// How much of a client's address is kept. It applies before the address comes into memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AddressPolicy {
    /// All of it. The default.
    #[default]
    Keep,
    /// The network alone: the first 24 bits of IPv4, 48 of IPv6, and zeros.
    Mask,
    /// Nothing: activities have no address.
    Drop,
}

impl ClientIp {
    /// Believes what peers in these networks say in this header.
    ///
    /// The networks are those of your own proxies. Whoever else can connect from them can claim any address. A network
    /// of IPv6, even `::/0`, holds no IPv4 address.
    #[must_use]
    pub fn trusting(networks: impl IntoIterator<Item = IpNet>, header: ForwardedHeader) -> Self {
        Self { trusted: Networks::new(networks), header, policy: AddressPolicy::default() }
    }

    /// How much of the address is kept. Default: all of it.
    #[must_use]
    pub fn policy(self, policy: AddressPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The client's address, as much of it as is kept; `None` where the socket's peer isn't known.
    #[must_use]
    pub fn of(&self, request: &Parts) -> Option<IpAddr> {
        self.find(request)
    }

    pub(super) fn find(&self, request: &impl Head) -> Option<IpAddr> {
        self.policy.apply(self.walk(request.peer()?.ip(), request))
    }

    fn walk(&self, peer: IpAddr, request: &impl Head) -> IpAddr {
        let mut reached = peer.to_canonical();
        if !self.trusted.contains(reached) {
            return reached;
        }
        for ip in self.header.addresses(request).map_while(|ip| ip) {
            reached = ip;
            if !self.trusted.contains(ip) {
                break;
            }
        }
        reached
    }
}

impl AddressPolicy {
    /// As much of an address as is kept, where it comes from elsewhere than a request.
    #[must_use]
    pub fn apply(self, ip: IpAddr) -> Option<IpAddr> {
        match (self, ip.to_canonical()) {
            (Self::Keep, ip) => Some(ip),
            (Self::Mask, IpAddr::V4(ip)) => Some(IpAddr::V4(ip & Ipv4Addr::from_bits(u32::MAX << 8))),
            (Self::Mask, IpAddr::V6(ip)) => Some(IpAddr::V6(ip & Ipv6Addr::from_bits(u128::MAX << 80))),
            (Self::Drop, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::header::HeaderValue;
    use proptest::prelude::*;

    use super::ForwardedHeader::{Forwarded, XForwardedFor, XRealIp};
    use super::*;

    const HEADERS: [(ForwardedHeader, &str); 3] =
        [(XForwardedFor, "X-Forwarded-For"), (XRealIp, "X-Real-IP"), (Forwarded, "Forwarded")];

    fn networks() -> impl Iterator<Item = IpNet> {
        ["10.0.0.0/8", "192.168.1.1/24", "fd00::/8"].iter().map(|network| network.parse().unwrap())
    }

    fn request(peer: &str, lines: impl IntoIterator<Item = (&'static str, HeaderValue)>) -> Parts {
        let mut request = Request::new(());
        request.extensions_mut().insert(PeerAddr(SocketAddr::new(peer.parse().unwrap(), 4711)));
        for (name, value) in lines {
            request.headers_mut().append(name, value);
        }
        request.into_parts().0
    }

    #[test]
    fn rule_11_the_table() {
        // From a peer, with these lines of this header, the client is:
        #[rustfmt::skip]
        let cases: &[(ForwardedHeader, &str, &[&[u8]], &str)] = &[
            // A peer that isn't trusted is the client, whatever it says.
            (XForwardedFor, "203.0.113.9", &[], "203.0.113.9"),
            (XForwardedFor, "203.0.113.9", &[b"198.51.100.1"], "203.0.113.9"),
            (XForwardedFor, "203.0.113.9", &[b"198.51.100.1, 10.0.0.2"], "203.0.113.9"),
            (XForwardedFor, "2001:db8::9", &[b"198.51.100.1"], "2001:db8::9"),
            (XRealIp, "203.0.113.9", &[b"198.51.100.1"], "203.0.113.9"),
            (Forwarded, "203.0.113.9", &[b"for=198.51.100.1"], "203.0.113.9"),
            // A trusted one is believed as to the last entry.
            (XForwardedFor, "10.0.0.1", &[], "10.0.0.1"),
            (XForwardedFor, "10.0.0.1", &[b"203.0.113.7"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"2001:db8::7"], "2001:db8::7"),
            (XForwardedFor, "fd00::1", &[b"203.0.113.7"], "203.0.113.7"),
            (XForwardedFor, "192.168.1.77", &[b"203.0.113.7"], "203.0.113.7"),
            (XForwardedFor, "192.168.2.77", &[b"203.0.113.7"], "192.168.2.77"),
            // What the client claimed stands left of it.
            (XForwardedFor, "10.0.0.1", &[b"1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"10.0.0.9, 203.0.113.7"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"\"', <script>, 203.0.113.7"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"\xff\xfe, 203.0.113.7"], "203.0.113.7"),
            // Past trusted addresses, to the leftmost if there is none else.
            (XForwardedFor, "10.0.0.1", &[b"203.0.113.7, 10.0.0.2, fd00::2"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"10.0.0.3,10.0.0.2"], "10.0.0.3"),
            // All lines, in their order.
            (XForwardedFor, "10.0.0.1", &[b"1.1.1.1", b"203.0.113.7"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"1.1.1.1, 203.0.113.7", b"10.0.0.3", b"10.0.0.2"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"203.0.113.7", b""], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"\xff", b"203.0.113.7"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"203.0.113.7", b"\xff"], "10.0.0.1"),
            // What is no address ends the walk at the last trusted hop.
            (XForwardedFor, "10.0.0.1", &[b"unknown"], "10.0.0.1"),
            (XForwardedFor, "10.0.0.1", &[b"203.0.113.7, unknown"], "10.0.0.1"),
            (XForwardedFor, "10.0.0.1", &[b"203.0.113.7, nonsense, 10.0.0.2"], "10.0.0.2"),
            (XForwardedFor, "10.0.0.1", &[b"203.0.113.7 10.0.0.2"], "10.0.0.1"),
            (XForwardedFor, "10.0.0.1", &[b"203.0.113.7; 10.0.0.2"], "10.0.0.1"),
            // Empty entries, blanks, ports, brackets and zones are no obstacle.
            (XForwardedFor, "10.0.0.1", &[b""], "10.0.0.1"),
            (XForwardedFor, "10.0.0.1", &[b" , ,, "], "10.0.0.1"),
            (XForwardedFor, "10.0.0.1", &[b"203.0.113.7,, \t10.0.0.2 ,"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"203.0.113.7:50000"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"[2001:db8::7]:50000, 10.0.0.2:80"], "2001:db8::7"),
            (XForwardedFor, "10.0.0.1", &[b"[2001:db8::7]"], "2001:db8::7"),
            (XForwardedFor, "10.0.0.1", &[b"fe80::7%eth0"], "fe80::7"),
            // IPv4 in IPv6 is IPv4 everywhere.
            (XForwardedFor, "::ffff:10.0.0.1", &[b"203.0.113.7"], "203.0.113.7"),
            (XForwardedFor, "::ffff:203.0.113.9", &[b"1.1.1.1"], "203.0.113.9"),
            (XForwardedFor, "10.0.0.1", &[b"::ffff:203.0.113.7, ::ffff:10.0.0.2"], "203.0.113.7"),
            (XForwardedFor, "10.0.0.1", &[b"::ffff:cb00:7107"], "203.0.113.7"),
            // One address in X-Real-IP, or none.
            (XRealIp, "10.0.0.1", &[b"203.0.113.7"], "203.0.113.7"),
            (XRealIp, "10.0.0.1", &[b"[2001:db8::7]:80"], "2001:db8::7"),
            (XRealIp, "10.0.0.1", &[b"10.0.0.2"], "10.0.0.2"),
            (XRealIp, "10.0.0.1", &[b"unknown"], "10.0.0.1"),
            (XRealIp, "10.0.0.1", &[b"1.1.1.1", b"203.0.113.7"], "10.0.0.1"),
            (XRealIp, "10.0.0.1", &[b"203.0.113.7", b"203.0.113.7"], "10.0.0.1"),
            (XRealIp, "10.0.0.1", &[b"1.1.1.1, 203.0.113.7"], "10.0.0.1"),
            // RFC 7239.
            (Forwarded, "10.0.0.1", &[b"for=203.0.113.7"], "203.0.113.7"),
            (Forwarded, "10.0.0.1", &[b"for=1.1.1.1, for=203.0.113.7;proto=https;by=10.0.0.1"], "203.0.113.7"),
            (Forwarded, "10.0.0.1", &[b"For=\"[2001:db8::7]:4711\", for=10.0.0.2"], "2001:db8::7"),
            (Forwarded, "10.0.0.1", &[b"for=203.0.113.7;host=\"a, for=1.1.1.1\""], "203.0.113.7"),
            (Forwarded, "10.0.0.1", &[b"for=203.0.113.7;host=\"\\\", for=1.1.1.1\""], "203.0.113.7"),
            (Forwarded, "10.0.0.1", &[b"for=\"1.1.1.1, for=203.0.113.7"], "203.0.113.7"),
            (Forwarded, "10.0.0.1", &[b"for=\"1.1.1.1", b"for=\"[2001:db8::7]\""], "2001:db8::7"),
            (Forwarded, "10.0.0.1", &[b"for=203.0.113.7, for=_hidden"], "10.0.0.1"),
            (Forwarded, "10.0.0.1", &[b"for=203.0.113.7, for=unknown, for=10.0.0.2"], "10.0.0.2"),
            (Forwarded, "10.0.0.1", &[b"for=203.0.113.7, proto=https"], "10.0.0.1"),
            (Forwarded, "10.0.0.1", &[b"for=203.0.113.7", b"for=10.0.0.2, ,"], "203.0.113.7"),
            (Forwarded, "10.0.0.1", &[b"203.0.113.7"], "10.0.0.1"),
        ];
        for (header, peer, lines, expected) in cases {
            let client_ip = ClientIp::trusting(networks(), *header);
            let (_, name) = HEADERS.into_iter().find(|(known, _)| known == header).unwrap();
            let lines = lines.iter().map(|line| (name, HeaderValue::from_bytes(line).unwrap()));
            let request = request(peer, lines);
            assert_eq!(client_ip.of(&request), expected.parse().ok(), "{header} {request:?}");
        }
    }

    #[test]
    fn rule_11_by_default_nobody_is_trusted() {
        let lines = HEADERS.map(|(_, name)| (name, HeaderValue::from_static("203.0.113.7")));
        for peer in ["127.0.0.1", "10.0.0.1", "::1"] {
            assert_eq!(ClientIp::default().of(&request(peer, lines.clone())), peer.parse().ok());
        }
    }

    #[test]
    fn rule_11_no_header_but_the_named_one_is_read() {
        for (header, _) in HEADERS {
            let others = HEADERS.into_iter().filter(|(other, _)| *other != header);
            let lines = others.map(|(_, name)| (name, HeaderValue::from_static("203.0.113.7")));
            assert_eq!(ClientIp::trusting(networks(), header).of(&request("10.0.0.1", lines)), "10.0.0.1".parse().ok());
        }
    }

    #[test]
    fn rule_11_a_second_header_that_disagrees_changes_nothing() {
        for (header, named) in HEADERS {
            let others = HEADERS.into_iter().filter(|(other, _)| *other != header);
            let disagreeing = others.map(|(_, name)| (name, HeaderValue::from_static("for=1.1.1.1, 1.1.1.1")));
            let value = if header == Forwarded { "for=203.0.113.7" } else { "203.0.113.7" };
            let lines = disagreeing.chain([(named, HeaderValue::from_static(value))]);
            let client_ip = ClientIp::trusting(networks(), header);
            assert_eq!(client_ip.of(&request("10.0.0.1", lines)), "203.0.113.7".parse().ok(), "{header}");
        }
    }

    #[test]
    fn rule_11_without_a_peer_there_is_no_address() {
        let (request, ()) = Request::get("/").header("X-Forwarded-For", "203.0.113.7").body(()).unwrap().into_parts();
        assert_eq!(ClientIp::trusting(["::/0".parse().unwrap()], XForwardedFor).of(&request), None);
        assert_eq!(ClientIp::default().of(&request), None);
    }

    #[test]
    fn rule_11_thousands_of_entries() {
        let client_ip = ClientIp::trusting(networks(), XForwardedFor);
        let of = |line: String| client_ip.of(&request("10.0.0.1", [("X-Forwarded-For", line.parse().unwrap())]));
        assert_eq!(of("1.1.1.1,".repeat(5000) + "203.0.113.7"), "203.0.113.7".parse().ok());
        assert_eq!(of("203.0.113.7".to_owned() + &",10.0.0.2".repeat(5000)), "203.0.113.7".parse().ok());
        assert_eq!(of("\"".repeat(50_000)), "10.0.0.1".parse().ok());
        assert_eq!(of("\\".repeat(50_000) + "\""), "10.0.0.1".parse().ok());
    }

    #[test]
    fn policies_keep_all_the_network_or_nothing() {
        let of = |policy, peer: &str| ClientIp::default().policy(policy).of(&request(peer, []));
        for (peer, network) in [
            ("203.0.113.77", "203.0.113.0"),
            ("::ffff:203.0.113.77", "203.0.113.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ] {
            assert_eq!(of(AddressPolicy::Keep, peer), peer.parse().ok().map(|ip: IpAddr| ip.to_canonical()));
            assert_eq!(of(AddressPolicy::Mask, peer), network.parse().ok());
            assert_eq!(of(AddressPolicy::Drop, peer), None);
        }
    }

    /// An entry of a list, and the address that it should be read as.
    fn entry() -> impl Strategy<Value = (IpAddr, bool)> {
        let ip = prop_oneof![
            (0_u32..3).prop_map(|last| IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + last))),
            any::<Ipv4Addr>().prop_map(IpAddr::V4),
            any::<Ipv6Addr>().prop_map(IpAddr::V6),
        ];
        (ip, any::<bool>())
    }

    proptest! {
        #[test]
        fn rule_11_however_written_the_first_untrusted_from_the_right_is_the_client(
            entries in proptest::collection::vec(entry(), 0..6),
            breaks in proptest::collection::vec(any::<bool>(), 6),
        ) {
            let expected = {
                let peer: IpAddr = "10.0.0.1".parse().unwrap();
                let trusted = |ip: &IpAddr| networks().any(|network| network.contains(ip));
                let walk: Vec<IpAddr> =
                    std::iter::once(peer).chain(entries.iter().rev().map(|(ip, _)| ip.to_canonical())).collect();
                walk.iter().find(|ip| !trusted(ip)).or(walk.last()).copied()
            };
            for (header, name, before, after) in
                [(XForwardedFor, "X-Forwarded-For", "", ""), (Forwarded, "Forwarded", "by=\"a,b\";for=\"", "\"")]
            {
                let mut lines = vec![String::new()];
                for ((ip, port), new_line) in entries.iter().zip(&breaks) {
                    let node = if *port { SocketAddr::new(*ip, 443).to_string() } else { ip.to_string() };
                    let line = lines.last_mut().unwrap();
                    *line = format!("{line}{}{before}{node}{after}", if line.is_empty() { "" } else { ", " });
                    if *new_line {
                        lines.push(String::new());
                    }
                }
                let lines = lines.into_iter().map(|line| (name, line.parse().unwrap()));
                prop_assert_eq!(ClientIp::trusting(networks(), header).of(&request("10.0.0.1", lines)), expected);
            }
        }

        #[test]
        fn rule_11_whatever_a_client_sends_cannot_touch_what_the_proxy_appends(
            claims in proptest::collection::vec(proptest::collection::vec(32_u8..=255, 0..40), 0..3),
            same_line in any::<bool>(),
        ) {
            for (header, name, appended) in
                [(XForwardedFor, "X-Forwarded-For", "203.0.113.7"), (Forwarded, "Forwarded", "for=\"203.0.113.7:80\"")]
            {
                let mut lines = claims.clone();
                match lines.last_mut() {
                    Some(line) if same_line => line.extend(format!(", {appended}").bytes()),
                    _ => lines.push(appended.into()),
                }
                let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
                let request = request("10.0.0.1", values.map(|value| (name, value)));
                prop_assume!(request.headers.get_all(name).iter().count() == lines.len());
                prop_assert_eq!(ClientIp::trusting(networks(), header).of(&request), "203.0.113.7".parse().ok());
            }
        }
    }
}
