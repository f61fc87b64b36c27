//! Where web servers send their log: `127.0.0.1:7701`, `unix:/run/lastseen/syslog`, or nowhere.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::value::Value;

/// Where syslog is taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogAddress {
    /// `off`: nowhere.
    Off,
    /// An address and a port, for UDP.
    Udp(SocketAddr),
    /// `unix:PATH`, a datagram socket in the file system.
    Unix(PathBuf),
}

impl fmt::Display for SyslogAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Udp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Value for SyslogAddress {
    fn read(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no address for syslog: write one such as 127.0.0.1:7701, unix:PATH, or off");
        match text.strip_prefix("unix:") {
            _ if text == "off" => Ok(Self::Off),
            Some("") => Err(wrong()),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Udp).map_err(|_| wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip() {
        for text in ["off", "127.0.0.1:7701", "[::1]:7701", "unix:/run/lastseen/syslog"] {
            assert_eq!(SyslogAddress::read(text).unwrap().to_string(), text);
        }
        for text in ["", "7701", "localhost:7701", "unix:", "udp:127.0.0.1:7701"] {
            let error = SyslogAddress::read(text).unwrap_err();
            assert!(error.contains(&format!("{text:?}")) && error.contains("127.0.0.1:7701"), "{error}");
        }
    }
}
