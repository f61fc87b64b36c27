//! The server's `POST /v1/touch`, of one user and of many, beside what a plain handler takes for the same JSON.

use std::error::Error;
use std::fmt::Write;
use std::net::IpAddr;

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use lastseen::{Clock, SystemClock};
use lastseen_server::app::{AppState, app};
use lastseen_server::settings::Settings;
use serde::Deserialize;
use serde_json::json;

use super::Rows;
use crate::contender::Contender;
use crate::measure::{Duel, Time};
use crate::options::{Extent, Options};
use crate::ours::Lastseen;
use crate::population::{Ids, Pick, Population};
use crate::report::{Row, Unit};
use crate::site::{Site, beside};

const ONE: &str = "POST /v1/touch";
const LINE: &str = "POST /v1/touch, a line of many";

/// How many lines a body has.
const LINES: usize = 10_000;

pub fn run(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    if options.wants(ONE) {
        one(options, rows)?;
    }
    if options.wants(LINE) {
        lines(options, rows)?;
    }
    Ok(())
}

fn one(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    let (rounds, requests) = match options.extent() {
        Extent::Quick => (7, 5_000),
        Extent::Usual | Extent::Full => (25, 40_000),
    };
    let population = Population { ids: Ids::Decimal, users: 10_000 };
    let ours = Lastseen::filled(population);
    let (mut server, mut plain) = (Site::serve(program(&ours, SystemClock::new())?)?, Site::serve(handler())?);
    let outcome = beside(rounds, &mut server, &mut plain, |round| {
        ours.settle();
        let picked = population.requests(Pick::Uniform, requests, round);
        picked.iter().map(|(id, ip)| request("application/json", &touch(id, ip))).collect()
    });
    rows.push_requests(ONE, population.users, "axum that answers the same", &outcome, Some(0.9));
    Ok(())
}

fn lines(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    let (rounds, bodies, users) = match options.extent() {
        Extent::Quick => (5, 4, 100_000),
        Extent::Usual | Extent::Full => (15, 16, 1_000_000),
    };
    let population = Population { ids: Ids::Decimal, users };
    let ours = Lastseen::filled(population);
    let mut server = Site::serve(program(&ours, SystemClock::new())?)?;
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let each = LINES as f64;
    // The first round warms up.
    let mut worked = Vec::new();
    for round in 0..=rounds {
        ours.settle();
        let picked = population.requests(Pick::Uniform, bodies * LINES, round);
        let touches: Vec<String> = picked.iter().map(|(id, ip)| touch(id, ip)).collect();
        let requests: Vec<String> =
            touches.chunks(LINES).map(|lines| request("application/x-ndjson", &lines.join("\n"))).collect();
        server.load(&requests, &mut worked);
    }
    let rounds: Vec<(f64, f64)> = worked[1..].iter().map(|body| (body / each, 1_000.0)).collect();
    rows.push(Row {
        work: format!("{LINE}: the server's CPU time"),
        users,
        peer: "1 million a second".to_owned(),
        unit: Unit::Time(Time::Cpu),
        duel: Duel::of(&rounds),
        goal: Some(1.0),
    });
    Ok(())
}

/// The server as it is started without any settings.
pub fn program(ours: &Lastseen, clock: impl Clock) -> Result<Router, Box<dyn Error>> {
    Ok(app(AppState::new(ours.tracker.clone(), clock, &Settings::default())?))
}

#[derive(Deserialize)]
struct Touch {
    #[expect(dead_code, reason = "it is parsed, and nothing is done with it")]
    user: String,
    #[expect(dead_code, reason = "as the user")]
    ip: Option<IpAddr>,
}

/// What does nothing but parse.
pub fn handler() -> Router {
    Router::new()
        .route("/v1/touch", post(async |_: Json<Touch>| (StatusCode::ACCEPTED, Json(json!({ "accepted": 1 })))))
}

/// A touch as JSON.
pub fn touch(id: &str, ip: IpAddr) -> String {
    format!(r#"{{"user":"{id}","ip":"{ip}"}}"#)
}

fn request(notation: &str, body: &str) -> String {
    let length = body.len();
    let mut request = format!("POST /v1/touch HTTP/1.1\r\nhost: localhost\r\ncontent-type: {notation}\r\n");
    write!(request, "content-length: {length}\r\n\r\n{body}").expect("text takes everything");
    request
}
