//! `lastseen top`, in a terminal and without one.

mod program;

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lastseen_harness::{Http, eventually};
use program::{Place, complaint, printed};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::json;

const SOON: Duration = Duration::from_secs(20);

const COLUMNS: usize = 100;
const LINES: usize = 30;

/// A terminal, and the program in it.
struct Terminal {
    program: Child,
    /// What a person holds.
    keyboard: File,
    /// What the program holds.
    inner: OwnedFd,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn run(command: &mut Command) -> Self {
        let outer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&outer).unwrap();
        unlockpt(&outer).unwrap();
        let path = ptsname(&outer, Vec::new()).unwrap();
        let inner = rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let [ws_row, ws_col] = [LINES, COLUMNS].map(|length| u16::try_from(length).unwrap());
        tcsetwinsize(&inner, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let end = || inner.try_clone().unwrap();
        let program = command.env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let mut screen = File::from(outer.try_clone().unwrap());
        let written = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Ends with an error once nobody holds the other end.
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                all.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        Self { program, keyboard: File::from(outer), inner, written }
    }

    /// What is on the screen, a text a line: of all that was written, what puts the cursor somewhere and what stands there.
    fn lines(&self) -> String {
        let written = String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned();
        let mut cells = vec![[' '; COLUMNS]; LINES];
        let (mut line, mut column) = (0, 0);
        for (place, part) in written.split("\u{1b}[").enumerate() {
            let end = part.find(|end: char| end.is_ascii_alphabetic()).filter(|_| place > 0);
            let (sequence, text) = end.map_or(("", part), |end| part.split_at(end + 1));
            if let Some((to_line, to_column)) = sequence.strip_suffix('H').and_then(|to| to.split_once(';')) {
                (line, column) = (to_line.parse::<usize>().unwrap() - 1, to_column.parse::<usize>().unwrap() - 1);
            }
            for letter in text.chars() {
                cells[line][column.min(COLUMNS - 1)] = letter;
                column += 1;
            }
        }
        cells.iter().map(|line| line.iter().collect::<String>() + "\n").collect()
    }

    async fn shows(&self, wanted: &str) {
        eventually(SOON, async || self.lines(), |lines| lines.contains(wanted)).await;
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// That it ends well, and leaves the terminal as it was.
    async fn ends(self) {
        let status = self.leaves().await;
        assert!(status.success(), "{status:?}");
    }

    /// Waits for the end, which leaves the terminal as it was.
    async fn leaves(mut self) -> ExitStatus {
        let program = RefCell::new(&mut self.program);
        let status = eventually(SOON, async || program.borrow_mut().try_wait().unwrap(), Option::is_some).await;
        let modes = tcgetattr(&self.inner).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO), "the terminal reads lines again");
        let left = async || String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned();
        eventually(SOON, left, |left| left.contains("\u{1b}[?1049l") && left.contains("\u{1b}[?25h")).await;
        status.unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[tokio::test]
async fn it_follows_a_server_and_obeys_keys() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    let http = Http::new(server.url());
    http.post("/v1/touch").json(&json!({ "user": "ada", "ip": "203.0.113.7" })).await;
    let mut terminal = Terminal::run(&mut place.command(&["top", "--server", server.url()]));
    terminal.shows("1 online within the last 15 minutes").await;
    terminal.shows("203.0.113.7").await;
    http.post("/v1/touch").json(&json!({ "user": "bob" })).await;
    terminal.shows("bob").await;
    terminal.press("/bo\r");
    terminal.shows("1-1 of 1 with \"bo\"").await;
    assert!(!terminal.lines().contains("ada"), "{}", terminal.lines());
    server.kill().await;
    terminal.shows("no answer from").await;
    terminal.press("q");
    terminal.ends().await;
}

#[tokio::test]
async fn it_follows_a_store_that_others_write() {
    let place = Place::new();
    printed(place.run(&["touch", "ada"]).await);
    let mut terminal = Terminal::run(&mut place.command(&["top"]));
    terminal.shows("ada").await;
    printed(place.run(&["touch", "bob"]).await);
    terminal.shows("bob").await;
    // Ctrl-C.
    terminal.press("\u{3}");
    terminal.ends().await;
}

#[tokio::test]
async fn a_signal_ends_it_and_leaves_the_terminal_as_it_was() {
    let place = Place::new();
    printed(place.run(&["touch", "ada"]).await);
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let terminal = Terminal::run(&mut place.command(&["top"]));
        terminal.shows("ada").await;
        kill_process(Pid::from_child(&terminal.program), signal).unwrap();
        assert_eq!(terminal.leaves().await.signal(), Some(signal.as_raw()));
    }
}

#[tokio::test]
async fn without_a_terminal_it_looks_once() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    Http::new(server.url()).post("/v1/touch").json(&json!({ "user": "ada", "ip": "203.0.113.7" })).await;
    let lines = printed(place.run(&["top", "--server", server.url()]).await);
    assert!(lines.starts_with("touches since the start: 1, event clients: 0\nready; "), "{lines}");
    assert!(lines.contains("\nada ") && lines.ends_with("\n1 online within the last 15 minutes\n"), "{lines}");
    server.kill().await;
    complaint(place.run(&["top", "--server", "http://127.0.0.1:1"]).await, 1);

    printed(place.run(&["touch", "bob"]).await);
    let lines = printed(place.run(&["top", "--store", "sqlite:lastseen.db"]).await);
    assert!(lines.starts_with("ready; ") && lines.contains("\nbob"), "{lines}");
    complaint(place.run(&["top", "--store", "sqlite:other.db"]).await, 1);
}
