//! Signing in and out, and the page that says when a user was last seen.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use lastseen::{LastSeen, SignedIn, Tracker};

use super::{Answer, Frame, Session, missing, page};
use crate::accounts::Credentials;
use crate::bookmarks::Bookmark;
use crate::{Accounts, Database, User};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInForm {
    frame: Frame,
    refused: bool,
    /// Whether there are accounts to try it with.
    demo: bool,
}

impl SignInForm {
    fn new(frame: Frame, session: &Session, refused: bool) -> Self {
        Self { frame, refused, demo: matches!(session.backend, Accounts::Own(_)) }
    }
}

pub(super) async fn sign_in_form(frame: Frame, session: Session) -> Answer {
    page(StatusCode::OK, &SignInForm::new(frame, &session, false))
}

pub(super) async fn sign_in(frame: Frame, mut session: Session, Form(credentials): Form<Credentials>) -> Answer {
    let Some(user) = session.authenticate(credentials).await? else {
        return page(StatusCode::UNPROCESSABLE_ENTITY, &SignInForm::new(frame, &session, true));
    };
    session.login(&user).await?;
    // When the layer saw this request, it was nobody's yet: tell it whose it has become.
    Ok((SignedIn(user.key()), Redirect::to("/")).into_response())
}

pub(super) async fn sign_out(mut session: Session, tracker: Tracker) -> Answer {
    if let Some(user) = session.logout().await? {
        // Without this the corner would show the user until the window has passed.
        tracker.leave(&user.key());
    }
    Ok(Redirect::to("/").into_response())
}

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    frame: Frame,
    user: User,
    seen: Option<LastSeen>,
    bookmarks: Vec<Bookmark>,
}

pub(super) async fn show(
    frame: Frame,
    tracker: Tracker,
    State(accounts): State<Accounts>,
    State(database): State<Database>,
    Path(name): Path<String>,
) -> Answer {
    let Some(user) = accounts.user(name).await? else { return missing(frame).await };
    let seen = tracker.last_seen(&user.key()).await?;
    let bookmarks = database.bookmarks(Some(user.name.clone())).await?;
    page(StatusCode::OK, &UserPage { frame, user, seen, bookmarks })
}
