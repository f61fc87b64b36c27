//! Records belong to the site's users: whom the site doesn't have is dropped, and nobody else with them.

use lastseen::store::PostgresKey;
use lastseen::{Profile, Store, UserId};

use crate::site::{NOW, Site, after, batch, seen};

const DJANGO: &str = "CREATE TABLE auth_user (id integer PRIMARY KEY, username text);
    INSERT INTO auth_user SELECT n, 'user ' || n FROM generate_series(1, 9) n;";

#[tokio::test]
async fn a_touch_of_a_stranger_is_dropped_and_counted_alone() {
    let site = Site::with(DJANGO).await;
    let store = site.builder().key(PostgresKey::Bigint).references("auth_user", "id").connect().await.unwrap();
    store.write(&batch(5..15, NOW), NOW).await.unwrap();
    assert_eq!(store.dropped(), 5);
    let joined = "SELECT string_agg(username, ', ' ORDER BY id) FROM auth_user JOIN user_activity ON user_id = id";
    assert_eq!(site.sql(joined).await, "user 5, user 6, user 7, user 8, user 9");
    store.set_profile(&12_u32.into(), &Profile::new()).await.unwrap();
    assert_eq!(store.dropped(), 6);
    assert!(store.profiles(&[12_u32.into()]).await.unwrap().is_empty());
    store.forget(&12_u32.into(), NOW, NOW).await.unwrap();

    // With the user goes all that belongs to them.
    store.set_profile(&5_u32.into(), &Profile::named("Ada")).await.unwrap();
    site.sql("DELETE FROM auth_user WHERE id = 5").await;
    assert_eq!(store.read(&5_u32.into()).await.unwrap(), None);
    assert!(store.profiles(&[5_u32.into()]).await.unwrap().is_empty());
    store.write(&batch(5..7, after(1)), after(1)).await.unwrap();
    assert_eq!(store.dropped(), 7);
    assert_eq!(store.read(&6_u32.into()).await.unwrap(), Some(seen(6_u32, after(1))));
}

/// The user is still there when the statement looks, and deleted when the foreign key is checked.
#[tokio::test]
async fn a_user_deleted_meanwhile_fails_nobody() {
    let site = Site::with(DJANGO).await;
    let store = site.builder().key(PostgresKey::Bigint).references("auth_user", "id").connect().await.unwrap();
    let mut site_itself = site.client().await;
    let deletion = site_itself.transaction().await.unwrap();
    deletion.batch_execute("DELETE FROM auth_user WHERE id = 2").await.unwrap();
    let writing = tokio::spawn({
        let store = store.clone();
        async move { store.write(&batch(1..4, NOW), NOW).await }
    });
    site.blocked(1).await;
    deletion.commit().await.unwrap();
    writing.await.unwrap().unwrap();
    assert_eq!(store.dropped(), 1);
    assert_eq!(site.sql("SELECT string_agg(user_id::text, ' ' ORDER BY user_id) FROM user_activity").await, "1 3");
}

#[tokio::test]
async fn an_id_that_can_be_no_key_is_dropped_and_counted_alone() {
    let site = Site::new().await;
    let ids = |ids: &[&str]| {
        let mut batch: Vec<_> = ids.iter().map(|id| seen(UserId::new(id).unwrap(), NOW)).collect();
        batch.sort_by(|a, b| a.user.cmp(&b.user));
        batch
    };
    let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    for (key, fit, unfit) in [
        (PostgresKey::Bigint, ["-5", "42"], ["042", "ada", "9223372036854775808"]),
        (
            PostgresKey::Uuid,
            [uuid, "00000000-0000-0000-0000-000000000000"],
            ["A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11", "42", "ada"],
        ),
    ] {
        let store = site.builder().table(format!("activity {key}")).key(key).connect().await.unwrap();
        store.write(&ids(&[fit.as_slice(), &unfit].concat()), NOW).await.unwrap();
        assert_eq!(store.dropped(), 3, "{key}");
        for id in fit {
            assert!(store.read(&UserId::new(id).unwrap()).await.unwrap().is_some(), "{id} is a {key}");
        }
        for id in unfit.map(|id| UserId::new(id).unwrap()) {
            assert_eq!(store.read(&id).await.unwrap(), None, "{id} is no {key}");
            store.forget(&id, NOW, NOW).await.unwrap();
            store.set_profile(&id, &Profile::new()).await.unwrap();
            assert!(store.profiles(&[id]).await.unwrap().is_empty());
        }
        assert_eq!(store.dropped(), 6, "{key}");
    }
}

/// Names are taken exactly, as ASP.NET's and Prisma's need it; and a handle that wasn't told of a foreign key finds it.
#[tokio::test]
async fn users_are_found_in_any_table_by_its_exact_name() {
    let site = Site::with(
        r#"CREATE SCHEMA "Accounts";
           CREATE TABLE "Accounts"."AspNet""Users" ("Id" varchar(450) PRIMARY KEY);
           INSERT INTO "Accounts"."AspNet""Users" VALUES ('1'), ('2');"#,
    )
    .await;
    let told =
        site.builder().references("Accounts.AspNet\"Users", "Id").table("seen").schema("Own").connect().await.unwrap();
    told.write(&batch(1..4, NOW), NOW).await.unwrap();
    assert_eq!(told.dropped(), 1);
    let untold = site.builder().table("seen").schema("Own").connect().await.unwrap();
    untold.write(&batch(1..5, after(1)), after(1)).await.unwrap();
    assert_eq!(untold.dropped(), 2);
    assert_eq!(site.sql(r#"SELECT count(*) FROM "Own".seen"#).await, "2");
}
