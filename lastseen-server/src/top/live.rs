//! The terminal: looks come from a thread of their own, so that keys are heard while a server is slow.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event};

use super::look::Look;
use super::screen::{Screen, Then};
use crate::Failure;
use crate::ended_by::EndedBy;
use crate::way::Way;

/// How long it is between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// How long a key is waited for before looks are asked for again.
const FOR_KEYS: Duration = Duration::from_millis(50);

/// Shows what is at the end of this way, which is called `place`, until somebody leaves. A signal that ends programs ends this one
/// too, once the terminal is as it was.
pub(crate) fn run(way: Way, place: String) -> Result<(), Failure> {
    let ended_by = EndedBy::listen().map_err(unusable)?;
    let (looks, taken) = mpsc::channel();
    let (leave, left) = mpsc::channel();
    let looking = thread::spawn(move || look(way, &looks, &left));
    let outcome = show(Screen::of(place), &taken, &ended_by);
    // A terminal that has been closed can't be restored, and can't be told so either.
    let _ = ratatui::try_restore();
    // Nothing is lost with the looks, and they may wait for a slow server.
    ended_by.end().map_err(unusable)?;
    drop(leave);
    let closed = looking.join().map_err(|_| Failure::runtime("what looks at the server has failed"))?;
    outcome.map_err(unusable)?;
    closed
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped with")]
fn unusable(error: io::Error) -> Failure {
    Failure::runtime(format!("the terminal can't be used: {error}"))
}

fn show(mut screen: Screen, looks: &Receiver<Result<Look, Failure>>, ended_by: &EndedBy) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    while ended_by.signal().is_none() {
        for look in looks.try_iter() {
            screen.take(look);
        }
        terminal.draw(|frame| screen.draw(frame))?;
        if event::poll(FOR_KEYS)?
            && let Event::Key(key) = event::read()?
            && key.is_press()
            && screen.press(key) == Then::Leave
        {
            break;
        }
    }
    Ok(())
}

/// Looks again and again until nobody wants to know any more.
fn look(way: Way, looks: &Sender<Result<Look, Failure>>, left: &Receiver<()>) -> Result<(), Failure> {
    while looks.send(Look::through(&way)).is_ok() {
        if left.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    way.close()
}
