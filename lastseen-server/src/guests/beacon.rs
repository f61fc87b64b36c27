//! `POST /v1/beacon`: the reader of a page is still there. Who that is, the site's ticket says, which is the body.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;

use crate::api::{Problem, body};
use crate::app::AppState;

/// The most bytes of a ticket: a date, a signature and the longest user id have fewer.
const MAX_BYTES: usize = 256;

/// 204 once memory knows; 401 for a ticket that the site didn't sign, or that has ended.
pub(super) async fn beacon(State(state): State<Arc<AppState>>, request: Request) -> Result<StatusCode, Problem> {
    let Some(tickets) = &state.tickets else {
        return Err(Problem::forbidden(
            "there are no tickets here: the server's setting `ticket_key_file` names the file with the key that the site \
             signs them with",
        ));
    };
    let (parts, body) = request.into_parts();
    let ticket = body::read(body, MAX_BYTES).await?;
    let user = tickets.user(&ticket, state.tracker.now())?;
    state.tracker.touch(&user, state.judge.client_ip(&parts));
    Ok(StatusCode::NO_CONTENT)
}
