//! The widget and the beacon in a browser, in a page of another site.

mod program;

use std::fs;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use lastseen_harness::{Browser, Http, Program, eventually, run};
use program::Place;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const SOON: Duration = Duration::from_secs(10);

/// Another site's page with this in it, at an origin of its own.
async fn site(body: String) -> String {
    let page = format!("<!doctype html><title>A site</title><link rel=icon href=data:,>{body}");
    let app = Router::new().route("/", get(async || Html(page)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://localhost:{port}/")
}

fn widgets(server: &Program, elements: &str) -> String {
    format!("<script src=\"{}/widget.js\"></script>{elements}", server.url())
}

async fn script(browser: &Browser, code: &str) -> Value {
    browser.page().execute(code, Vec::new()).await.unwrap()
}

/// What a visitor reads in the widget with this id.
async fn read(browser: &Browser, id: &str) -> String {
    let code = format!(
        "const parts = [...document.getElementById('{id}').shadowRoot.querySelectorAll('.total, .name, .more')];
         return parts.filter((part) => part.offsetParent).map((part) => part.innerText).join('|')"
    );
    script(browser, &code).await.as_str().unwrap().to_owned()
}

async fn named(http: &Http, user: &str, name: &str) {
    http.put(&format!("/v1/users/{user}")).json(&json!({ "name": name })).await;
    http.post("/v1/touch").json(&json!({ "user": user })).await;
}

#[tokio::test]
async fn it_is_alive_on_a_foreign_origin_and_hostile_names_are_not() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:", "--guests", "names"]).await;
    let (http, browser) = (Http::new(server.url()), Browser::start().await);
    named(&http, "ada", "Ada").await;
    let elements = "<lastseen-online id=list limit=2></lastseen-online>
        <lastseen-online id=count count-only label='people are here'></lastseen-online>";
    browser.page().goto(&site(widgets(&server, elements)).await).await.unwrap();
    let reads = async |id: &str, text: &str| {
        eventually(SOON, async || read(&browser, id).await, |read| read == text).await;
    };
    reads("list", "1 online|Ada").await;
    reads("count", "1 people are here").await;

    let hostile = "<img src=x onerror=\"window.hacked = true\">";
    named(&http, "eve", hostile).await;
    reads("list", &format!("2 online|{hostile}|Ada")).await;
    named(&http, "bob", "Bob").await;
    http.post("/v1/touch").json(&json!({ "user": "without a name" })).await;
    reads("list", &format!("4 online|Bob|{hostile}|and 2 more")).await;
    http.post("/v1/leave").json(&json!({ "user": "bob" })).await;
    reads("list", &format!("3 online|{hostile}|Ada|and 1 more")).await;
    reads("count", "3 people are here").await;

    script(&browser, "document.getElementById('list').setAttribute('limit', 1)").await;
    reads("list", &format!("3 online|{hostile}|and 2 more")).await;
    assert_eq!(script(&browser, "return window.hacked ?? false").await, false);
    // Both elements are of one stream.
    let streams =
        "return performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/v1/')).length";
    assert!(script(&browser, streams).await.as_u64().unwrap() <= 1);
    assert_eq!(browser.console().await, Vec::<String>::new());
    browser.quit().await;
}

/// By parts and variables, and by inheriting; and a strict content policy of the site's is no obstacle.
#[tokio::test]
async fn the_site_styles_it() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:", "--guests", "names"]).await;
    let (http, browser) = (Http::new(server.url()), Browser::start().await);
    named(&http, "ada", "Ada").await;
    let style = format!(
        "<meta http-equiv=content-security-policy content=\"style-src 'nonce-a'; script-src {}\">
         <style nonce=a>
           lastseen-online {{ --lastseen-dot: rgb(1, 2, 3); color: rgb(4, 5, 6) }}
           lastseen-online::part(name) {{ color: rgb(7, 8, 9) }}
         </style>",
        server.url()
    );
    let page = style + &widgets(&server, "<lastseen-online id=list></lastseen-online>");
    browser.page().goto(&site(page).await).await.unwrap();
    eventually(SOON, async || read(&browser, "list").await, |read| read == "1 online|Ada").await;
    let styles = "const root = document.getElementById('list').shadowRoot;
        const style = (part) => getComputedStyle(root.querySelector(part));
        return [style('.dot').backgroundColor, style('.total').color, style('.name').color]";
    assert_eq!(script(&browser, styles).await, json!(["rgb(1, 2, 3)", "rgb(4, 5, 6)", "rgb(7, 8, 9)"]));
    assert_eq!(browser.console().await, Vec::<String>::new());
    browser.quit().await;
}

#[tokio::test]
async fn it_shows_nothing_where_guests_may_see_nothing_and_asks_where_no_more_may_listen() {
    let place = Place::new();
    let (off, full) = (
        place.serve(&["--store", "memory:"]),
        place.serve(&["--store", "memory:", "--guests", "count", "--event-clients", "0"]),
    );
    let (off, full) = (off.await, full.await);
    let browser = Browser::start().await;
    let http = Http::new(full.url());
    named(&http, "ada", "Ada").await;
    let both = format!(
        "{}<lastseen-online id=full server='{}'></lastseen-online>",
        widgets(&off, "<lastseen-online id=off></lastseen-online>"),
        full.url()
    );
    browser.page().goto(&site(both).await).await.unwrap();
    eventually(SOON, async || read(&browser, "full").await, |read| read == "1 online").await;
    assert_eq!(read(&browser, "off").await, "");
    browser.quit().await;
}

/// A ticket as a site in another language makes it, by the lines of the documentation.
async fn ticket(place: &Place, user: &str) -> String {
    let code = "import hmac, sys, time\n\
                key = open('ticket.key', 'rb').read().strip()\n\
                expires = int(time.time()) + 3600\n\
                signature = hmac.new(key, f'{expires}.{sys.argv[1]}'.encode(), 'sha256').hexdigest()\n\
                print(f'{expires}.{signature}.{sys.argv[1]}')";
    let finished = run(Command::new("python3").args(["-c", code, user]).current_dir(place.path())).await;
    assert!(finished.status.success(), "{finished:?}");
    finished.stdout.trim().to_owned()
}

#[tokio::test]
async fn whoever_stays_on_a_page_stays_online_by_the_site_s_ticket() {
    let place = Place::new();
    fs::write(place.path().join("ticket.key"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let server = place.serve(&["--store", "memory:", "--ticket-key-file", "ticket.key"]).await;
    let (http, browser) = (Http::new(server.url()), Browser::start().await);
    let beacon = |ticket: String| {
        format!("<script src=\"{}/beacon.js\" data-ticket=\"{ticket}\" data-every=1 async></script>", server.url())
    };
    browser.page().goto(&site(beacon(ticket(&place, "Zoë.1").await)).await).await.unwrap();
    let seen = async || http.get("/v1/online").await.json()["users"].clone();
    let first = eventually(SOON, seen, |users| users[0]["user"] == "Zoë.1").await;
    let again = eventually(SOON, seen, |users| users != &first).await;
    assert_eq!(again[0]["user"], "Zoë.1");
    assert_eq!(browser.console().await, Vec::<String>::new());
    browser.quit().await;
}
