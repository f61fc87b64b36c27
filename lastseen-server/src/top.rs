//! `lastseen top`, a look a second: what the server says of who is online and of itself, drawn or as plain lines.

mod live;
mod look;
mod screen;

pub(crate) use live::run;
pub(crate) use look::Look;
