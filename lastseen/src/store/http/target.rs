//! Which server a URL names, and as whom it is asked.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use ::http::uri::Authority;
use ::http::{HeaderValue, Uri};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::error::{HttpStoreError, Kind};
use crate::store::roots::trusted;

/// A server, and how to prove who asks.
pub(super) struct Target {
    /// Scheme, host, port, and the path below which the calls are, without a slash at the end.
    base: String,
    /// What the `Authorization` header says.
    pub authorization: Option<HeaderValue>,
    pub tls: ClientConfig,
}

impl Target {
    pub(super) fn new(url: &str, token: Option<&str>) -> Result<Self, HttpStoreError> {
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        let rest = rest.trim_end_matches('/');
        // Without credentials, which are no one's to see.
        let place = rest.split_once('@').map_or(rest, |(_, place)| place);
        let base = format!("{scheme}://{place}");
        let invalid = |what: &str| HttpStoreError::new(Kind::Invalid, format!("the URL {base:?} {what}"));
        let secure = match scheme {
            "http" => false,
            "https" => true,
            _ => {
                let message = "is no address of a lastseen server: write http://HOST:PORT, or https:// for TLS";
                return Err(HttpStoreError::new(Kind::Invalid, format!("the URL {place:?} {message}")));
            }
        };
        if place != rest {
            return Err(invalid(
                "has a user in it: the server knows tokens, so name a file with one by token_file=FILE",
            ));
        }
        let is_whole = |host: &Authority| host.as_str() == host.host() || host.port().is_some();
        if !base.parse::<Uri>().is_ok_and(|address| address.authority().is_some_and(is_whole)) {
            return Err(invalid("names no host, or a port that is none: write it as http://127.0.0.1:7700"));
        }

        let (mut roots, mut file) = (None, None);
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("token_file", path)) => file = Some(decoded(path)),
                Some(("cacert", path)) if secure => roots = Some(decoded(path)),
                _ => {
                    let name = parameter.split('=').next().unwrap_or_default();
                    return Err(invalid(&format!(
                        "has the parameter {name:?}: there are token_file, and for TLS cacert"
                    )));
                }
            }
        }
        let tls = tls(secure, roots.as_deref()).map_err(|error| {
            match &roots {
                Some(file) => {
                    invalid(&format!("names the certificates {file:?} as cacert: they must be a readable PEM file"))
                }
                None => invalid("needs this machine's certificates: name others by cacert=FILE"),
            }
            .because(error)
        })?;
        let of_file = file.map(|file| {
            let read = std::fs::read_to_string(&file);
            read.map_err(|error| invalid(&format!("names {file:?} as token_file, which can't be read")).because(error))
        });
        let of_file = of_file.transpose()?;
        let token = of_file.as_deref().or(token).map(str::trim);
        let authorization = token.map(|token| {
            let value = HeaderValue::try_from(format!("Bearer {token}")).ok().filter(|_| !token.is_empty());
            let mut value = value.ok_or_else(|| {
                invalid(
                    "comes with a token that is none: `lastseen token NAME --scope admin` prints one, a line of text",
                )
            })?;
            value.set_sensitive(true);
            Ok(value)
        });
        Ok(Self { authorization: authorization.transpose()?, base, tls })
    }

    /// Where a call goes.
    pub(super) fn address_of(&self, call: &str) -> String {
        format!("{}/v1/store/{call}", self.base)
    }

    /// Whether connections are made by TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.base.starts_with("https:")
    }
}

/// What an operator knows it by.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the lastseen server at {}", self.base)
    }
}

fn tls(secure: bool, roots: Option<&str>) -> Result<ClientConfig, Box<dyn StdError + Send + Sync>> {
    let roots = if secure { trusted(roots)? } else { RootCertStore::empty() };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// A part of a URL without its `%` sequences.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str, token: Option<&str>) -> Target {
        Target::new(url, token).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn calls_go_below_the_address() {
        for (url, address) in [
            ("http://127.0.0.1:7700", "http://127.0.0.1:7700/v1/store/read"),
            ("http://[::1]:7700/", "http://[::1]:7700/v1/store/read"),
            ("http://site.example/presence/?", "http://site.example/presence/v1/store/read"),
        ] {
            assert_eq!(target(url, None).address_of("read"), address);
        }
    }

    #[test]
    fn the_token_is_that_of_the_file_or_else_the_one_that_is_given() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a token");
        std::fs::write(&file, "lastseen_file\n").unwrap();
        let url = format!("http://db?token_file={}", file.display().to_string().replace(' ', "%20"));
        let authorization = |url, token| target(url, token).authorization;
        assert_eq!(authorization(&url, Some("lastseen_given")).unwrap(), "Bearer lastseen_file");
        assert_eq!(authorization("http://db", Some("lastseen_given")).unwrap(), "Bearer lastseen_given");
        assert_eq!(authorization("http://db", None), None);
    }

    #[test]
    fn what_is_wrong_in_a_url_is_named() {
        for (url, token, says) in [
            ("lastseen.db", None, "\"lastseen.db\" is no address of a lastseen server: write http://HOST:PORT"),
            ("ftp://ada:secret@db", None, "\"db\" is no address of a lastseen server"),
            ("http://ada:secret@db", None, "has a user in it: the server knows tokens"),
            ("http://", None, "names no host"),
            ("http://db:port", None, "a port that is none"),
            ("http://db?token=secret", None, "has the parameter \"token\": there are token_file"),
            ("http://db?cacert=x", None, "has the parameter \"cacert\""),
            ("http://db?token_file=/nowhere", None, "names \"/nowhere\" as token_file"),
            ("http://db", Some("se\ncret"), "comes with a token that is none"),
            ("http://db", Some(" "), "comes with a token that is none"),
            ("https://db?cacert=/nowhere.pem", None, "\"/nowhere.pem\""),
        ] {
            match Target::new(url, token) {
                Ok(target) => panic!("{url} is {target}"),
                Err(error) => {
                    assert!(error.is_invalid() && error.to_string().contains(says), "{url}: {error}");
                    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
                }
            }
        }
    }
}
