//! The networks of a site's own proxies.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Networks whose hosts are believed. None, unless named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Networks(Vec<IpNet>);

impl Networks {
    pub(super) fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().map(unwrapped).collect())
    }

    /// Whether a canonical address lies in one of them.
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&ip))
    }
}

/// A network of IPv4 addresses in IPv6's clothes, as what it is.
fn unwrapped(network: IpNet) -> IpNet {
    let ipv4 = || {
        let IpNet::V6(network) = network else { return None };
        let length = network.prefix_len().checked_sub(96)?;
        Ipv4Net::new(network.addr().to_ipv4_mapped()?, length).ok()
    };
    ipv4().map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_11_networks_of_ipv4_in_ipv6_are_networks_of_ipv4() {
        let trusts = |network: &str, ip: &str| Networks::new([network.parse().unwrap()]).contains(ip.parse().unwrap());
        assert!(trusts("::ffff:10.0.0.0/104", "10.1.2.3"));
        assert!(!trusts("::ffff:10.0.0.0/104", "11.1.2.3"));
        assert!(trusts("::/0", "2001:db8::1"));
        assert!(!trusts("::/0", "10.1.2.3"));
    }
}
