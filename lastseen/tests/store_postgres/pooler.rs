//! PgBouncer in transaction mode may sit in between: each statement may run on another connection than the one before.

use lastseen::store::{PostgresKey, PostgresStore};
use lastseen::{Directory, Profile, SqlDirectory, Store, UserId, conformance};
use lastseen_harness::PgBouncer;

use crate::site::{NOW, Site, seen};

#[tokio::test]
async fn the_whole_suite_passes_through_a_pooler() {
    let site = Site::new().await;
    let pooler = PgBouncer::start(&site.server).await;
    let url = pooler.url(&site.database);
    // A handle that is in use all the while keeps the connections changing hands.
    let other = PostgresStore::connect(&url).await.unwrap();
    let busy = async {
        loop {
            other.follow(None).await.unwrap();
        }
    };
    let whole_suite = conformance::all(async || PostgresStore::connect(&url).await.unwrap());
    tokio::select! {
        () = whole_suite => {}
        never = busy => never,
    }
}

#[tokio::test]
async fn tables_are_made_and_users_asked_for_through_a_pooler() {
    let site = Site::with(
        "CREATE TABLE auth_user (id bigint PRIMARY KEY, username text, is_active bool); INSERT INTO auth_user VALUES (1, 'ada', true)",
    )
    .await;
    let pooler = PgBouncer::start(&site.server).await;
    let url = pooler.url(&site.database);
    let starting: Vec<_> = (0..10)
        .map(|_| {
            let builder = PostgresStore::builder(&url).key(PostgresKey::Bigint).references("auth_user", "id");
            tokio::spawn(async move { builder.connect().await.unwrap() })
        })
        .collect();
    for store in starting {
        store.await.unwrap().write(&[seen(1_u32, NOW), seen(2_u32, NOW)], NOW).await.unwrap();
    }
    let directory = SqlDirectory::postgres(&url, SqlDirectory::DJANGO).await.unwrap();
    let found = directory.profiles(&[UserId::from(1)]).await.unwrap();
    assert_eq!(found, [(UserId::from(1), Profile::named("ada"))]);
}
