//! The log of the kernel: everything that happened, in an order that nobody can change unnoticed.
//!
//! An entry is canonical JSON ([`entry`](super::entry)); its hash is a leaf of the Merkle tree of [`log`](crate::log), and
//! the nodes of that tree lie in the store beside the entries. From time to time the head of the tree is signed and kept:
//! a checkpoint. Who has one can be shown of any entry that it is in the log, and of any later checkpoint that nothing
//! before was changed.
//!
//! ```text
//! Event ─▶ Log::append ─▶ entry, nodes ─▶ search ─▶ reveal (contents put back)
//!              │               ├────────▶ prove: inclusion, consistency
//!              └─▶ checkpoint ─┼────────▶ verify: what is not as it was written, by name
//!                              └────────▶ export: files as C2SP tlog-tiles has them ─▶ verify, search, prove
//! ```
//!
//! What neighbours may rely on:
//!
//! - [`append::Log::append`] is the only way into the log. It is called in the transaction that changes the state, and is
//!   durable with it. If it fails, the part of the transaction in which it was called has to fail too.
//! - The times of entries never go back, whatever the clock does.
//! - What an event calls sensitive is not in its entry: a salted commitment is, and the value is a content of its own,
//!   which can be erased without changing the entry.
//! - Nothing here touches files, the network or the clock.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod append;
pub mod checkpoint;
pub mod commitment;
pub mod compact;
pub mod erase;
pub mod export;
pub mod exported;
pub mod finding;
pub mod prove;
pub mod search;
pub mod verify;

mod leaves;
mod order;
mod view;

#[cfg(test)]
mod testing;

pub(in crate::kernel) use self::view::Rounds;

use std::fmt;

use super::entry::read::Malformed;
use super::environment::NoRandomness;
use super::store::StoreError;
use crate::base::hash::Digest;
use crate::log::note::NoteError;
use crate::log::offline::Unproved;
use crate::log::proof::NoProof;
use crate::log::tree::Node;

/// Why the log did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogError {
    /// The store did not.
    Store(StoreError),
    /// There are no random bytes for an id or a salt.
    NoRandomness,
    /// The entry would have so many bytes, more than an entry may have.
    TooLong(usize),
    /// The body has a number that is no integer or too large, or nests too deep.
    Unwritable,
    /// The entry would not be read back.
    Malformed(Malformed),
    /// Nothing in the body is at this place, which should be kept secret; or it is within another such place.
    NoSuchPlace(String),
    /// A value of the body is written as commitments are, and is none.
    LikeCommitment(String),
    /// The log is as long as logs can be.
    LogFull,
    /// There is no such entry.
    NoEntry(String),
    /// No checkpoint is of so many entries, or none is kept at all.
    NoCheckpoint(u64),
    /// A proof can't be made.
    NoProof(NoProof),
    /// The head of the log is not what the last checkpoint promised. It is not signed.
    BrokenPromise {
        /// The size of that checkpoint.
        size: u64,
    },
    /// The name of the log can't be that of a note's key, or a checkpoint is not signed as it should be.
    Note(NoteError),
    /// A checkpoint is not one of the log.
    BadCheckpoint(Unproved),
    /// A file could not be written.
    Files(String),
    /// An archive is not one of this log up to its checkpoint, in these words.
    Archive(String),
    /// The files of an exported log are not what they should be, in these words.
    Exported(String),
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Store(fault) => fault.fmt(f),
            LogError::NoRandomness => NoRandomness.fmt(f),
            LogError::TooLong(bytes) => write!(f, "an entry would have {bytes} bytes, more than it may"),
            LogError::Unwritable => f.write_str(
                "an entry can't be written: a number in it is no integer or too large, or it nests too deep",
            ),
            LogError::Malformed(fault) => write!(f, "an entry could not be read back: {fault}"),
            LogError::NoSuchPlace(place) => write!(f, "nothing that could be kept secret is at `{place}`"),
            LogError::LikeCommitment(place) => write!(f, "what is at `{place}` looks like a commitment and is none"),
            LogError::LogFull => f.write_str("the log can't grow any more"),
            LogError::NoEntry(id) => write!(f, "there is no entry {id}"),
            LogError::NoCheckpoint(size) => write!(f, "no checkpoint is of {size} entries or more"),
            LogError::NoProof(fault) => write!(f, "no proof can be made: {fault}"),
            LogError::BrokenPromise { size } => {
                write!(f, "the log is not what its checkpoint of {size} entries says; nothing is signed")
            }
            LogError::Note(fault) => write!(f, "the head can't be signed: {fault}"),
            LogError::BadCheckpoint(fault) => write!(f, "the checkpoint: {fault}"),
            LogError::Archive(fault) => write!(f, "nothing is dropped for this archive: {fault}"),
            LogError::Exported(fault) => write!(f, "the exported log: {fault}"),
            LogError::Files(fault) => write!(f, "the log can't be exported: {fault}"),
        }
    }
}

impl std::error::Error for LogError {}

impl From<StoreError> for LogError {
    fn from(fault: StoreError) -> LogError {
        LogError::Store(fault)
    }
}

impl From<NoRandomness> for LogError {
    fn from(_: NoRandomness) -> LogError {
        LogError::NoRandomness
    }
}

impl From<NoteError> for LogError {
    fn from(fault: NoteError) -> LogError {
        LogError::Note(fault)
    }
}

/// What a transaction fails with when the log does: the store's own error, or that it was given up.
impl From<LogError> for StoreError {
    fn from(fault: LogError) -> StoreError {
        match fault {
            LogError::Store(fault) => fault,
            LogError::BrokenPromise { .. } | LogError::NoProof(_) => StoreError::Corrupt(fault.to_string()),
            _ => StoreError::Refused,
        }
    }
}

/// Runs what asks for nodes of the tree, which are read of a store or of files. An error of these comes before any of the
/// work.
fn with_nodes<T, E>(
    mut read: impl FnMut(Node) -> Result<Option<Digest>, E>,
    work: impl FnOnce(&mut dyn FnMut(Node) -> Option<Digest>) -> T,
) -> Result<T, E> {
    let mut fault = None;
    let done = work(&mut |node| match read(node) {
        Ok(hash) => hash,
        Err(error) => {
            fault.get_or_insert(error);
            None
        }
    });
    match fault {
        Some(fault) => Err(fault),
        None => Ok(done),
    }
}
