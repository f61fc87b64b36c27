//! Profiles out of a site's own table.
#![cfg(feature = "sqlite")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use lastseen::{Directory, Profile, SqlDirectory, UserId};
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

const DJANGO: &str = "SELECT id, username, is_active FROM auth_user WHERE id IN (...)";

fn site(tables: &str) -> (TempDir, PathBuf) {
    let directory = tempdir().unwrap();
    let path = directory.path().join("db.sqlite3");
    Connection::open(&path).unwrap().execute_batch(tables).unwrap();
    (directory, path)
}

fn django() -> (TempDir, PathBuf) {
    site(
        "CREATE TABLE auth_user (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, username varchar(150), is_active bool);
         INSERT INTO auth_user VALUES (1, 'ada', 1), (2, 'bob', 0), (42, NULL, 1), (-7, 'neg', 1), (8, 'nul', NULL);",
    )
}

async fn ask(directory: &SqlDirectory, ids: &[&str]) -> BTreeMap<String, Profile> {
    let users: Vec<_> = ids.iter().map(|id| UserId::new(id).unwrap()).collect();
    let found = directory.profiles(&users).await.unwrap();
    let count = found.len();
    let found: BTreeMap<_, _> = found.into_iter().map(|(user, profile)| (user.to_string(), profile)).collect();
    assert_eq!(found.len(), count, "nobody comes twice");
    found
}

fn profiles<const N: usize>(expected: [(&str, Profile); N]) -> BTreeMap<String, Profile> {
    expected.map(|(id, profile)| (id.to_owned(), profile)).into()
}

#[tokio::test]
async fn an_integer_key_is_found_by_its_decimal_text_alone() {
    let (_directory, path) = django();
    let directory = SqlDirectory::sqlite(&path, DJANGO).await.unwrap();
    let found = ask(&directory, &["1", "2", "42", "-7", "8", "3", "01", "1.0", " 1", "+1", "1e0", "ada", "x"]).await;
    assert_eq!(
        found,
        profiles([
            ("1", Profile::named("ada")),
            ("2", Profile::named("bob").active(false)),
            ("42", Profile::new()),
            ("-7", Profile::named("neg")),
            ("8", Profile::named("nul").active(false)),
        ])
    );
    assert!(ask(&directory, &[]).await.is_empty());
}

#[tokio::test]
async fn a_text_key_is_compared_exactly() {
    let (_directory, path) = site(
        "CREATE TABLE member (id TEXT PRIMARY KEY COLLATE NOCASE, name TEXT, on_ INTEGER, hides TEXT);
         INSERT INTO member VALUES ('42', 'number', 1, '0'), ('Ada', 'Ada', 1, 'true'), ('o''brien', 'O', 1, 'f');",
    );
    let query = "SELECT id, name, on_, hides FROM member WHERE id IN (...) -- and nobody else";
    let directory = SqlDirectory::sqlite(&path, query).await.unwrap();
    let found = ask(&directory, &["42", "ada", "Ada", "o'brien", "042"]).await;
    assert_eq!(
        found,
        profiles([
            ("42", Profile::named("number")),
            ("Ada", Profile::named("Ada").hidden(true)),
            ("o'brien", Profile::named("O")),
        ])
    );
}

#[tokio::test]
async fn a_key_without_a_type_is_found_whichever_it_holds() {
    let (_directory, path) =
        site("CREATE TABLE u (k, n); INSERT INTO u VALUES (1, 'integer'), ('2', 'text'), ('x', 'name');");
    for query in ["SELECT k, n, 1 FROM u WHERE k IN (...)", "SELECT k, n, 1 FROM u WHERE coalesce(k, 0) IN (...);"] {
        let directory = SqlDirectory::sqlite(&path, query).await.unwrap();
        let found = ask(&directory, &["1", "2", "x"]).await;
        let expected = [("1", "integer"), ("2", "text"), ("x", "name")].map(|(id, name)| (id, Profile::named(name)));
        assert_eq!(found, profiles(expected), "{query}");
    }
}

#[tokio::test]
async fn many_are_asked_for_in_parts() {
    let (_directory, path) = django();
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 2899)
             INSERT INTO auth_user SELECT i, 'user ' || i, 1 FROM n",
        )
        .unwrap();
    let directory = SqlDirectory::sqlite(&path, DJANGO).await.unwrap();
    let ids: Vec<String> = (100..2900).map(|id| id.to_string()).collect();
    let found = ask(&directory, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(found.len(), 2800);
    assert!(found.iter().all(|(id, profile)| profile.name() == Some(&format!("user {id}"))));
}

#[tokio::test]
async fn the_sites_changes_are_seen_and_its_writers_not_held_up() {
    let (_directory, path) = django();
    let directory = SqlDirectory::sqlite(&path, DJANGO).await.unwrap();
    assert!(ask(&directory, &["1"]).await["1"].is_active());
    // A site without a write-ahead log: any reader that stayed would be in its way at once.
    let site = Connection::open(&path).unwrap();
    site.busy_timeout(std::time::Duration::ZERO).unwrap();
    site.execute_batch("UPDATE auth_user SET is_active = 0").unwrap();
    assert!(!ask(&directory, &["1"]).await["1"].is_active());
}

#[tokio::test]
async fn a_wrong_query_is_refused_by_name() {
    let (_directory, path) = django();
    for (query, says) in [
        ("SELECT id, username, is_active FROM auth_user", "has (...) 0 times"),
        ("SELECT id, username, is_active FROM auth_user WHERE id IN (...) OR id IN (...)", "has (...) 2 times"),
        ("SELECT id, nickname, is_active FROM auth_user WHERE id IN (...)", "can't be asked of"),
        ("SELECT id, username, is_active FROM auth_users WHERE id IN (...)", "can't be asked of"),
        ("SELEC id WHERE id IN (...)", "can't be asked of"),
        ("", "has (...) 0 times"),
        ("SELECT id, username FROM auth_user WHERE id IN (...)", "gives 2 columns"),
        ("SELECT *, 1, 2 FROM auth_user WHERE id IN (...)", "gives 5 columns"),
        ("DELETE FROM auth_user WHERE id IN (...)", "writes: it must be a SELECT"),
        ("DELETE FROM auth_user WHERE id IN (...) RETURNING id, username, is_active", "writes: it must be a SELECT"),
        (
            "SELECT id, username, is_active FROM auth_user WHERE id IN (...) AND id > ?",
            "has places for values of its own",
        ),
        ("SELECT id, username, is_active FROM auth_user WHERE id IN (...); SELECT 1", "can't be asked of"),
    ] {
        let error = SqlDirectory::sqlite(&path, query).await.expect_err(query);
        assert!(error.is_query(), "{query}: {error:?}");
        assert!(error.to_string().contains(says) && error.to_string().contains(query), "{query}: {error}");
    }
}

#[tokio::test]
async fn a_missing_or_foreign_file_is_refused_and_not_created() {
    let place = tempdir().unwrap();
    let path = place.path().join("db.sqlite3");
    let error = SqlDirectory::sqlite(&path, DJANGO).await.unwrap_err();
    assert!(error.to_string().contains("db.sqlite3"), "{error}");
    assert!(!path.exists());

    fs::write(&path, "not a database, whatever its name says").unwrap();
    let error = SqlDirectory::sqlite(&path, DJANGO).await.unwrap_err();
    assert!(error.to_string().contains("db.sqlite3"), "{error}");
}

#[tokio::test]
async fn a_column_of_the_wrong_kind_is_named() {
    let (_directory, path) = django();
    let swapped = "SELECT id, is_active, username FROM auth_user WHERE id IN (...)";
    let directory = SqlDirectory::sqlite(&path, swapped).await.unwrap();
    let error = directory.profiles(&[UserId::from(1)]).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("must be 1 or 0"), "{source}");
}
