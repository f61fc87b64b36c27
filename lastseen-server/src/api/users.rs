//! `/v1/users/{user}`: one user's last activity, profile, erasure.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use lastseen::{Profile, UserId};
use serde::{Deserialize, Serialize};

use super::Problem;
use super::answer::LastSeenAnswer;
use super::body::JsonBody;
use crate::access::{Admin, Reader, Writer};
use crate::app::AppState;
use crate::look_up::last_seen;

/// The most bytes of a name.
const MAX_NAME: usize = 256;

/// The user whom the path names.
pub(super) struct InPath(pub(super) UserId);

impl<S: Send + Sync> FromRequestParts<S> for InPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(user) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::unreadable(format!("in the path: {}", rejection.body_text())))?;
        Ok(Self(UserId::new(&user)?))
    }
}

/// 404 for one never seen, and alike for one who hides.
pub(super) async fn get(
    Reader(viewer): Reader,
    State(state): State<Arc<AppState>>,
    InPath(user): InPath,
) -> Result<Json<LastSeenAnswer>, Problem> {
    match last_seen(&state.tracker, &user).await? {
        Some(seen) => Ok(Json(viewer.last_seen(seen))),
        None => Err(Problem::new(StatusCode::NOT_FOUND, format!("the user {user} was never seen"))),
    }
}

/// What to change of a profile. Absent fields stay what they were.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileChange {
    #[serde(default)]
    name: NameChange,
    active: Option<bool>,
    hidden: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(from = "Option<Name>")]
enum NameChange {
    #[default]
    Stays,
    To(Name),
    /// By null.
    Gone,
}

impl From<Option<Name>> for NameChange {
    fn from(name: Option<Name>) -> Self {
        name.map_or(Self::Gone, Self::To)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "Arc<str>")]
struct Name(Arc<str>);

impl TryFrom<Arc<str>> for Name {
    type Error = String;

    fn try_from(name: Arc<str>) -> Result<Self, String> {
        let fault = match name.len() {
            0 => "is empty: give null for none".to_owned(),
            bytes if bytes > MAX_NAME => format!("has {bytes} bytes: it may have at most {MAX_NAME}"),
            _ if name.chars().any(char::is_control) => "has a control character: it may have none".to_owned(),
            _ => return Ok(Self(name)),
        };
        let start: String = name.chars().take(20).collect();
        Err(format!("the name {start:?} {fault}"))
    }
}

/// A profile, as it now is.
#[derive(Serialize)]
pub(super) struct ProfileAnswer {
    user: String,
    name: Option<String>,
    active: bool,
    hidden: bool,
}

pub(super) async fn put(
    _: Writer,
    State(state): State<Arc<AppState>>,
    InPath(user): InPath,
    body: JsonBody,
) -> Result<Json<ProfileAnswer>, Problem> {
    let change: ProfileChange = body.one()?;
    let alone = state.profiles.lock().await;
    let before = state.tracker.profile(&user).await?.unwrap_or_default();
    let name = match change.name {
        NameChange::Stays => before.name().map(Arc::from),
        NameChange::To(Name(name)) => Some(name),
        NameChange::Gone => None,
    };
    let profile = name
        .map_or_else(Profile::new, Profile::named)
        .active(change.active.unwrap_or(before.is_active()))
        .hidden(change.hidden.unwrap_or(before.is_hidden()));
    state.tracker.set_profile(&user, profile.clone()).await?;
    drop(alone);
    Ok(Json(ProfileAnswer {
        user: user.to_string(),
        name: profile.name().map(str::to_owned),
        active: profile.is_active(),
        hidden: profile.is_hidden(),
    }))
}

/// Nothing of the user is left.
pub(super) async fn delete(
    _: Admin,
    State(state): State<Arc<AppState>>,
    InPath(user): InPath,
) -> Result<StatusCode, Problem> {
    state.tracker.forget(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}
