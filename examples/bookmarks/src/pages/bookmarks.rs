//! The bookmarks and the comments on them. No line here knows that anybody counts who is online.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;

use super::{Answer, Frame, missing, page};
use crate::bookmarks::{Bookmark, Comment, host};
use crate::{Database, User};

#[derive(Template)]
#[template(path = "bookmarks.html")]
struct List {
    frame: Frame,
    bookmarks: Vec<Bookmark>,
    /// What was sent and could not be taken.
    refused: Option<NewBookmark>,
}

pub(super) async fn list(frame: Frame, State(database): State<Database>) -> Answer {
    let bookmarks = database.bookmarks(None).await?;
    page(StatusCode::OK, &List { frame, bookmarks, refused: None })
}

#[derive(Deserialize)]
pub(super) struct NewBookmark {
    title: String,
    url: String,
}

pub(super) async fn add(
    user: User,
    frame: Frame,
    State(database): State<Database>,
    Form(new): Form<NewBookmark>,
) -> Answer {
    if new.title.trim().is_empty() || host(&new.url).is_none() {
        let bookmarks = database.bookmarks(None).await?;
        return page(StatusCode::UNPROCESSABLE_ENTITY, &List { frame, bookmarks, refused: Some(new) });
    }
    database.add_bookmark(&user, new.title, new.url).await?;
    Ok(Redirect::to("/").into_response())
}

#[derive(Template)]
#[template(path = "bookmark.html")]
struct Show {
    frame: Frame,
    bookmark: Bookmark,
    comments: Vec<Comment>,
}

pub(super) async fn show(frame: Frame, State(database): State<Database>, Path(id): Path<i64>) -> Answer {
    let Some((bookmark, comments)) = database.bookmark(id).await? else { return missing(frame).await };
    page(StatusCode::OK, &Show { frame, bookmark, comments })
}

#[derive(Deserialize)]
pub(super) struct NewComment {
    text: String,
}

pub(super) async fn comment(
    user: User,
    frame: Frame,
    State(database): State<Database>,
    Path(id): Path<i64>,
    Form(new): Form<NewComment>,
) -> Answer {
    // An empty one adds nothing; the form asks for text anyway.
    if !new.text.trim().is_empty() && !database.add_comment(&user, id, new.text).await? {
        return missing(frame).await;
    }
    Ok(Redirect::to(&format!("/bookmarks/{id}")).into_response())
}
