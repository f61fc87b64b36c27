//! Users who have signed in by actix-identity.

use actix_identity::IdentityExt;
use actix_web::HttpRequest;

use crate::{Identify, UserId};

/// Finds the identity of [actix-identity](::actix_identity) 0.9; its id is the user's.
///
/// # Panics
///
/// At the first request, as actix-identity does, where no `IdentityMiddleware` is wrapped around the layer.
///
/// # Example
///
/// ```
/// use actix_identity::IdentityMiddleware;
/// use actix_web::{App, web};
/// use lastseen::identity::ActixIdentity;
/// use lastseen::{LastActivityLayer, Tracker};
///
/// fn site(tracker: Tracker) {
///     // And around all of it actix-session's SessionMiddleware.
///     let site = App::new()
///         .route("/", web::get().to(async || "home"))
///         .wrap(LastActivityLayer::new(tracker, ActixIdentity))
///         .wrap(IdentityMiddleware::default());
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ActixIdentity;

impl Identify<HttpRequest> for ActixIdentity {
    fn identify(&self, request: &HttpRequest) -> Option<UserId> {
        UserId::new(&request.get_identity().ok()?.id().ok()?).ok()
    }
}
