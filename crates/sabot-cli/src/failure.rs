//! How a command can end other than well, and the exit status of each.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

/// Why a command stopped. `Display` is what comes after `sabot: ` on stderr.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line asks for something that cannot be: status 2.
    Usage(String),
    /// Something went wrong: status 1.
    Failed(String),
    /// All was said already: status 1 with nothing added.
    Silent,
    /// The reader of our output went away, as `head` does: status 0.
    ClosedPipe,
    /// Ctrl-C: status 130.
    Interrupted,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// `doing: error: its cause: ...`
    pub(crate) fn because(doing: impl fmt::Display, error: &(dyn Error + 'static)) -> Self {
        Self::Failed(format!("{doing}: {}", sabot::with_causes(error)))
    }

    /// An I/O error of `what`, where a closed pipe is none.
    pub(crate) fn io(what: impl fmt::Display, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ClosedPipe;
        }
        Self::because(what, error)
    }

    /// The process's exit status.
    pub(crate) fn status(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) | Self::Silent => ExitCode::FAILURE,
            Self::ClosedPipe => ExitCode::SUCCESS,
            Self::Interrupted => ExitCode::from(130),
        }
    }

    /// What to print, if anything.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Usage(message) | Self::Failed(message) => Some(message),
            Self::Silent | Self::ClosedPipe | Self::Interrupted => None,
        }
    }
}
