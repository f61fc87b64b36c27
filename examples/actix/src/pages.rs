//! The page, its style sheet, and signing in and out.

use actix_identity::Identity;
use actix_web::http::header::{ContentType, LOCATION};
use actix_web::web::{self, Data, Form, ServiceConfig};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, error};
use askama::Template;
use lastseen::{Online, SignedIn, Tracker, UserId};
use serde::Deserialize;

/// Who may sign in. Their passwords are their names: a site has a table of users instead.
const USERS: [&str; 4] = ["ada", "alan", "grace", "edsger"];

pub(crate) fn configure(site: &mut ServiceConfig) {
    site.route("/", web::get().to(home))
        .route("/sign-in", web::post().to(sign_in))
        .route("/sign-out", web::post().to(sign_out))
        .route("/static/site.css", web::get().to(style_sheet));
}

#[derive(Template)]
#[template(ext = "html", path = "home.html")]
struct Home {
    viewer: Option<String>,
    online: Online,
}

async fn home(viewer: Option<Identity>, tracker: Data<Tracker>) -> actix_web::Result<HttpResponse> {
    let viewer = viewer.map(|identity| identity.id()).transpose()?;
    let page = Home { viewer, online: tracker.online(20) }.render().map_err(error::ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().content_type(ContentType::html()).body(page))
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

async fn sign_in(request: HttpRequest, Form(given): Form<Credentials>) -> actix_web::Result<HttpResponse> {
    if !USERS.contains(&given.name.as_str()) || given.password != given.name {
        return Err(error::ErrorForbidden("Unknown name or wrong password."));
    }
    let user = UserId::new(&given.name).map_err(error::ErrorForbidden)?;
    Identity::login(&request.extensions(), given.name)?;
    // This request came from nobody yet; the layer learns here whom it has let in.
    let mut answer = HttpResponse::SeeOther();
    answer.insert_header((LOCATION, "/")).extensions_mut().insert(SignedIn(user));
    Ok(answer.finish())
}

async fn sign_out(viewer: Option<Identity>, tracker: Data<Tracker>) -> actix_web::Result<HttpResponse> {
    if let Some(viewer) = viewer {
        // Or the page would show the user until the window has passed.
        tracker.leave(&UserId::new(&viewer.id()?).map_err(error::ErrorForbidden)?);
        viewer.logout();
    }
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish())
}

async fn style_sheet() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css").body(include_str!("../static/site.css"))
}
