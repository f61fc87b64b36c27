//! Users who send a token with each request.

use std::fmt;

#[cfg(feature = "actix")]
use actix_web::HttpRequest;
use http::header::AUTHORIZATION;
use http::request::Parts;

use super::super::head::Head;
use crate::{Identify, UserId};

/// Finds whom a bearer token names: `Authorization: Bearer TOKEN`.
///
/// The closure verifies the token and says whose it is. It runs on every request, so it must not wait: a signature, or
/// a look into memory. `None` means nobody: a token that is not valid, or a program's. Neither is a request with two such
/// headers anybody's.
///
/// Where a layer outside has verified the token and left its claims among the request's extensions, a closure that reads
/// those is the better way.
///
/// # Example
///
/// With a crate for JSON Web Tokens it is a few lines, such as in the project's `examples/identities/src/bin/jwt.rs`:
///
/// ```
/// use lastseen::UserId;
/// use lastseen::identity::Bearer;
///
/// # struct Claims { sub: String }
/// # fn verify(token: &str, key: &str) -> Result<Claims, ()> { Ok(Claims { sub: format!("{key}{token}") }) }
/// # let key = "";
/// let identify = Bearer::new(move |token: &str| {
///     let claims = verify(token, key).ok()?;
///     UserId::new(&claims.sub).ok()
/// });
/// ```
#[derive(Clone)]
pub struct Bearer<F>(F);

impl<F: Fn(&str) -> Option<UserId>> Bearer<F> {
    /// `user_of` says whose token it is.
    #[must_use]
    pub fn new(user_of: F) -> Self {
        Self(user_of)
    }

    fn of(&self, request: &impl Head) -> Option<UserId> {
        let mut lines = request.values(&AUTHORIZATION);
        let (Some(line), None) = (lines.next(), lines.next()) else { return None };
        let (scheme, token) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| (self.0)(token))?
    }
}

impl<F: Fn(&str) -> Option<UserId> + Send + Sync + 'static> Identify for Bearer<F> {
    fn identify(&self, request: &Parts) -> Option<UserId> {
        self.of(request)
    }
}

#[cfg(feature = "actix")]
#[cfg_attr(docsrs, doc(cfg(feature = "actix")))]
impl<F: Fn(&str) -> Option<UserId> + Send + Sync + 'static> Identify<HttpRequest> for Bearer<F> {
    fn identify(&self, request: &HttpRequest) -> Option<UserId> {
        self.of(request)
    }
}

impl<F> fmt::Debug for Bearer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer")
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn only_one_bearer_token_identifies() {
        let identify = Bearer::new(|token: &str| UserId::new(token).ok());
        let cases: [(&[&[u8]], Option<&str>); 10] = [
            (&[b"Bearer ada"], Some("ada")),
            (&[b"bEARER  ada "], Some("ada")),
            (&[], None),
            (&[b"Bearer ada", b"Bearer ada"], None),
            (&[b"Basic ada"], None),
            (&[b"Bearer"], None),
            (&[b"Bearer "], None),
            (&[b"Bearerada"], None),
            (&[b"ada"], None),
            (&[b"Bearer \xff"], None),
        ];
        for (lines, expected) in cases {
            let request = lines.iter().fold(Request::get("/"), |request, line| request.header(AUTHORIZATION, *line));
            let user = identify.identify(&request.body(()).unwrap().into_parts().0);
            assert_eq!(user.as_ref().map(UserId::as_str), expected, "{lines:?}");
        }
    }
}
