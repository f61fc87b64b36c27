//! Tickets: who a page's reader is, in the word of the site, which signs it.
//!
//! A ticket is `EXPIRES.SIGNATURE.USER`: a whole number of seconds since 1970, then in lower-case hexadecimal digits the
//! HMAC-SHA256 of `EXPIRES.USER`, then the user's id as it is. The key is what the file holds, without white space around it.

use std::path::Path;
use std::{fmt, fs};

use lastseen::{Timestamp, UserId};
use ring::hmac;
use subtle::ConstantTimeEq;

use crate::Failure;
use crate::access::hex;
use crate::api::Problem;

/// The fewest bytes of a key: as many as the signature has, as text.
const MIN_KEY: usize = 32;

/// The site's key.
pub(crate) struct Tickets(hmac::Key);

impl Tickets {
    /// Reads the key.
    pub(crate) fn signed_by(file: &Path) -> Result<Self, Failure> {
        let named = || format!("ticket_key_file = {}", file.display());
        let key = fs::read(file).map_err(|error| Failure::usage(format!("{}: {error}", named())))?;
        let key = key.trim_ascii();
        if key.len() < MIN_KEY {
            return Err(Failure::usage(format!(
                "{} holds {} bytes, which is no key: it takes {MIN_KEY} at least, such as `openssl rand -hex 32` prints",
                named(),
                key.len()
            )));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// The user whose ticket this is, if the site signed it and it hasn't ended.
    pub(crate) fn user(&self, ticket: &[u8], now: Timestamp) -> Result<UserId, Problem> {
        let malformed = || Problem::unreadable("the body is no ticket: it is EXPIRES.SIGNATURE.USER");
        let mut parts = str::from_utf8(ticket).map_err(|_| malformed())?.splitn(3, '.');
        let mut part = || parts.next().ok_or_else(malformed);
        let (expires, signature, user) = (part()?, part()?, part()?);
        if !bool::from(self.sign(expires, user).as_bytes().ct_eq(signature.as_bytes())) {
            return Err(Problem::unauthorized("the ticket isn't signed with the site's key"));
        }
        // Only what the site signed is looked at.
        let ends =
            expires.parse().ok().and_then(|seconds: i64| seconds.checked_mul(1_000_000)).ok_or_else(malformed)?;
        if ends <= now.as_micros() {
            return Err(Problem::unauthorized(format!("the ticket ended at {}", Timestamp::from_micros(ends))));
        }
        Ok(UserId::new(user)?)
    }

    fn sign(&self, expires: &str, user: &str) -> String {
        hex(hmac::sign(&self.0, format!("{expires}.{user}").as_bytes()).as_ref())
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::StatusCode;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_490_100_000_000);

    fn tickets(key: &str) -> Result<Tickets, Failure> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(key.as_bytes()).unwrap();
        Tickets::signed_by(file.path())
    }

    /// Computed by Python: `hmac.new(key, b"1795493700.ada.lovelace", "sha256").hexdigest()`.
    const TICKET: &str = "1795493700.f4f15e03d8c8c74f3b76460585a7c62475f391b807c3b3ef54b8942f854c5a92.ada.lovelace";

    #[test]
    fn a_ticket_made_elsewhere_names_its_user() {
        let tickets = tickets("0123456789abcdef0123456789abcdef\n").unwrap();
        assert_eq!(tickets.user(TICKET.as_bytes(), NOW).unwrap().as_str(), "ada.lovelace");
    }

    #[test]
    fn forged_and_ended_ones_name_nobody() {
        let tickets = tickets("0123456789abcdef0123456789abcdef").unwrap();
        let other = self::tickets("0123456789abcdef0123456789abcdeF").unwrap();
        let refused = |ticket: &str| tickets.user(ticket.as_bytes(), NOW).unwrap_err();
        for ticket in [
            TICKET.replace("ada", "eve"),
            TICKET.replace("1795493700", "1795493701"),
            TICKET.to_uppercase(),
            format!("1795493700.{}.ada", other.sign("1795493700", "ada")),
            "1795493700..ada".to_owned(),
        ] {
            let problem = refused(&ticket);
            assert_eq!(problem.status(), StatusCode::UNAUTHORIZED, "{ticket}");
            assert!(problem.detail().contains("signed"), "{problem:?}");
        }
        for expires in ["0", "-1", "1795490100"] {
            let ended = refused(&format!("{expires}.{}.ada", tickets.sign(expires, "ada")));
            assert_eq!(ended.status(), StatusCode::UNAUTHORIZED);
            assert!(ended.detail().contains("ended at"), "{ended:?}");
        }
        for malformed in ["", "ada", "1795493700.ada"] {
            assert_eq!(refused(malformed).status(), StatusCode::BAD_REQUEST, "{malformed}");
        }
        for expires in ["", "soon", "99999999999999999999"] {
            let signed = format!("{expires}.{}.ada", tickets.sign(expires, "ada"));
            assert_eq!(refused(&signed).status(), StatusCode::BAD_REQUEST, "{signed}");
        }
        assert_eq!(tickets.user(b"\xff.\xff.\xff", NOW).unwrap_err().status(), StatusCode::BAD_REQUEST);
        let nobody = format!("1795493700.{}.", tickets.sign("1795493700", ""));
        assert_eq!(refused(&nobody).status(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let error = tickets("secret").unwrap_err();
        assert!(error.to_string().contains("holds 6 bytes") && !error.to_string().contains("secret"), "{error}");
        let missing = Tickets::signed_by(Path::new("/nowhere/key")).unwrap_err();
        assert!(missing.to_string().contains("/nowhere/key"), "{missing}");
    }
}
