//! How a store comes to its server, and what it says where it can't.

use std::error::Error;
use std::time::Duration;

use lastseen::Store;
use lastseen::store::{RedisBuilder, RedisError, RedisStore};
use lastseen_harness::{Redis, RedisSentinel};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::place::{NOW, Place, seen, user};

async fn refused(builder: RedisBuilder) -> RedisError {
    match builder.connect().await {
        Ok(store) => panic!("{store:?} should have been refused"),
        Err(error) => error,
    }
}

#[track_caller]
fn says(error: &RedisError, what: &[&str]) {
    for what in what {
        assert!(error.to_string().contains(what), "{what:?} is not in: {error}");
    }
}

#[tokio::test]
async fn the_number_of_groups_is_fixed_when_the_store_is_made() {
    let place = Place::new().await;
    let store = place.builder().groups(8).connect().await.unwrap();
    store.write(&[seen(&user("ada"), -1)], NOW).await.unwrap();
    let error = refused(place.builder().groups(16)).await;
    assert!(error.is_mismatch(), "{error:?}");
    says(&error, &["127.0.0.1", "was made with 8 groups and not with 16", "say 8, or take another prefix than"]);
    let store = place.open().await;
    assert!(store.read(&user("ada")).await.unwrap().is_some(), "who says none has those that there are");
}

#[tokio::test]
async fn twenty_that_start_at_once_make_one_store() {
    let place = Place::new().await;
    let starting: Vec<_> = (1..=20).map(|groups| tokio::spawn(place.builder().groups(groups).connect())).collect();
    let mut made = 0;
    for store in starting {
        match store.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert!(error.is_mismatch(), "{error:?}"),
        }
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn a_store_of_a_newer_version_or_of_another_program_is_left_alone() {
    let place = Place::new().await;
    place.open().await;
    let meta = format!("{}:{{meta}}:meta", place.prefix());
    place.server.cli(&["HSET", &meta, "layout", "2"]).await;
    let error = refused(place.builder()).await;
    assert!(error.is_mismatch(), "{error:?}");
    says(&error, &[&meta, "has the layout 2", "knows 1 at most"]);
    place.server.cli(&["HSET", &meta, "layout", "x"]).await;
    let error = refused(place.builder()).await;
    assert!(error.is_mismatch(), "{error:?}");
    says(&error, &[&meta, "that isn't lastseen's"]);
}

#[tokio::test]
async fn a_wrong_or_missing_password_is_named() {
    let server = Redis::start().await;
    server.cli(&["ACL", "SETUSER", "ada", "on", ">right", "allkeys", "+@all"]).await;
    let url = |user: &str| server.url().replace("redis://", &format!("redis://{user}"));
    let error = refused(RedisStore::builder(&url("ada:wrong-secret@"))).await;
    assert!(error.is_denied(), "{error:?}");
    says(&error, &["127.0.0.1", "refuses the password of the user \"ada\": put the right one in the URL"]);
    assert!(!format!("{error:?}").contains("wrong-secret"), "{error:?}");
    RedisStore::connect(&url("ada:right@")).await.unwrap();

    server.cli(&["CONFIG", "SET", "requirepass", "right"]).await;
    let error = refused(RedisStore::builder(&server.url())).await;
    assert!(error.is_denied(), "{error:?}");
    says(&error, &["asks for a password: put it in the URL"]);
    RedisStore::connect(&url(":right@")).await.unwrap();
}

#[tokio::test]
async fn a_missing_permission_is_named_and_the_documented_ones_are_enough() {
    let server = Redis::start().await;
    let url = server.url().replace("redis://", "redis://ada:right@");
    let documented = [
        "ACL",
        "SETUSER",
        "ada",
        "on",
        ">right",
        "~lastseen:*",
        "+@read",
        "+@write",
        "+@scripting",
        "+@connection",
        "+info",
        "+time",
        "+cluster|slots",
    ];
    server.cli(&documented).await;
    let store = RedisStore::connect(&url).await.unwrap();
    lastseen::conformance::rule_8_forget(async || RedisStore::connect(&url).await.unwrap()).await;
    store.write(&[seen(&user("ada"), -1)], NOW).await.unwrap();

    server.cli(&["ACL", "SETUSER", "ada", "-zadd", "-xadd"]).await;
    let error = refused(RedisStore::builder(&url)).await;
    assert!(error.is_denied(), "{error:?}");
    says(&error, &["refuses the user \"ada\" the commands zadd, xadd", "ACL SETUSER ada ~lastseen:* +@read +@write"]);
    server.cli(&["ACL", "SETUSER", "ada", "+zadd", "+xadd", "-info"]).await;
    let error = refused(RedisStore::builder(&url)).await;
    assert!(error.is_denied(), "{error:?}");
    says(&error, &["refuses the user \"ada\" what connecting needs", "+info"]);
    server.cli(&["ACL", "SETUSER", "ada", "+info"]).await;
    let error = refused(RedisStore::builder(&url).prefix("else")).await;
    assert!(error.is_denied(), "{error:?}");
    says(&error, &["while looking how the store was made", "ACL SETUSER ada ~else:* +@read"]);
}

#[tokio::test]
async fn a_server_that_is_too_old_is_named_with_what_it_must_be() {
    let port = old_server("6.2.14").await;
    let error = refused(RedisStore::builder(&format!("redis://127.0.0.1:{port}"))).await;
    assert!(error.is_too_old(), "{error:?}");
    says(&error, &[&format!("127.0.0.1:{port}"), "is version \"6.2.14\": it must be at least 7.0"]);
}

/// Answers as a Redis of that version does when it is asked who it is.
async fn old_server(version: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut bytes = vec![0; 4096];
                while let Ok(length @ 1..) = client.read(&mut bytes).await {
                    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                    // Each command begins with its number of arguments.
                    for command in text.split('*').skip(1) {
                        let info = format!("redis_version:{version}\r\nredis_mode:standalone\r\nrole:master\r\n");
                        let answer = if command.contains("INFO\r\n") && !command.contains("SETINFO") {
                            format!("${}\r\n{info}\r\n", info.len())
                        } else {
                            "-ERR unknown command\r\n".into()
                        };
                        client.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_cluster_and_one_server_are_not_taken_for_each_other() {
    let (single, cluster) = (Place::new().await, Place::clustered().await);
    let error = refused(RedisStore::builder(&cluster.server.servers[0].url())).await;
    assert!(error.is_mismatch(), "{error:?}");
    says(&error, &["is part of a Cluster: write redis+cluster://"]);
    let error = refused(RedisStore::builder(&single.server.url().replace("redis:", "redis+cluster:"))).await;
    assert!(error.is_mismatch(), "{error:?}");
    says(&error, &["is no part of a Cluster: write redis://"]);
}

#[tokio::test]
async fn a_service_that_the_sentinels_do_not_know_is_named() {
    let sentinel = RedisSentinel::start().await;
    let error = refused(RedisStore::builder(&sentinel.url().replace("/main", "/mian"))).await;
    assert!(error.is_mismatch(), "{error:?}");
    says(&error, &["knows no \"mian\": name what it watches"]);
    let error = refused(RedisStore::builder(&sentinel.url().replace("/main", "/main/99"))).await;
    assert!(error.is_invalid(), "{error:?}");
    says(&error, &["has no database 99"]);
}

#[tokio::test]
async fn wrong_settings_are_named() {
    let builder = || RedisStore::builder("redis://localhost");
    for (builder, what) in [
        (builder().prefix("{a}"), "the prefix is \"{a}\""),
        (builder().prefix(""), "the prefix is \"\""),
        (builder().groups(0), "groups is 0: it must be 1 to 1024"),
        (builder().groups(1_025), "groups is 1025"),
        (builder().keep(Duration::from_hours(1)), "keep is 3600s"),
        (builder().feed(9), "feed is 9: it must be at least 1024"),
        (builder().timeout(Duration::ZERO), "timeout is 0"),
        (RedisStore::builder("memcached://localhost"), "must begin with redis://"),
    ] {
        let error = refused(builder).await;
        assert!(error.is_invalid(), "{error:?}");
        says(&error, &[what]);
    }
}

/// A process may start while all that it can do is read.
#[tokio::test]
async fn what_is_there_can_be_read_where_nothing_can_be_written() {
    let server = Redis::start().await;
    let ada = user("ada");
    RedisStore::connect(&server.url()).await.unwrap().write(&[seen(&ada, -1)], NOW).await.unwrap();
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]).await;
    let store = RedisStore::connect(&server.url()).await.unwrap();
    store.ready().await.unwrap();
    assert_eq!(store.read(&ada).await.unwrap(), Some(seen(&ada, -1)));
    let error = store.write(&[seen(&ada, -1)], NOW).await.unwrap_err();
    assert!(error.is_read_only() && error.source().is_some(), "{error:?}");
}
