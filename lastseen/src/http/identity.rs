//! Ready ways to say who sent a request.
//!
//! Each is an [`Identify`](super::Identify), to be given to [`LastActivityLayer::new`](super::LastActivityLayer::new):
//!
//! | | whom it finds | for | feature |
//! |---|---|---|---|
//! | `AxumLogin` | the user of an axum-login session | axum | `axum-login` |
//! | `SessionUser` | the user whose id is kept in a session of tower-sessions | tower | `tower-sessions` |
//! | `ActixIdentity` | the identity of actix-identity | actix-web | `actix-identity` |
//! | [`Bearer`] | whom a bearer token names, such as a JWT, by your closure | both | |
//! | [`ForwardAuth`] | whom the proxy has let in, by a header of its own | both | |
//!
//! For anything else a closure will do: what your own authentication has put into the request is among its extensions.
//!
//! The crates that the features are named after still change in ways that break their users. Each feature is for the
//! version that is named with it; a newer one is followed in a minor release of this crate.

#[cfg(feature = "actix-identity")]
mod actix_identity;
#[cfg(feature = "axum-login")]
mod axum_login;
mod bearer;
mod forward_auth;
#[cfg(feature = "tower-sessions")]
mod tower_sessions;

#[cfg(feature = "actix-identity")]
#[cfg_attr(docsrs, doc(cfg(feature = "actix-identity")))]
pub use self::actix_identity::ActixIdentity;
#[cfg(feature = "axum-login")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum-login")))]
pub use self::axum_login::AxumLogin;
pub use self::bearer::Bearer;
pub use self::forward_auth::ForwardAuth;
#[cfg(feature = "tower-sessions")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower-sessions")))]
pub use self::tower_sessions::{SessionUser, SessionUserLayer, SessionUserService};
