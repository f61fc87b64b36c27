//! What the pages say beside Rust: commands, settings, data and calls are those that there are, and links lead somewhere.

mod page;

use std::collections::BTreeSet;

use clap::Parser;
use figment::Figment;
use figment::providers::{Format, Toml};
use figment::value::Dict;
use lastseen::{Activity, Record, SqliteStore, Store, Timestamp, UserId};
use lastseen_server::commands::Cli;
use lastseen_server::settings::{SettingFlags, Settings};
use regex::Regex;
use serde_json::Value;

use page::{Page, all, book};

#[test]
fn links_lead_to_pages_and_headings_that_there_are() {
    let pages = all();
    for page in &pages {
        let directory = page.path.parent().unwrap();
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.path.clone() } else { directory.join(file) };
            assert!(target.exists(), "{} links to {link}", page.path.display());
            let there = pages.iter().find(|page| page.path == target);
            let found = anchor.is_empty() || there.is_some_and(|there| there.anchors.contains(anchor));
            assert!(found, "{} links to {link}, and there is no such heading", page.path.display());
        }
    }
}

#[test]
fn the_book_is_whole_and_links_to_nothing_outside_of_it() {
    let pages = book();
    let (summary, chapters): (Vec<&Page>, Vec<&Page>) = pages.iter().partition(|page| page.name() == "SUMMARY.md");
    let mut listed = summary[0].links.clone();
    listed.sort();
    let names: Vec<String> = chapters.iter().map(|page| page.name()).collect();
    assert_eq!(listed, names, "SUMMARY.md lists each page once");
    for page in chapters {
        let first = page.text.lines().next().unwrap_or_default().trim_start_matches("# ");
        assert!(summary[0].text.contains(&format!("[{first}]({})", page.name())), "{} in the summary", page.name());
        assert!(page.links.iter().all(|link| !link.starts_with("../")), "{} links out of the book", page.name());
    }
}

#[test]
fn pages_with_rust_in_them_are_compiled() {
    let compiled = include_str!("../../src/lib.rs");
    for page in book() {
        assert!(page.blocks.iter().all(|block| !block.info.is_empty()), "{}: a block has no language", page.name());
        let rust = page.blocks.iter().any(|block| block.language() == "rust");
        assert_eq!(rust, compiled.contains(&format!("{:?}", page.name())), "{} in src/lib.rs", page.name());
    }
}

#[test]
fn commands_are_those_of_the_program() {
    let mut commands = 0;
    for page in all() {
        for mut words in page.commands() {
            // What `serve` would be told, `config` is told, which checks it and ends.
            let serves = words[0] == "serve";
            if serves {
                words[0] = "config".into();
            }
            let line = ["lastseen".to_owned()].into_iter().chain(words);
            let cli = Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{}: {error}", page.path.display()));
            if serves {
                cli.run().unwrap_or_else(|error| panic!("{}: {error}", page.path.display()));
            }
            commands += 1;
        }
    }
    assert!(commands > 20, "{commands}");
}

#[test]
fn settings_are_those_of_the_program() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lastseen.toml");
    for page in book() {
        for block in page.blocks.iter().filter(|block| block.language() == "toml") {
            match block.info.as_str() {
                "toml lastseen.toml" => {
                    std::fs::write(&file, &block.code).unwrap();
                    let loaded = Settings::load(Some(&file), &SettingFlags::default());
                    loaded.unwrap_or_else(|error| panic!("{}: {error}", page.name()));
                }
                "toml Cargo.toml" => {
                    let read: Result<Dict, _> = Figment::from(Toml::string(&block.code)).extract();
                    read.unwrap_or_else(|error| panic!("{}: {error}", page.name()));
                }
                other => panic!("{}: which file is {other:?}?", page.name()),
            }
        }
    }
}

#[test]
fn data_is_json() {
    for page in book() {
        for block in page.blocks.iter().filter(|block| block.language() == "json") {
            for line in block.code.lines() {
                let read: Result<Value, _> = serde_json::from_str(line);
                read.unwrap_or_else(|error| panic!("{}: {error} in {line}", page.name()));
            }
        }
    }
}

#[test]
fn calls_are_those_of_the_server() {
    let description: Value = serde_json::from_str(lastseen_server::openapi::DESCRIPTION).unwrap();
    let calls: Vec<&str> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let call = Regex::new(r"/v1/[a-z]+(/[a-z]+)*").unwrap();
    let mut named = BTreeSet::new();
    for page in all() {
        for found in call.find_iter(&page.text) {
            let found = found.as_str();
            let is_call = calls.iter().any(|call| *call == found || call.starts_with(&format!("{found}/{{")));
            assert!(is_call, "{}: there is no {found}", page.path.display());
            named.insert(found.to_owned());
        }
    }
    assert!(named.len() > 5, "{named:?}");
}

/// What `stores.md` says of moving to another store.
#[test]
fn records_move_from_a_file_to_another_store() {
    let directory = tempfile::tempdir().unwrap();
    let [old, new] = ["old.db", "new.db"].map(|name| directory.path().join(name));
    let at: Timestamp = "2026-11-24T12:00:00.123456Z".parse().unwrap();
    let activity = Activity { user: UserId::from(42_u64), at, ip: "2001:db8::7".parse().ok() };
    let record = Record::from(activity);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        SqliteStore::open(&old).await.unwrap().write(std::slice::from_ref(&record), at).await.unwrap();
    });

    let page = book().into_iter().find(|page| page.name() == "stores.md").unwrap();
    let mut words = page.commands().into_iter().find(|words| words[0] == "import").unwrap();
    let url = |path: &std::path::Path| format!("sqlite:{}", path.display());
    let place = |words: &[String], flag: &str| words.iter().position(|word| word == flag).unwrap() + 1;
    let (from, to) = (place(&words, "--from"), place(&words, "--store"));
    (words[from], words[to]) = (url(&old), url(&new));
    Cli::try_parse_from(["lastseen".to_owned()].into_iter().chain(words)).unwrap().run().unwrap();

    runtime.block_on(async {
        let store = SqliteStore::open(&new).await.unwrap();
        assert_eq!(store.read(&record.user).await.unwrap(), Some(record));
    });
}
