//! A log that was exported, replayed without the store that it came from: by anybody who has its files.
//!
//! ```text
//! tile/entries/000 …         the entries, as any export has them
//! bundle/…                   bundles, by their names
//! content/…                  the documents of the registry and of its operators, and their patches, by their digests;
//!                            what commitments are of, where that was exported too
//! ```
//!
//! What neighbours may rely on:
//!
//! - Nothing is believed that was not digested: a bundle has to have the name that a decision gives, a document the digest
//!   that its change gives, and the entities that come of it the one that the decision gives.
//! - What is not among the files may be given beside them. It is found by its digest, whatever it is called.
//! - What is behind commitments is in an export only if it was asked for. Decisions that need it are counted as
//!   [`Gap::Hidden`] where it is not, whether it was erased or not: from here that can't be told.
//! - The policy of the kernel itself is the one of this kernel, where it has that name; and who the operators were stands in
//!   the log. So what was done to the kernel is decided again without any other file.
//! - It does not ask whether the entries are those that were signed: that is [`verify_files`].
//!
//! [`verify_files`]: crate::kernel::log::export::verify_files

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::again::Contents;
use super::against::{Logged, compared};
use super::rounds::{CONTENTS_BYTES, Reads, Rows};
use super::versions::{Parts, Source, parts};
use super::{Gap, Options, Outcome, Progress, Report, replayed};
use crate::base::hash::Digest;
use crate::bytecode::bundle::LoadOptions;
use crate::kernel::bundles;
use crate::kernel::engine::Kernel;
use crate::kernel::entry::read::Header;
use crate::kernel::entry::{Entry, Kind};
use crate::kernel::error::KernelError;
use crate::kernel::govern::act::Act;
use crate::kernel::govern::{self, operators};
use crate::kernel::log::commitment::{self, commitments};
use crate::kernel::log::export::{CHECKPOINT, Files, first_file, without_files};
use crate::kernel::log::{LogError, compact};
use crate::kernel::record::Principal;
use crate::kernel::registry::Step;
use crate::log::checkpoint::Checkpoint;
use crate::log::tile::{TILE_WIDTH, Tile, read_entries};
use crate::vm::machine::{Decided, Machine};

/// How many changes are read at once.
const CHANGES: u32 = 256;

/// What is known of an export beside its files.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Bundles.
    pub bundles: Vec<Vec<u8>>,
    /// Documents of entities: whole ones.
    pub entities: Vec<Vec<u8>>,
}

/// Replays a log that was exported. See [`exported`](self).
///
/// # Errors
/// There is no such log, or a file can't be read. What is wrong with single entries, bundles or versions is in the report.
pub fn replay_files(
    files: &mut dyn Files,
    given: Given,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, KernelError> {
    replayed(&Exported::open(files, given)?, options, progress).map(hidden)
}

/// Decides everything that was asked in such a log by another policy, as [`Kernel::replay_against`] does.
///
/// # Errors
/// As of [`replay_files`].
pub fn replay_files_against(
    files: &mut dyn Files,
    given: Given,
    policy: &Arc<Machine>,
    options: &Options,
    look: &(dyn Fn(&Logged<'_>, &mut Decided<'_>) + Sync),
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, KernelError> {
    compared(&Exported::open(files, given)?, policy, options, look, progress).map(hidden)
}

/// What is not in an export need not have been erased.
fn hidden(mut report: Report) -> Report {
    if let Some(count) = report.not_replayed.remove(&Gap::Erased) {
        report.not_replayed.insert(Gap::Hidden, count);
    }
    for finding in &mut report.findings {
        if let Outcome::NotReplayed(lost) = &mut finding.outcome
            && lost.gap == Gap::Erased
        {
            lost.gap = Gap::Hidden;
        }
    }
    report
}

/// Whether a file of a bundle or of a content is what its path says; true of any other path.
#[must_use]
pub fn is_of_its_path(path: &str, bytes: &[u8]) -> bool {
    if path.starts_with("content/") {
        return path == content_path(Digest::of(bytes));
    }
    let name = || Machine::load(bytes, &LoadOptions::UNSIGNED).ok()?.origin().map(|origin| origin.name);
    !path.starts_with("bundle/") || name().is_some_and(|name| path == bundle_path(name))
}

/// The file of a bundle of this name.
fn bundle_path(name: Digest) -> String {
    format!("bundle/{}", digits(name))
}

/// The file of a content with this digest.
#[must_use]
pub fn content_path(digest: Digest) -> String {
    format!("content/{}", digits(digest))
}

fn digits(digest: Digest) -> String {
    digest.to_string().split_off("sha256:".len())
}

impl Kernel {
    /// Writes what the decisions among the first entries of the log were made with, as far as the log tells of it: bundles,
    /// the versions of the registry, the operators. Gives how many files these are. With the files of
    /// [`export_log`](Kernel::export_log) others can then replay the log.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]. The store can't be read; something that the log names is not kept; a file can't be written.
    pub fn export_replayable(&self, who: &Principal, size: u64, files: &mut dyn Files) -> Result<u64, KernelError> {
        self.permit(who, Act::export_log())?;
        self.look_at_all(who, "entities", |_, _| Ok(()))?;
        let mut written = BTreeSet::new();
        for kind in [Kind::RegistryChanged, Kind::OperatorsChanged] {
            let mut from = 0;
            loop {
                let rows = self.read(move |tx| Ok(tx.entries_of(kind.name(), from, CHANGES)?))?;
                let Some((last, _)) = rows.last() else { break };
                from = last.saturating_add(1);
                for (_, bytes) in rows.iter().filter(|(at, _)| *at < size) {
                    let change = Change::read(bytes).ok_or_else(|| KernelError::Damaged("the log".to_owned()))?;
                    self.write_files(&change, files, &mut written)?;
                }
                if from >= size {
                    break;
                }
            }
        }
        Ok(u64::try_from(written.len()).unwrap_or(u64::MAX))
    }

    /// Writes what is kept of the commitments in the first entries of the log, each by its digest: what policies call
    /// sensitive, and requests that could not be read. Gives how many files these are. What was erased is not among them.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]. The store can't be read; an entry is none; a file can't be written.
    pub fn export_revealed(
        &self,
        who: &Principal,
        size: u64,
        files: &mut dyn Files,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<u64, KernelError> {
        self.permit(who, Act::export_log())?;
        self.permit(who, Act::read_log(true))?;
        let (mut written, mut from) = (BTreeSet::new(), self.read(|tx| Ok(tx.dropped()?))?);
        while from < size {
            let rows = self.read(move |tx| {
                let count = u32::try_from(size.saturating_sub(from)).unwrap_or(u32::MAX).min(CHANGES);
                Ok(tx.entries(from, count)?)
            })?;
            let Some((last, _)) = rows.last() else { break };
            from = last.saturating_add(1);
            for (at, bytes) in &rows {
                // A look at each, before one is read.
                if !std::str::from_utf8(bytes).is_ok_and(|text| text.contains(commitment::LIST)) {
                    continue;
                }
                let entry = Entry::read(bytes).map_err(|_| KernelError::Damaged(format!("entry {at} of the log")))?;
                for digest in
                    commitments(&entry)?.into_values().filter(|digest| !written.contains(digest)).collect::<Vec<_>>()
                {
                    let Some(content) = self.read(move |tx| Ok(tx.content(digest)?))? else { continue };
                    files.write(&content_path(digest), &content).map_err(LogError::Files)?;
                    written.insert(digest);
                }
            }
            progress(Progress { done: from, of: size });
        }
        Ok(u64::try_from(written.len()).unwrap_or(u64::MAX))
    }

    fn write_files(
        &self,
        change: &Change,
        files: &mut dyn Files,
        written: &mut BTreeSet<String>,
    ) -> Result<(), KernelError> {
        let Step { bundle, snapshot, patch, .. } = change.step;
        let contents = [snapshot, patch].into_iter().flatten().map(|digest| (content_path(digest), false, digest));
        for (path, is_bundle, digest) in contents.chain([(bundle_path(bundle), true, bundle)]) {
            if written.contains(&path) {
                continue;
            }
            let bytes = self.read(move |tx| {
                let content = if is_bundle { bundles::content_of(tx, digest)? } else { Some(digest) };
                content.map(|content| Ok(tx.content(content)?)).transpose().map(Option::flatten)
            })?;
            let bytes = bytes.ok_or_else(|| KernelError::Damaged(format!("what the log calls {digest}")))?;
            files.write(&path, &bytes).map_err(LogError::Files)?;
            written.insert(path);
        }
        Ok(())
    }
}

/// What an entry says of a change of the registry, or of the operators.
struct Change {
    kind: Kind,
    version: u64,
    step: Step,
    /// Of the operators: who was appointed or removed.
    changes: Vec<Value>,
}

impl Change {
    fn read(bytes: &[u8]) -> Option<Change> {
        let entry = Entry::read(bytes).ok()?;
        let body: &Map<String, Value> = &entry.body;
        let digest = |name: &str| Digest::parse(body.get(name)?.as_str()?);
        let step = Step {
            bundle: digest("bundle")?,
            digest: digest("digest")?,
            snapshot: digest("snapshot"),
            patch: digest("patch"),
        };
        let changes = body.get("changes").and_then(Value::as_array).cloned().unwrap_or_default();
        Some(Change { kind: entry.kind, version: body.get("version")?.as_u64()?, step, changes })
    }

    /// Whether an entry may be one, for a look at each.
    fn is_likely(bytes: &[u8]) -> bool {
        let names = [Kind::RegistryChanged, Kind::OperatorsChanged].map(|kind| format!("\"kind\":\"{}\"", kind.name()));
        std::str::from_utf8(bytes).is_ok_and(|text| names.iter().any(|name| text.contains(name.as_str())))
    }
}

/// How many entries were dropped, if an entry tells of that.
fn told_dropped(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    // A look at each, before one is read.
    let is_likely = text.contains(Kind::LogCompacted.name());
    is_likely.then(|| compact::dropped(&Header::read(bytes).ok()?))?
}

/// The files of a log.
struct Exported<'f> {
    files: RefCell<&'f mut dyn Files>,
    size: u64,
    dropped: u64,
    versions: BTreeMap<u64, Step>,
    operators: BTreeMap<u64, (Step, Vec<Value>)>,
    /// Bundles that were given, by their names.
    bundles: BTreeMap<Digest, Vec<u8>>,
    entities: Vec<Vec<u8>>,
}

impl fmt::Debug for Exported<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exported").field("size", &self.size).finish_non_exhaustive()
    }
}

impl<'f> Exported<'f> {
    fn open(files: &'f mut dyn Files, given: Given) -> Result<Exported<'f>, KernelError> {
        let damaged = |why: &str| KernelError::Damaged(format!("the exported log: {why}"));
        let note = files.read(CHECKPOINT).map_err(LogError::Files)?.ok_or_else(|| damaged("it has no checkpoint"))?;
        let note = String::from_utf8(note).map_err(|_| damaged("its checkpoint is no text"))?;
        let head = note.split_once("\n\n").and_then(|(text, _)| Checkpoint::parse(&format!("{text}\n")));
        let size = head.ok_or_else(|| damaged("its checkpoint is none"))?.size;
        let mut bundles = BTreeMap::new();
        for bytes in given.bundles {
            let machine = Machine::load(&bytes, &LoadOptions::UNSIGNED)?;
            if let Some(origin) = machine.origin() {
                bundles.insert(origin.name, bytes);
            }
        }
        let mut exported = Exported {
            files: RefCell::new(files),
            size,
            dropped: 0,
            versions: BTreeMap::new(),
            operators: BTreeMap::new(),
            bundles,
            entities: given.entities,
        };
        exported.find_changes()?;
        Ok(exported)
    }

    /// Looks for all changes of the registry: what a version is made of stands in them.
    fn find_changes(&mut self) -> Result<(), KernelError> {
        let without = without_files(self.size, |path| self.read_file(path))?;
        let (mut at, mut told) = (without, 0);
        while let Some(tile) = Tile::of_entry(at, self.size) {
            at = at.saturating_add(tile.width.into());
            let Some(bytes) = self.read_file(&tile.to_string())? else { continue };
            for entry in read_entries(tile, &bytes).unwrap_or_default() {
                told = told.max(told_dropped(entry).unwrap_or_default());
                let Some(change) = Some(entry).filter(|entry| Change::is_likely(entry)).and_then(Change::read) else {
                    continue;
                };
                match change.kind {
                    Kind::RegistryChanged => _ = self.versions.entry(change.version).or_insert(change.step),
                    Kind::OperatorsChanged => {
                        _ = self.operators.entry(change.version).or_insert((change.step, change.changes))
                    }
                    _ => {}
                }
            }
        }
        // Where no entry says that they were dropped, they are missing.
        self.dropped = without.min(first_file(told));
        Ok(())
    }

    fn read_file(&self, path: &str) -> Result<Option<Vec<u8>>, KernelError> {
        Ok(self.files.borrow_mut().read(path).map_err(LogError::Files)?)
    }
}

impl Source for &Exported<'_> {
    fn step(&mut self, version: u64) -> Result<Option<Step>, KernelError> {
        Ok(self.versions.get(&version).copied())
    }

    fn content(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, KernelError> {
        let bytes = match self.read_file(&content_path(digest))? {
            Some(bytes) => Some(bytes),
            None => self.entities.iter().find(|bytes| Digest::of(bytes) == digest).cloned(),
        };
        match bytes {
            Some(bytes) if Digest::of(&bytes) != digest => {
                Err(KernelError::Damaged(format!("the file of the content {digest}")))
            }
            bytes => Ok(bytes),
        }
    }
}

impl Reads for Exported<'_> {
    fn extent(&self) -> Result<(u64, u64), KernelError> {
        Ok((self.size, self.dropped))
    }

    fn rows(&self, mut rows: Rows, from: u64, limit: u32) -> Result<Rows, KernelError> {
        let mut at = from.max(self.dropped);
        let until = from.saturating_add(limit.into()).max(at.saturating_add(1)).min(self.size);
        while at < until {
            let Some(tile) = Tile::of_entry(at, self.size) else { break };
            let path = tile.to_string();
            let bytes = self.read_file(&path)?;
            let start = at.saturating_sub(at.checked_rem(TILE_WIDTH.into()).unwrap_or(0));
            let end = start.saturating_add(tile.width.into()).min(until);
            match bytes.as_deref().and_then(|bytes| read_entries(tile, bytes)) {
                Some(entries) => {
                    let entries = (start..end).zip(entries).filter(|(index, _)| *index >= at);
                    entries.for_each(|(index, entry)| rows.push(index, entry));
                }
                None => (at..end).for_each(|index| rows.push_damaged(index, format!("its file `{path}` is not there"))),
            }
            at = end;
        }
        Ok(rows)
    }

    fn contents(&self, wanted: Vec<Vec<Digest>>) -> Result<(Contents, usize), KernelError> {
        let (mut contents, mut bytes, mut served) = (Contents::new(), 0_usize, 0_usize);
        for digest in wanted {
            if bytes > CONTENTS_BYTES {
                break;
            }
            for digest in digest {
                let content = self.read_file(&content_path(digest))?;
                // What is damaged is missing among what was read, which is not the same as hidden.
                if content.as_ref().is_some_and(|content| Digest::of(content) != digest) {
                    continue;
                }
                bytes = bytes.saturating_add(content.as_ref().map_or(0, Vec::len));
                contents.insert(digest, content);
            }
            served = served.saturating_add(1);
        }
        Ok((contents, served))
    }

    fn bundle(&self, name: Digest) -> Result<Option<Vec<u8>>, KernelError> {
        match self.read_file(&bundle_path(name))? {
            Some(bytes) => Ok(Some(bytes)),
            None if name == govern::name(&*govern::machine()?)? => Ok(Some(govern::BUNDLE.to_vec())),
            None => Ok(self.bundles.get(&name).cloned()),
        }
    }

    fn operators(&self, version: u64) -> Result<Option<(Digest, Vec<u8>)>, KernelError> {
        let Some((step, _)) = self.operators.get(&version) else { return Ok(None) };
        let mut source = self;
        let document = match step.snapshot.map(|snapshot| source.content(snapshot)).transpose()?.flatten() {
            Some(document) => Some(document),
            // Where all changes are there, they say who it was. Whether that is right, the digest tells.
            None => {
                let all = (1..=version).map(|version| self.operators.get(&version).map(|(_, changes)| changes));
                all.collect::<Option<Vec<_>>>().and_then(|changes| operators::of_changes(changes.into_iter().flatten()))
            }
        };
        let missing = || KernelError::Damaged(format!("version {version} of the operators"));
        Ok(Some((step.digest, document.ok_or_else(missing)?)))
    }

    fn parts(&self, version: u64, have: &[u64]) -> Result<Parts, KernelError> {
        parts(&mut { self }, version, have)
    }

    fn given(&self) -> &[Vec<u8>] {
        &self.entities
    }
}
