//! A page of Markdown, as far as it can be wrong.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Block>,
    pub(crate) links: Vec<String>,
    /// What its headings are linked to by.
    pub(crate) anchors: BTreeSet<String>,
}

/// A fenced block of code.
pub(crate) struct Block {
    /// What stands behind the opening fence: the language first.
    pub(crate) info: String,
    pub(crate) code: String,
}

impl Block {
    pub(crate) fn language(&self) -> &str {
        self.info.split([' ', ',']).next().unwrap_or_default()
    }
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (mut blocks, mut links, mut anchors) = (Vec::new(), Vec::new(), BTreeSet::new());
        let (mut block, mut heading) = (None, None);
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    block = Some(Block { info: info.into_string(), code: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(block.take()),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => anchors.extend(heading.take().map(|heading| anchor(&heading))),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    links.push(dest_url.into_string());
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(place) = block.as_mut().map(|block| &mut block.code).or(heading.as_mut()) {
                        place.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        Self { path, text, blocks, links, anchors }
    }

    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The lines of its shell blocks that run the program, taken apart as a shell does, and without the program's name.
    pub(crate) fn commands(&self) -> Vec<Vec<String>> {
        let shell = self.blocks.iter().filter(|block| block.language() == "sh");
        let lines: Vec<String> = shell.map(|block| block.code.replace("\\\n", " ")).collect();
        let commands = lines.iter().flat_map(|lines| lines.lines()).filter_map(|line| line.strip_prefix("lastseen "));
        let words = |line| shlex::split(line).unwrap_or_else(|| panic!("{}: {line}", self.path.display()));
        commands.map(words).collect()
    }
}

/// As GitHub and mdBook make it of a heading.
fn anchor(heading: &str) -> String {
    let kept = |character: &char| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_');
    heading
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|character| if character == ' ' { '-' } else { character })
        .collect()
}

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The pages of the book.
pub(crate) fn book() -> Vec<Page> {
    markdown(&repository().join("docs"))
}

/// Those, and the pages beside them.
pub(crate) fn all() -> Vec<Page> {
    ["", "bench", "docs"].iter().flat_map(|directory| markdown(&repository().join(directory))).collect()
}

fn markdown(directory: &Path) -> Vec<Page> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    assert!(!paths.is_empty(), "{} has no pages", directory.display());
    paths.into_iter().map(Page::read).collect()
}
