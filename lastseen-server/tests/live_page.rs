//! The page, in a browser.

mod program;

use std::time::Duration;

use lastseen_harness::{Browser, ColorScheme, Http, Key, Locator, Redis, eventually};
use program::{Place, printed};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(10);

/// What the page shows of people: each one's whole text.
async fn people(browser: &Browser) -> Vec<String> {
    let mut texts = Vec::new();
    for person in browser.page().find_all(Locator::Css("#people > li")).await.unwrap() {
        // One that has left meanwhile has no text.
        texts.extend(person.text().await);
    }
    texts
}

async fn text(browser: &Browser, selector: &str) -> String {
    browser.page().find(Locator::Css(selector)).await.unwrap().text().await.unwrap()
}

async fn script(browser: &Browser, code: &str) -> Value {
    browser.page().execute(code, Vec::new()).await.unwrap()
}

/// Notes how much later than the first who comes the list is of which they are a part, by the server's own dates.
const WATCH: &str = "new MutationObserver(() => {
    const at = (selector) => Date.parse(document.querySelector(selector).dateTime);
    window.late ??= at('#as-of') - at('#people .ago');
}).observe(document.querySelector('#people'), { childList: true })";

#[tokio::test]
async fn it_is_alive_and_hostile_names_are_not() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    let (http, browser) = (Http::new(server.url()), Browser::start().await);
    browser.page().goto(server.url()).await.unwrap();
    assert_eq!(text(&browser, ".number").await, "0");
    let first_call = text(&browser, "#steps code").await;
    assert_eq!(first_call, format!("curl {}/v1/touch --json '{{\"user\": \"ada\"}}'", server.url()));
    script(&browser, "window.loadedOnce = true").await;
    script(&browser, WATCH).await;

    http.post("/v1/touch").json(&json!({ "user": "ada", "ip": "203.0.113.7" })).await;
    eventually(SOON, async || people(&browser).await, |people| people.len() == 1 && people[0].contains("ada")).await;
    assert_eq!(text(&browser, ".number").await, "1");
    assert!(people(&browser).await[0].contains("203.0.113.7"));
    // There is a look a second; more than that is what a busy machine adds.
    let late = script(&browser, "return window.late").await.as_u64().unwrap();
    assert!(late < 5_000, "shown with a list that was {late} ms later than the touch");
    assert!(text(&browser, "#steps").await.is_empty(), "the first steps are done");

    let hostile = "<img src=x onerror=\"window.hacked = true\"><script>window.hacked = true</script>";
    http.post("/v1/touch").json(&json!({ "user": "eve" })).await;
    http.put("/v1/users/eve").json(&json!({ "name": hostile })).await;
    eventually(SOON, async || people(&browser).await, |people| people.len() == 2 && people[0].contains(hostile)).await;
    // As the page is sent, too.
    assert_eq!(script(&browser, "return window.loadedOnce").await, true, "all that without a reload");
    browser.page().refresh().await.unwrap();
    assert!(people(&browser).await[0].contains(hostile));
    assert_eq!(script(&browser, "return window.hacked ?? false").await, false);
    assert_eq!(script(&browser, "return document.querySelectorAll('#people img, #people script').length").await, 0);

    http.post("/v1/leave").json(&json!({ "user": "eve" })).await;
    eventually(SOON, async || people(&browser).await, |people| people.len() == 1).await;
    assert_eq!(browser.console().await, Vec::<String>::new());
    browser.quit().await;
}

#[tokio::test]
async fn many_are_told_with_their_thousands_apart_and_fit() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    let (http, browser) = (Http::new(server.url()), Browser::start().await);
    let touch = async |users: std::ops::Range<u32>| {
        let lines = users.map(|user| json!({ "user": format!("u{user}") }).to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(http.post("/v1/touch").body("application/x-ndjson", lines).await.status, 202);
    };
    touch(0..1).await;
    browser.viewport(360, 800).await;
    browser.page().goto(server.url()).await.unwrap();
    touch(1..1_234).await;
    eventually(SOON, async || text(&browser, ".number").await, |number| number == "1,234").await;
    assert_eq!(text(&browser, "#more").await, "and 1,184 more");
    // As it is sent, it is the same.
    let looks = "const { scrollWidth, clientWidth } = document.documentElement;
        const number = document.querySelector('.number');
        return [document.title, number.outerHTML, document.querySelector('#more').textContent, scrollWidth - clientWidth]";
    let live = script(&browser, looks).await;
    browser.page().refresh().await.unwrap();
    assert_eq!(script(&browser, looks).await, live);
    assert_eq!(live[3], 0, "{live}");
    // Letters as wide as the widest figure fit too, for as many as there may be.
    let widest = "const number = document.querySelector('.number');
        return ['88', '888', '8,888', '88,888', '888,888', '8,888,888', '88,888,888', '888,888,888'].filter((text) => {
            number.className = `number letters-${text.length}`;
            number.textContent = text;
            const range = document.createRange();
            range.selectNodeContents(number);
            return range.getBoundingClientRect().right > number.parentElement.getBoundingClientRect().right;
        })";
    for width in [320, 360, 800, 1000, 1440] {
        browser.viewport(width, 800).await;
        assert_eq!(script(&browser, widest).await, json!([]), "at {width} pixels");
    }
    browser.quit().await;
}

#[tokio::test]
async fn it_says_so_when_the_server_is_gone_and_stands_still_when_told() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    let (http, browser) = (Http::new(server.url()), Browser::start().await);
    browser.page().goto(server.url()).await.unwrap();

    let pause = browser.page().find(Locator::Css("#pause")).await.unwrap();
    pause.click().await.unwrap();
    assert_eq!(pause.attr("aria-pressed").await.unwrap().as_deref(), Some("true"));
    http.post("/v1/touch").json(&json!({ "user": "ada" })).await;
    // This makes the page look at once, if it looks at all; and the call is answered after the look would be.
    let look = "document.dispatchEvent(new Event('visibilitychange')); fetch('/').then(arguments[0])";
    browser.page().execute_async(look, Vec::new()).await.unwrap();
    assert!(people(&browser).await.is_empty());
    pause.click().await.unwrap();
    eventually(SOON, async || people(&browser).await, |people| people.len() == 1).await;

    server.kill().await;
    let notice = async || text(&browser, "#notice").await;
    eventually(SOON, notice, |notice| notice.contains("does not answer")).await;
    assert_eq!(people(&browser).await.len(), 1, "what was known stays to be read");
    browser.quit().await;
}

#[tokio::test]
async fn it_says_that_some_may_be_missing_until_the_store_can_be_read() {
    let (place, mut redis) = (Place::new(), Redis::start().await);
    printed(place.run(&["touch", "ada", "--store", &redis.url()]).await);
    redis.stop().await;
    let server = place.serve(&["--store", &redis.url()]).await;
    let browser = Browser::start().await;
    browser.page().goto(server.url()).await.unwrap();
    Http::new(server.url()).post("/v1/touch").json(&json!({ "user": "bob" })).await;
    eventually(SOON, async || people(&browser).await, |people| people.len() == 1 && people[0].contains("bob")).await;
    assert!(text(&browser, "#wanting").await.contains("some who are here may be missing"));
    assert_eq!(text(&browser, "#unit").await, "known to be online");
    assert_eq!(text(&browser, "#steps").await, "");

    redis.restart().await;
    let wanting = async || {
        script(&browser, "document.dispatchEvent(new Event('visibilitychange'))").await;
        text(&browser, "#wanting").await
    };
    eventually(SOON, wanting, String::is_empty).await;
    eventually(SOON, async || people(&browser).await.len(), |people| *people == 2).await;
    assert_eq!(text(&browser, "#unit").await, "online now");
    assert_eq!(text(&browser, "#health").await, "Ready");
    browser.quit().await;
}

#[tokio::test]
async fn where_no_more_may_listen_it_asks_instead() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:", "--event-clients", "0"]).await;
    let (http, browser) = (Http::new(server.url()), Browser::start().await);
    browser.page().goto(server.url()).await.unwrap();
    http.post("/v1/touch").json(&json!({ "user": "ada" })).await;
    eventually(SOON, async || people(&browser).await, |people| people.len() == 1).await;
    assert_eq!(text(&browser, "#notice").await, "");
    browser.quit().await;
}

/// What the script writes of someone who comes is what the server writes of them on a page without scripts.
#[tokio::test]
async fn script_and_server_dress_people_alike() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    let (http, browser) = (Http::new(server.url()), Browser::start().await);
    browser.page().goto(server.url()).await.unwrap();
    let names = ["Ada Lovelace", "Juana Inés de la Cruz", "李 小龍", "<i>Eve</i>", "  ", "!?", "ǆ", "٣ x"];
    for (number, name) in names.iter().enumerate() {
        let user = format!("user {number}/é");
        let at = format!("2026-01-0{}T00:00:00{}Z", number + 1, if number % 2 == 0 { ".25" } else { "" });
        http.post("/v1/touch").json(&json!({ "user": user, "at": at })).await;
        http.post("/v1/touch").json(&json!({ "user": user, "ip": "203.0.113.7" })).await;
        let path = format!("/v1/users/user%20{number}%2F%C3%A9");
        assert_eq!(http.put(&path).json(&json!({ "name": name })).await.status, 200);
    }
    http.post("/v1/touch").json(&json!({ "user": "no-name" })).await;
    // How long ago is another moment's, and the blanks between the parts are the template's.
    let items = "return [...document.querySelectorAll('#people > li')].map((item) => {
        item.querySelector('.ago').textContent = '';
        item.classList.remove('arrives');
        return item.outerHTML.replace(/>\\s+</g, '><');
    })";
    eventually(SOON, async || people(&browser).await, |people| people.len() == names.len() + 1).await;
    let by_script = script(&browser, items).await;
    browser.page().refresh().await.unwrap();
    assert_eq!(by_script, script(&browser, items).await);
    browser.quit().await;
}

#[tokio::test]
async fn people_sign_in_look_someone_up_and_sign_out() {
    let place = Place::new();
    let printed = printed(place.run(&["token", "board", "--scope", "read"]).await);
    let [token, setting] = [1, 3].map(|line| printed.lines().nth(line).unwrap().to_owned());
    std::fs::write(place.path().join("lastseen.toml"), setting).unwrap();
    let server = place.serve(&["--demo", "40"]).await;
    let browser = Browser::start().await;
    let (page, find) = (browser.page(), async |selector| browser.page().find(Locator::Css(selector)).await.unwrap());
    page.goto(server.url()).await.unwrap();
    find("#token").await.send_keys(&token).await.unwrap();
    find(".main").await.click().await.unwrap();
    eventually(SOON, async || people(&browser).await.len(), |people| *people > 10).await;
    assert!(people(&browser).await.iter().all(|person| !person.contains("2001:db8:")), "no addresses");

    find("#user").await.send_keys("demo-1\n").await.unwrap();
    eventually(SOON, async || page.find(Locator::Css("#found .id")).await.is_ok(), |found| *found).await;
    assert_eq!(text(&browser, "#found .id").await, "demo-1");
    assert!(!page.current_url().await.unwrap().as_str().contains(&token));

    find("form[action='/sign-out'] button").await.click().await.unwrap();
    eventually(SOON, async || page.find(Locator::Css("#token")).await.is_ok(), |form| *form).await;
    browser.quit().await;
}

/// By keys alone, and in the order in which the page is read out.
#[tokio::test]
async fn keys_reach_everything_in_order() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    Http::new(server.url()).post("/v1/touch").json(&json!({ "user": "ada" })).await;
    let browser = Browser::start().await;
    browser.page().goto(server.url()).await.unwrap();
    let focused = "const { href, id, textContent } = document.activeElement; return href ?? (id || textContent)";
    let press = async |key: Key| {
        let keys = browser.page().active_element().await.unwrap().send_keys(&key).await;
        keys.unwrap();
        script(&browser, focused).await
    };
    assert_eq!(press(Key::Tab).await, format!("{}/#people", server.url()));
    for reached in ["pause", "user", "Look up"] {
        assert_eq!(press(Key::Tab).await, reached);
    }
    let outline = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(script(&browser, outline).await, "solid", "where one is can be seen");

    browser.page().refresh().await.unwrap();
    press(Key::Tab).await;
    assert_eq!(press(Key::Enter).await, "people", "and the first way leads to who is online");
    browser.quit().await;
}

/// The names and facts that reach into how long ago it was.
const OVERLAP: &str = "return [...document.querySelectorAll('.person')].filter((person) => {
    const ago = person.querySelector('.ago').getBoundingClientRect();
    const texts = [...person.querySelectorAll('.name, .id, .ip')];
    const edge = person.getBoundingClientRect().right;
    return texts.map((text) => text.getBoundingClientRect())
        .some(({ top, right }) => right > (top < ago.bottom ? ago.left : edge));
}).map((person) => person.textContent)";

/// Whose facts don't begin below where their name does.
const INDENTED: &str = "const left = (part) => part.getBoundingClientRect().left;
return [...document.querySelectorAll('.person')].filter((person) => {
    const [first] = [...person.querySelectorAll('.facts > *')].filter((fact) => fact.textContent);
    return first && Math.abs(left(first) - left(person.querySelector('.name'))) > 0.5;
}).map((person) => person.textContent)";

/// What there is to read, from top to bottom.
const DOWNWARDS: &str = "const parts = [...document.querySelectorAll('#now, #user, #people, #history, #health')];
const top = (part) => part.getBoundingClientRect().top;
return parts.sort((a, b) => top(a) - top(b)).map((part) => part.id)";

#[tokio::test]
async fn it_fits_every_width_in_either_colour() {
    let place = Place::new();
    let servers = [&["--demo", "40"], &["--store", "memory:"], &["--store", "memory:"]];
    let [busy, empty, long] = servers.map(|arguments| place.serve(arguments));
    let (busy, empty, long) = (busy.await, empty.await, long.await);
    let http = Http::new(long.url());
    let (user, ip) = ("x".repeat(128), "2001:db8:1111:2222:3333:4444:5555:6666");
    http.post("/v1/touch").json(&json!({ "user": user, "ip": ip })).await;
    http.put(&format!("/v1/users/{user}")).json(&json!({ "name": "W".repeat(256) })).await;
    http.post("/v1/touch").json(&json!({ "user": "no-name", "ip": "203.0.113.7" })).await;

    let browser = Browser::start().await;
    for url in [busy.url(), empty.url(), long.url()] {
        for (width, height) in [(360, 780), (768, 1000), (1440, 900)] {
            browser.viewport(width, height).await;
            browser.page().goto(url).await.unwrap();
            let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(script(&browser, wider).await, 0, "{url} at {width} pixels");
            assert_eq!(script(&browser, OVERLAP).await, json!([]), "{url} at {width} pixels");
            assert_eq!(script(&browser, INDENTED).await, json!([]), "{url} at {width} pixels");
        }
    }
    // On a telephone the people come before what was.
    browser.viewport(360, 780).await;
    browser.page().goto(busy.url()).await.unwrap();
    assert_eq!(script(&browser, DOWNWARDS).await, json!(["now", "user", "people", "history", "health"]));
    let paper = "return getComputedStyle(document.body).backgroundColor";
    browser.color_scheme(ColorScheme::Light).await;
    let light = script(&browser, paper).await;
    browser.color_scheme(ColorScheme::Dark).await;
    assert_ne!(script(&browser, paper).await, light);
    assert_eq!(browser.console().await, Vec::<String>::new());
    browser.quit().await;
}
