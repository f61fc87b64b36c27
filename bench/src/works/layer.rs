//! axum with the layer beside axum without it.

use std::error::Error;

use axum::Router;
use axum::routing::get;
use http::request::Parts;
use lastseen::{LastActivityLayer, SkipRules, UserId};
use tower::layer::util::Identity;

use super::Rows;
use crate::contender::Contender;
use crate::options::{Extent, Options};
use crate::ours::Lastseen;
use crate::population::{Ids, Pick, Population};
use crate::site::{Site, beside};

const WORK: &str = "axum, a request";

pub fn run(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    if !options.wants(WORK) {
        return Ok(());
    }
    let (rounds, requests) = match options.extent() {
        Extent::Quick => (7, 5_000),
        Extent::Usual | Extent::Full => (25, 40_000),
    };
    let population = Population { ids: Ids::Decimal, users: 10_000 };
    let ours = Lastseen::filled(population);
    let skip = SkipRules::new([r"^static/", r"\.(png|css|js)$"])?;
    let layer = LastActivityLayer::new(ours.tracker.clone(), signed_in).skip(skip);

    let mut with = Site::serve(site().layer(layer))?;
    let others = [
        ("axum without the layer", site(), Some(0.97)),
        // What axum itself takes for having a layer: it boxes the service and its future.
        ("axum with a layer that does nothing", site().layer(Identity::new()), None),
    ];
    for (name, other, goal) in others {
        let mut other = Site::serve(other)?;
        let outcome = beside(rounds, &mut with, &mut other, |round| {
            ours.settle();
            let picked = population.requests(Pick::Uniform, requests, round);
            picked.iter().map(|(id, _)| request(id)).collect()
        });
        rows.push_requests(WORK, population.users, name, &outcome, goal);
    }
    Ok(())
}

fn request(id: &str) -> String {
    format!("GET /questions/17 HTTP/1.1\r\nhost: localhost\r\ncookie: user={id}\r\n\r\n")
}

/// A page that costs next to nothing, so that the layer is as great a part of a request as it can be.
fn site() -> Router {
    Router::new().route("/questions/{id}", get(async || "hello"))
}

/// Who sent a request, by a cookie.
fn signed_in(request: &Parts) -> Option<UserId> {
    request.headers.get("cookie")?.to_str().ok()?.strip_prefix("user=")?.parse().ok()
}
