//! Which requests don't count.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, Method};
use regex::{RegexSet, RegexSetBuilder, bytes};

use super::head::Head;
use super::path;
use crate::Error;

/// The most memory that an expression, or all the path's together, may compile to: 4 MiB.
const MAX_COMPILED: usize = 4 << 20;

/// How deep an expression may nest: each level is a call of a call when it is compiled, and a thread's stack ends some time.
const MAX_NESTED: u32 = 64;

/// What makes a request not count: pictures, polls, what a browser fetches in advance.
///
/// A request that any rule applies to is skipped. [`default`](Self::default) has no rules: every request counts.
/// These are no access rules; what a skipped request may do is none of their business.
///
/// # Paths
///
/// The expressions of [`new`](Self::new) and [`named`](Self::named) are in the [`regex`] crate's syntax. They are
/// *searched*, so write `^` and `$` where you mean the whole, in the path
///
/// 1. as the client sent it, also in a nested axum router, and whatever the form of the request's target,
/// 2. without its leading slash, and without the query,
/// 3. with percent-encoding taken off once; but an encoded slash stays `%2F`, since it separates nothing.
///
/// In doubt a request counts. So none of them applies to a path that another program could take for a different one:
/// with a segment `.` or `..` in any spelling, a doubled slash, a backslash, a semicolon or a control character, a
/// broken percent-encoding or one of a letter that needs none, or bytes that aren't UTF-8.
///
/// # Example
///
/// ```
/// use http::{Method, Request};
/// use lastseen::SkipRules;
/// use lastseen::http::Verdict;
///
/// let rules = SkipRules::new([r"^static/", r"\.(png|css|js)$"])?
///     .method(Method::OPTIONS)
///     .header("sec-purpose", "prefetch")?
///     .when("probe", |request| request.uri.path() == "/health");
///
/// let explain = |request: http::request::Builder| rules.explain(&request.body(()).unwrap().into_parts().0).to_string();
/// assert_eq!(explain(Request::get("/static/logo")), "skipped by ^static/");
/// assert_eq!(explain(Request::get("/about").header("Sec-Purpose", "prefetch")), "skipped by sec-purpose: prefetch");
/// assert_eq!(explain(Request::get("/health")), "skipped by probe");
/// assert_eq!(explain(Request::get("/about")), "counted");
/// # Ok::<(), lastseen::Error>(())
/// ```
#[derive(Clone)]
pub struct SkipRules {
    paths: RegexSet,
    /// Of the expressions in `paths`, in their order.
    path_names: Arc<[String]>,
    others: Vec<Rule>,
}

#[derive(Clone)]
struct Rule {
    name: Arc<str>,
    test: Test,
}

#[derive(Clone)]
enum Test {
    Method(Method),
    Header(HeaderName, bytes::Regex),
    When(Arc<dyn Fn(&Parts) -> bool + Send + Sync>),
}

/// What the rules say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It counts: no rule applies.
    Counted,
    /// It doesn't, and this is the name of the first rule that applies.
    Skipped(&'a str),
}

/// `counted`, or `skipped by` and the rule's name.
impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted => f.write_str("counted"),
            Self::Skipped(rule) => write!(f, "skipped by {rule}"),
        }
    }
}

impl SkipRules {
    /// The most expressions for paths: 256.
    pub const MAX_PATTERNS: usize = 256;
    /// The most bytes in one expression: 1,024.
    pub const MAX_PATTERN_BYTES: usize = 1024;

    /// A rule for each of these expressions, named by the expression. [Paths](Self#paths) says where it is searched.
    ///
    /// # Errors
    ///
    /// Where there are more than [`MAX_PATTERNS`](Self::MAX_PATTERNS), they compile to more than 4 MiB, or one of
    /// them is empty, is longer than [`MAX_PATTERN_BYTES`](Self::MAX_PATTERN_BYTES), nests deeper than 64 levels, or is no
    /// expression. The error quotes it.
    pub fn new(patterns: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, Error> {
        Self::named(patterns.into_iter().map(|pattern| {
            let pattern = pattern.into();
            (pattern.clone(), pattern)
        }))
    }

    /// As [`new`](Self::new), of pairs: each rule's name, and its expression.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    ///
    /// ```
    /// use lastseen::SkipRules;
    ///
    /// let rules = SkipRules::named([("pictures", r"\.(png|jpe?g|webp)$"), ("chat poll", r"^api/chat/poll$")])?;
    /// # Ok::<(), lastseen::Error>(())
    /// ```
    pub fn named(rules: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Result<Self, Error> {
        let (names, patterns): (Vec<String>, Vec<String>) =
            rules.into_iter().take(Self::MAX_PATTERNS + 1).map(|(name, pattern)| (name.into(), pattern.into())).unzip();
        if patterns.len() > Self::MAX_PATTERNS {
            return Err(Error::invalid(format!(
                "there are more than {} skip patterns: join some by `|`",
                Self::MAX_PATTERNS
            )));
        }
        patterns.iter().try_for_each(|pattern| check(pattern))?;
        let compile = |patterns: &[String]| {
            RegexSetBuilder::new(patterns).size_limit(MAX_COMPILED).nest_limit(MAX_NESTED).build()
        };
        let paths = compile(&patterns).map_err(|error| {
            // The set's error doesn't say whose it is.
            let mut alone = patterns.iter().map(|pattern| (pattern, compile(std::slice::from_ref(pattern))));
            match alone.find_map(|(pattern, compiled)| Some((pattern, compiled.err()?))) {
                Some((pattern, error)) => not_an_expression(pattern, error),
                None => {
                    Error::invalid("the skip patterns are too much together: use fewer or simpler ones").because(error)
                }
            }
        })?;
        Ok(Self { paths, path_names: names.into(), others: Vec::new() })
    }

    /// Skips requests of this method. The rule's name is `method` and the method: `method OPTIONS`.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        self.rule(format!("method {method}"), Test::Method(method))
    }

    /// Skips requests that have a header of this name with a value in which the expression is found. The rule's name
    /// is the header's and the expression: `sec-purpose: prefetch`.
    ///
    /// Values are searched as they are, bytes that aren't UTF-8 included; `(?i)` makes letters match in either case.
    ///
    /// # Errors
    ///
    /// Where `name` can't be a header's name, or `value` is empty, is longer than
    /// [`MAX_PATTERN_BYTES`](Self::MAX_PATTERN_BYTES), is no expression, or compiles to more than 4 MiB. The error
    /// quotes it.
    pub fn header(self, name: &str, value: &str) -> Result<Self, Error> {
        let header = HeaderName::try_from(name).map_err(|error| {
            Error::invalid(format!("{name:?} can't be a header's name: write one such as sec-purpose")).because(error)
        })?;
        check(value)?;
        let pattern = bytes::RegexBuilder::new(value)
            .size_limit(MAX_COMPILED)
            .nest_limit(MAX_NESTED)
            .build()
            .map_err(|error| not_an_expression(value, error))?;
        Ok(self.rule(format!("{header}: {value}"), Test::Header(header, pattern)))
    }

    /// Skips requests for which `applies` says true. The rule's name is `name`.
    ///
    /// In actix-web, whose requests are of another make, it is shown a copy of the head, with a
    /// [`PeerAddr`](super::PeerAddr) and nothing else among the extensions.
    #[must_use]
    pub fn when(self, name: impl Into<Arc<str>>, applies: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.rule(name, Test::When(Arc::new(applies)))
    }

    fn rule(mut self, name: impl Into<Arc<str>>, test: Test) -> Self {
        self.others.push(Rule { name: name.into(), test });
        self
    }

    /// Whether a request counts, and if not, by which rule: the paths' first, then the others as they were added.
    #[must_use]
    pub fn explain(&self, request: &Parts) -> Verdict<'_> {
        let by_path = || self.paths.matches(&path::searched(request.path())?).iter().next();
        if let Some(index) = by_path() {
            return Verdict::Skipped(&self.path_names[index]);
        }
        match self.other(request) {
            Some(rule) => Verdict::Skipped(&rule.name),
            None => Verdict::Counted,
        }
    }

    /// What [`explain`](Self::explain) says, without the name, which costs an allocation.
    pub(super) fn skips(&self, request: &impl Head) -> bool {
        let by_path = || path::searched(request.path()).is_some_and(|path| self.paths.is_match(&path));
        (!self.paths.is_empty() && by_path()) || self.other(request).is_some()
    }

    /// The first of the others that applies.
    fn other(&self, request: &impl Head) -> Option<&Rule> {
        // Made for the first that asks, since they may have to be copied.
        let parts = OnceCell::new();
        self.others.iter().find(|rule| match &rule.test {
            Test::Method(method) => request.method() == method.as_str(),
            Test::Header(name, pattern) => request.values(name).any(|value| pattern.is_match(value)),
            Test::When(applies) => applies(parts.get_or_init(|| request.parts())),
        })
    }
}

/// No rules: every request counts.
impl Default for SkipRules {
    fn default() -> Self {
        Self { paths: RegexSet::empty(), path_names: Arc::default(), others: Vec::new() }
    }
}

/// The names of the rules.
impl fmt::Debug for SkipRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = self.others.iter().map(|rule| &*rule.name);
        f.debug_set().entries(self.path_names.iter().map(String::as_str).chain(others)).finish()
    }
}

fn check(pattern: &str) -> Result<(), Error> {
    if pattern.is_empty() {
        return Err(Error::invalid(
            "a skip pattern is empty, which is found in every request: write `^` if you mean it",
        ));
    }
    if pattern.len() > SkipRules::MAX_PATTERN_BYTES {
        let start: String = pattern.chars().take(20).collect();
        return Err(Error::invalid(format!(
            "the skip pattern `{start}`... has {} bytes: it may have at most {}",
            pattern.len(),
            SkipRules::MAX_PATTERN_BYTES
        )));
    }
    Ok(())
}

fn not_an_expression(pattern: &str, error: regex::Error) -> Error {
    Error::invalid(format!(r"the skip pattern `{pattern}` can't be used: write one such as `^static/` or `\.png$`"))
        .because(error)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn get(target: &str) -> Parts {
        Request::get(target).body(()).unwrap().into_parts().0
    }

    #[test]
    fn rule_10_in_doubt_the_request_counts() {
        let rules = SkipRules::new(["^static/", "post"]).unwrap();
        assert_eq!(rules.explain(&get("/static/x")), Verdict::Skipped("^static/"));
        assert_eq!(rules.explain(&get("/a/post")), Verdict::Skipped("post"));
        for target in ["/static/../post", "/static/%2e%2e/post", "//static/x", "/static/%zz", "/x?post", "/a/static/"] {
            assert_eq!(rules.explain(&get(target)), Verdict::Counted, "{target}");
        }
    }

    #[test]
    fn rule_10_the_first_rule_that_applies_is_named_and_both_ways_to_ask_agree() {
        let rules = SkipRules::named([("pictures", r"\.png$"), ("static", "^static/")])
            .unwrap()
            .method(Method::OPTIONS)
            .header("Sec-Purpose", "^prefetch")
            .unwrap()
            .when("probe", |request| request.headers.contains_key("x-probe"));
        let request = |method: &str, target: &str, header: Option<(&str, &[u8])>| {
            let request = Request::builder().method(method).uri(target);
            let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
            request.body(()).unwrap().into_parts().0
        };
        let cases = [
            (request("GET", "/static/a.png", None), "skipped by pictures"),
            (request("GET", "/static/a.css", None), "skipped by static"),
            (request("OPTIONS", "/", None), "skipped by method OPTIONS"),
            (request("GET", "/", Some(("sec-purpose", b"prefetch;prerender"))), "skipped by sec-purpose: ^prefetch"),
            (request("GET", "/", Some(("sec-purpose", b"prefetch;\xff"))), "skipped by sec-purpose: ^prefetch"),
            (request("GET", "/", Some(("sec-purpose", b"no prefetch"))), "counted"),
            (request("GET", "/", Some(("x-probe", b""))), "skipped by probe"),
            // A path in doubt is in doubt for the paths' rules alone.
            (request("OPTIONS", "/static/../x", None), "skipped by method OPTIONS"),
            (request("GET", "/static/../a.png", None), "counted"),
            (request("GET", "/", None), "counted"),
        ];
        for (request, expected) in cases {
            let verdict = rules.explain(&request);
            assert_eq!(verdict.to_string(), expected, "{request:?}");
            assert_eq!(rules.skips(&request), verdict != Verdict::Counted, "{request:?}");
        }
    }

    #[test]
    fn rule_10_any_line_of_a_header_may_match() {
        let rules = SkipRules::default().header("purpose", "prefetch").unwrap();
        let request = Request::get("/").header("purpose", "x").header("purpose", "prefetch").body(()).unwrap();
        assert!(rules.skips(&request.into_parts().0));
    }

    #[test]
    fn by_default_nothing_is_skipped() {
        for target in ["/", "/static/logo.png", "/favicon.ico"] {
            assert_eq!(SkipRules::default().explain(&get(target)), Verdict::Counted);
            assert!(!SkipRules::default().skips(&get(target)));
        }
    }

    /// On a thread of the usual size, where compiling what nests deeper would end the process.
    #[test]
    fn a_pattern_that_nests_too_deep_is_refused() {
        let stars = |many: usize| SkipRules::new([format!("a{}", "*".repeat(many))]);
        assert!(stars(60).is_ok());
        assert!(stars(200).unwrap_err().is_invalid());
    }

    #[test]
    fn a_bad_pattern_is_quoted_with_what_is_wrong_and_what_would_be_right() {
        let error = SkipRules::new(["^static/", "(png"]).unwrap_err();
        assert!(error.is_invalid());
        let message = error.to_string();
        assert!(message.contains("`(png`") && message.contains("^static/"), "{message}");
        assert!(message.contains("unclosed group"), "{message}");

        let error = SkipRules::default().header("purpose", "[").unwrap_err();
        assert!(error.to_string().contains("`[`"), "{error}");
        let error = SkipRules::default().header("a b", "x").unwrap_err();
        assert!(error.to_string().contains("\"a b\""), "{error}");
    }

    #[test]
    fn sizes_are_limited() {
        assert!(SkipRules::new(vec!["x"; SkipRules::MAX_PATTERNS]).is_ok());
        let error = SkipRules::new(std::iter::repeat("x")).unwrap_err();
        assert!(error.to_string().contains("256"), "{error}");

        let longest = "x".repeat(SkipRules::MAX_PATTERN_BYTES);
        assert!(SkipRules::new([&longest]).is_ok());
        let error = SkipRules::new([longest + "x"]).unwrap_err();
        assert!(error.to_string().contains("1025 bytes"), "{error}");

        let error = SkipRules::new(["ok", r"\pL{1000}"]).unwrap_err();
        assert!(error.to_string().contains(r"`\pL{1000}`"), "{error}");
        let error = SkipRules::new((0..3).map(|n| format!(r"\pL{{50}}{n}"))).unwrap_err();
        assert!(error.to_string().contains("together"), "{error}");

        let error = SkipRules::new([""]).unwrap_err();
        assert!(error.to_string().contains("empty"), "{error}");
    }
}
