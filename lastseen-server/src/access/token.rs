//! Tokens: random text that whoever has it may act by. What is kept of one is its SHA-256.

use std::fmt::{self, Write as _};

use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

use crate::Failure;
use crate::value::{Value, one_of};

/// What every token begins with, so that people and secret scanners know one when they see it.
const PREFIX: &str = "lastseen_";

/// What a token lets do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Report activities and sign-outs, set profiles.
    Write,
    /// See who is online and when everyone was last seen, without addresses.
    Read,
    /// Both, addresses, erasing users, and the store itself.
    Admin,
}

impl Scope {
    pub(super) fn allows(self, wanted: Self) -> bool {
        self == Self::Admin || self == wanted
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Admin => "admin",
        })
    }
}

impl Value for Scope {
    fn read(text: &str) -> Result<Self, String> {
        one_of([Self::Write, Self::Read, Self::Admin], text)
            .ok_or_else(|| format!("{text:?} is no scope: there are write, read and admin"))
    }
}

/// A token as the settings have it, `NAME:SCOPE:SHA256`: enough to know it again, and not to use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenLine {
    name: String,
    scope: Scope,
    /// In lower-case hexadecimal digits.
    sha256: String,
}

impl TokenLine {
    /// Whose token it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for TokenLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.name, self.scope, self.sha256)
    }
}

impl Value for TokenLine {
    /// What is wrong isn't quoted: it may be the token itself.
    fn read(text: &str) -> Result<Self, String> {
        let malformed =
            || "an entry is not NAME:SCOPE:SHA256, as `lastseen token NAME --scope read` prints it".to_owned();
        let (name, rest) = text.split_once(':').ok_or_else(malformed)?;
        let (scope, sha256) = rest.split_once(':').ok_or_else(malformed)?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if sha256.len() != 2 * digest::SHA256_OUTPUT_LEN || !sha256.bytes().all(is_digit) || !is_name(name) {
            return Err(malformed());
        }
        Ok(Self { name: name.to_owned(), scope: Scope::read(scope)?, sha256: sha256.to_owned() })
    }
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// A new token, before it is given away.
pub(crate) struct Token {
    text: String,
    line: TokenLine,
}

impl Token {
    pub(crate) fn new(name: &str, scope: Scope) -> Result<Self, Failure> {
        if !is_name(name) {
            return Err(Failure::usage(format!(
                "{name:?} can't name a token: take 1 to 64 letters, digits, dashes, dots and underscores"
            )));
        }
        let text = format!("{PREFIX}{}", random());
        let line = TokenLine { name: name.to_owned(), scope, sha256: sha256(&text) };
        Ok(Self { text, line })
    }

    /// What its bearer sends.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What the settings keep.
    pub(crate) const fn line(&self) -> &TokenLine {
        &self.line
    }
}

/// The scope of the line whose token this is. It takes as long whichever it is, and if it is none.
pub(super) fn find(lines: &[TokenLine], token: &str) -> Option<Scope> {
    let given = sha256(token);
    lines.iter().fold(None, |found, line| {
        if line.sha256.as_bytes().ct_eq(given.as_bytes()).into() { Some(line.scope) } else { found }
    })
}

/// 256 bits that nobody can guess, in hexadecimal digits.
///
/// # Panics
///
/// Where the system has no randomness to give, which none that this runs on lacks.
pub(super) fn random() -> String {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random bytes");
    hex(&bytes)
}

pub(super) fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_line_and_by_no_other() {
        let (read, write) = (Token::new("a", Scope::Read).unwrap(), Token::new("b", Scope::Write).unwrap());
        let lines = [read.line().clone(), write.line().clone()];
        assert_eq!(find(&lines, read.text()), Some(Scope::Read));
        assert_eq!(find(&lines, write.text()), Some(Scope::Write));
        for other in ["", "lastseen_", &read.text()[1..], &read.text().to_uppercase(), &read.line().to_string()] {
            assert_eq!(find(&lines, other), None, "{other}");
        }
        assert_eq!(find(&[], read.text()), None);
    }

    #[test]
    fn tokens_differ_and_have_256_bits() {
        let [one, other] = [(); 2].map(|()| Token::new("a", Scope::Read).unwrap());
        assert_ne!(one.text(), other.text());
        assert_eq!(one.text().len(), PREFIX.len() + 64);
    }

    #[test]
    fn the_digest_is_the_one_that_others_compute() {
        assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn lines_round_trip_and_what_is_none_is_not_quoted() {
        let line = Token::new("shop.example", Scope::Admin).unwrap().line().to_string();
        assert_eq!(TokenLine::read(&line).unwrap().to_string(), line);
        let token = Token::new("a", Scope::Read).unwrap();
        for wrong in [token.text(), &format!("a:read:{}", token.text()), &format!(":read:{}", "0".repeat(64)), "a:read"]
        {
            let error = TokenLine::read(wrong).unwrap_err();
            assert!(error.contains("NAME:SCOPE:SHA256") && !error.contains(token.text()), "{error}");
        }
        assert!(TokenLine::read(&format!("a:all:{}", "0".repeat(64))).unwrap_err().contains("\"all\""));
        assert!(Token::new("a b", Scope::Read).is_err());
    }
}
