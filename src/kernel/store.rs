//! Where the kernel keeps what it has to remember, as a trait: what a store has to do is little, so that one for another
//! database is written in a day and the kernel's logic is in none of them.
//!
//! A store keeps three things.
//!
//! - **Objects**: gates, permits, scopes, records and whatever else has a state that changes. An object has a kind and a
//!   key, a version that counts its changes, a state and a time by which it is found, and a body that the store does not
//!   read.
//! - **Entries** of the log, and the nodes of their tree. They are appended and never change. The oldest entries can be
//!   dropped, and then their nodes are all that is left.
//! - **Contents**: bytes by their digest, such as bundles. They can be erased, and then their digest is all that is left.
//!
//! All changes are made in transactions. What neighbours may rely on:
//!
//! - A transaction happens as a whole or not at all, after a crash too, and one after the other: each sees what those
//!   before it did.
//! - When [`Store::transact`] returns, what was done is durable: it survives that the process is killed and the machine
//!   loses power.
//! - What a transaction has done is seen by itself at once.
//! - A part ([`Tx::part`]) that fails is undone alone; what the transaction did before it stands. Parts may have parts.
//! - Work that panics is undone as work that fails is: a part alone, a transaction as a whole.
//! - After a failure outside ([`StoreError::Full`], [`StoreError::Unavailable`], [`StoreError::Corrupt`]) a transaction may
//!   be lost. Then whatever else is asked of it fails, and so does the transaction: nothing is ever done by halves.
//! - Texts and keys are compared and ordered by their bytes. Any text is a key, the empty one too.
//! - What is read is what was written. Where a store can't give that, it says [`StoreError::Corrupt`].
//! - A store has one owner: while it is open, nobody else can open it.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod memory;
pub mod sqlite;

use std::fmt;

use crate::base::hash::Digest;
use crate::base::limits::{CONTENT_BYTES_MAX, ENTRY_BYTES_MAX, OBJECT_BYTES_MAX, STORE_KEY_BYTES_MAX};
use crate::log::tree::Node;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// An object is not at the version that it was said to be at: somebody else has changed it.
    Conflict {
        /// The kind of the object.
        kind: String,
        /// Its key.
        key: String,
    },
    /// What is stored is not what was written, or not whole.
    Corrupt(String),
    /// There is no room left.
    Full(String),
    /// Something is longer than a store keeps.
    TooLarge {
        /// What: `entry`, `key`.
        what: &'static str,
        /// How many bytes it has.
        bytes: usize,
        /// How many it may have.
        max: usize,
    },
    /// The store is of a newer version, or not one of ours.
    Unknown(String),
    /// Anything else that went wrong outside: reading, writing, locking.
    Unavailable(String),
    /// Whoever asked gave up: the transaction was undone because they said so.
    Refused,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Conflict { kind, key } => write!(f, "the {kind} {key} was changed by somebody else"),
            StoreError::Corrupt(what) => write!(f, "the store is damaged: {what}"),
            StoreError::Full(what) => write!(f, "the store is full: {what}"),
            StoreError::TooLarge { what, bytes, max } => {
                write!(f, "the {what} has {bytes} bytes, and at most {max} are kept")
            }
            StoreError::Unknown(what) => write!(f, "the store can't be read by this version: {what}"),
            StoreError::Unavailable(what) => write!(f, "the store can't be used: {what}"),
            StoreError::Refused => f.write_str("nothing was done"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Something with a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What sort of thing it is: `gate`, `scope`.
    pub kind: String,
    /// Its id among those.
    pub key: String,
    /// How often it was written: 1 when it is new.
    pub version: u64,
    /// By what it is found: `pending`.
    pub state: String,
    /// When somebody has to look at it again, in milliseconds since 1970.
    pub due_ms: Option<i64>,
    /// What it is: canonical JSON.
    pub body: Vec<u8>,
}

/// Which objects of a kind are wanted, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The kind.
    pub kind: String,
    /// In this state, if any is given.
    pub state: Option<String>,
    /// Due at this moment or before it, if any is given.
    pub due_until_ms: Option<i64>,
    /// With keys behind this one: for reading on.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// How an object stands: all of it but what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How often it was written.
    pub version: u64,
    /// By what it is found.
    pub state: String,
    /// When somebody has to look at it again, in milliseconds since 1970.
    pub due_ms: Option<i64>,
}

/// A content that is not there as a whole.
pub trait Pieces {
    /// The digest of all pieces.
    fn digest(&self) -> Digest;

    /// How long all are together.
    fn bytes(&self) -> usize;

    /// Gives them one behind the other.
    fn write(&self, to: &mut dyn FnMut(&[u8]));
}

/// The pieces of a content are not those of its digest: that is a defect of whoever writes it.
#[cold]
fn other_pieces() -> StoreError {
    StoreError::Unavailable("a content was to be kept that is not what it is said to be".to_owned())
}

/// A transaction that is under way.
pub trait Tx {
    /// Does a part of the transaction, and undoes that part alone if it fails.
    ///
    /// # Errors
    /// That of the part.
    fn part(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// An object.
    ///
    /// # Errors
    /// The store can't be read.
    fn get(&mut self, kind: &str, key: &str) -> Result<Option<Object>, StoreError>;

    /// Writes an object: `object.version` is the version that is replaced, 0 for a new one. Gives the new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it is not at that version; [`StoreError::TooLarge`].
    fn put(&mut self, object: &Object) -> Result<u64, StoreError>;

    /// Writes an object that is not there yet.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it is; [`StoreError::TooLarge`].
    fn create(
        &mut self,
        kind: &str,
        key: &str,
        (state, due_ms): (&str, Option<i64>),
        body: &[u8],
    ) -> Result<u64, StoreError> {
        let (kind, key, state, body) = (kind.to_owned(), key.to_owned(), state.to_owned(), body.to_vec());
        self.put(&Object { kind, key, version: 0, state, due_ms, body })
    }

    /// How an object stands, for who needs nothing else of it.
    ///
    /// # Errors
    /// The store can't be read.
    fn standing(&mut self, kind: &str, key: &str) -> Result<Option<Standing>, StoreError> {
        let object = self.get(kind, key)?;
        Ok(object.map(|Object { version, state, due_ms, .. }| Standing { version, state, due_ms }))
    }

    /// Writes how an object stands from now on, and leaves its body as it is. Gives the new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it is not at that version; [`StoreError::TooLarge`].
    fn turn(
        &mut self,
        kind: &str,
        key: &str,
        version: u64,
        (state, due_ms): (&str, Option<i64>),
    ) -> Result<u64, StoreError> {
        let object = self.get(kind, key)?.filter(|object| object.version == version);
        let object = object.ok_or_else(|| conflict(kind, key))?;
        self.put(&Object { state: state.to_owned(), due_ms, ..object })
    }

    /// Removes an object.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it is not at that version.
    fn remove(&mut self, kind: &str, key: &str, version: u64) -> Result<(), StoreError>;

    /// Objects by what is asked for.
    ///
    /// # Errors
    /// The store can't be read.
    fn find(&mut self, query: &Query) -> Result<Vec<Object>, StoreError>;

    /// How many entries the log has.
    ///
    /// # Errors
    /// The store can't be read.
    fn log_size(&mut self) -> Result<u64, StoreError>;

    /// Appends an entry, with an id and a kind by which it is found, at the end of the log. Gives its index.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if there is an entry of that id; [`StoreError::TooLarge`].
    fn append(&mut self, id: &str, kind: &str, entry: &[u8]) -> Result<u64, StoreError>;

    /// How many entries were dropped, from the beginning on.
    ///
    /// # Errors
    /// The store can't be read.
    fn dropped(&mut self) -> Result<u64, StoreError>;

    /// Drops the entries before an index, but never the last one of the log. Nodes stay. Gives how many are dropped now,
    /// from the beginning on. Once the transaction is durable, these entries are in no file of the store.
    ///
    /// # Errors
    /// The store can't be written.
    fn drop_entries(&mut self, before: u64) -> Result<u64, StoreError>;

    /// Entries from an index on, at most so many. Those that were dropped are passed over.
    ///
    /// # Errors
    /// The store can't be read.
    fn entries(&mut self, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// The same, shown one after the other, for who keeps none of them. After an error some may have been shown.
    ///
    /// # Errors
    /// The store can't be read.
    fn each_entry(&mut self, from: u64, limit: u32, show: &mut dyn FnMut(u64, &[u8])) -> Result<(), StoreError> {
        self.entries(from, limit)?.iter().for_each(|(index, entry)| show(*index, entry));
        Ok(())
    }

    /// By which id and kind, with a space between them, the entries from an index on are found, at most so many; nothing
    /// of a store that keeps neither beside them. A verification holds them against what is in the entries.
    ///
    /// # Errors
    /// The store can't be read.
    fn listed(&mut self, _from: u64, _limit: u32) -> Result<Vec<(u64, String)>, StoreError> {
        Ok(Vec::new())
    }

    /// Entries of a kind from an index on, at most so many.
    ///
    /// # Errors
    /// The store can't be read.
    fn entries_of(&mut self, kind: &str, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// The index of the entry of an id, unless it was dropped.
    ///
    /// # Errors
    /// The store can't be read.
    fn index_of(&mut self, id: &str) -> Result<Option<u64>, StoreError>;

    /// Keeps the hash of a node of the log's tree.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another hash is kept of it.
    fn put_node(&mut self, node: Node, hash: Digest) -> Result<(), StoreError>;

    /// The hash of a node.
    ///
    /// # Errors
    /// The store can't be read.
    fn node(&mut self, node: Node) -> Result<Option<Digest>, StoreError>;

    /// The hashes of nodes of a level from an index on, `count` of them; `None` where there is none.
    ///
    /// # Errors
    /// The store can't be read.
    fn nodes(&mut self, level: u8, from: u64, count: u32) -> Result<Vec<Option<Digest>>, StoreError> {
        let nodes = (from..=u64::MAX).take(usize::try_from(count).unwrap_or(usize::MAX));
        nodes.map(|index| self.node(Node { level, index })).collect()
    }

    /// Keeps bytes by their digest. To keep them twice is to keep them.
    ///
    /// # Errors
    /// The store can't be written; [`StoreError::TooLarge`].
    fn put_content(&mut self, content: &[u8]) -> Result<Digest, StoreError>;

    /// The same with a content that is written piece by piece, the same whenever it is: so that it need not be had as a whole.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`]; or what is written is not the content that it is said to be.
    fn put_pieces(&mut self, content: &dyn Pieces) -> Result<Digest, StoreError> {
        let mut whole = Vec::with_capacity(content.bytes());
        content.write(&mut |piece| whole.extend_from_slice(piece));
        if self.put_content(&whole)? == content.digest() { Ok(content.digest()) } else { Err(other_pieces()) }
    }

    /// The bytes of a digest; `None` if they were never kept, or erased.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if they are not those of the digest.
    fn content(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError>;

    /// Forgets bytes. Whether there were any. Once the transaction is durable, they are in no file of the store.
    ///
    /// # Errors
    /// The store can't be written.
    fn erase_content(&mut self, digest: Digest) -> Result<bool, StoreError>;
}

/// A store.
pub trait Store: Send + fmt::Debug {
    /// Whether what a transaction did is made durable, which takes its time: then those of many are done together.
    fn is_durable(&self) -> bool {
        true
    }

    /// Runs a transaction, and returns once what it did is durable. If the work fails, nothing was done.
    ///
    /// # Errors
    /// That of the work, or why it could not be made durable; then it is not known whether it was.
    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Looks at everything that is kept, and finds what is not as it was written.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], with the first that was found.
    fn check(&mut self) -> Result<(), StoreError>;
}

/// What both stores refuse to keep, in one place.
fn fits(what: &'static str, bytes: usize, max: usize) -> Result<(), StoreError> {
    if bytes > max { Err(StoreError::TooLarge { what, bytes, max }) } else { Ok(()) }
}

fn object_fits((kind, key): (&str, &str), state: &str, body: &[u8]) -> Result<(), StoreError> {
    fits("kind", kind.len(), STORE_KEY_BYTES_MAX)?;
    fits("key", key.len(), STORE_KEY_BYTES_MAX)?;
    state_fits(state)?;
    fits("object", body.len(), OBJECT_BYTES_MAX)
}

fn state_fits(state: &str) -> Result<(), StoreError> {
    fits("state", state.len(), STORE_KEY_BYTES_MAX)
}

fn entry_fits(id: &str, kind: &str, entry: &[u8]) -> Result<(), StoreError> {
    fits("id", id.len(), STORE_KEY_BYTES_MAX)?;
    fits("kind", kind.len(), STORE_KEY_BYTES_MAX)?;
    fits("entry", entry.len(), ENTRY_BYTES_MAX)
}

fn content_fits(content: &[u8]) -> Result<(), StoreError> {
    content_bytes_fit(content.len())
}

fn content_bytes_fit(bytes: usize) -> Result<(), StoreError> {
    fits("content", bytes, CONTENT_BYTES_MAX)
}

fn conflict(kind: &str, key: &str) -> StoreError {
    StoreError::Conflict { kind: kind.to_owned(), key: key.to_owned() }
}

/// How errors name what has no name of its own.
fn node_conflict(node: Node) -> StoreError {
    conflict("node", &format!("{}/{}", node.level, node.index))
}
