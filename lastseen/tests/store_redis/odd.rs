//! What somebody else has written under the store's keys costs nobody but whom it is about.

use std::time::Duration;

use lastseen::store::{Change, KeptSince};
use lastseen::{Profile, Record, Seen, Store, Timestamp};

use crate::place::{NOW, Place, user};

/// KEYS: seen, ip, left, forgotten, profile, feed
const WRITE: &str = r"
local ids = { '\255\254', 'two\nlines', '', string.rep('x', 300), 'odd' }
local dates = { 'inf', '-inf', '1.5', '1e300', '-1e300', '9007199254740993' }
local texts = { '', '\n', '\n\n', 'r', 'r0\nodd', 'r0\nodd\n', 'rz\nodd\n1\n2\n3', 'r0\nodd\nx\ny\nz', 'r0\n\255\n1\n\n', 'p0\nodd\n\255',
    'p0\nodd\na', 'f0\nodd\nsoon', 'f-1\nodd\n1', '?0\nodd\n1' }
local era = string.match(redis.call('XINFO', 'STREAM', KEYS[6])[8], '^%d+')
for number, id in ipairs(ids) do
    for index, date in ipairs(dates) do
        local key = KEYS[({ 1, 3, 4 })[1 + (number + index) % 3]]
        redis.call('ZADD', key, date, id .. (index > 1 and index or ''))
    end
    redis.call('HSET', KEYS[2], id, string.rep('4', number))
    redis.call('HSET', KEYS[5], id, ({ '', 'a', '\255\255\255', 'ahx', '--=\255' })[number])
end
for _, text in ipairs(texts) do
    redis.call('XADD', KEYS[6], era .. '-*', 'c', text)
end
redis.call('XADD', KEYS[6], era .. '-*', 'x', '', 'y', 'z')";

#[tokio::test]
async fn whatever_somebody_else_writes_costs_only_itself() {
    let place = Place::new().await;
    let open = async || place.builder().groups(1).connect().await.unwrap();
    let (here, there) = (open().await, open().await);
    let [ada, odd] = ["ada", "odd"].map(user);
    let seen = |name: &str, at: Timestamp| Record { seen: Some(Seen { at, ip: None }), ..Record::empty(user(name)) };
    let start = there.follow(None).await.unwrap().cursor;
    here.write(&[seen("ada", NOW)], NOW).await.unwrap();
    here.set_profile(&ada, &Profile::named("Ada")).await.unwrap();

    let group = place.server.cli(&["KEYS", &place.keys("seen")]).await;
    let keys =
        ["seen", "ip", "left", "forgotten", "profile", "feed"].map(|kind| group.replace(":seen", &format!(":{kind}")));
    let mut command = vec!["EVAL", WRITE, "6"];
    command.extend(keys.iter().map(String::as_str));
    assert_eq!(place.server.cli(&command).await, "");

    let later = NOW + Duration::from_secs(1);
    here.write(&[seen("ada", later), seen("odd", later), seen("odd2", later)], later).await.unwrap();
    for name in ["odd", "odd2", "odd3", "odd4", "odd5", "odd6"] {
        there.read(&user(name)).await.unwrap();
    }
    assert_eq!(there.read(&ada).await.unwrap(), Some(seen("ada", later)));
    assert!(there.recent(NOW, None).await.unwrap().records.contains(&seen("ada", later)));
    let named = (ada.clone(), Profile::named("Ada"));
    assert!(there.profiles(&[ada.clone(), odd.clone()]).await.unwrap().contains(&named));
    let told = there.follow(Some(&start)).await.unwrap();
    assert!(!told.missed && told.changes.contains(&Change::Record(seen("ada", later))), "{told:?}");
    assert!(told.changes.contains(&Change::Profile(ada.clone(), Profile::named("Ada"))), "{told:?}");

    let since = KeptSince { addresses: Some(later), records: Some(NOW) };
    let mut page = None;
    loop {
        page = there.expire(since, later, page.as_ref()).await.unwrap();
        if page.is_none() {
            break;
        }
    }
    assert_eq!(there.read(&ada).await.unwrap(), Some(seen("ada", later)));
    there.forget(&odd, later, later).await.unwrap();
    assert_eq!(there.read(&odd).await.unwrap(), None);
}
