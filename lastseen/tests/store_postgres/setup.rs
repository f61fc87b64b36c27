//! How a store comes to its tables, and what it says where it can't.

use lastseen::Store;
use lastseen::store::{PostgresBuilder, PostgresError, PostgresKey, PostgresStore};

use crate::site::{NOW, Site, seen};

async fn refused(builder: PostgresBuilder) -> PostgresError {
    match builder.connect().await {
        Ok(store) => panic!("{store:?} should have been refused"),
        Err(error) => error,
    }
}

#[track_caller]
fn says(error: &PostgresError, what: &[&str]) {
    for what in what {
        assert!(error.to_string().contains(what), "{what:?} is not in: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_that_start_at_once_make_the_tables_once() {
    let site = Site::with("CREATE TABLE auth_user (id bigint PRIMARY KEY)").await;
    // What an event trigger counts is what really was made.
    site.sql(
        "CREATE TABLE made (tag text);
         CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO made VALUES (tg_tag); END $$;
         CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note();",
    )
    .await;
    let starting: Vec<_> = (0..20)
        .map(|_| {
            let builder = site.builder().key(PostgresKey::Bigint).references("auth_user", "id");
            tokio::spawn(async move { builder.connect().await.unwrap().ready().await })
        })
        .collect();
    for store in starting {
        store.await.unwrap().unwrap();
    }
    assert_eq!(site.sql("SELECT count(*) FROM made WHERE tag LIKE 'CREATE TABLE%'").await, "8");
    assert_eq!(site.sql("SELECT version FROM user_activity_meta").await, "3");
}

#[tokio::test]
async fn tables_are_found_by_the_search_path_and_made_in_its_first_schema() {
    let site = Site::with("CREATE SCHEMA first; CREATE SCHEMA second").await;
    let with_path = |path: &str| PostgresStore::builder(&format!("{}?options=-c%20search_path={path}", site.url));
    with_path("second").connect().await.unwrap().write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    let store = with_path("first,second").connect().await.unwrap();
    assert!(store.read(&1_u32.into()).await.unwrap().is_some(), "the ones that are there");
    let error = refused(with_path("nowhere")).await;
    assert!(error.is_missing(), "{error:?}");
    says(&error, &["no schema in the search path of the role postgres", "by `schema`"]);
}

#[tokio::test]
async fn a_wrong_password_role_database_or_url_is_named() {
    let site = Site::new().await;
    let mut server = lastseen_harness::Postgres::start().await;
    server.sql("postgres", "CREATE ROLE ada LOGIN PASSWORD 'right'").await;
    server
        .pg_hba(&[
            "local all postgres trust",
            "host all postgres 127.0.0.1/32 trust",
            "host all all 127.0.0.1/32 scram-sha-256",
        ])
        .await;
    let url =
        |credentials: &str, database: &str| format!("postgres://{credentials}@127.0.0.1:{}/{database}", server.port());

    let error = refused(PostgresStore::builder(&url("ada:wrong-secret", "postgres"))).await;
    assert!(error.is_denied() && error.sqlstate() == Some("28P01"), "{error:?}");
    says(&error, &["127.0.0.1", "/postgres refuses the password of the role ada"]);
    assert!(!format!("{error:?}").contains("wrong-secret"), "{error:?}");
    let error = refused(PostgresStore::builder(&url("ada", "postgres"))).await;
    says(&error, &["can't be connected to", "a password that is asked for goes into the URL"]);
    let error = refused(PostgresStore::builder(&url("nobody:x", "postgres"))).await;
    assert!(error.is_denied(), "{error:?}");
    says(&error, &["the role nobody"]);
    let error = refused(PostgresStore::builder(&url("postgres", "nowhere"))).await;
    assert!(error.is_missing() && error.sqlstate() == Some("3D000"), "{error:?}");
    says(&error, &["/nowhere has no such database"]);
    server.pg_hba(&["host all postgres 127.0.0.1/32 trust"]).await;
    let error = refused(PostgresStore::builder(&url("ada:right", "postgres"))).await;
    assert!(error.is_denied() && error.sqlstate() == Some("28000"), "{error:?}");
    says(&error, &["doesn't let the role ada in", "pg_hba.conf"]);
    server.stop().await;

    let error = refused(PostgresStore::builder(&site.url.replace("postgres://", "mysql://"))).await;
    assert!(error.is_invalid(), "{error:?}");
    says(&error, &["must begin with postgres://"]);
}

#[tokio::test]
async fn a_missing_privilege_is_named_with_what_grants_it() {
    let site = Site::new().await;
    let url = site.role("reader_of_setup", "").await;
    let error = refused(PostgresStore::builder(&url)).await;
    assert!(error.is_denied(), "{error:?}");
    says(
        &error,
        &[
            "role reader_of_setup make tables in the schema public",
            "GRANT USAGE, CREATE ON SCHEMA public TO reader_of_setup",
        ],
    );

    site.open().await;
    site.sql("GRANT SELECT ON user_activity, user_activity_meta TO reader_of_setup").await;
    let error = refused(PostgresStore::builder(&url)).await;
    assert!(error.is_denied(), "{error:?}");
    says(&error, &["GRANT DELETE, INSERT, SELECT, UPDATE ON public.user_activity, public.user_activity_profile"]);
    site.sql(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON public.user_activity, public.user_activity_profile, \
         public.user_activity_feed, public.user_activity_meta, public.user_activity_history, \
         public.user_activity_number, public.user_activity_active, public.user_activity_day TO reader_of_setup",
    )
    .await;
    let store = PostgresStore::builder(&url).migrate(false).connect().await.unwrap();
    store.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    store.forget(&1_u32.into(), NOW, NOW).await.unwrap();
}

#[tokio::test]
async fn tables_that_may_not_be_made_are_named() {
    let site = Site::new().await;
    let error = refused(site.builder().migrate(false).table("seen").schema("own")).await;
    assert!(error.is_missing(), "{error:?}");
    says(&error, &["no up-to-date table own.seen", "`lastseen migrate`"]);
    assert_eq!(site.sql("SELECT to_regnamespace('own') IS NULL").await, "t");
}

#[tokio::test]
async fn another_applications_table_and_a_newer_schema_are_left_alone() {
    let site = Site::with("CREATE TABLE user_activity (id int)").await;
    let error = refused(site.builder()).await;
    assert!(error.is_foreign(), "{error:?}");
    says(&error, &["a table public.user_activity that isn't lastseen's", "by `table`"]);

    site.builder().table("other").connect().await.unwrap();
    site.sql("UPDATE other_meta SET version = 7").await;
    let error = refused(site.builder().table("other")).await;
    assert!(error.is_newer(), "{error:?}");
    says(&error, &["public.other in schema version 7", "up to 3: run a newer one"]);
}

#[tokio::test]
async fn a_key_that_does_not_match_is_named_with_the_right_one() {
    let site = Site::with(
        "CREATE TABLE auth_user (id integer PRIMARY KEY, email text, joined date UNIQUE);
         CREATE TABLE member (id text PRIMARY KEY)",
    )
    .await;
    let to = |key, table: &str, column: &str| site.builder().key(key).references(table, column);
    for (builder, what) in [
        (
            to(PostgresKey::Text, "auth_user", "id"),
            vec!["has auth_user.id as int4, and the key type is text", "bigint is right"],
        ),
        (to(PostgresKey::Uuid, "public.auth_user", "id"), vec!["public.auth_user.id as int4", "bigint is right"]),
        (to(PostgresKey::Text, "auth_user", "joined"), vec!["as date", "none of the key types"]),
        (site.builder().references("auth_user", "joined"), vec!["as date", "none of the key types"]),
        (to(PostgresKey::Text, "auth_user", "email"), vec!["no unique index on public.auth_user.email"]),
    ] {
        let error = refused(builder).await;
        assert!(error.is_mismatch(), "{error:?}");
        says(&error, &what);
    }
    for (builder, what) in [
        (to(PostgresKey::Text, "auth_users", "id"), "no table auth_users"),
        (to(PostgresKey::Text, "nowhere.auth_user", "id"), "no table nowhere.auth_user"),
        (to(PostgresKey::Text, "auth_user", "uuid"), "no column uuid in auth_user"),
    ] {
        let error = refused(builder).await;
        assert!(error.is_missing(), "{error:?}");
        says(&error, &[what]);
    }
    assert_eq!(site.sql("SELECT to_regclass('user_activity') IS NULL").await, "t", "nothing was made");

    to(PostgresKey::Bigint, "auth_user", "id").connect().await.unwrap();
    for (builder, what) in [
        (site.builder().key(PostgresKey::Text), vec!["public.user_activity.user_id as int8, and the key type is text"]),
        (
            to(PostgresKey::Bigint, "member", "id"),
            vec!["referring to public.auth_user.id, and it was to refer to member.id"],
        ),
    ] {
        let error = refused(builder).await;
        assert!(error.is_mismatch(), "{error:?}");
        says(&error, &what);
    }
    site.builder().table("free").connect().await.unwrap();
    let error = refused(site.builder().table("free").references("member", "id")).await;
    assert!(error.is_mismatch(), "{error:?}");
    says(&error, &["public.free without a foreign key to member.id", "ALTER TABLE"]);
}

#[tokio::test]
async fn a_key_that_is_not_named_is_that_of_the_users_or_of_the_tables() {
    let site = Site::with("CREATE TABLE auth_user (id integer PRIMARY KEY); INSERT INTO auth_user VALUES (7)").await;
    let told = site.builder().references("auth_user", "id").connect().await.unwrap();
    told.write(&[seen(7_u32, NOW), seen(8_u32, NOW)], NOW).await.unwrap();
    assert_eq!(told.dropped(), 1);
    let kind = "SELECT data_type FROM information_schema.columns \
                WHERE table_name = 'user_activity' AND column_name = 'user_id'";
    assert_eq!(site.sql(kind).await, "bigint");
    let untold = site.open().await;
    assert_eq!(untold.read(&7_u32.into()).await.unwrap(), Some(seen(7_u32, NOW)));
    assert_eq!(untold.read(&lastseen::UserId::new("ada").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn names_and_limits_that_can_not_be_had_are_named() {
    let site = Site::new().await;
    let long = "x".repeat(55);
    for (builder, what) in [
        (site.builder().table(""), "the table \"\" can't be had"),
        (site.builder().table(&long), "must have 1 to 54 bytes"),
        (site.builder().schema("a\0b"), "the schema \"a\\0b\""),
        (site.builder().references("", "id"), "the user table \"\""),
        (site.builder().connections(0), "connections is 0"),
        (site.builder().statement_timeout(std::time::Duration::ZERO), "statement_timeout is 0"),
    ] {
        let error = refused(builder).await;
        assert!(error.is_invalid(), "{error:?}");
        says(&error, &[what]);
    }
    let strange = "It's \"x\" \\ ☃ {key}; --";
    let store = site.builder().table(strange).schema(strange).connect().await.unwrap();
    store.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    let again = site.builder().table(strange).schema(strange).connect().await.unwrap();
    assert_eq!(again.read(&1_u32.into()).await.unwrap(), Some(seen(1_u32, NOW)));
}

#[tokio::test]
async fn a_database_that_can_not_hold_every_id_is_refused() {
    let site = Site::new().await;
    site.server.sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0").await;
    let error = refused(PostgresStore::builder(&site.server.url("latin"))).await;
    says(&error, &["/latin is encoded in LATIN1", "must be UTF8"]);
}

/// A backup that is restored takes the tables away for a while.
#[tokio::test]
async fn tables_that_went_away_are_named_and_made_again() {
    let site = Site::new().await;
    let store = site.open().await;
    site.sql(
        "DROP TABLE user_activity, user_activity_profile, user_activity_feed, user_activity_meta, user_activity_history, \
         user_activity_number, user_activity_active, user_activity_day CASCADE",
    )
    .await;
    let error = store.write(&[seen(1_u32, NOW)], NOW).await.unwrap_err();
    assert!(error.is_missing() && error.sqlstate() == Some("42P01"), "{error:?}");
    says(&error, &["lacks one of lastseen's tables while writing activities"]);
    store.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    assert_eq!(store.read(&1_u32.into()).await.unwrap(), Some(seen(1_u32, NOW)));
}
