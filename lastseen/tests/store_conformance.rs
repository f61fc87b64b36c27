//! The suite passes every store of ours, and names the rule that a broken one breaks.

mod memory {
    use lastseen::store::MemoryStore;

    lastseen::conformance_tests!({
        let store = MemoryStore::new();
        async move || store.another()
    });
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use lastseen::SqliteStore;

    lastseen::conformance_tests!({
        let directory = tempfile::tempdir().unwrap();
        async move || SqliteStore::open(directory.path().join("lastseen.db")).await.unwrap()
    });

    #[tokio::test]
    async fn rule_17_late() {
        let directory = tempfile::tempdir().unwrap();
        let open = async || SqliteStore::open(directory.path().join("lastseen.db")).await.unwrap();
        lastseen::conformance::rule_17_late(open).await;
    }
}

mod faulty_without_faults {
    use lastseen::conformance::Faulty;
    use lastseen::store::MemoryStore;

    lastseen::conformance_tests!({
        let store = MemoryStore::new();
        async move || Faulty::new(store.another())
    });
}

#[tokio::test]
async fn the_whole_suite_runs_on_one_place() {
    let store = lastseen::store::MemoryStore::new();
    lastseen::conformance::all(async || store.another()).await;
}
