//! The ready identities where their crates meet them.
#![cfg(any(feature = "actix", feature = "tower-sessions"))]

use lastseen::UserId;

fn text(user: Option<&UserId>) -> Option<&str> {
    user.map(UserId::as_str)
}

#[cfg(feature = "actix")]
#[test]
fn what_proxies_and_tokens_say_is_believed_in_actix_as_in_tower() {
    use actix_web::HttpRequest;
    use actix_web::test::TestRequest;
    use lastseen::Identify;
    use lastseen::identity::{Bearer, ForwardAuth};

    let request = |peer: &str, header| -> HttpRequest {
        TestRequest::get().peer_addr(peer.parse().unwrap()).append_header(header).to_http_request()
    };
    let proxied = ForwardAuth::trusting(["10.0.0.0/8".parse().unwrap()], "remote-user").unwrap();
    let user = |peer: &str| proxied.identify(&request(peer, ("remote-user", "ada")));
    assert_eq!(text(user("10.0.0.1:80").as_ref()), Some("ada"));
    assert_eq!(text(user("203.0.113.7:80").as_ref()), None);

    let bearer = Bearer::new(|token: &str| UserId::new(token).ok());
    let user = |value| bearer.identify(&request("10.0.0.1:80", ("authorization", value)));
    assert_eq!(text(user("Bearer ada").as_ref()), Some("ada"));
    assert_eq!(text(user("Basic ada").as_ref()), None);
}

#[cfg(feature = "tower-sessions")]
mod sessions {
    use std::collections::HashMap;
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use http::{Request, Response};
    use lastseen::identity::{SessionUser, SessionUserLayer};
    use lastseen::{LastActivityLayer, MemoryStore, Tracker};
    use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
    use tower_sessions::session::{Id, Record};
    use tower_sessions::session_store::{Error, Result};
    use tower_sessions::{Session, SessionStore};

    use super::text;

    /// One session, and how often it was read; without one the store is down.
    #[derive(Clone, Debug)]
    struct Sessions {
        record: Option<Record>,
        read: Arc<AtomicU32>,
    }

    #[async_trait::async_trait]
    impl SessionStore for Sessions {
        async fn load(&self, _: &Id) -> Result<Option<Record>> {
            self.read.fetch_add(1, Relaxed);
            self.record.clone().map(Some).ok_or_else(|| Error::Backend("down".into()))
        }

        async fn save(&self, _: &Record) -> Result<()> {
            unreachable!("nothing is changed")
        }

        async fn delete(&self, _: &Id) -> Result<()> {
            unreachable!("nothing is changed")
        }
    }

    impl Sessions {
        fn down() -> Self {
            Self { record: None, read: Arc::default() }
        }

        fn with(key: &str, value: serde_json::Value) -> Self {
            let down = Self::down();
            let (id, expiry_date) = (Id::default(), Session::new(None, Arc::new(down.clone()), None).expiry_date());
            Self { record: Some(Record { id, data: HashMap::from([(key.to_owned(), value)]), expiry_date }), ..down }
        }
    }

    /// Who is online after a request, whose handler looks into the session too.
    async fn online_after(request: Request<()>, layer: impl Into<Option<SessionUserLayer>>) -> Option<String> {
        let tracker = Tracker::builder(MemoryStore::new()).start().await.unwrap();
        let handler = service_fn(async |request: Request<()>| {
            if let Some(session) = request.extensions().get::<Session>() {
                drop(session.get_value("user").await);
            }
            Ok::<_, Infallible>(Response::new("handled"))
        });
        let inner = LastActivityLayer::new(tracker.clone(), SessionUser).layer(handler);
        let site = ServiceBuilder::new().option_layer(layer.into()).service(inner);
        assert_eq!(site.oneshot(request).await.unwrap().into_body(), "handled");
        text(tracker.online(1).users.first().map(|user| &user.user)).map(str::to_owned)
    }

    fn request(sessions: &Sessions, id: Option<Id>) -> Request<()> {
        let mut request = Request::new(());
        request.extensions_mut().insert(Session::new(id, Arc::new(sessions.clone()), None));
        request
    }

    fn layer() -> SessionUserLayer {
        SessionUserLayer::new("user")
    }

    #[tokio::test]
    async fn the_users_id_is_a_text_or_a_whole_number() {
        let cases: [(serde_json::Value, Option<&str>); 8] = [
            ("ada".into(), Some("ada")),
            (42.into(), Some("42")),
            (u64::MAX.into(), Some("18446744073709551615")),
            ((-7).into(), Some("-7")),
            ("".into(), None),
            (4.2.into(), None),
            (true.into(), None),
            (serde_json::Value::Null, None),
        ];
        for (value, expected) in cases {
            let sessions = Sessions::with("user", value.clone());
            let user = online_after(request(&sessions, Some(Id::default())), layer()).await;
            assert_eq!(user.as_deref(), expected, "{value}");
        }
        let another = Sessions::with("another", "ada".into());
        assert_eq!(online_after(request(&another, Some(Id::default())), layer()).await, None);
    }

    #[tokio::test]
    async fn a_session_is_read_once_and_not_at_all_for_a_guest() {
        let sessions = Sessions::with("user", "ada".into());
        assert_eq!(online_after(request(&sessions, None), layer()).await, None);
        assert_eq!(sessions.read.load(Relaxed), 0);
        assert_eq!(online_after(request(&sessions, Some(Id::default())), layer()).await.as_deref(), Some("ada"));
        assert_eq!(sessions.read.load(Relaxed), 1);
    }

    #[tokio::test]
    async fn where_a_session_cannot_be_read_the_request_is_nobodys_and_goes_on() {
        assert_eq!(online_after(request(&Sessions::down(), Some(Id::default())), layer()).await, None);
        // No session's layer outside, and none for its user.
        assert_eq!(online_after(Request::new(()), layer()).await, None);
        let sessions = Sessions::with("user", "ada".into());
        assert_eq!(online_after(request(&sessions, Some(Id::default())), None).await, None);
    }
}
