//! Where lines come from: files, compressed or not, and standard input; several of them merged by date.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use lastseen::Timestamp;
use memchr::memchr;

use crate::Failure;
use crate::log_line::{Fault, Format};

/// What is read at once.
const BUFFER: usize = 128 * 1024;

/// The most bytes of a line that are kept.
const MAX_LINE: usize = 64 * 1024;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A log, decompressed where it is compressed by gzip, whatever its name.
pub struct Source {
    name: String,
    input: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
    is_too_long: bool,
}

impl Source {
    /// Opens a file, or standard input for `-`. What is read of it, as it lies there, is added to `read`.
    ///
    /// # Errors
    ///
    /// Where it can't be read.
    pub fn open(path: &Path, read: &Arc<AtomicU64>) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let raw: Box<dyn Read> = if name == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(|error| cannot_read(&name, &error))?)
        };
        Self::new(name, Counted { input: raw, read: Arc::clone(read) })
    }

    fn new(name: String, input: impl Read + 'static) -> Result<Self, Failure> {
        let mut input = BufReader::with_capacity(BUFFER, input);
        let start = input.fill_buf().map_err(|error| cannot_read(&name, &error))?;
        let input: Box<dyn BufRead> = if start.starts_with(&GZIP) {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(input)))
        } else {
            Box::new(input)
        };
        Ok(Self { name, input, line: Vec::new(), number: 0, is_too_long: false })
    }

    /// Goes on to the next line; false after the last.
    fn advance(&mut self) -> Result<bool, Failure> {
        self.line.clear();
        self.is_too_long = false;
        let mut is_there = false;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(cannot_read(&self.name, &error)),
            };
            if chunk.is_empty() {
                break;
            }
            is_there = true;
            let end = memchr(b'\n', chunk);
            let text = &chunk[..end.unwrap_or(chunk.len())];
            self.is_too_long |= self.line.len() + text.len() > MAX_LINE;
            if !self.is_too_long {
                self.line.extend_from_slice(text);
            }
            let used = text.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        self.number += u64::from(is_there);
        Ok(is_there)
    }

    fn text(&self) -> Result<&[u8], Fault> {
        if self.is_too_long { Err(Fault::TooLong) } else { Ok(&self.line) }
    }
}

fn cannot_read(name: &str, error: &io::Error) -> Failure {
    Failure::runtime(format!("can't read {name}: {error}"))
}

/// A line, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The log that it is in.
    pub log: &'a str,
    /// Its number there, counted from one.
    pub number: u64,
    /// The line itself, without its end; or that it is too long to be kept.
    pub text: Result<&'a [u8], Fault>,
}

/// The lines of all logs. Those of one come in its order, and of several the earliest first, so that rotated logs, and
/// those of several machines, may be given in any order.
pub struct Lines {
    sources: Vec<Source>,
    format: Format,
    /// Of several logs, the date of the line that each stands at. One that has none is as old as the line before it.
    next: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// The log whose line was given out last.
    current: Option<(Timestamp, usize)>,
}

impl Lines {
    /// Begins with the first line of each.
    ///
    /// # Errors
    ///
    /// Where one can't be read.
    pub fn of(sources: Vec<Source>, format: Format) -> Result<Self, Failure> {
        let mut lines = Self { sources, format, next: BinaryHeap::new(), current: None };
        for index in 0..lines.sources.len() {
            lines.advance(Timestamp::MIN, index)?;
        }
        Ok(lines)
    }

    /// The next line.
    ///
    /// # Errors
    ///
    /// Where a log can't be read on.
    pub fn read(&mut self) -> Result<Option<Line<'_>>, Failure> {
        if let Some((at, index)) = self.current.take() {
            self.advance(at, index)?;
        }
        self.current = self.next.pop().map(|Reverse(next)| next);
        Ok(self.current.map(|(_, index)| {
            let source = &self.sources[index];
            Line { log: &source.name, number: source.number, text: source.text() }
        }))
    }

    fn advance(&mut self, at: Timestamp, index: usize) -> Result<(), Failure> {
        if self.sources[index].advance()? {
            // A single log has nothing to be compared with.
            let date = (self.sources.len() > 1).then(|| self.sources[index].text()).and_then(Result::ok);
            let date = date.and_then(|line| self.format.read(line).ok()?.at);
            self.next.push(Reverse((date.unwrap_or(at), index)));
        }
        Ok(())
    }
}

/// Counts the bytes that are read.
struct Counted {
    input: Box<dyn Read>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(buffer)?;
        self.read.fetch_add(u64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn source(name: &str, text: impl AsRef<[u8]>) -> Source {
        Source::new(name.to_owned(), Cursor::new(text.as_ref().to_vec())).unwrap()
    }

    fn all(sources: Vec<Source>) -> Vec<String> {
        let mut lines = Lines::of(sources, Format::Auto).unwrap();
        let mut all = Vec::new();
        while let Some(Line { log, number, text }) = lines.read().unwrap() {
            let text = text.map_or_else(|fault| fault.to_string(), |text| String::from_utf8_lossy(text).into_owned());
            all.push(format!("{log}:{number}:{text}"));
        }
        all
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn lines_end_in_whatever_way() {
        assert_eq!(all(vec![source("a", "1\r\n\n3")]), ["a:1:1", "a:2:", "a:3:3"]);
        assert_eq!(all(vec![source("a", "")]), [""; 0]);
    }

    #[test]
    fn what_is_compressed_is_decompressed_to_the_last_part() {
        let packed = [gzip("1\n2\n"), gzip("3\n")].concat();
        assert_eq!(all(vec![source("a", packed)]), ["a:1:1", "a:2:2", "a:3:3"]);
        let mut cut = gzip(&(0..10_000).map(|line| format!("{line}\n")).collect::<Vec<_>>().concat());
        cut.truncate(cut.len() / 2);
        let mut lines = Lines::of(vec![source("a.gz", cut)], Format::Auto).unwrap();
        let failure = loop {
            match lines.read() {
                Ok(line) => assert!(line.is_some(), "half a file is no whole one"),
                Err(failure) => break failure,
            }
        };
        assert!(failure.to_string().contains("a.gz"), "{failure}");
    }

    #[test]
    fn a_line_of_any_length_costs_no_more_than_a_long_one() {
        let text = format!("{}\nshort\n", "x".repeat(10 * MAX_LINE));
        assert_eq!(all(vec![source("a", &text)]), [format!("a:1:{}", Fault::TooLong), "a:2:short".to_owned()]);
        let longest = "x".repeat(MAX_LINE);
        assert_eq!(all(vec![source("a", &longest)]), [format!("a:1:{longest}")]);
    }

    #[test]
    fn several_logs_are_merged_by_date() {
        let line = |second: u32| format!("{{\"user\":\"a\",\"time\":\"{second}\"}}");
        let text = |lines: &[&str]| lines.join("\n");
        let newer = source("new", text(&[&line(30), "no date", &line(50)]));
        let older = source("old", text(&[&line(10), &line(20), &line(40)]));
        let places: Vec<_> = all(vec![newer, older]).into_iter().map(|line| line[..5].to_owned()).collect();
        assert_eq!(places, ["old:1", "old:2", "new:1", "new:2", "old:3", "new:3"]);
    }
}
