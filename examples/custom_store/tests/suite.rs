//! The store passes the suite that every store passes, and what it has acknowledged outlives it.

use std::process::Command;

use custom_store::FileStore;
use lastseen::{Profile, Record, Seen, Store, Timestamp, UserId};

lastseen::conformance_tests!({
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::open(directory.path().join("lastseen.json")).unwrap();
    // The directory is gone with the closure, and so at the test's end.
    async move || {
        let _directory = &directory;
        store.clone()
    }
});

#[tokio::test]
async fn a_file_opened_anew_has_what_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lastseen.json");
    let now = Timestamp::from_micros(1_000_000);
    let [ada, bob] = ["ada", "bob"].map(|id| UserId::new(id).unwrap());
    let record = Record { seen: Some(Seen { at: now, ip: "2001:db8::7".parse().ok() }), ..Record::empty(ada.clone()) };

    let store = FileStore::open(path.clone()).unwrap();
    store.write(std::slice::from_ref(&record), now).await.unwrap();
    store.set_profile(&ada, &Profile::named("Ada")).await.unwrap();
    store.forget(&bob, now, now).await.unwrap();
    let end = store.follow(None).await.unwrap().cursor;
    drop(store);

    let store = FileStore::open(path.clone()).unwrap();
    assert_eq!(store.read(&ada).await.unwrap(), Some(record));
    assert_eq!(store.profiles(std::slice::from_ref(&ada)).await.unwrap(), [(ada, Profile::named("Ada"))]);
    assert_eq!(store.recent(now, None).await.unwrap().forgotten, [(bob, now)]);
    assert!(!store.follow(Some(&end)).await.unwrap().missed);

    std::fs::write(&path, "[]").unwrap();
    assert!(FileStore::open(path).is_err());
}

#[test]
fn the_program_lists_who_it_was_told_of_before() {
    let directory = tempfile::tempdir().unwrap();
    let run = |users: &[&str]| {
        let program =
            Command::new(env!("CARGO_BIN_EXE_custom_store")).args(users).current_dir(&directory).output().unwrap();
        assert!(program.status.success(), "{}", String::from_utf8_lossy(&program.stderr));
        String::from_utf8(program.stdout).unwrap()
    };
    assert_eq!(run(&["ada"]).lines().count(), 1);
    let listed = run(&["bob"]);
    let users: Vec<_> = listed.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(users, ["bob", "ada"]);
}

#[test]
fn it_is_as_short_as_it_says() {
    let code = include_str!("../src/lib.rs").lines().map(str::trim);
    let lines = code.filter(|line| !line.is_empty() && !line.starts_with("//")).count();
    assert!(lines < 100, "{lines}");
}
