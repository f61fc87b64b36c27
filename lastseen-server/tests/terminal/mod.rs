//! The program in a terminal, as a person has it.
#![allow(dead_code, unreachable_pub, reason = "each test uses what it needs")]

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lastseen_harness::eventually;
use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

const SOON: Duration = Duration::from_secs(20);

const COLUMNS: usize = 100;
const LINES: usize = 30;

/// A terminal, and the program in it.
pub struct Terminal {
    program: Child,
    /// What a person holds.
    keyboard: File,
    /// What the program holds.
    inner: OwnedFd,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    pub fn run(command: &mut Command) -> Self {
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

    /// All that was written, with what steers the terminal.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// What is on the screen, a text a line: of all that was written, what puts the cursor somewhere and what stands there.
    pub fn lines(&self) -> String {
        let written = self.written();
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

    pub async fn shows(&self, wanted: &str) {
        eventually(SOON, async || self.lines(), |lines| lines.contains(wanted)).await;
    }

    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.program)
    }

    /// That it ends well, and leaves the terminal as it was.
    pub async fn ends(self) {
        let status = self.leaves().await;
        assert!(status.success(), "{status:?}");
    }

    /// Waits for the end.
    pub async fn status(&mut self) -> ExitStatus {
        let program = RefCell::new(&mut self.program);
        eventually(SOON, async || program.borrow_mut().try_wait().unwrap(), Option::is_some).await.unwrap()
    }

    /// Waits for the end, which leaves the terminal as it was.
    pub async fn leaves(mut self) -> ExitStatus {
        let status = self.status().await;
        let modes = tcgetattr(&self.inner).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO), "the terminal reads lines again");
        let left = |written: &String| written.contains("\u{1b}[?1049l") && written.contains("\u{1b}[?25h");
        eventually(SOON, async || self.written(), left).await;
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
