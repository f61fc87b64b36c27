//! The path of a request as the expressions for paths see it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What the expressions are searched in; `None` where that is in doubt.
pub(super) fn searched(path: &str) -> Option<Cow<'_, str>> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if is_plain(path) {
        return Some(Cow::Borrowed(path));
    }
    let path = if path.contains('%') { Cow::Owned(decoded(path)?) } else { Cow::Borrowed(path) };
    let doubled_slash = path.starts_with('/') || path.contains("//");
    // Some programs take a backslash for a slash, some end the path at a control character, and some leave out what follows
    // a semicolon, so that `..;` is a way up.
    let has_strange = path.contains(|letter: char| matches!(letter, '\\' | ';') || letter.is_control());
    // An encoded slash separates nothing here, yet a program behind us may take `..%2F` for a way up.
    let mut segments = path.split('/').flat_map(|segment| segment.split("%2F"));
    let has_dots = segments.any(|segment| matches!(segment, "." | ".."));
    (!doubled_slash && !has_strange && !has_dots).then_some(path)
}

/// Whether a path, as nearly every one, has nothing in it that a closer look is for.
fn is_plain(path: &str) -> bool {
    let mut before = b'/';
    path.bytes().all(|byte| {
        let starts_segment = std::mem::replace(&mut before, byte) == b'/';
        !(matches!(byte, b'%' | b'\\' | b';') || starts_segment && matches!(byte, b'/' | b'.'))
    })
}

fn decoded(path: &str) -> Option<String> {
    // What no browser encodes, routers that decode before they look and those that don't, such as axum's, see differently.
    let is_clear = |rest: &str| code(rest).is_some_and(|byte| !is_unreserved(byte));
    if !path.split('%').skip(1).all(is_clear) {
        return None;
    }
    // What is encoded twice is still encoded after once.
    let slashes_twice = path.replace("%2F", "%252F").replace("%2f", "%252F");
    percent_decode_str(&slashes_twice).decode_utf8().ok().map(Cow::into_owned)
}

/// The byte that the two digits at the beginning stand for.
fn code(rest: &str) -> Option<u8> {
    let digit = |place: usize| char::from(*rest.as_bytes().get(place)?).to_digit(16);
    u8::try_from(16 * digit(0)? + digit(1)?).ok()
}

/// Whether it stands for itself everywhere, so that there is no reason to encode it.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::request::Parts;

    use super::*;

    fn get(target: &str) -> Parts {
        Request::get(target).body(()).unwrap().into_parts().0
    }

    #[test]
    fn rule_10_the_path_is_searched_as_the_router_sees_it() {
        let cases = [
            ("/static/logo.png", Some("static/logo.png")),
            ("/static/logo.png?v=1&x=%zz", Some("static/logo.png")),
            ("/", Some("")),
            ("http://example.com/static/a", Some("static/a")),
            ("http://example.com", Some("")),
            ("/a%20b", Some("a b")),
            ("/caf%C3%A9", Some("café")),
            // Once, and only once.
            ("/%2573tatic/a", Some("%73tatic/a")),
            ("/%252e%252e/a", Some("%2e%2e/a")),
            // An encoded slash separates nothing.
            ("/a%2Fb", Some("a%2Fb")),
            ("/a%2fb", Some("a%2Fb")),
            ("/proxy/https%3A%2F%2Fexample.com", Some("proxy/https:%2F%2Fexample.com")),
            ("/a...b/.hidden/..x", Some("a...b/.hidden/..x")),
            ("/a/", Some("a/")),
            // In doubt.
            ("/%73tatic/a", None),
            ("/static/a%2epng", None),
            ("/static/a%7Eb", None),
            ("/static/..\\post", None),
            ("/static/..%5Cpost", None),
            ("/static/..;/post", None),
            ("/static/..;a=b/post", None),
            ("/static/..%3B/post", None),
            ("/post;a.png", None),
            ("/post%3Ba.png", None),
            ("/static/a%00.png", None),
            ("/static/a%0D%0Ab", None),
            ("/static/../post", None),
            ("/static/./post", None),
            ("/static/..", None),
            ("/../static/a", None),
            ("/static/%2e%2e/post", None),
            ("/static/.%2E/post", None),
            ("/static/..%2fpost", None),
            ("/static/%2E%2E%2Fpost", None),
            ("/static//post", None),
            ("//static/post", None),
            ("/static/%", None),
            ("/static/%2", None),
            ("/static/%zz", None),
            ("/static/%%73", None),
            ("/static/%FF", None),
            ("/static/%C3", None),
        ];
        for (target, expected) in cases {
            assert_eq!(searched(get(target).uri.path()).as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn rule_10_an_unencoded_path_is_not_copied() {
        assert!(matches!(searched(get("/static/logo.png").uri.path()), Some(Cow::Borrowed("static/logo.png"))));
    }
}
