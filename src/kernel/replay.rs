//! Replay: every decision of the log is made again from what its entry says was asked, with the bundle and the version of the
//! registry that it names, and the whole of the recorded decision is held against what comes out.
//!
//! ```text
//! log ─▶ rounds of entries ─▶ by version ─▶ versions, made in order ─▶ threads: decide, compare ─▶ report
//! ```
//!
//! What neighbours may rely on:
//!
//! - A decision counts as replayed only if it was run and all of it came out: answer, kind, rules with their messages and
//!   codes, gates, obligations, shadow rules, error, and the digests of bundle, entities, request, facts and binding. What
//!   could not be run, or not be compared as a whole, is counted apart, with the reason.
//! - The report does not depend on how many threads there are. Everything is counted; of each sort the first few are named.
//! - The store is read in short transactions. What is appended meanwhile is not looked at.
//! - Nothing is written.
//! - [`exported`] does the same from the files of a log, without its store.
//!
//! It does not ask whether an entry is the one that was written: that is [`verify`](super::log::verify). A log in which both
//! hold says what was decided, and that it was decided rightly. Nor does it ask whether what was recorded was also asked:
//! whoever can write an entry anew with all its hashes can record the right answer to another question.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod again;
pub mod against;
pub mod exported;
mod marks;
mod rounds;
mod skim;
mod tally;
mod told;
mod versions;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;

use super::engine::Kernel;
use super::error::KernelError;
use super::govern::act::Act;
pub use super::log::verify::Progress;
use super::record::Principal;
use rounds::{Reads, Rounds};
use tally::{Again, Tally, Works, work_off};
use versions::Versions;

/// How a log is replayed.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The first entry that is looked at.
    pub from: u64,
    /// How many threads decide.
    pub threads: NonZeroUsize,
    /// How many findings are named of those that differ, and how many of those that could not be replayed.
    pub named_max: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { from: 0, threads: NonZeroUsize::MIN, named_max: 100 }
    }
}

/// Why a decision could not be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gap {
    /// Something that was asked, or that was answered, was erased.
    Erased,
    /// Of an exported log: something that was asked, or that was answered, is behind a commitment.
    Hidden,
    /// The kernel itself denied: nothing was decided.
    Kernel,
    /// A request that could not be read was too long to be kept.
    NotKept,
    /// It was denied for what the kernel kept at that moment: a record that was not there, or that somebody else spoke for.
    Kept,
    /// Another policy than that of the bundles decided, which is not known here.
    Governing,
    /// The bundle is not kept any more, or what is kept is not it.
    Bundle,
    /// There is no such version of the registry, or it is not what it was.
    Version,
    /// The entry can't be read, or what is kept beside it is not what it promises.
    Damaged,
    /// The machine panicked.
    Panicked,
}

impl Gap {
    /// Whether this is nothing to worry about: it happens in a log that is as it should be.
    #[must_use]
    pub fn is_ordinary(self) -> bool {
        matches!(self, Gap::Erased | Gap::Hidden | Gap::Kernel | Gap::NotKept | Gap::Kept)
    }

    /// The reason in one word, for tables and other programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Gap::Erased => "erased",
            Gap::Hidden => "hidden",
            Gap::Kernel => "kernel",
            Gap::NotKept => "not_kept",
            Gap::Kept => "kept",
            Gap::Governing => "governing",
            Gap::Bundle => "bundle",
            Gap::Version => "version",
            Gap::Damaged => "damaged",
            Gap::Panicked => "panicked",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Gap::Erased => "something of it was erased",
            Gap::Hidden => "something of it is hidden from whoever has the files",
            Gap::Kernel => "the kernel itself denied, and nothing was decided",
            Gap::NotKept => "what was given was too long to be kept",
            Gap::Kept => "it was denied for what was kept at that moment",
            Gap::Governing => "another policy decided, which is not known here",
            Gap::Bundle => "its bundle is not there",
            Gap::Version => "its version of the registry is not there",
            Gap::Damaged => "it can't be read",
            Gap::Panicked => "the machine has a defect",
        })
    }
}

/// That a decision could not be replayed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The reason.
    pub gap: Gap,
    /// More of it, in words; may be empty.
    pub why: String,
}

impl Lost {
    fn new(gap: Gap, why: &str) -> Lost {
        Lost { gap, why: why.to_owned() }
    }
}

/// What became of a decision that did not come out as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was decided again, and these members of its entry say something else.
    Different(Vec<&'static str>),
    /// It was not decided again.
    NotReplayed(Lost),
}

/// An entry that is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it stands in the log.
    pub index: u64,
    /// Its id, if it can be read.
    pub id: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}", self.index)?;
        if let Some(id) = &self.id {
            write!(f, " ({id})")?;
        }
        match &self.outcome {
            Outcome::Different(members) => write!(f, " says something else of: {}", members.join(", ")),
            Outcome::NotReplayed(Lost { gap, why }) if why.is_empty() => write!(f, " was not replayed: {gap}"),
            Outcome::NotReplayed(Lost { gap, why }) => write!(f, " was not replayed: {gap}: {why}"),
        }
    }
}

/// What a replay came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many entries were looked at, of all kinds.
    pub entries: u64,
    /// How many entries were dropped from the log. None of them was looked at, and which were decisions is not known here.
    pub dropped: u64,
    /// How many of them are decisions. What can't be read counts as one: it is not known to be none.
    pub decisions: u64,
    /// How many of these came out as they were recorded.
    pub same: u64,
    /// How many came out otherwise.
    pub different: u64,
    /// How many could not be replayed, by reason.
    pub not_replayed: BTreeMap<Gap, u64>,
    /// The first that differ and the first that could not be replayed, by index.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing speaks against the log: all that could be replayed came out, and what could not is ordinary.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.different == 0 && self.not_replayed.keys().all(|gap| gap.is_ordinary())
    }

    /// Whether every decision was replayed and came out.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.same == self.decisions && self.dropped == 0
    }
}

impl Kernel {
    /// Replays the log. See [`replay`](self).
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]; or the store can't be read. What is wrong with single entries, bundles or versions is in the report.
    pub fn replay(
        &self,
        who: &Principal,
        options: &Options,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, KernelError> {
        self.permit_quietly(who, Act::verify_log())?;
        replayed(self, options, progress)
    }
}

/// Replays a log, wherever it is read.
fn replayed(reads: &impl Reads, options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Report, KernelError> {
    let mut whole = Tally::new(options.named_max);
    let mut workers: Vec<Again> = (0..options.threads.get()).map(|_| Again::new(options.named_max)).collect();
    let dropped = work_all(Versions::new(reads, None), options, &mut workers, &mut whole, progress)?;
    workers.into_iter().for_each(|worker| whole.add(worker.tally));
    Ok(Report { dropped, ..whole.report() })
}

/// Has all tasks of a log worked off; what is known without deciding anything is counted. Gives how many entries were dropped.
fn work_all<R: Reads, W: Works>(
    versions: Versions<'_, R>,
    options: &Options,
    workers: &mut [W],
    known: &mut Tally,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, KernelError> {
    let mut rounds = Rounds::open(versions, options)?;
    let mut batch = rounds.next()?;
    while let Some(now) = batch {
        known.add(now.tally);
        // The next one is read while this one is worked off.
        let next = work_off(now.tasks, workers, || rounds.next());
        progress(Progress { done: now.done, of: rounds.until().max(now.done) });
        batch = next?;
    }
    Ok(rounds.dropped())
}
