//! A disk that fails when told to, under a program that knows nothing of it.

use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;

use crate::process::{forwarded, run};
use crate::{Program, debian};

/// Makes a program's calls to its disk fail, as libfiu has it: it stands between the program and the C library.
///
/// What is read and written at a place in a file fails, as databases do; sockets and standard output work.
#[derive(Debug)]
pub struct FaultyDisk {
    control: TempDir,
}

/// How a disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// Every write: there is no room (ENOSPC).
    Full,
    /// Every other write or so is a short one, and every third fails because there is no room.
    Short,
    /// Every write: an error of the device (EIO).
    Writing,
    /// Every other sync or so, and with it all that was written before (EIO).
    Syncing,
    /// Every other read or so (EIO).
    Reading,
    /// Every write, cut and opening: the file system has become read-only (EROFS).
    ReadOnly,
    /// What is written past so many bytes of a file (EFBIG): the process's limit.
    TooBig(u64),
}

impl FaultyDisk {
    /// A disk that works until it is told to fail.
    ///
    /// # Panics
    ///
    /// When there can be no temporary directory.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        Self { control: tempfile::tempdir().expect("a temporary directory") }
    }

    /// The same command, with this disk under it.
    ///
    /// # Panics
    ///
    /// When libfiu isn't there: it is in Debian's package `fiu-utils`.
    #[must_use]
    pub fn under(&self, command: &Command) -> Command {
        let libraries = ["usr/lib/libfiu.so.0", "usr/lib/fiu/fiu_run_preload.so", "usr/lib/fiu/fiu_posix_preload.so"]
            .map(|library| debian::file("fiu-utils", library).to_string_lossy().into_owned());
        // By `env`, so that what starts the program has a sound disk still.
        let mut under = Command::new("env");
        under.arg(format!("LD_PRELOAD={}", libraries.join(" ")));
        under.arg(format!("FIU_CTRL_FIFO={}", self.fifo().display()));
        forwarded(under, command)
    }

    /// From now on the program's disk fails in this way.
    ///
    /// # Panics
    ///
    /// When the program doesn't run under this disk.
    pub async fn fail(&self, program: &Program, fault: DiskFault) {
        if let DiskFault::TooBig(bytes) = fault {
            limit_files(program, Some(bytes));
        }
        let failures = fault.failures().iter().map(|(name, error, probability)| {
            format!("enable_random name={name},failinfo={error},probability={probability}")
        });
        self.tell(program, failures).await;
    }

    /// It no longer does.
    ///
    /// # Panics
    ///
    /// As [`fail`](Self::fail).
    pub async fn heal(&self, program: &Program, fault: DiskFault) {
        if matches!(fault, DiskFault::TooBig(_)) {
            limit_files(program, None);
        }
        self.tell(program, fault.failures().iter().map(|(name, ..)| format!("disable name={name}"))).await;
    }

    async fn tell(&self, program: &Program, commands: impl Iterator<Item = String>) {
        let commands: Vec<_> = commands.flat_map(|command| ["-c".to_owned(), command]).collect();
        if commands.is_empty() {
            return;
        }
        let mut control = Command::new(debian::file("fiu-utils", "usr/bin/fiu-ctrl"));
        control.arg("-f").arg(self.fifo()).args(commands).arg(program.pid().to_string());
        let told = run(&mut control).await;
        assert!(told.status.success(), "{told:?}");
    }

    fn fifo(&self) -> PathBuf {
        self.control.path().join("fiu")
    }
}

impl DiskFault {
    /// The calls that fail, by libfiu's names; with which error of the system; how often.
    const fn failures(self) -> &'static [(&'static str, u8, f32)] {
        const EIO: u8 = 5;
        const ENOSPC: u8 = 28;
        const EROFS: u8 = 30;
        match self {
            Self::Full => &[("posix/io/rw/pwrite", ENOSPC, 1.0)],
            Self::Short => &[("posix/io/rw/pwrite/reduce", 0, 0.5), ("posix/io/rw/pwrite", ENOSPC, 0.3)],
            Self::Writing => &[("posix/io/rw/pwrite", EIO, 1.0)],
            Self::Syncing => &[("posix/io/sync/fsync", EIO, 0.5), ("posix/io/sync/fdatasync", EIO, 0.5)],
            Self::Reading => &[("posix/io/rw/pread", EIO, 0.5)],
            Self::ReadOnly => &[
                ("posix/io/rw/pwrite", EROFS, 1.0),
                ("posix/io/rw/ftruncate", EROFS, 1.0),
                ("posix/io/oc/open", EROFS, 1.0),
            ],
            Self::TooBig(_) => &[],
        }
    }
}

/// Sets how large a file the program may write, or lifts that.
fn limit_files(program: &Program, bytes: Option<u64>) {
    let pid = i32::try_from(program.pid()).ok().and_then(Pid::from_raw);
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None })
        .expect("the limits of a child, which hasn't been waited for, may be set");
}
