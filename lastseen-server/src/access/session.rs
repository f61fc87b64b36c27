//! Sessions of people with a browser, who have shown a token once: a random cookie, kept in memory alone.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::header::{self, HeaderMap, HeaderValue};
use lastseen::Timestamp;
use parking_lot::Mutex;

use super::Scope;
use super::token::{random, sha256};

const COOKIE: &str = "lastseen_session";

/// How long a session lasts.
const LIFE: Duration = Duration::from_hours(12);

/// The most sessions. The one that would end first makes room.
const MOST: usize = 1000;

/// By the SHA-256 of the cookie, so that the time a look-up takes tells nothing of a cookie that would do.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Session>>);

#[derive(Clone, Copy, Debug)]
struct Session {
    scope: Scope,
    ends: Timestamp,
}

impl Sessions {
    /// Begins one, and gives its cookie.
    pub(super) fn begin(&self, scope: Scope, headers: &HeaderMap, now: Timestamp) -> HeaderValue {
        let id = random();
        let mut sessions = self.0.lock();
        sessions.retain(|_, session| session.ends > now);
        if sessions.len() >= MOST {
            let first = sessions.iter().min_by_key(|(_, session)| session.ends).map(|(key, _)| key.clone());
            first.and_then(|key| sessions.remove(&key));
        }
        sessions.insert(sha256(&id), Session { scope, ends: now + LIFE });
        cookie(&id, LIFE, headers)
    }

    pub(super) fn scope(&self, headers: &HeaderMap, now: Timestamp) -> Option<Scope> {
        let id = given(headers)?;
        self.0.lock().get(&sha256(id)).filter(|session| session.ends > now).map(|session| session.scope)
    }

    /// Ends one, and gives the cookie that makes the browser forget it.
    pub(super) fn end(&self, headers: &HeaderMap) -> HeaderValue {
        if let Some(id) = given(headers) {
            self.0.lock().remove(&sha256(id));
        }
        cookie("", Duration::ZERO, headers)
    }
}

/// No script reads it, and no other site's page makes a browser send it. `Secure` where the visitor came over TLS,
/// as a proxy says: whoever says so untruly makes their own cookie stricter.
fn cookie(id: &str, life: Duration, headers: &HeaderMap) -> HeaderValue {
    let over_tls = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes().starts_with(b"https"));
    let secure = if over_tls { "; Secure" } else { "" };
    let life = life.as_secs();
    let cookie = format!("{COOKIE}={id}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{secure}");
    let mut cookie = HeaderValue::try_from(cookie).expect("hexadecimal digits and words are a header's value");
    cookie.set_sensitive(true);
    cookie
}

fn given(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_490_100_000_000);

    fn sent(cookie: &HeaderValue) -> HeaderMap {
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
        [(header::COOKIE, HeaderValue::try_from(format!("theme=dark; {cookie}")).unwrap())].into_iter().collect()
    }

    #[test]
    fn a_session_lasts_until_its_end_or_half_a_day() {
        let sessions = Sessions::default();
        let cookie = sessions.begin(Scope::Read, &HeaderMap::new(), NOW);
        let headers = sent(&cookie);
        assert_eq!(
            sessions.scope(&headers, NOW + LIFE.checked_sub(Duration::from_secs(1)).unwrap()),
            Some(Scope::Read)
        );
        assert_eq!(sessions.scope(&headers, NOW + LIFE), None);
        assert_eq!(sessions.scope(&HeaderMap::new(), NOW), None);
        sessions.end(&headers);
        assert_eq!(sessions.scope(&headers, NOW), None);
    }

    #[test]
    fn cookies_are_kept_from_scripts_and_other_sites_and_over_tls_from_wires() {
        let sessions = Sessions::default();
        let plain = sessions.begin(Scope::Read, &HeaderMap::new(), NOW);
        let plain = plain.to_str().unwrap();
        assert!(plain.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{plain}");
        let over_tls =
            [("x-forwarded-proto".parse().unwrap(), HeaderValue::from_static("https"))].into_iter().collect();
        assert!(sessions.begin(Scope::Read, &over_tls, NOW).to_str().unwrap().ends_with("; SameSite=Strict; Secure"));
    }

    #[test]
    fn there_is_room_for_so_many_and_the_oldest_makes_it() {
        let sessions = Sessions::default();
        let first = sent(&sessions.begin(Scope::Read, &HeaderMap::new(), NOW));
        let second = sent(&sessions.begin(Scope::Read, &HeaderMap::new(), NOW + Duration::from_secs(1)));
        for _ in 2..=MOST {
            sessions.begin(Scope::Read, &HeaderMap::new(), NOW + Duration::from_secs(2));
        }
        assert_eq!(sessions.0.lock().len(), MOST);
        assert_eq!((sessions.scope(&first, NOW), sessions.scope(&second, NOW)), (None, Some(Scope::Read)));
    }
}
