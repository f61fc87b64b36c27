//! Processes on one database agree, and each tells its own listeners of each who comes and goes, once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lastseen::{Presence, Profile, Tracker, UserId};
use lastseen_harness::eventually;
use parking_lot::Mutex;

use crate::site::Site;

const GRANULARITY: Duration = Duration::from_secs(1);

/// Rule 6, for those who are told.
const WITHIN: Duration = Duration::from_secs(1 + 2);

/// How often each came online and went offline, as one process's listener was told.
type Told = Arc<Mutex<BTreeMap<String, (u32, u32)>>>;

async fn start(site: &Site) -> (Tracker, Told) {
    let tracker = Tracker::builder(site.open().await).granularity(GRANULARITY).start().await.unwrap();
    let (mut events, told) = (tracker.events(), Told::default());
    tokio::spawn({
        let told = told.clone();
        async move {
            while let Some(event) = events.next().await {
                let event = event.unwrap();
                let mut told = told.lock();
                let (came, went) = told.entry(event.user.to_string()).or_default();
                match event.change {
                    Presence::CameOnline => *came += 1,
                    Presence::WentOffline => *went += 1,
                }
            }
        }
    });
    (tracker, told)
}

#[tokio::test]
async fn rule_6_three_processes_agree_and_each_event_comes_once_in_each() {
    let site = Site::new().await;
    let processes = [start(&site).await, start(&site).await, start(&site).await];
    let user = |name: String| UserId::new(&name).unwrap();
    let expected = |came: &[&str], went: &[&str]| {
        let mut expected = BTreeMap::new();
        for name in came {
            expected.insert((*name).to_owned(), (1, u32::from(went.contains(name))));
        }
        expected
    };

    // Each is touched in two processes at once, again and again; it is one who comes.
    for number in 0..3 {
        for process in [number, (number + 1) % 3] {
            processes[process].0.touch(&user(format!("user-{number}")), None);
        }
    }
    let came = ["user-0", "user-1", "user-2"];
    for (tracker, told) in &processes {
        eventually(WITHIN, async || tracker.count(), |count| *count == 3).await;
        eventually(WITHIN, async || told.lock().clone(), |told| *told == expected(&came, &[])).await;
    }

    // Signed out in one, erased in another, hidden in the third.
    processes[0].0.leave(&user("user-0".into()));
    processes[1].0.forget(&user("user-1".into())).await.unwrap();
    processes[2].0.set_profile(&user("user-2".into()), Profile::new().hidden(true)).await.unwrap();
    for (tracker, told) in &processes {
        eventually(WITHIN, async || tracker.count(), |count| *count == 0).await;
        eventually(WITHIN, async || told.lock().clone(), |told| *told == expected(&came, &came)).await;
    }

    // By the time that somebody who comes last is known everywhere, nothing has been told twice.
    processes[2].0.touch(&user("last".into()), None);
    for (_, told) in &processes {
        eventually(WITHIN, async || told.lock().contains_key("last"), |known| *known).await;
        assert_eq!(*told.lock(), expected(&["last", "user-0", "user-1", "user-2"], &came));
    }
}
