//! The public suite, on one server and on a Cluster of three masters and three replicas.

mod single {
    use crate::place::Place;

    lastseen::conformance_tests!({
        let place = Place::new().await;
        async move || place.open().await
    });

    #[tokio::test]
    async fn rule_17_late() {
        let place = Place::new().await;
        lastseen::conformance::rule_17_late(async || place.open().await).await;
    }
}

mod one_group {
    use crate::place::Place;

    lastseen::conformance_tests!({
        let place = Place::new().await;
        async move || place.builder().groups(1).connect().await.unwrap()
    });
}

mod cluster {
    use crate::place::Place;

    lastseen::conformance_tests!({
        let place = Place::clustered().await;
        async move || place.open().await
    });
}
