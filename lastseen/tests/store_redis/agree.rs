//! Two processes on one store agree, also on what happened while one of them was cut off.

use std::time::Duration;

use lastseen::store::RedisStore;
use lastseen::{Events, Presence, Tracker, UserId};
use lastseen_harness::{Proxy, Redis, RedisCluster, eventually};
use tokio::time::timeout;

use crate::place::user;

/// The granularity, which is nothing to who comes or goes, and two seconds, and one for a busy machine.
const WITHIN: Duration = Duration::from_secs(3);

async fn tracker(url: &str) -> Tracker {
    let store = RedisStore::builder(url)
        .connect_timeout(Duration::from_secs(1))
        .timeout(Duration::from_secs(1))
        .connect()
        .await
        .unwrap();
    Tracker::builder(store).start().await.unwrap()
}

#[tokio::test]
async fn on_one_server() {
    let server = Redis::start().await;
    agree(&server.url()).await;
}

#[tokio::test]
async fn on_a_cluster() {
    let cluster = RedisCluster::start().await;
    agree(&cluster.url()).await;
}

/// Whatever is touched in one is in the other's list, and each announces it once.
async fn agree(url: &str) {
    let (here, there) = (tracker(url).await, tracker(url).await);
    let listening = [here.events(), there.events()];
    let [ada, bob] = ["ada", "bob"].map(user);
    here.touch(&ada, None);
    there.touch(&bob, None);
    for tracker in [&here, &there] {
        eventually(WITHIN, async || tracker.count(), |count| *count == 2).await;
    }
    // Again, from the other side: it is no news.
    there.touch(&ada, None);
    here.leave(&bob);
    for tracker in [&here, &there] {
        eventually(WITHIN, async || tracker.is_online(&bob), |online| !online).await;
    }
    here.flush().await.unwrap();
    there.flush().await.unwrap();
    here.touch(&user("the last"), None);
    for events in listening {
        let mut told = told(events).await;
        told.sort();
        let came = |user: &UserId| (user.to_string(), true);
        assert_eq!(told, [came(&ada), (bob.to_string(), false), came(&bob)]);
    }
}

/// What has been announced until the last user comes.
async fn told(mut events: Events) -> Vec<(String, bool)> {
    let mut told = Vec::new();
    loop {
        let event = timeout(WITHIN, events.next()).await.expect("the last user comes").unwrap().unwrap();
        if event.user == user("the last") {
            return told;
        }
        told.push((event.user.to_string(), matches!(event.change, Presence::CameOnline)));
    }
}

#[tokio::test]
async fn after_one_was_cut_off() {
    let server = Redis::start().await;
    let proxy = Proxy::to(server.port()).await;
    let here = tracker(&proxy.url(&server.url(), server.port())).await;
    let there = tracker(&server.url()).await;
    let [ada, bob] = ["ada", "bob"].map(user);
    there.touch(&ada, None);
    eventually(WITHIN, async || here.is_online(&ada), |online| *online).await;

    proxy.refuse(true);
    proxy.cut();
    let error = async || here.status().store_error.unwrap_or_default().to_string();
    eventually(WITHIN, error, |error| error.contains("can't be reached")).await;
    there.forget(&ada).await.unwrap();
    there.touch(&bob, None);
    there.flush().await.unwrap();
    assert!(here.is_online(&ada), "cut off");
    proxy.refuse(false);
    eventually(WITHIN, async || (here.is_online(&ada), here.is_online(&bob)), |who| *who == (false, true)).await;
}
