//! The feed has no gaps, whatever order transactions commit in, and is no longer than readers need.

use std::time::Duration;

use lastseen::store::{Change, Changes, Cursor, PostgresStore};
use lastseen::{Profile, Record, Store, UserId};
use lastseen_harness::eventually;

use crate::site::{NOW, Site, after, batch, left, seen};

async fn start(store: &PostgresStore) -> Cursor {
    store.follow(None).await.unwrap().cursor
}

async fn follow(store: &PostgresStore, from: &Cursor) -> Changes {
    store.follow(Some(from)).await.unwrap()
}

/// Whose changes they are, in order.
fn users(changes: &Changes) -> Vec<String> {
    let user = |change: &Change| match change {
        Change::Record(Record { user, .. }) | Change::Forgotten(user, _) | Change::Profile(user, _) => user.to_string(),
    };
    let mut users: Vec<_> = changes.changes.iter().map(user).collect();
    users.sort();
    users
}

/// A cursor as it was given out so much earlier, by the server's clock.
fn aged(cursor: &Cursor, by: Duration) -> Cursor {
    let mut parts: Vec<_> = cursor.as_str().split('/').map(str::to_owned).collect();
    parts[1] = (parts[1].parse::<i64>().unwrap() - i64::try_from(by.as_micros()).unwrap()).to_string();
    Cursor::new(parts.join("/"))
}

/// A transaction that began first commits last. By the numbers of the rows, or of the transactions, a reader who looked
/// in between would be past it.
#[tokio::test]
async fn what_commits_late_is_told_late_and_holds_nobody_up() {
    let site = Site::new().await;
    let (late, early, reader) = (site.open().await, site.open().await, site.open().await);
    late.write(&[seen(1_u32, NOW), seen(2_u32, NOW)], NOW).await.unwrap();
    let begun = start(&reader).await;

    // The statement writes user 1 and then waits for user 2, its number already taken.
    let mut site_itself = site.client().await;
    let lock = site_itself.transaction().await.unwrap();
    lock.execute("SELECT FROM user_activity WHERE user_id = '2' FOR UPDATE", &[]).await.unwrap();
    let late_write = tokio::spawn(async move {
        late.write(&[seen(1_u32, after(1)), seen(2_u32, after(1))], after(1)).await.unwrap();
    });
    site.blocked(1).await;

    early.write(&[seen(3_u32, after(1))], after(1)).await.unwrap();
    let between = follow(&reader, &begun).await;
    assert_eq!(users(&between), ["3"], "what is committed is told at once");
    early.write(&[seen(4_u32, after(1))], after(1)).await.unwrap();
    let still = follow(&reader, &between.cursor).await;
    assert_eq!(users(&still), ["4"], "once");

    lock.rollback().await.unwrap();
    late_write.await.unwrap();
    let then = follow(&reader, &still.cursor).await;
    assert_eq!((users(&then), then.missed), (vec!["1".into(), "2".into()], false), "what commits late");
    assert_eq!(users(&follow(&reader, &then.cursor).await), [""; 0], "and nothing twice");
    assert_eq!(users(&follow(&reader, &begun).await), ["1", "2", "3", "4"], "from the first cursor everything");
}

/// A transaction of the site's own that runs for long, such as a migration of its tables.
#[tokio::test]
async fn a_long_transaction_elsewhere_holds_nobody_up() {
    let site = Site::with("CREATE TABLE other (a int)").await;
    let (writer, reader) = (site.open().await, site.open().await);
    let mut site_itself = site.client().await;
    let long = site_itself.transaction().await.unwrap();
    long.execute("INSERT INTO other VALUES (1)", &[]).await.unwrap();

    let mut cursor = start(&reader).await;
    for round in 0..3_u32 {
        writer.write(&[seen(round, after(round.into()))], after(round.into())).await.unwrap();
        let told = follow(&reader, &cursor).await;
        assert_eq!(users(&told), [round.to_string()]);
        cursor = told.cursor;
    }
    // Not even where the reader has been away for so long that it has to ask whether it missed anything.
    let told = follow(&reader, &aged(&cursor, Duration::from_mins(2))).await;
    assert!(!told.missed && told.changes.is_empty(), "{told:?}");
    long.commit().await.unwrap();
    assert!(follow(&reader, &cursor).await.changes.is_empty());
}

#[tokio::test]
async fn handles_follow_each_other_and_not_themselves() {
    let site = Site::new().await;
    let (here, there) = (site.open().await, site.open().await);
    let (first, second) = (start(&here).await, start(&there).await);
    here.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    there.write(&[left(2_u32, NOW)], NOW).await.unwrap();
    assert_eq!(follow(&there, &second).await.changes, [Change::Record(seen(1_u32, NOW))]);
    assert_eq!(follow(&here.clone(), &first).await.changes, [Change::Record(left(2_u32, NOW))]);
}

#[tokio::test]
async fn a_batch_that_changes_nothing_is_no_change_to_follow() {
    let site = Site::new().await;
    let (here, there) = (site.open().await, site.open().await);
    here.write(&[seen(1_u32, after(9)), left(2_u32, after(9))], after(9)).await.unwrap();
    let begun = start(&there).await;
    let version = "SELECT string_agg(xmin::text, ' ') FROM user_activity";
    let before = site.sql(version).await;
    here.write(&[seen(1_u32, after(9)), left(2_u32, after(8))], after(9)).await.unwrap();
    here.write(&[seen(1_u32, after(8)), seen(3_u32, after(100 * 365 * 86_400))], after(9)).await.unwrap();
    assert_eq!(follow(&there, &begun).await.changes, []);
    assert_eq!(site.sql(version).await, before, "no row was written");
}

#[tokio::test]
async fn what_is_old_goes_and_whoever_missed_it_is_told() {
    let site = Site::new().await;
    let (writer, reader) = (site.open().await, site.open().await);
    let begun = start(&reader).await;
    writer.write(&batch(0..100, NOW), NOW).await.unwrap();
    // Whether a reader missed a transaction that was under way when it looked can't be told: here none was.
    let none_under_way = |told: &Changes| told.cursor.as_str().ends_with(':');
    let caught_up =
        eventually(Duration::from_secs(10), async || follow(&reader, &begun).await, none_under_way).await.cursor;

    // Each handle prunes at its first write.
    let prune = async || site.open().await.write(&[seen(1_000_u32, NOW)], NOW).await.unwrap();
    let rows = async || site.sql("SELECT count(*) FROM user_activity_feed").await;
    site.sql("UPDATE user_activity_feed SET written_at = written_at - interval '1 hour'").await;
    prune().await;
    assert_eq!(rows().await, "101", "within a day, and not too many");
    let late = aged(&begun, Duration::from_hours(1));
    assert!(!follow(&reader, &late).await.missed, "nothing is gone yet");

    site.sql("UPDATE user_activity_feed SET written_at = written_at - interval '1 day' WHERE user_id <> '1000'").await;
    prune().await;
    assert_eq!(rows().await, "1", "after a day");
    let told = follow(&reader, &late).await;
    assert!(told.missed, "the reader stood before it");
    assert_eq!(users(&told), ["1000"], "and is told what there is");
    assert!(!follow(&reader, &told.cursor).await.missed, "from there on nothing");
    assert!(!follow(&reader, &aged(&caught_up, Duration::from_hours(1))).await.missed, "this reader had it all");
}

#[tokio::test]
async fn beyond_the_newest_100_000_rows_go_once_all_could_read_them() {
    let site = Site::new().await;
    let store = site.open().await;
    store.write(&batch(0..10, NOW), NOW).await.unwrap();
    site.sql(
        "INSERT INTO user_activity_feed (user_id, kind, origin) SELECT n, 'activity', 0 FROM generate_series(1, 100000) n",
    )
    .await;
    let rows = async || site.sql("SELECT count(*) FROM user_activity_feed").await;
    site.open().await.write(&[seen(0_u32, NOW)], NOW).await.unwrap();
    assert_eq!(rows().await, "100010", "all are younger than a minute");
    site.sql("UPDATE user_activity_feed SET written_at = written_at - interval '61 seconds'").await;
    site.open().await.write(&[seen(0_u32, NOW)], NOW).await.unwrap();
    assert_eq!(rows().await, "100000");
}

#[tokio::test]
async fn a_cursor_from_elsewhere_has_missed_everything() {
    let site = Site::new().await;
    let (store, other) = (site.open().await, site.open().await);
    other.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    let here = start(&store).await;
    let parts: Vec<_> = here.as_str().split('/').collect();
    let [timeline, at, _] = parts[..] else { panic!("{here:?}") };
    let promoted = format!("{}/{at}/{}", "00000009", parts[2]);
    let restored = format!("{timeline}/{at}/900000000:900000000:");
    for cursor in ["", "1-0", "1", "-1", "1/2/3", &promoted, &restored] {
        let told = follow(&store, &Cursor::new(cursor)).await;
        assert!(told.missed, "{cursor:?}");
        assert_eq!(users(&told), ["1"], "{cursor:?}");
        assert!(!follow(&store, &told.cursor).await.missed);
    }
}

#[tokio::test]
async fn forgetting_takes_the_name_out_of_every_table_in_time() {
    let site = Site::new().await;
    let store = site.open().await;
    let ada = UserId::new("ada").unwrap();
    let record = Record { left_at: Some(NOW), ..seen(ada.clone(), NOW) };
    store.write(&[record], NOW).await.unwrap();
    store.set_profile(&ada, &Profile::named("Ada")).await.unwrap();
    store.forget(&ada, NOW, NOW).await.unwrap();
    let rows = async || {
        let count = |table: String| format!("(SELECT count(*) FROM {table} WHERE user_id = 'ada')");
        let tables = ["", "_profile", "_feed", "_readable", "_number"].map(|suffix| format!("user_activity{suffix}"));
        site.sql(&format!("SELECT {}", tables.map(count).join(" || ' ' || "))).await
    };
    assert_eq!(rows().await, "1 0 1 0 0", "what keeps old activities out, and the forgetting itself");
    assert_eq!(store.recent(NOW, None).await.unwrap().forgotten, [(ada, NOW)]);

    site.sql("UPDATE user_activity_feed SET written_at = written_at - interval '25 hours'").await;
    let day_after = after(86_401);
    site.open().await.write(&[seen(1_u32, day_after)], day_after).await.unwrap();
    assert_eq!(rows().await, "0 0 0 0 0", "a day after");
}

#[tokio::test]
async fn each_batch_that_changes_something_wakes_those_who_listen() {
    let site = Site::new().await;
    let store = site.open().await;
    let (client, mut connection) = tokio_postgres::connect(&site.url, tokio_postgres::NoTls).await.unwrap();
    let (sender, mut noticed) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let tokio_postgres::AsyncMessage::Notification(notice) = message {
                sender.send(notice.channel().to_owned()).unwrap();
            }
        }
    });
    client.batch_execute("LISTEN user_activity").await.unwrap();
    store.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    store.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    store.forget(&UserId::from(1_u32), NOW, NOW).await.unwrap();
    store.set_profile(&UserId::from(1_u32), &Profile::new()).await.unwrap();
    // A notice comes before the answer to the next question.
    client.batch_execute("SELECT 1").await.unwrap();
    let mut count = 0;
    while let Ok(channel) = noticed.try_recv() {
        assert_eq!(channel, "user_activity");
        count += 1;
    }
    assert_eq!(count, 3, "the second batch changed nothing");
}
