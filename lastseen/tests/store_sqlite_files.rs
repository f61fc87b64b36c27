//! Which files SQLite is let near, and what is left of those that it isn't.
#![cfg(feature = "sqlite")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lastseen::store::{SqliteError, SqliteStore};
use lastseen::{Record, Store, Timestamp, UserId};
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

const NOW: Timestamp = Timestamp::from_micros(1_795_490_100_000_000);

fn ada() -> Record {
    Record { left_at: Some(NOW), ..Record::empty(UserId::new("ada").unwrap()) }
}

/// Every file in the directory, with its bytes.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap_or_default()))
        .collect()
}

/// Opens `lastseen.db` in a directory that `prepare` has filled, which must fail and change nothing at all.
async fn refused(prepare: impl FnOnce(&Path)) -> (SqliteError, TempDir) {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    prepare(&path);
    let before = contents(directory.path());
    let error = SqliteStore::open(&path).await.expect_err("the file must be refused");
    assert_eq!(contents(directory.path()), before, "{error}");
    assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
    (error, directory)
}

#[tokio::test]
async fn a_new_file_is_its_owners_alone() {
    let directory = tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("lastseen.db")).await.unwrap();
    store.write(&[ada()], NOW).await.unwrap();

    let files = contents(directory.path());
    assert_eq!(files.keys().collect::<Vec<_>>(), ["lastseen.db", "lastseen.db-shm", "lastseen.db-wal"]);
    #[cfg(unix)]
    for name in files.keys() {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(directory.path().join(name)).unwrap());
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }

    drop(store);
    assert_eq!(contents(directory.path()).len(), 1, "the last to close puts all into the one file");
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    fs::write(&path, "").unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    store.write(&[ada()], NOW).await.unwrap();
    assert_eq!(store.read(&ada().user).await.unwrap(), Some(ada()));
}

#[tokio::test]
async fn no_name_is_special() {
    let directory = tempdir().unwrap();
    for name in [":memory:", "file:x?mode=memory", "a b%20c#d?e=f&g", "å\u{1f600}"] {
        let path = directory.path().join(name);
        SqliteStore::open(&path).await.unwrap().write(&[ada()], NOW).await.unwrap();
        assert!(path.is_file(), "{name}");
        assert_eq!(SqliteStore::schema(&path).unwrap().version, 2, "{name}");
        let reopened = SqliteStore::open(&path).await.unwrap();
        assert_eq!(reopened.read(&ada().user).await.unwrap(), Some(ada()), "{name}");
    }
    let error = SqliteStore::open("").await.unwrap_err();
    assert!(error.to_string().contains("empty"), "{error}");
}

#[tokio::test]
async fn what_is_no_database_is_left_alone() {
    for bytes in [&b"hello"[..], &[0; 8192], &[b"SQLite format 3\0".as_slice(), &[0xff; 5000]].concat()] {
        let (error, _directory) = refused(|path| fs::write(path, bytes).unwrap()).await;
        assert!(error.is_foreign(), "{error:?}");
        assert!(error.to_string().contains("not a SQLite database"), "{error}");
    }
}

#[tokio::test]
async fn another_applications_database_is_left_alone() {
    for journal in ["DELETE", "WAL"] {
        let (error, _directory) = refused(|path| {
            let other = Connection::open(path).unwrap();
            other.pragma_update_and_check(None, "journal_mode", journal, |_| Ok(())).unwrap();
            other.execute_batch("CREATE TABLE auth_user (id INTEGER PRIMARY KEY); PRAGMA user_version = 1;").unwrap();
        })
        .await;
        assert!(error.is_foreign(), "{error:?}");
        assert!(error.to_string().contains("another application"), "{error}");
    }
}

#[tokio::test]
async fn another_applications_database_is_left_alone_while_it_is_in_use() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    let other = Connection::open(&path).unwrap();
    other.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).unwrap();
    other.execute_batch("CREATE TABLE auth_user (id INTEGER PRIMARY KEY)").unwrap();
    let before = contents(directory.path());
    assert!(SqliteStore::open(&path).await.unwrap_err().is_foreign());
    assert_eq!(contents(directory.path()), before);
    other.execute_batch("INSERT INTO auth_user VALUES (1)").unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    SqliteStore::open(&path).await.unwrap().write(&[ada()], NOW).await.unwrap();
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 7).unwrap();
    newer.close().unwrap();
    let before = contents(directory.path());

    let error = SqliteStore::open(&path).await.unwrap_err();
    assert!(error.is_newer(), "{error:?}");
    assert!(error.to_string().contains("schema version 7") && error.to_string().contains("up to 2"), "{error}");
    assert!(SqliteStore::schema(&path).unwrap_err().is_newer());
    assert_eq!(contents(directory.path()), before);
}

#[tokio::test]
async fn a_newer_schema_is_seen_while_it_is_only_in_the_log() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    SqliteStore::open(&path).await.unwrap();
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    newer.pragma_update(None, "user_version", 7).unwrap();

    assert!(SqliteStore::open(&path).await.unwrap_err().is_newer());
}

/// Of every page but the first, which tells what it is.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[4096..].chunks_mut(64).step_by(3).for_each(|chunk| chunk.fill(0xa5));
    fs::write(path, bytes).unwrap();
}

async fn a_damaged_file() -> (TempDir, PathBuf) {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    SqliteStore::open(&path).await.unwrap().write(&[ada()], NOW).await.unwrap();
    damage(&path);
    (directory, path)
}

#[tokio::test]
async fn a_damaged_file_is_left_alone() {
    let (directory, path) = a_damaged_file().await;
    let before = fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert!(error.is_damaged() && !error.is_foreign(), "{error:?}");
    assert!(error.to_string().contains("lastseen.db is damaged"), "{error}");
    assert!(fs::read(&path).unwrap() == before);
    let beside = contents(directory.path());
    assert!(beside.iter().all(|(name, bytes)| !name.ends_with("-wal") || bytes.is_empty()), "nothing was written");

    let half = &before[..before.len() / 2];
    fs::write(&path, half).unwrap();
    assert!(SqliteStore::open(&path).await.unwrap_err().is_damaged(), "cut short");
    assert!(fs::read(&path).unwrap() == half);
}

/// A log that was left by a crash, too, is neither read into the damaged file nor lost.
#[tokio::test]
async fn a_damaged_file_keeps_its_log() {
    let directory = tempdir().unwrap();
    let [path, copy] = ["lastseen.db", "copy.db"].map(|name| directory.path().join(name));
    let store = SqliteStore::open(&path).await.unwrap();
    store.write(&[ada()], NOW).await.unwrap();
    fs::copy(&path, &copy).unwrap();
    let log = fs::read(directory.path().join("lastseen.db-wal")).unwrap();
    fs::write(directory.path().join("copy.db-wal"), &log).unwrap();
    drop(store);
    // The log has the newer pages of those that are damaged, but not all.
    damage(&copy);
    let damaged = fs::read(&copy).unwrap();

    assert!(SqliteStore::open(&copy).await.unwrap_err().is_damaged());
    assert!(fs::read(&copy).unwrap() == damaged);
    assert!(fs::read(directory.path().join("copy.db-wal")).unwrap() == log);

    let (_store, aside) = SqliteStore::recover(&copy).await.unwrap();
    let mut aside = aside.unwrap();
    assert!(fs::read(&aside).unwrap() == damaged);
    aside.as_mut_os_string().push("-wal");
    assert!(fs::read(&aside).unwrap() == log);
}

#[tokio::test]
async fn what_cannot_be_used_is_set_aside_when_told() {
    let kinds: [fn(&Path); 3] = [
        |_| {},
        |path| fs::write(path, "a letter to my aunt").unwrap(),
        |path| {
            fs::remove_file(path).unwrap();
            Connection::open(path).unwrap().execute_batch("CREATE TABLE letters (text)").unwrap();
        },
    ];
    for make in kinds {
        let (_directory, path) = a_damaged_file().await;
        make(&path);
        let before = fs::read(&path).unwrap();
        let (store, aside) = SqliteStore::recover(&path).await.unwrap();
        let aside = aside.unwrap();
        assert!(aside.file_name().unwrap().to_str().unwrap().starts_with("lastseen.db.aside-20"), "{aside:?}");
        assert!(fs::read(&aside).unwrap() == before);
        store.write(&[ada()], NOW).await.unwrap();
        drop(store);

        let (store, aside) = SqliteStore::recover(&path).await.unwrap();
        assert_eq!((store.read(&ada().user).await.unwrap(), aside), (Some(ada()), None), "what is whole stays");
    }
}

#[tokio::test]
async fn what_may_not_be_set_aside_stays() {
    let directory = tempdir().unwrap();
    assert!(SqliteStore::recover(directory.path()).await.unwrap_err().is_foreign(), "a directory");

    let path = directory.path().join("lastseen.db");
    drop(SqliteStore::open(&path).await.unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    assert!(SqliteStore::recover(&path).await.unwrap_err().is_newer());
    assert_eq!(contents(directory.path()).len(), 1);
}

#[tokio::test]
async fn a_directory_is_no_file() {
    let (error, _directory) = refused(|path| fs::create_dir(path).unwrap()).await;
    assert!(error.is_foreign(), "{error:?}");
    assert!(error.to_string().contains("is a directory: name a file in it, such as"), "{error}");

    #[cfg(unix)]
    assert!(SqliteStore::open("/dev/null").await.unwrap_err().to_string().contains("/dev/null is a device"));
}

#[tokio::test]
async fn a_read_only_file_is_left_alone() {
    let (error, directory) = refused(|path| {
        drop(Connection::open(path).unwrap());
        fs::write(path, "").unwrap();
        read_only(path, true);
    })
    .await;
    assert!(error.is_read_only(), "{error:?}");
    assert!(error.to_string().contains("lastseen.db is read-only"), "{error}");
    read_only(&directory.path().join("lastseen.db"), false);
}

#[tokio::test]
async fn a_read_only_directory_is_left_alone() {
    for with_file in [false, true] {
        let (error, directory) = refused(|path| {
            if with_file {
                fs::write(path, "").unwrap();
            }
            read_only(path.parent().unwrap(), true);
        })
        .await;
        assert!(error.is_read_only(), "{error:?}");
        assert!(error.to_string().contains("is read-only: SQLite must write beside its file"), "{error}");
        read_only(directory.path(), false);
    }
}

/// As the mark on the file, which holds for an administrator too.
fn read_only(path: &Path, read_only: bool) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    #[cfg(unix)]
    {
        let mode = if read_only { 0o500 } else { 0o700 };
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, mode);
    }
    #[cfg(not(unix))]
    permissions.set_readonly(read_only);
    fs::set_permissions(path, permissions).unwrap();
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named() {
    let directory = tempdir().unwrap();
    let error = SqliteStore::open(directory.path().join("missing/lastseen.db")).await.unwrap_err();
    assert!(error.to_string().starts_with("there is no directory"), "{error}");
    assert!(error.to_string().contains("missing"), "{error}");
    assert!(contents(directory.path()).is_empty());
}

#[tokio::test]
async fn the_schema_is_looked_at_without_a_trace() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    let schema = SqliteStore::schema(&path).unwrap();
    assert_eq!((schema.version, schema.latest), (0, 2));
    assert!(contents(directory.path()).is_empty());

    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(SqliteStore::schema(&path).unwrap().version, 2, "while it is in use");
    drop(store);
    let before = contents(directory.path());
    assert_eq!(SqliteStore::schema(&path).unwrap().version, 2);
    assert_eq!(contents(directory.path()), before);
}

/// Making the tables and turning on the log each lock the file, and neither may be seen half done.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn many_may_create_the_file_at_once() {
    for _ in 0..5 {
        let directory = tempdir().unwrap();
        let path = directory.path().join("lastseen.db");
        let opening: Vec<_> = (0..8)
            .map(|number| {
                let path = path.clone();
                tokio::spawn(async move {
                    let store = SqliteStore::open(&path).await.unwrap();
                    let user = UserId::from(number);
                    store.write(&[Record { left_at: Some(NOW), ..Record::empty(user) }], NOW).await.unwrap();
                })
            })
            .collect();
        for opened in opening {
            opened.await.unwrap();
        }
        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(store.recent(NOW, None).await.unwrap().records.len(), 8);
    }
}

#[tokio::test]
async fn another_processs_lock_holds_up_writers_and_no_reader() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();

    let batch = [ada()];
    let write = store.write(&batch, NOW);
    let meanwhile = async {
        assert_eq!(store.read(&ada().user).await.unwrap(), None);
        holder.execute_batch("ROLLBACK").unwrap();
    };
    let (written, ()) = tokio::join!(write, meanwhile);
    written.unwrap();
    assert_eq!(store.read(&ada().user).await.unwrap(), Some(ada()));
}
