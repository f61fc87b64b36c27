//! The file with the results: a section a way to run, each replaced as a whole.

use std::fmt::Write;
use std::fs;
use std::io;

pub const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");

const HEAD: &str = include_str!("results.md");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Full,
    Usual,
    Quick,
    Growth,
}

impl Section {
    const ALL: [Self; 4] = [Self::Full, Self::Usual, Self::Quick, Self::Growth];

    fn title(self) -> &'static str {
        match self {
            Self::Full => "## Up to 10 million users (`--full`)",
            Self::Usual => "## Up to 1 million users",
            Self::Quick => "## Up to 100,000 users (`--quick`)",
            Self::Growth => "## Growth (`growth`)",
        }
    }
}

/// Replaces a section.
pub fn put(section: Section, text: &str) -> io::Result<()> {
    let before = match fs::read_to_string(PATH) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    fs::write(PATH, replaced(&before, section, text))
}

fn replaced(before: &str, section: Section, text: &str) -> String {
    let mut after = HEAD.to_owned();
    for other in Section::ALL {
        let text = if other == section { Some(text) } else { find(before, other) };
        if let Some(text) = text {
            write!(after, "\n{}\n\n{}\n", other.title(), text.trim()).expect("a string takes everything");
        }
    }
    after
}

fn find(text: &str, section: Section) -> Option<&str> {
    let (_, rest) = text.split_once(section.title())?;
    Some(rest.split_once("\n## ").map_or(rest, |(text, _)| text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_stay_in_order_and_are_replaced_alone() {
        let growth = replaced("", Section::Growth, "grown");
        let both = replaced(&growth, Section::Quick, "| a table |");
        let replaced = replaced(&both, Section::Quick, "| another |");
        let expected =
            format!("{HEAD}\n{}\n\n| another |\n\n{}\n\ngrown\n", Section::Quick.title(), Section::Growth.title());
        assert_eq!(replaced, expected);
    }
}
