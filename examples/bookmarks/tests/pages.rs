//! What people write: taken from those who are signed in, and shown as text.

mod site;

use axum::http::StatusCode;
use site::Site;

const NOON: &str = "2026-11-24T12:00:00Z";

#[tokio::test]
async fn a_hostile_title_or_comment_is_text() {
    let site = Site::at(NOON).await;
    let mut user = site.signed_in("demo1").await;
    let hostile = "title=%3Cscript%3Ealert(1)%3C/script%3E%22%27&url=https://example.org/";
    assert_eq!(user.post("/", hostile).await.status, StatusCode::SEE_OTHER);
    assert_eq!(user.post("/bookmarks/51", "text=%3Cimg+src=x%3E").await.status, StatusCode::SEE_OTHER);

    for path in ["/", "/bookmarks/51", "/users/demo1"] {
        let body = site.guest().get(path).await.body;
        assert!(body.contains("&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;"), "{path}: {body}");
        assert!(!body.contains("<script") && !body.contains("<img src=x"), "{path}: {body}");
    }
}

#[tokio::test]
async fn only_web_addresses_are_taken() {
    let site = Site::at(NOON).await;
    let mut user = site.signed_in("demo1").await;
    let hostile = "title=A&url=https://example.org/%22%3E%3Cb";
    for fields in ["title=A&url=javascript:alert(1)", "title=A&url=", "title=+&url=https://example.org/", hostile] {
        let page = user.post("/", fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields}");
        assert!(page.body.contains("such as https://example.org/"), "{fields}");
    }
    assert_eq!(site.guest().get("/bookmarks/51").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn guests_are_led_to_the_sign_in() {
    let site = Site::at(NOON).await;
    for (path, fields) in [("/", "title=A&url=https://example.org/"), ("/bookmarks/50", "text=Hello")] {
        let answer = site.guest().post(path, fields).await;
        assert_eq!((answer.status, answer.location.as_deref()), (StatusCode::SEE_OTHER, Some("/sign-in")));
    }
    assert!(!site.guest().get("/bookmarks/50").await.body.contains("Hello"));
}

#[tokio::test]
async fn a_comment_on_nothing_is_not_found() {
    let site = Site::at(NOON).await;
    let mut user = site.signed_in("demo1").await;
    assert_eq!(user.post("/bookmarks/999", "text=Hello").await.status, StatusCode::NOT_FOUND);
    assert_eq!(user.get("/bookmarks/999").await.status, StatusCode::NOT_FOUND);
}
