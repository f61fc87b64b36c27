//! A site whose tracker is on a Redis that fails.

use std::time::Duration;

use lastseen::OnlineUser;
use lastseen::store::RedisStore;

use crate::asked;
use crate::outages::{self, Kept};

/// The way to the store that doesn't fail but with the server itself.
pub(crate) struct Url(String);

pub(crate) type Site = outages::Site<Url>;

impl Site {
    /// One on which all went well until now.
    pub(crate) async fn open(url: &str) -> Self {
        let mut site = Self::by_way_of(url, url).await;
        site.opens().await;
        site
    }

    /// One that comes to the store by another way.
    pub(crate) async fn by_way_of(way: &str, url: &str) -> Self {
        let store = RedisStore::builder(way)
            .connect_timeout(Duration::from_secs(1))
            .timeout(Duration::from_secs(1))
            .connect()
            .await
            .unwrap();
        Self::with(store, Url(url.into())).await
    }
}

impl Kept for Url {
    async fn stored(&self) -> u32 {
        let Ok(store) = RedisStore::builder(&self.0).timeout(Duration::from_secs(1)).connect().await else {
            return 0;
        };
        asked::stored(&store).await.unwrap_or(0)
    }

    async fn has(&self, user: &OnlineUser) -> bool {
        asked::has(&RedisStore::connect(&self.0).await.unwrap(), user).await.unwrap()
    }
}
