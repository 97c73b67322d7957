//! Reading the log in rounds: entries are read, sorted by the version that they name, and given out as tasks with all that is
//! needed to decide them. A round bounds what is in memory at once, whatever the length of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::ops::Range;
use std::sync::Arc;

use super::again::Contents;
use super::skim::{Look, Name, Page};
use super::tally::{Tally, Task};
use super::versions::{Parts, Versions, parts};
use super::{Finding, Gap, Lost, Options, Outcome};
use crate::base::hash::Digest;
use crate::kernel::bundles;
use crate::kernel::engine::Kernel;
use crate::kernel::entry::read::Header;
use crate::kernel::entry::{Entry, Kind};
use crate::kernel::error::KernelError;
use crate::kernel::govern::operators;
use crate::kernel::log::commitment::commitments;
use crate::kernel::store::{StoreError, Tx};

/// How many entries are read at once, for each thread: so many that it is worth giving them to others.
const ROUND: u32 = 256;
/// The same where nothing is given to others: so few that a processor has them at hand.
const ROUND_ALONE: u32 = 64;
/// How many decisions are a task.
const TASK: usize = 128;
/// How many bytes of contents are read for a task; a last one may be longer.
pub(super) const CONTENTS_BYTES: usize = 16 << 20;
/// How many versions are given out at once, whatever the number of threads.
const VERSIONS_MAX: usize = 8;

/// Tasks that can be worked off.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) tasks: Vec<Task>,
    /// What is known without deciding anything.
    pub(super) tally: Tally,
    /// All before this entry is in this batch or was in one before.
    pub(super) done: u64,
}

/// With what an entry was decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum With {
    /// A version of the registry.
    Version(u64),
    /// The policy of the kernel itself, and a version of its operators.
    Governing(Digest, u64),
    /// Another policy than these.
    Other,
    /// It does not say, or nothing decided.
    Nothing,
}

/// Where a log and what its decisions were made with are read.
pub(super) trait Reads: std::fmt::Debug {
    /// How many entries there are, and how many of them were dropped.
    fn extent(&self) -> Result<(u64, u64), KernelError>;

    /// Reads entries from an index on, at most so many, into empty room.
    fn rows(&self, rows: Rows, from: u64, limit: u32) -> Result<Rows, KernelError>;

    /// Reads the contents that some entries have commitments to; of how many entries they are, where there is no room for all.
    fn contents(&self, wanted: Vec<Vec<Digest>>) -> Result<(Contents, usize), KernelError>;

    /// The bytes of a bundle.
    fn bundle(&self, name: Digest) -> Result<Option<Vec<u8>>, KernelError>;

    /// The digest and the document of a version of the operators.
    fn operators(&self, version: u64) -> Result<Option<(Digest, Vec<u8>)>, KernelError>;

    /// What a version of the registry is made of, where some are there already.
    fn parts(&self, version: u64, have: &[u64]) -> Result<Parts, KernelError>;

    /// Documents of entities that may be those of a version.
    fn given(&self) -> &[Vec<u8>];
}

/// In short transactions.
impl Reads for Kernel {
    fn extent(&self) -> Result<(u64, u64), KernelError> {
        self.writer.submit_patiently(|tx| Ok((tx.log_size()?, tx.dropped()?)))
    }

    fn rows(&self, mut rows: Rows, from: u64, limit: u32) -> Result<Rows, KernelError> {
        self.writer.submit_patiently(move |tx| rows.read(tx, from, limit).map(|()| rows).map_err(KernelError::from))
    }

    fn contents(&self, wanted: Vec<Vec<Digest>>) -> Result<(Contents, usize), KernelError> {
        self.writer.submit_patiently(move |tx| {
            let (mut contents, mut bytes, mut served) = (BTreeMap::new(), 0_usize, 0_usize);
            for digest in wanted {
                if bytes > CONTENTS_BYTES {
                    break;
                }
                for digest in digest {
                    let content = match tx.content(digest) {
                        Ok(content) => content,
                        // What is damaged is missing among what was read, which is not the same as erased.
                        Err(StoreError::Corrupt(_)) => continue,
                        Err(fault) => return Err(KernelError::from(fault)),
                    };
                    bytes = bytes.saturating_add(content.as_ref().map_or(0, Vec::len));
                    contents.insert(digest, content);
                }
                served = served.saturating_add(1);
            }
            Ok((contents, served))
        })
    }

    fn bundle(&self, name: Digest) -> Result<Option<Vec<u8>>, KernelError> {
        self.writer.submit_patiently(move |tx| match bundles::content_of(tx, name)? {
            Some(content) => Ok(tx.content(content)?),
            None => Ok(None),
        })
    }

    fn operators(&self, version: u64) -> Result<Option<(Digest, Vec<u8>)>, KernelError> {
        self.writer.submit_patiently(move |tx| operators::stored(tx, version))
    }

    fn parts(&self, version: u64, have: &[u64]) -> Result<Parts, KernelError> {
        let have = have.to_vec();
        self.writer.submit_patiently(move |tx| parts(&mut { tx }, version, &have))
    }

    fn given(&self) -> &[Vec<u8>] {
        &[]
    }
}

#[derive(Debug)]
pub(super) struct Rounds<'k, R> {
    reads: &'k R,
    versions: Versions<'k, R>,
    at_once: usize,
    named_max: usize,
    /// The entry that is read next, and the one behind the last.
    at: u64,
    until: u64,
    /// How many of what was asked for were dropped.
    dropped: u64,
    /// What was read and is not given out yet.
    waiting: BTreeMap<With, Vec<u32>>,
    /// The page that it is on.
    page: Arc<Page>,
    /// The one before, which may still be worked on.
    before: Arc<Page>,
    /// Room for entries as they are in the store.
    rows: Rows,
}

impl<'k, R: Reads> Rounds<'k, R> {
    pub(super) fn open(versions: Versions<'k, R>, options: &Options) -> Result<Rounds<'k, R>, KernelError> {
        let reads = versions.reads();
        let (until, dropped) = reads.extent()?;
        Ok(Rounds {
            reads,
            versions,
            at_once: options.threads.get().min(VERSIONS_MAX),
            named_max: options.named_max,
            at: options.from,
            until,
            dropped: dropped.saturating_sub(options.from),
            waiting: BTreeMap::new(),
            page: Arc::default(),
            before: Arc::default(),
            rows: Rows::default(),
        })
    }

    /// How many entries the log had at the beginning.
    pub(super) fn until(&self) -> u64 {
        self.until
    }

    /// How many entries of what was asked for were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What is to be worked off next; nothing if all was.
    pub(super) fn next(&mut self) -> Result<Option<Batch>, KernelError> {
        let mut batch = Batch { tasks: Vec::new(), tally: Tally::new(self.named_max), done: self.at };
        if self.waiting.is_empty() && !self.read(&mut batch.tally)? {
            return Ok(None);
        }
        for _ in 0..self.at_once {
            let Some((with, entries)) = self.waiting.pop_first() else { break };
            let version = match with {
                With::Version(version) => self.versions.at(version)?,
                With::Governing(bundle, version) => self.versions.governing(bundle, version)?,
                With::Other => Err(Lost::new(Gap::Governing, "")),
                With::Nothing => Err(Lost::new(Gap::Version, "it names none")),
            };
            let mut entries = entries.into_iter().peekable();
            while entries.peek().is_some() {
                let mut task = Task {
                    version: version.clone(),
                    page: Arc::clone(&self.page),
                    entries: entries.by_ref().take(TASK).collect(),
                    contents: BTreeMap::new(),
                };
                // What does not fit into one task goes into another.
                while let Some(rest) = self.fill(&mut task)? {
                    let next = Task { entries: rest, contents: BTreeMap::new(), ..task.clone() };
                    batch.tasks.push(mem::replace(&mut task, next));
                }
                batch.tasks.push(task);
            }
        }
        batch.done = if self.waiting.is_empty() { self.at } else { batch.done };
        Ok(Some(batch))
    }

    /// Reads on. Whether there was anything.
    fn read(&mut self, tally: &mut Tally) -> Result<bool, KernelError> {
        let from = self.at;
        let Some(left) = self.until.checked_sub(from).filter(|left| *left > 0) else { return Ok(false) };
        let most = match u32::try_from(self.at_once).unwrap_or(1) {
            1 => ROUND_ALONE,
            threads => ROUND.saturating_mul(threads),
        };
        let limit = u32::try_from(left).unwrap_or(u32::MAX).min(most);
        let mut rows = mem::take(&mut self.rows);
        rows.clear();
        let mut rows = self.reads.rows(rows, from, limit)?;
        mem::swap(&mut self.page, &mut self.before);
        let page = match Arc::get_mut(&mut self.page) {
            Some(page) => page,
            None => {
                self.page = Arc::default();
                let Some(page) = Arc::get_mut(&mut self.page) else { return Ok(false) };
                page
            }
        };
        let is_text = page.begin(&mut rows.bytes);
        let mut last = None;
        for (at, row) in rows.iter() {
            last = Some(at);
            if at >= self.until {
                break;
            }
            tally.look();
            let damaged = |id, why: String| {
                Some(Finding { index: at, id, outcome: Outcome::NotReplayed(Lost { gap: Gap::Damaged, why }) })
            };
            let place = match row {
                Ok(place) => place,
                Err(why) => {
                    tally.count(damaged(None, why.to_owned()));
                    continue;
                }
            };
            let given = || rows.bytes.get(place.clone()).unwrap_or_default();
            let on_page = if is_text { Some(place.clone()) } else { page.give(given()) };
            let number = on_page.and_then(|place| page.add(at, place));
            match number.and_then(|number| Some((number, page.get(number)?))) {
                Some((number, entry)) if entry.kind() == Kind::Decision.name() => {
                    self.waiting.entry(with(entry)).or_default().push(number);
                }
                Some(_) => page.forget(),
                // Entries of other kinds may have members that those of decisions don't.
                None => match Header::read(page.bytes(place.clone()).filter(|_| is_text).unwrap_or_else(given)) {
                    Ok(header) if header.kind != Kind::Decision => {}
                    Ok(header) => {
                        tally.count(damaged(Some(header.id.to_owned()), "it is not one of a decision".to_owned()))
                    }
                    Err(fault) => tally.count(damaged(None, fault.to_string())),
                },
            }
        }
        self.rows = rows;
        let Some(last) = last else { return Ok(false) };
        self.at = last.saturating_add(1);
        Ok(true)
    }

    /// Reads the contents that the entries of a task have commitments to. Gives the entries for which there is no room.
    fn fill(&self, task: &mut Task) -> Result<Option<Vec<u32>>, KernelError> {
        let wanted: Vec<Vec<Digest>> = task.entries().map(promised).collect();
        if wanted.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let (contents, served) = self.reads.contents(wanted)?;
        task.contents = contents;
        let rest = if served < task.entries.len() { task.entries.split_off(served) } else { Vec::new() };
        Ok(if rest.is_empty() { None } else { Some(rest) })
    }
}

/// With what an entry says that it was decided.
fn with(entry: Look<'_>) -> With {
    if entry.member(Name::Trouble).is_some() {
        return With::Nothing;
    }
    // A number that is too large for one is written as a text.
    let number = entry.member(Name::Registry).map(|number| number.trim_matches('"'));
    let number = number.and_then(|number| number.parse().ok());
    match (entry.member(Name::Of), number) {
        (None, Some(number)) => With::Version(number),
        (None, None) => With::Nothing,
        (Some("\"kernel\""), Some(number)) => {
            let bundle = entry.member(Name::Bundle).and_then(|name| Digest::parse(name.trim_matches('"')));
            bundle.map_or(With::Nothing, |bundle| With::Governing(bundle, number))
        }
        (Some(_), _) => With::Other,
    }
}

/// What an entry has commitments to. Where that makes no sense, it is told when the entry is decided.
fn promised(entry: Look<'_>) -> Vec<Digest> {
    if entry.member(Name::Committed).is_none() {
        return Vec::new();
    }
    let promised = Entry::read(entry.text().as_bytes()).ok().and_then(|entry| commitments(&entry).ok());
    let promised: BTreeSet<Digest> = promised.into_iter().flatten().map(|(_, digest)| digest).collect();
    promised.into_iter().collect()
}

/// Entries as they are in the store, one behind the other; where it finds one damaged itself, why.
#[derive(Debug, Default)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    /// Where each stands in the log, and where it ends here.
    rows: Vec<(u64, Result<usize, String>)>,
}

impl Rows {
    fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
    }

    /// Appends an entry.
    pub(super) fn push(&mut self, at: u64, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.rows.push((at, Ok(self.bytes.len())));
    }

    /// Appends one that can't be read.
    pub(super) fn push_damaged(&mut self, at: u64, why: String) {
        self.rows.push((at, Err(why)));
    }

    fn read(&mut self, tx: &mut dyn Tx, from: u64, limit: u32) -> Result<(), StoreError> {
        let before = (self.bytes.len(), self.rows.len());
        let read = tx.each_entry(from, limit, &mut |at, bytes| self.push(at, bytes));
        let Err(StoreError::Corrupt(why)) = read else { return read };
        // It does not say where: it is looked for by halves.
        self.bytes.truncate(before.0);
        self.rows.truncate(before.1);
        if limit <= 1 {
            self.push_damaged(from, why);
            return Ok(());
        }
        let half = limit.div_euclid(2);
        self.read(tx, from, half)?;
        self.read(tx, from.saturating_add(half.into()), limit.saturating_sub(half))
    }

    /// Where each stands in the log, and where it lies among the bytes.
    fn iter(&self) -> impl Iterator<Item = (u64, Result<Range<usize>, &str>)> {
        let mut start = 0;
        self.rows.iter().map(move |(at, row)| match row {
            Ok(end) => (*at, Ok(mem::replace(&mut start, *end)..*end)),
            Err(why) => (*at, Err(why.as_str())),
        })
    }
}
