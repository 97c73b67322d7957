//! How a command ends: the exit statuses that scripts rely on, and failures.

use std::path::Path;
use std::process::ExitCode;

/// The exit status of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All is well; of a decision: ALLOW.
    Success,
    /// A fault was found, or what was asked for could not be done.
    Fault,
    /// A wrong command line.
    Usage,
    /// Of a decision: REQUIRE_APPROVAL.
    RequireApproval,
    /// Of a decision: DENY; or the kernel refuses what was asked for.
    Deny,
    /// Something has changed, and nothing is more permitted than before.
    Changed,
    /// Something is more permitted than before.
    Widened,
    /// A claim does not hold.
    Refuted,
    /// Nothing worse was found, and not everything could be looked at.
    Undecided,
    /// The log does not verify.
    Unverified,
}

impl Status {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Status::Success => 0,
            Status::Fault => 1,
            Status::Usage => 2,
            Status::RequireApproval => 3,
            Status::Deny => 4,
            Status::Changed => 5,
            Status::Widened => 6,
            Status::Refuted => 7,
            Status::Undecided => 8,
            Status::Unverified => 9,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status.code())
    }
}

/// Why a command could not do what it was asked to.
#[derive(Debug)]
pub struct Failure {
    /// One sentence in lower case without a full stop.
    pub message: String,
    /// What can be done about it.
    pub help: Option<String>,
    status: Status,
}

impl Failure {
    /// Something outside is not as it should be: exit status 1.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), help: None, status: Status::Fault }
    }

    /// The command line makes no sense in a way that its definition can't say: exit status 2.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), help: None, status: Status::Usage }
    }

    /// The kernel does not let it be done: exit status 4.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), help: None, status: Status::Deny }
    }

    /// The log is not as it was written: exit status 9.
    #[must_use]
    pub fn unverified(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), help: None, status: Status::Unverified }
    }

    /// A file could not be read or written.
    #[must_use]
    pub fn io(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
        Failure::new(format!("can't {doing} `{}`: {}", path.display(), reason(error)))
    }

    /// Adds what can be done.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// The exit status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }
}

/// The reason in words, the same on every system where the kind tells enough.
fn reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::AlreadyExists => "it exists already".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        ErrorKind::NotADirectory => "a part of the path is not a folder".to_owned(),
        _ => error.to_string(),
    }
}
