//! How a command ends that could not do its work: a message for people, an exit code for scripts.

use std::fmt;

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    message: String,
    exit_code: u8,
}

impl Failure {
    /// What was asked for is wrong: an argument, a setting, a value. Exit code 2, as for unknown arguments.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: 2 }
    }

    /// What was asked for is right and could not be done. Exit code 1.
    pub fn runtime(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: 1 }
    }

    /// The process's exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Wrong input is the caller's to mend; everything else happened underway.
impl From<lastseen::Error> for Failure {
    fn from(error: lastseen::Error) -> Self {
        if error.is_invalid() { Self::usage(error.to_string()) } else { Self::runtime(error.to_string()) }
    }
}
