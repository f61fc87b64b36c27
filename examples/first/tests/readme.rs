//! The README's first program is this one, and does what the README says.

use std::process::Command;

use lastseen_harness::{Http, Program};

#[test]
fn it_stands_in_the_readme_as_it_is_here() {
    let readme = include_str!("../../../README.md");
    let program =
        readme.split_once("```rust\n").and_then(|(_, rest)| rest.split_once("```")).expect("a Rust program").0;
    assert_eq!(program, include_str!("../src/main.rs"));
}

#[tokio::test]
async fn it_shows_who_is_online() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_first"));
    let site = Program::start(command.arg("127.0.0.1:0").current_dir(&directory)).await;
    let visitor = Http::new(site.url());
    assert_eq!(visitor.get("/").await.text(), "0 online: \n");
    assert_eq!(visitor.get("/").header("Remote-User", "ada").await.text(), "1 online: ada\n");
    assert_eq!(visitor.get("/").await.text(), "1 online: ada\n");
}
