//! What makes an activity of a request: who sent it, whether it counts, where it came from.
//!
//! [`LastActivityLayer`] wraps any tower service, such as an axum router, or an actix-web app, and reports what its users
//! do to a [`Tracker`](crate::Tracker). Requests, responses, bodies and errors pass through it as they are.
//!
//! # How a request is judged
//!
//! Before the wrapped service is called:
//!
//! 1. [`Identify`] says who sent the request. If the answer is nobody, nothing is recorded.
//! 2. [`SkipRules`] say whether it counts. If one of them applies, nothing is recorded. Unless set: all requests count.
//! 3. [`ClientIp`] says from which address it came. Unless set: the socket's peer, whatever the headers claim.
//! 4. The user is [touched](crate::Tracker::touch), with that address. This is a matter of memory: it waits for
//!    nothing, can't fail, and allocates nothing for a user who is already known.
//!
//! Once the response is there:
//!
//! 5. If a [`SignedIn`] is among its extensions, the user named by it is touched too, with the address of step 3 and
//!    whatever steps 1 and 2 have said. This is how a handler reports the user whom it has just let in.
//!
//! Signing out needs no counterpart: the handler calls [`Tracker::leave`](crate::Tracker::leave), which comes after
//! step 4 of its own request and so has the last word.
//!
//! # Deployment caveats
//!
//! - **Behind authentication.** Step 1 sees what outer layers have put into the request, so the layer that loads
//!   the session must be one of them. In axum the layer added last is the outermost:
//!   `.layer(last_activity).layer(auth)`; in actix-web, likewise, `.wrap(last_activity).wrap(auth)`.
//! - **Behind a proxy** the socket's peer is the proxy, and all users seem to share its address. Name the proxy's
//!   network to [`ClientIp::trusting`], and no other: whoever connects from a trusted network can claim any address.
//! - **The peer** is known to axum alone if it serves
//!   `router.into_make_service_with_connect_info::<SocketAddr>()`; actix-web knows it; other servers insert a
//!   [`PeerAddr`]. Without any, activities are recorded without an address.
//! - **Before a cache** users look inactive: a request that a browser's or a proxy's cache answers never comes here.
//!
//! # Other frameworks
//!
//! - **tonic** takes layers for its `Server`: `Server::builder().layer(last_activity)`. It leaves a `TcpConnectInfo` among
//!   a request's extensions; a layer outside, such as tower's `MapRequestLayer`, makes a [`PeerAddr`] of its
//!   `remote_addr`.
//! - **salvo**, with its feature `tower-compat`, makes a hoop of a layer: `router.hoop(last_activity.compat())`. A hoop
//!   before that one puts a [`PeerAddr`] into the request's extensions.
//! - **poem** adapts layers too, yet hands them requests of its own type, which none for `http` takes. There, and
//!   wherever else no layer fits, a middleware of the site's own calls [`Tracker::touch`](crate::Tracker::touch).

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
mod client_ip;
mod forwarded;
mod future;
mod head;
mod identify;
pub mod identity;
mod layer;
mod networks;
mod path;
mod signed_in;
mod skip;
mod steps;
#[cfg(feature = "tower")]
mod tower;

pub use ipnet::IpNet;

pub use self::client_ip::{AddressPolicy, ClientIp, PeerAddr};
pub use self::forwarded::ForwardedHeader;
pub use self::future::ResponseFuture;
pub use self::identify::Identify;
pub use self::layer::{LastActivity, LastActivityLayer};
pub use self::signed_in::SignedIn;
pub use self::skip::{SkipRules, Verdict};
