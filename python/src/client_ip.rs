//! Which address a request comes from, when proxies stand between.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::{HeaderName, HeaderValue, Request};
use lastseen::ForwardedHeader;
use lastseen::http::{AddressPolicy, IpNet, PeerAddr};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// How the client's address is found.
#[pyclass(frozen, module = "lastseen")]
pub(crate) struct ClientIp {
    rule: lastseen::ClientIp,
    header: HeaderName,
    /// Whether a peer on a Unix socket, which has no address, is a trusted proxy.
    unix: bool,
}

/// Stands for the peer on a Unix socket: no client has it.
const UNIX_PEER: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[pymethods]
impl ClientIp {
    #[new]
    #[pyo3(signature = (trusted=Vec::new(), header="X-Forwarded-For", policy="keep"))]
    #[expect(clippy::needless_pass_by_value, reason = "as PyO3 hands it over")]
    fn new(trusted: Vec<String>, header: &str, policy: &str) -> PyResult<Self> {
        let mut networks = Vec::new();
        for network in trusted.iter().filter(|network| *network != "unix") {
            networks.push(network_of(network)?);
        }
        let unix = trusted.iter().any(|network| network == "unix");
        if unix {
            networks.push(UNIX_PEER.into());
        }
        let name = HeaderName::try_from(header).ok();
        let known = match name.as_ref().map(HeaderName::as_str) {
            Some("x-forwarded-for") => Some(ForwardedHeader::XForwardedFor),
            Some("x-real-ip") => Some(ForwardedHeader::XRealIp),
            Some("forwarded") => Some(ForwardedHeader::Forwarded),
            _ => None,
        };
        let (Some(name), Some(known)) = (name, known) else {
            return Err(PyValueError::new_err(format!(
                "the header {header:?} isn't known: write X-Forwarded-For, X-Real-IP or Forwarded"
            )));
        };
        let policy = match policy {
            "keep" => AddressPolicy::Keep,
            "mask" => AddressPolicy::Mask,
            "drop" => AddressPolicy::Drop,
            _ => return Err(PyValueError::new_err(format!("the policy {policy:?} isn't keep, mask or drop"))),
        };
        Ok(Self { rule: lastseen::ClientIp::trusting(networks, known).policy(policy), header: name, unix })
    }

    /// The client's address, of the socket's peer ("" for a Unix socket) and the header's value; `None` where the peer
    /// isn't known, and where nothing is kept.
    #[pyo3(signature = (peer, forwarded=None))]
    fn of(&self, peer: &str, forwarded: Option<&str>) -> Option<String> {
        let peer = if peer.is_empty() && self.unix { UNIX_PEER } else { peer.parse().ok()? };
        let mut request = Request::new(());
        request.extensions_mut().insert(PeerAddr(SocketAddr::new(peer, 0)));
        if let Some(Ok(value)) = forwarded.map(|text| HeaderValue::from_bytes(text.as_bytes())) {
            request.headers_mut().insert(&self.header, value);
        }
        let found = self.rule.of(&request.into_parts().0);
        found.filter(|ip| *ip != UNIX_PEER).map(|ip| ip.to_string())
    }
}

fn network_of(text: &str) -> PyResult<IpNet> {
    let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
    text.parse().ok().or_else(address).ok_or_else(|| {
        PyValueError::new_err(format!(
            "{text:?} is no network of proxies: write one such as 10.0.0.0/8, one address, or unix for a Unix socket"
        ))
    })
}
