//! SECURITY.md names the tests that show its promises: each is there.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_test_that_is_named_is_there() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let mut named = 0;
    for row in text.lines().filter(|line| line.starts_with("| ") && line.contains(".rs`: `")) {
        let promise = row.split('|').nth(1).unwrap().trim();
        let mut file = (String::new(), String::new());
        // Every other piece is between backquotes.
        for quoted in row.split('|').nth(2).unwrap().split('`').skip(1).step_by(2) {
            if Path::new(quoted).extension().is_some_and(|extension| extension == "rs") {
                let content = fs::read_to_string(root().join(quoted));
                file = (quoted.to_owned(), content.unwrap_or_else(|error| panic!("{quoted}: {error}")));
                continue;
            }
            let (path, content) = &file;
            assert!(content.contains(&format!("fn {quoted}")), "{path} has no {quoted}, which shows that {promise}");
            named += 1;
        }
    }
    assert!(named > 50, "{named} tests are named");
}

#[test]
fn every_promise_names_a_test() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let promises = text.split_once("## What is promised").unwrap().1.split_once("## What isn't").unwrap().0;
    for row in promises.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 2, "{row}");
        assert!(matches!(cells[1], "shown by" | "---") || cells[1].contains(".rs`: `"), "{row}");
    }
}
