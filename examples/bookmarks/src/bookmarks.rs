//! Bookmarks and the comments on them, as the database has them.

use axum::http::Uri;
use rusqlite::{OptionalExtension, Row};

use crate::{Database, User};

/// How many bookmarks a page lists. Each has a picture.
const ON_A_PAGE: u32 = 50;

/// A bookmark, as a page shows it.
pub(crate) struct Bookmark {
    pub id: i64,
    pub title: String,
    pub url: String,
    pub host: String,
    /// The name of the user who added it.
    pub by: String,
    /// How many comments there are.
    pub comments: u32,
}

/// A comment on a bookmark.
pub(crate) struct Comment {
    pub by: String,
    pub text: String,
}

impl Bookmark {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let url: String = row.get("url")?;
        Ok(Self {
            id: row.get("id")?,
            title: row.get("title")?,
            host: host(&url).unwrap_or_default(),
            url,
            by: row.get("username")?,
            comments: row.get("comments")?,
        })
    }
}

const SELECT: &str = "
    SELECT bookmark.id, title, url, username,
        (SELECT count(*) FROM comment WHERE comment.bookmark_id = bookmark.id) AS comments
    FROM bookmark JOIN user ON user.id = bookmark.user_id";

impl Database {
    /// The newest bookmarks, newest first: all users', or those of the one named.
    pub(crate) async fn bookmarks(&self, by: Option<String>) -> rusqlite::Result<Vec<Bookmark>> {
        self.run(move |database| {
            let query = format!("{SELECT} WHERE ?1 IS NULL OR username = ?1 ORDER BY bookmark.id DESC LIMIT ?2");
            database.prepare(&query)?.query_map((by, ON_A_PAGE), Bookmark::from_row)?.collect()
        })
        .await
    }

    /// One bookmark and the comments on it, oldest first.
    pub(crate) async fn bookmark(&self, id: i64) -> rusqlite::Result<Option<(Bookmark, Vec<Comment>)>> {
        self.run(move |database| {
            let query = format!("{SELECT} WHERE bookmark.id = ?");
            let Some(bookmark) = database.query_row(&query, [id], Bookmark::from_row).optional()? else {
                return Ok(None);
            };
            let query = "
                SELECT username, text FROM comment JOIN user ON user.id = user_id
                WHERE bookmark_id = ? ORDER BY comment.id";
            let comments = database
                .prepare(query)?
                .query_map([id], |row| Ok(Comment { by: row.get(0)?, text: row.get(1)? }))?
                .collect::<Result<_, _>>()?;
            Ok(Some((bookmark, comments)))
        })
        .await
    }

    /// Adds a bookmark.
    pub(crate) async fn add_bookmark(&self, by: &User, title: String, url: String) -> rusqlite::Result<()> {
        let user_id = by.id;
        self.run(move |database| {
            database.execute("INSERT INTO bookmark (user_id, title, url) VALUES (?, ?, ?)", (user_id, title, url))
        })
        .await
        .map(drop)
    }

    /// Adds a comment; says whether there is such a bookmark.
    pub(crate) async fn add_comment(&self, by: &User, bookmark: i64, text: String) -> rusqlite::Result<bool> {
        let user_id = by.id;
        self.run(move |database| {
            let insert = "INSERT INTO comment (bookmark_id, user_id, text) SELECT id, ?, ? FROM bookmark WHERE id = ?";
            Ok(database.execute(insert, (user_id, text, bookmark))? == 1)
        })
        .await
    }
}

/// The host that a web address names; `None` where it is no web address. A `javascript:` link is none.
pub(crate) fn host(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    matches!(url.scheme_str(), Some("http" | "https")).then(|| url.host().map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn only_web_addresses_have_a_host() {
        assert_eq!(host("https://www.example.org/a?b#c").as_deref(), Some("www.example.org"));
        for url in ["", "example.org", "/path", "javascript:alert(1)", "ftp://example.org/", "https://"] {
            assert_eq!(host(url), None, "{url}");
        }
    }
}
