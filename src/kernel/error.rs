//! Why the kernel did not do what it was asked. Whoever asked for a decision gets a denial instead, with this as its reason.

use std::fmt;

use super::environment::NoRandomness;
use super::gate::{OpenRefused, Refused};
use super::govern::Forbidden;
use super::log::LogError;
use super::permit::{StepRefused, TokenRefused};
use super::records::refused::RecordRefused;
use super::scope::ScopeRefused;
use super::store::StoreError;
use super::writer::WriteError;
use crate::base::hash::Digest;
use crate::vm::load::LoadError;
use crate::vm::store::fault::EntitiesRefused;

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelError {
    /// Whoever asked may not do that.
    Forbidden(Forbidden),
    /// There would be so many operators, more than there may.
    TooManyOperators(usize),
    /// The active bundle has no such capability.
    UnknownCapability(String),
    /// No bundle is active.
    NoBundle,
    /// No bundle of this name is kept.
    UnknownBundle(Digest),
    /// A bundle is refused.
    Bundle(LoadError),
    /// Entities or a patch are refused; or those that are there don't fit a bundle.
    Entities(EntitiesRefused),
    /// A bundle is to be activated while the entities that are there can't be read: they have to be given with it.
    EntitiesNeeded,
    /// The registry never had this version, or none at this time.
    UnknownVersion,
    /// A text is no permit.
    Token(TokenRefused),
    /// There is no such permit here.
    UnknownPermit,
    /// There is no such gate.
    UnknownGate,
    /// No gate can be opened.
    GateOpen(OpenRefused),
    /// A gate can't do this step, or a vote does not count.
    Gate(Refused),
    /// There is no such scope.
    UnknownScope,
    /// A scope has not that much left, or can't do this step.
    Scope(ScopeRefused),
    /// A governed record can't be changed so, whatever policy says.
    Record(RecordRefused),
    /// Events are being delivered already.
    Delivering,
    /// The answer obliges to something that nobody here can be asked to do, by these names.
    Obliged(Vec<String>),
    /// A permit can't do this step.
    Step(StepRefused),
    /// A request can't be read, in these words.
    Request(String),
    /// What is stored makes no sense.
    Damaged(String),
    /// The log has another name than this, by which it was asked for; or no log can have it.
    OtherLog(String),
    /// Nobody here can sign a checkpoint.
    NoSigner,
    /// The clock gives a time near the end of all times.
    Clock,
    /// The kernel has a defect: it panicked.
    Panicked,
    /// The store or its writer failed.
    Write(WriteError),
    /// The log failed.
    Log(LogError),
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KernelError::Forbidden(why) => why.fmt(f),
            KernelError::TooManyOperators(count) => write!(f, "there would be {count} operators, more than there may"),
            KernelError::UnknownCapability(name) => write!(f, "no action of the active bundle is called `{name}`"),
            KernelError::NoBundle => f.write_str("no bundle is active"),
            KernelError::UnknownBundle(name) => write!(f, "no bundle {name} is kept"),
            KernelError::Bundle(error) => write!(f, "the bundle is refused: {error}"),
            KernelError::Entities(error) => write!(f, "the entities are refused: {error}"),
            KernelError::EntitiesNeeded => {
                f.write_str("the entities that are there can't be read, others have to be given with the bundle")
            }
            KernelError::UnknownVersion => f.write_str("the registry has no such version"),
            KernelError::Token(error) => write!(f, "this is no permit: {error}"),
            KernelError::UnknownPermit => f.write_str("there is no such permit"),
            KernelError::UnknownGate => f.write_str("there is no such gate"),
            KernelError::GateOpen(error) => write!(f, "nobody can be asked: {error}"),
            KernelError::Gate(error) => error.fmt(f),
            KernelError::UnknownScope => f.write_str("there is no such scope"),
            KernelError::Scope(error) => error.fmt(f),
            KernelError::Record(error) => error.fmt(f),
            KernelError::Delivering => f.write_str("events are being delivered already"),
            KernelError::Obliged(names) => {
                write!(f, "the answer obliges to {}, which has to be done by whoever asks", names.join(", "))
            }
            KernelError::Step(error) => error.fmt(f),
            KernelError::Request(error) => write!(f, "the request can't be read: {error}"),
            KernelError::Damaged(what) => write!(f, "what is stored is damaged: {what}"),
            KernelError::OtherLog(name) => write!(f, "the log is not the one of the name `{name}`"),
            KernelError::NoSigner => f.write_str("the kernel was given no key to sign checkpoints with"),
            KernelError::Clock => f.write_str("the clock is out of range"),
            KernelError::Panicked => f.write_str("the kernel has a defect"),
            KernelError::Write(error) => error.fmt(f),
            KernelError::Log(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KernelError {}

impl From<WriteError> for KernelError {
    fn from(error: WriteError) -> KernelError {
        KernelError::Write(error)
    }
}

impl From<StoreError> for KernelError {
    fn from(error: StoreError) -> KernelError {
        KernelError::Write(WriteError::Store(error))
    }
}

impl From<LogError> for KernelError {
    fn from(error: LogError) -> KernelError {
        KernelError::Log(error)
    }
}

impl From<NoRandomness> for KernelError {
    fn from(error: NoRandomness) -> KernelError {
        KernelError::Log(error.into())
    }
}

impl From<LoadError> for KernelError {
    fn from(error: LoadError) -> KernelError {
        KernelError::Bundle(error)
    }
}

impl From<EntitiesRefused> for KernelError {
    fn from(error: EntitiesRefused) -> KernelError {
        KernelError::Entities(error)
    }
}

impl From<OpenRefused> for KernelError {
    fn from(error: OpenRefused) -> KernelError {
        KernelError::GateOpen(error)
    }
}

impl From<ScopeRefused> for KernelError {
    fn from(error: ScopeRefused) -> KernelError {
        KernelError::Scope(error)
    }
}

impl From<RecordRefused> for KernelError {
    fn from(error: RecordRefused) -> KernelError {
        KernelError::Record(error)
    }
}

impl From<StepRefused> for KernelError {
    fn from(error: StepRefused) -> KernelError {
        KernelError::Step(error)
    }
}

impl From<TokenRefused> for KernelError {
    fn from(error: TokenRefused) -> KernelError {
        KernelError::Token(error)
    }
}
