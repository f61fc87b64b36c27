//! What lies under `/static/`: the style sheet, and a little picture for every site that is bookmarked.
//!
//! A page shows fifty of them, and the browser fetches each with its visitor's cookie. The skip rule `^static/` is why
//! none counts as an activity.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

pub(super) async fn style_sheet() -> Response {
    ([(CONTENT_TYPE, "text/css")], include_str!("../../static/site.css")).into_response()
}

/// `/static/icons/HOST.svg`: the host's first letter on a colour of its own.
pub(super) async fn icon(Path(file): Path<String>) -> Response {
    let Some(host) = file.strip_suffix(".svg") else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "max-age=86400")];
    (headers, draw(host.trim_start_matches("www."))).into_response()
}

fn draw(host: &str) -> String {
    // Nothing but a letter or a digit gets into the picture, so there is nothing to escape.
    let letter = host.chars().find(char::is_ascii_alphanumeric).unwrap_or('-').to_ascii_uppercase();
    let mut hasher = DefaultHasher::new();
    host.hash(&mut hasher);
    let hue = hasher.finish() % 360;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" font-family="system-ui,sans-serif">
<rect width="64" height="64" rx="14" fill="hsl({hue} 45% 42%)"/>
<text x="32" y="44" font-size="34" font-weight="600" fill="white" text-anchor="middle">{letter}</text>
</svg>"#
    )
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn a_hostile_host_draws_a_letter() {
        assert!(draw("<script>").contains(">S</text>"));
        assert!(draw("\"&").contains(">-</text>"));
    }
}
