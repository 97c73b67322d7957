//! What a verification finds, by name.

use std::fmt;

use crate::base::limits::FINDINGS_MAX;
use crate::kernel::entry::read::Malformed;
use crate::log::offline::Unproved;
use crate::log::tree::Node;

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An entry does not have the hash that was kept of it.
    Changed {
        /// Where it is.
        index: u64,
        /// Its id, as it stands there now.
        id: Option<String>,
    },
    /// Something is where an entry should be, and is none.
    Malformed {
        /// Where.
        index: u64,
        /// Why it is none.
        why: Malformed,
    },
    /// The store can't give an entry.
    Unreadable {
        /// Where it should be.
        index: u64,
        /// What the store says.
        why: String,
    },
    /// An entry is as it was written, and is found by another id or kind than its own: so it is not found.
    Hidden {
        /// Where it is.
        index: u64,
        /// Its own id.
        id: Option<String>,
    },
    /// Entries are nowhere.
    Missing {
        /// The first of them.
        from: u64,
        /// Behind the last of them.
        to: u64,
    },
    /// Entries stand where others belong.
    Reordered {
        /// Where the first of them stands.
        at: u64,
        /// Where it belongs.
        index: u64,
        /// How many follow each other so.
        count: u64,
        /// The id of the first.
        id: Option<String>,
    },
    /// Entries are there more than once.
    Duplicate {
        /// Where the first of them stands again.
        at: u64,
        /// Where it belongs, and stands too.
        index: u64,
        /// How many follow each other so.
        count: u64,
        /// The id of the first.
        id: Option<String>,
    },
    /// The log was longer.
    Truncated {
        /// How many entries it has.
        size: u64,
        /// How many it had, at least.
        promised: u64,
    },
    /// Other entries were signed than are there, and everything else fits those that are there: history was written anew.
    Forked {
        /// Up to here the log is as an earlier checkpoint says.
        from: u64,
        /// The size of the checkpoint that says otherwise.
        to: u64,
        /// The id of the entry at `from`, as it stands there now.
        id: Option<String>,
    },
    /// An entry is older than the one before it.
    BackInTime {
        /// Where it is.
        index: u64,
        /// Its id.
        id: Option<String>,
    },
    /// A hash of the tree is not that of what is below it.
    NodeChanged(Node),
    /// A hash of the tree is missing.
    NodeMissing(Node),
    /// A checkpoint is not one of this log.
    Checkpoint {
        /// Which: its key in the store, or where it comes from.
        which: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file of an exported log is missing or not what such a file is.
    File {
        /// Its path.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |id: &Option<String>| id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
        let entries = |index: u64, count: u64, id: &Option<String>| match count {
            1 => format!("entry {index}{}", named(id)),
            _ => format!("entries {index} to {}{}", index.saturating_add(count.saturating_sub(1)), named(id)),
        };
        match self {
            Finding::Changed { index, id } => write!(f, "entry {index}{} was changed", named(id)),
            Finding::Malformed { index, why } => write!(f, "entry {index} is malformed: {why}"),
            Finding::Unreadable { index, why } => write!(f, "entry {index} can't be read: {why}"),
            Finding::Hidden { index, id } => {
                write!(f, "entry {index}{} is kept under another id or kind than its own", named(id))
            }
            Finding::Missing { from, to } => match to.saturating_sub(*from) {
                1 => write!(f, "entry {from} is missing"),
                _ => write!(f, "entries {from} to {} are missing", to.saturating_sub(1)),
            },
            Finding::Reordered { at, index, count, id } => {
                write!(f, "{} found at {at}: reordered", entries(*index, *count, id))
            }
            Finding::Duplicate { at, index, count, id } => {
                write!(f, "{} found at {at} once more: duplicated", entries(*index, *count, id))
            }
            Finding::Truncated { size, promised } => {
                write!(f, "the log was truncated: it has {size} entries and had {promised}")
            }
            Finding::Forked { from, to, id } => write!(
                f,
                "the log was forked: among the entries {from}{} to {} are others than the checkpoint of {to} entries says",
                named(id),
                to.saturating_sub(1)
            ),
            Finding::BackInTime { index, id } => {
                write!(f, "entry {index}{} is older than the one before it", named(id))
            }
            Finding::NodeChanged(node) => write!(f, "{} was changed", shown(*node)),
            Finding::NodeMissing(node) => write!(f, "{} is missing", shown(*node)),
            Finding::Checkpoint { which, why } => write!(f, "the checkpoint {which}: {why}"),
            Finding::File { path, why } => write!(f, "the file {path}: {why}"),
        }
    }
}

/// Why a checkpoint is not one of the log.
pub(super) fn of_checkpoint(fault: Unproved) -> String {
    match fault {
        Unproved::Note(fault) => fault.to_string(),
        Unproved::OtherLog => "it is of another log".to_owned(),
        Unproved::Malformed => "it is not written as checkpoints are".to_owned(),
        Unproved::Proof(fault) => fault.to_string(),
    }
}

/// A node, with the entries that its hash is made of.
fn shown(Node { level, index }: Node) -> String {
    let first = index.checked_shl(level.into()).unwrap_or(u64::MAX);
    let last = first.saturating_add(1_u64.checked_shl(level.into()).unwrap_or(u64::MAX)).saturating_sub(1);
    let of = if level == 0 { format!("entry {first}") } else { format!("entries {first} to {last}") };
    format!("node {index} of level {level} of the tree, of {of},")
}

/// Findings, up to a bound.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    /// Whether there were more.
    pub(super) more: bool,
}

impl Findings {
    pub(super) fn push(&mut self, finding: Finding) {
        if self.list.len() < FINDINGS_MAX {
            self.list.push(finding);
        } else {
            self.more = true;
        }
    }

    /// What else was found.
    pub(super) fn take(&mut self, others: Findings) {
        self.more |= others.more;
        others.list.into_iter().for_each(|finding| self.push(finding));
    }
}
