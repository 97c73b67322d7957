//! What the kernel could not do, or did not want to, as it is told at the command line.

use super::place::Place;
use super::status::Failure;
use crate::kernel::KernelError;
use crate::kernel::log::LogError;
use crate::kernel::store::StoreError;
use crate::kernel::store::sqlite::IN_USE;
use crate::vm::store::fault::EntitiesRefused;

/// The code of a change of entities by somebody who is one of them.
const OWN_ENTITY: &str = "OWN_ENTITY";
/// How many faults of entities are shown.
const FAULTS_SHOWN: usize = 20;

/// The failure for an error of the kernel: 4 where it says no, 9 where the log is not what was promised, else 1.
#[must_use]
pub fn kernel(error: &KernelError) -> Failure {
    match error {
        KernelError::Forbidden(why) if why.codes.iter().any(|code| code == OWN_ENTITY) => {
            let help = "who acts is among the entities, and nobody says what is known of themselves: let another operator \
                        do it, or act as a principal that has no entity";
            Failure::refused(error.to_string()).help(help)
        }
        KernelError::Forbidden(_)
        | KernelError::Step(_)
        | KernelError::Token(_)
        | KernelError::Gate(_)
        | KernelError::GateOpen(_)
        | KernelError::Scope(_)
        | KernelError::Record(_)
        | KernelError::UnknownPermit
        | KernelError::UnknownScope
        | KernelError::Obliged(_) => Failure::refused(error.to_string()),
        KernelError::UnknownCapability(_) => {
            Failure::new(error.to_string()).help("a capability is an action of the policy")
        }
        KernelError::NoBundle => Failure::new(error.to_string()).help("activate one with `pdl kernel activate`"),
        KernelError::EntitiesNeeded => Failure::new(error.to_string()).help("give them with `--entities`"),
        KernelError::Entities(refused) => Failure::new(format!("the entities are refused:{}", faults(refused))),
        KernelError::NoSigner => Failure::new(error.to_string()).help("the key is `log.key` in the kernel's folder"),
        KernelError::Log(error) => log(error),
        _ => Failure::new(error.to_string()),
    }
}

/// The same where entities were given, of these files: they are named.
#[must_use]
pub fn of_entities(error: &KernelError, names: &str) -> Failure {
    match error {
        KernelError::Entities(refused) => {
            Failure::new(format!("the entities in {names} are refused:{}", faults(refused)))
        }
        error => kernel(error),
    }
}

/// The failure for an error of the log.
#[must_use]
pub fn log(error: &LogError) -> Failure {
    match error {
        LogError::BrokenPromise { .. } => {
            Failure::unverified(error.to_string()).help("`pdl log verify` says what was changed")
        }
        LogError::NoCheckpoint(0) => {
            Failure::new("there is no checkpoint yet").help("sign the head of the log with `pdl log checkpoint`")
        }
        LogError::NoCheckpoint(_) => {
            Failure::new(error.to_string()).help("sign the head of the log with `pdl log checkpoint`")
        }
        LogError::NoEntry(_) => Failure::new(error.to_string()).help(
            "`pdl log query` finds entries; one that was dropped is in its archive: `--files FOLDER`, or `--archive FOLDER` \
             to prove it",
        ),
        LogError::Exported(_) | LogError::BadCheckpoint(_) => {
            Failure::unverified(error.to_string()).help("`pdl log verify --files FOLDER` says what is wrong with it")
        }
        _ => Failure::new(error.to_string()),
    }
}

/// The failure for an error of the store of a place.
#[must_use]
pub fn store(place: &Place, error: &StoreError) -> Failure {
    Failure::new(format!("the kernel in `{}`: {error}", place.folder().display()))
}

/// The failure for an error of opening it: what is damaged may be a backup that was put back.
#[must_use]
pub fn open(place: &Place, error: &StoreError) -> Failure {
    let failure = store(place, error);
    match error {
        StoreError::Corrupt(_) => failure.help("if this is a backup that was put back on purpose: `pdl kernel accept`"),
        StoreError::Unknown(_) => failure.help(
            "`kernel.db` in that folder has to be the state of this kernel: put back a copy of the whole folder, or name \
             another folder with `--store`",
        ),
        StoreError::Unavailable(why) if why == IN_USE => {
            failure.help("a service or another command has it; ask that service, or wait until the command is done")
        }
        _ => failure,
    }
}

/// The failure for entities that are refused.
#[must_use]
pub fn faults(refused: &EntitiesRefused) -> String {
    let faults = refused.faults();
    let mut text: String = faults.iter().take(FAULTS_SHOWN).map(|fault| format!("\n  {fault}")).collect();
    if let Some(more) = faults.len().checked_sub(FAULTS_SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}
