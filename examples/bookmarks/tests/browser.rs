//! What a person sees, in a real browser: the post's story, and the program as it is started by hand.

mod site;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use lastseen_harness::{Browser, Client, Http, Locator, Program};
use site::Site;
use tokio::net::TcpListener;

/// The names in the corner of the page that is shown.
async fn online(page: &Client) -> Vec<String> {
    let mut names = Vec::new();
    for entry in page.find_all(Locator::Css("#online li")).await.unwrap() {
        names.push(entry.attr("data-user").await.unwrap().unwrap());
    }
    names
}

async fn visit(page: &Client, url: &str) {
    page.goto(url).await.unwrap();
}

async fn click(page: &Client, text: &str) {
    let target = format!("//*[self::a or self::button][normalize-space() = '{text}']");
    page.find(Locator::XPath(&target)).await.unwrap().click().await.unwrap();
}

async fn fill(page: &Client, field: &str, text: &str) {
    page.find(Locator::Css(&format!("main [name={field}]"))).await.unwrap().send_keys(text).await.unwrap();
}

/// Signs in by the form; the page that answers is the first to name the user in its head.
async fn sign_in(page: &Client, url: &str, name: &str) {
    visit(page, url).await;
    click(page, "Sign in").await;
    page.wait().for_element(Locator::Css("[name=username]")).await.unwrap();
    fill(page, "username", name).await;
    fill(page, "password", name).await;
    page.find(Locator::Css("main button")).await.unwrap().click().await.unwrap();
    page.wait().for_element(Locator::Css(&format!("nav a[href='/users/{name}']"))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_as_a_guest_and_a_user_see_it() {
    let site = Site::at("2009-11-24T01:00:00Z").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = site.app.clone().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    let (users_browser, guests_browser) = (Browser::start().await, Browser::start().await);
    let (user, guest) = (users_browser.page(), guests_browser.page());

    sign_in(user, &url, "demo1").await;
    site.until("01:35");
    visit(user, &url).await;
    visit(guest, &url).await;
    assert_eq!(online(guest).await, ["demo1"]);

    site.until("02:00");
    guest.refresh().await.unwrap();
    assert_eq!(online(guest).await, [""; 0]);

    site.until("03:00");
    visit(user, &format!("{url}/bookmarks/50")).await;
    site.until("03:15");
    fill(user, "text", "Still awake").await;
    click(user, "Post").await;
    user.wait().for_element(Locator::XPath("//*[@class='comments']//p[. = 'Still awake']")).await.unwrap();

    guest.refresh().await.unwrap();
    assert_eq!(online(guest).await, ["demo1"]);
    let corner = guest.find(Locator::Css("#online")).await.unwrap().text().await.unwrap();
    assert!(corner.contains("1 user is online."), "{corner}");

    users_browser.quit().await;
    guests_browser.quit().await;
}

#[tokio::test]
async fn the_program_serves_a_person_and_remembers_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", directory.path().join("lastseen.db").display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
    command.args(["--listen", "127.0.0.1:0", "--store", &store, "--users"]).arg(directory.path().join("site.db"));

    let program = Program::start(&mut command).await;
    let browser = Browser::start().await;
    let page = browser.page();
    sign_in(page, program.url(), "demo3").await;
    assert_eq!(online(page).await, ["demo3"]);
    click(page, "Sign out").await;
    page.wait().for_element(Locator::LinkText("Sign in")).await.unwrap();
    assert_eq!(online(page).await, [""; 0]);
    sign_in(page, program.url(), "demo2").await;
    assert_eq!(online(page).await, ["demo2"]);

    // No picture is missing, and the content security policy refuses nothing that the pages need.
    assert_eq!(browser.console().await, [""; 0]);
    for width in [1440, 360] {
        browser.viewport(width, 900).await;
        let scrolls = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(page.execute(scrolls, vec![]).await.unwrap(), false, "at {width} pixels");
    }

    let finished = program.terminate().await;
    assert!(finished.status.success(), "{finished:?}");
    assert!(finished.took < Duration::from_secs(5), "{finished:?}");

    let program = Program::start(&mut command).await;
    let page = Http::new(program.url()).get("/").await;
    assert!(page.text().contains("<li data-user=\"demo2\">"), "{}", page.text());
    assert!(program.terminate().await.status.success());

    browser.quit().await;
}

#[tokio::test]
async fn a_store_that_is_none_is_refused_by_name() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
    let finished = lastseen_harness::run(command.args(["--store", "redis:6379"])).await;
    assert_eq!(finished.status.code(), Some(2));
    assert!(finished.stderr.contains("redis:6379") && finished.stderr.contains("sqlite:PATH"), "{finished:?}");
}
