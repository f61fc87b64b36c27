//! `/openapi.json`: all that is served is described, and all that is described is served so.

mod program;
mod service;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use lastseen::conformance::Fault;
use lastseen_server::openapi::DESCRIPTION;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use program::{Place, printed};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof};
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use service::{Answer, Service};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

fn description() -> Value {
    serde_json::from_str(DESCRIPTION).unwrap()
}

/// The paths of the calls: those of the code's routers, but for the page's.
fn paths_of_the_code(directory: &Path, paths: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            paths_of_the_code(&entry.path(), paths);
        } else if entry.file_name() != "page.rs" {
            let code = fs::read_to_string(entry.path()).unwrap();
            let code = code.split("#[cfg(test)]").next().unwrap();
            paths.extend(code.split(".route(").skip(1).filter_map(|route| route.split('"').nth(1)).map(str::to_owned));
        }
    }
}

#[tokio::test]
async fn every_path_and_method_is_described_and_no_other() {
    let description = description();
    let mut paths = BTreeSet::new();
    paths_of_the_code(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut paths);
    let described: BTreeSet<_> = description["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(described, paths);

    let service = Service::start().await;
    for path in paths {
        for method in METHODS {
            let described = &description["paths"][&path][method];
            if !described["responses"]["200"]["content"]["text/event-stream"].is_null() {
                // It has no end to wait for; tests of the streams read from it.
                continue;
            }
            let request = Request::builder()
                .method(&*method.to_uppercase())
                .uri(path.replace("{user}", "ada").replace("{call}", "read"));
            let answer = service.send(request.body(Body::empty()).unwrap()).await;
            let served = answer.status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(served, described.is_object(), "{method} {path}: {answer:?}");
        }
    }
}

/// What `answer` lacks of the schema, or has beyond it.
fn difference(schema: &Value, answer: &Value, place: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return difference(description().pointer(&reference[1..]).unwrap(), answer, place);
    }
    let kind = match answer {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |allowed: &Value| allowed == kind || (allowed == "number" && kind == "integer");
    let fits = match &schema["type"] {
        Value::Null => schema["const"] == *answer,
        Value::Array(kinds) => kinds.iter().any(is),
        one => is(one),
    };
    if !fits {
        return Some(format!("{place} is {answer}, not {schema}"));
    }
    match answer {
        Value::Array(items) => items.iter().find_map(|item| difference(&schema["items"], item, &format!("{place}[]"))),
        Value::Object(fields) if schema["properties"].is_object() => {
            let required = schema["required"].as_array().unwrap();
            let missing = required.iter().find(|name| !fields.contains_key(name.as_str().unwrap()));
            missing.map(|name| format!("{place} lacks {name}")).or_else(|| {
                fields.iter().find_map(|(name, value)| match schema["properties"].get(name) {
                    None => Some(format!("{place}.{name} is not described")),
                    Some(schema) => difference(schema, value, &format!("{place}.{name}")),
                })
            })
        }
        _ => None,
    }
}

/// That the answer is one of those that are described for the call.
#[track_caller]
fn check(path: &str, method: &str, answer: &Answer) {
    let description = description();
    let mut response = &description["paths"][path][method]["responses"][answer.status.as_str()];
    if let Some(reference) = response["$ref"].as_str() {
        response = description.pointer(&reference[1..]).unwrap();
    }
    assert!(response.is_object(), "{method} {path} is not described to answer {}: {answer:?}", answer.status);
    let Some(content) = response["content"].as_object() else {
        assert_eq!(answer.body, "", "{method} {path}");
        return;
    };
    let content_type = answer.headers["content-type"].to_str().unwrap().split(';').next().unwrap();
    let schema = &content.get(content_type).unwrap_or_else(|| panic!("{content_type} of {method} {path}"))["schema"];
    if content_type.ends_with("json") {
        assert_eq!(difference(schema, &answer.json(), "the answer"), None, "{method} {path}");
    }
}

#[tokio::test]
async fn answers_are_as_described() {
    let service = Service::start().await;
    for (method, path, body) in [
        ("post", "/v1/touch", r#"{"user":"ada","ip":"203.0.113.7"}"#),
        ("post", "/v1/touch?ack=stored", r#"{"user":42}"#),
        ("post", "/v1/touch", "no JSON"),
        ("post", "/v1/touch", "{\"user\":1}\n{\"user\":\"\"}"),
        ("post", "/v1/leave", r#"{"user":42}"#),
        ("post", "/v1/leave?ack=stored", r#"{"user":42}"#),
        ("post", "/v1/leave", "{}"),
        ("get", "/v1/online", ""),
        ("get", "/v1/online?limit=x", ""),
        ("get", "/v1/online/count?window=1500ms", ""),
        ("get", "/v1/online/count?window=1", ""),
        ("get", "/v1/history", ""),
        ("get", "/v1/history?resolution=1d", ""),
        ("get", "/v1/active", ""),
        ("get", "/v1/active?day=x", ""),
        ("get", "/v1/users/ada", ""),
        ("get", "/v1/users/42", ""),
        ("get", "/v1/users/nobody", ""),
        ("get", "/v1/users/ada/export", ""),
        ("get", "/v1/users/42/export", ""),
        ("get", "/v1/users/nobody/export", ""),
        ("put", "/v1/users/ada", r#"{"name":"Ada"}"#),
        ("put", "/v1/users/ada", r#"{"name":""}"#),
        ("delete", "/v1/users/42", ""),
        ("get", "/v1/check", ""),
        ("get", "/v1/guest/online", ""),
        ("get", "/v1/guest/events", ""),
        ("post", "/v1/beacon", "1.2.ada"),
        ("get", "/widget.js", ""),
        ("get", "/beacon.js", ""),
        ("get", "/healthz", ""),
        ("get", "/readyz", ""),
        ("get", "/metrics", ""),
        ("get", "/openapi.json", ""),
    ] {
        let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let answer = service.body(verb, path, "application/json", body).await;
        let path = path.split('?').next().unwrap();
        let path = match path.strip_prefix("/v1/users/") {
            Some(rest) if rest.ends_with("/export") => "/v1/users/{user}/export",
            Some(_) => "/v1/users/{user}",
            None => path,
        };
        check(path, method, &answer);
    }
    let store = "/v1/store/{call}";
    let questions = &description()["paths"][store]["post"]["requestBody"]["content"]["application/json"]["examples"];
    for (call, question) in questions.as_object().unwrap() {
        let answer = service.post(&store.replace("{call}", call), &question["value"].to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{call}: {answer:?}");
        check(store, "post", &answer);
    }
    for (call, question) in [("read", "{}"), ("read", "no JSON"), ("unread", "{}")] {
        check(store, "post", &service.post(&store.replace("{call}", call), question).await);
    }
    service.faults.inject(Fault::every());
    check(store, "post", &service.post("/v1/store/most_online", "{}").await);
    for path in ["/v1/touch", "/v1/leave"] {
        let answer = service.post(&format!("{path}?ack=stored"), r#"{"user":"ada"}"#).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        check(path, "post", &answer);
    }
    for path in ["/v1/history", "/v1/active"] {
        check(path, "get", &service.get(path).await);
    }
    check("/readyz", "get", &service.get("/readyz").await);
}

/// A call that is described: its path, its method, the names of its parameters by where they go, and its body's type.
struct Call {
    path: String,
    method: String,
    query: Vec<String>,
    headers: Vec<String>,
    content_types: Vec<String>,
    /// Of the body, what is right.
    examples: Vec<(String, String)>,
}

/// All calls that have an end.
fn calls() -> Vec<Call> {
    let description = description();
    let mut calls = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap().iter().filter(|(method, _)| METHODS.contains(&method.as_str()))
        {
            if !call["responses"]["200"]["content"]["text/event-stream"].is_null() {
                continue;
            }
            let parameters = call["parameters"].as_array().into_iter().flatten().map(|parameter| {
                parameter["$ref"].as_str().map_or(parameter, |to| description.pointer(&to[1..]).unwrap())
            });
            let named = |place: &str| {
                let there = parameters.clone().filter(|parameter| parameter["in"] == place);
                there.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
            };
            calls.push(Call {
                path: path.clone(),
                method: method.clone(),
                query: named("query"),
                headers: named("header"),
                content_types: call["requestBody"]["content"]
                    .as_object()
                    .into_iter()
                    .flat_map(Map::keys)
                    .cloned()
                    .collect(),
                examples: call["requestBody"]["content"]["application/json"]["examples"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, example)| (name.clone(), example["value"].to_string()))
                    .collect(),
            });
        }
    }
    calls
}

/// What is right somewhere, and anything else.
fn text() -> impl Strategy<Value = String> {
    const RIGHT: [&str; 16] = [
        "ada",
        "42",
        "stored",
        "15m",
        "90s",
        "10m",
        "1h",
        "0",
        "50",
        "1001",
        "-1",
        "2026-11-24",
        "2026-11-24T03:14:00Z",
        "2026-11-01T00:00:00+02:00",
        "203.0.113.7",
        "2001:db8::1",
    ];
    prop_oneof![4 => select(&RIGHT[..]).prop_map(str::to_owned), 1 => ".{0,12}", 1 => "[a-z]{120,140}"]
}

fn json_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => vec(text(), 0..3).prop_map(Value::from),
    ]
}

/// An object with some of the fields that there are, several of them, or no JSON at all.
fn body() -> impl Strategy<Value = String> {
    const FIELDS: [&str; 7] = ["user", "ip", "at", "name", "active", "hidden", "colour"];
    let field = (prop_oneof![3 => Just("user"), 2 => select(&FIELDS[..])], json_value());
    let object = vec(field, 0..4).prop_map(|fields| {
        Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()).to_string()
    });
    prop_oneof![4 => vec(object, 1..4).prop_map(|objects| objects.join("\n")), 1 => text()]
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Whatever is asked, by whatever names and values, the answer is one of those that are described, and says so.
#[test]
fn whatever_is_asked_is_answered_as_described() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let service = runtime.block_on(Service::start());
    let calls = calls();
    let asked = (any::<Index>(), text(), vec(option::of(text()), 3), option::of(body()), any::<(Index, Index)>());
    let answered = RefCell::new(BTreeSet::new());
    let config = Config { cases: 512, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&asked, |(call, user, values, body, (content_type, another))| {
        let call = call.get(&calls);
        let given = |names: &[String]| -> Vec<(String, String)> {
            let values = names.iter().zip(&values);
            values.filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect()
        };
        let query: Vec<_> =
            given(&call.query).iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        // None at all is another path.
        let user = if user.is_empty() { "x" } else { &user };
        // One of the path's names, and not its question as a rule.
        let example = |index: &Index| (!call.examples.is_empty()).then(|| index.get(&call.examples).clone());
        let name = example(&content_type).map_or_else(String::new, |(name, _)| name);
        let path = call.path.replace("{user}", &encoded(user)).replace("{call}", &name);
        let body = body.or_else(|| example(&another).map(|(_, question)| question));
        let uri = format!("{path}?{}", query.join("&"));
        let mut request = Request::builder().method(&*call.method.to_uppercase()).uri(uri);
        for (name, value) in given(&call.headers) {
            // What no header can hold no client sends.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                request = request.header(name, value);
            }
        }
        if !call.content_types.is_empty() {
            request = request.header("content-type", content_type.get(&call.content_types));
        }
        let answer = runtime.block_on(service.send(request.body(Body::from(body.unwrap_or_default())).unwrap()));
        prop_assert!(!answer.status.is_server_error(), "{answer:?}");
        check(&call.path, &call.method, &answer);
        answered.borrow_mut().insert(answer.status.as_u16());
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let answered = answered.into_inner();
    assert!([200, 400, 404].iter().all(|status| answered.contains(status)), "all kinds: {answered:?}");
}

#[tokio::test]
async fn the_command_prints_what_the_server_serves() {
    let served = Service::start().await.get("/openapi.json").await;
    assert_eq!(printed(Place::new().run(&["openapi"]).await), served.body);
    assert_eq!(served.json()["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(served.json()["openapi"], json!("3.1.0"));
}
