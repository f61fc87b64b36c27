//! The story of the 2009 post that this library takes after: a sign-in in the night, and who is online at 3:15.

mod site;

use axum::http::StatusCode;
use site::Site;

#[tokio::test]
async fn an_old_session_is_online_when_it_is_used_and_not_before() {
    let site = Site::at("2009-11-24T01:00:00Z").await;
    let mut guest = site.guest();

    let mut user = site.signed_in("demo1").await;
    site.until("01:35");
    user.get("/").await;
    assert_eq!(guest.get("/").await.online(), ["demo1"]);

    site.until("02:00");
    let page = guest.get("/").await;
    assert_eq!((page.online(), page.how_many().as_str()), (vec![], "Nobody is online."));

    site.until("03:00");
    assert!(user.get("/").await.body.contains("Sign out"), "the session of 1:00 is still good");
    site.until("03:15");
    assert_eq!(user.post("/bookmarks/50", "text=Still+awake").await.status, StatusCode::SEE_OTHER);

    let page = guest.get("/bookmarks/50").await;
    assert!(page.body.contains("Still awake"));
    assert_eq!((page.online(), page.how_many().as_str()), (vec!["demo1"], "1 user is online."));
}
