//! As whom servers run that refuse to run as root, where the tests do.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

/// `None` where the tests run as somebody else than root, and their servers as the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner(Option<Ids>);

#[derive(Clone, Copy, Debug)]
struct Ids {
    user: u32,
    group: u32,
}

impl Owner {
    /// The user `postgres`, or `nobody` where there is none.
    pub(crate) fn find() -> Self {
        if !geteuid().is_root() {
            return Self(None);
        }
        let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
        let ids = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut ids = line.split(':').skip(2).map(str::parse);
            Some(Ids { user: ids.next()?.ok()?, group: ids.next()?.ok()? })
        };
        Self(Some(ids("postgres").or_else(|| ids("nobody")).expect("a user `postgres` or `nobody`")))
    }

    /// A program, to be run as the owner.
    pub(crate) fn command(self, program: &Path) -> Command {
        let Some(Ids { user, group }) = self.0 else { return Command::new(program) };
        // A change of user takes back what bound the process to this one, so that is asked for again.
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &user.to_string(), "--regid", &group.to_string(), "--clear-groups"])
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .current_dir("/");
        command
    }

    /// Makes it the owner's.
    pub(crate) fn hand_over(self, path: &Path) {
        if let Some(Ids { user, group }) = self.0 {
            chown(path, Some(user), Some(group)).expect("root may give files away");
        }
    }
}
