//! Touches the users it is given, and lists who is online: `cargo run -p custom_store -- ada bob`.

use std::error::Error;
use std::io::{self, Write};

use custom_store::FileStore;
use lastseen::{Tracker, UserId};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tracker = Tracker::builder(FileStore::open("lastseen.json".into())?).start().await?;
    for user in std::env::args().skip(1) {
        tracker.touch(&UserId::new(&user)?, None);
    }
    for user in tracker.online(50) {
        writeln!(io::stdout(), "{} was here at {}", user.label(), user.at)?;
    }
    // Without it the last second's touches would be in memory alone.
    Ok(tracker.shutdown().await?)
}
