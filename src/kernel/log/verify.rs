//! Verifying a log: everything is computed again from the bytes of the entries, and held against the hashes that were kept
//! and the heads that were signed. What does not fit is told by name.
//!
//! Two trees are grown: one from the leaves that are kept, one from the entries that are there. As long as they are one,
//! nothing was changed; where they part, the nodes above and the signed heads tell which of them is the old one.
//!
//! What can't be found from the inside: that the end of the log is gone together with every hash and checkpoint of it, or
//! that entries behind the last checkpoint were written anew together with all their hashes. Whoever wants to know keeps
//! checkpoints elsewhere, and gives them to [`Options::trusted`].

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Findings, of_checkpoint};
use super::leaves::{Leaf, leaves_of};
use super::order::Order;
use super::view::{AtOnce, InStore, Note, Rounds, Row, Stretch, View, node_of};
use crate::base::hash::Digest;
use crate::data::timestamp::Timestamp;
use crate::kernel::entry::read::Header;
use crate::kernel::store::{StoreError, Tx};
use crate::log::note::Verifier;
use crate::log::offline::open_checkpoint;
use crate::log::tree::{Frontier, Node};

/// How many entries are read at once.
const ROUND: u32 = 4_096;
/// The largest hole in a log that is walked over. Nothing is said of what is behind a larger one.
const HOLE_MAX: u64 = 1 << 20;
/// How many hashes and entries that do not fit are remembered.
const MISFITS_MAX: usize = 100_000;

/// Against what a log is verified.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The name of the log.
    pub origin: &'a str,
    /// Whose signatures on checkpoints are taken.
    pub known: &'a [Verifier],
    /// Checkpoints that were kept elsewhere, as signed notes.
    pub trusted: &'a [String],
    /// How many threads hash.
    pub threads: usize,
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// So many entries are verified.
    pub done: u64,
    /// Of so many.
    pub of: u64,
}

/// What a verification came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many entries there are.
    pub size: u64,
    /// How many of them were dropped, from the beginning on, as the log itself says. Only their hashes are verified.
    pub dropped: u64,
    /// The root of the tree of them.
    pub root: Digest,
    /// How many entries a checkpoint stands for that was signed and fits. Those behind are not promised to anybody yet.
    pub covered: u64,
    /// How many checkpoints were signed and fit, each of them once.
    pub checkpoints: u64,
    /// What is not as it was written.
    pub findings: Vec<Finding>,
    /// Whether there is more of that than was told.
    pub more: bool,
}

impl Report {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && !self.more
    }
}

/// Verifies the log of a store.
///
/// # Errors
/// The store can't be read at all. Damage that it finds in single entries, nodes or checkpoints is a finding.
pub fn verify(
    tx: &mut dyn Tx,
    options: &Options<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, StoreError> {
    verify_in(AtOnce(tx), options, progress)
}

/// The same in rounds, which may be transactions of their own: the entries that there are when it begins are verified.
pub(in crate::kernel) fn verify_in(
    rounds: impl Rounds,
    options: &Options<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, StoreError> {
    verify_view(&mut InStore::new(rounds), options, progress)
}

pub(super) fn verify_view(
    view: &mut dyn View,
    options: &Options<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, StoreError> {
    let mut findings = Findings::default();
    let promises = promises(view, options, &mut findings)?;
    let said = view.size()?;
    let step = view.step();
    let mut walk = Walk::new(promises, step);
    walk.keep_promises();
    let mut behind = view.dropped();
    walk.drop(view, behind, &mut findings)?;
    let mut rows = view.rows(behind, ROUND, &mut findings)?;
    while let Some(last) = rows.last().map(|row| row.at) {
        let start = behind;
        behind = last.saturating_add(1);
        if behind.saturating_sub(start) > HOLE_MAX {
            break;
        }
        let count = u32::try_from(behind.saturating_sub(start)).unwrap_or(u32::MAX);
        let stretch = Stretch { level: 0, from: start, count };
        // While these are hashed, what they are held against is read, and the next ones.
        let (leaves, read) = leaves_of(&rows, options.threads, || {
            let next = view.rows(behind, ROUND, &mut findings)?;
            let kept = view.nodes(&[stretch], &mut findings)?.pop().unwrap_or_default();
            Ok::<_, StoreError>((next, kept))
        });
        let (next, kept) = read?;
        walk.round(view, start, Round { rows: &rows, leaves: &leaves, kept: &kept }, &mut findings)?;
        progress(Progress { done: behind, of: said.max(behind) });
        rows = next;
    }
    let size = walk.kept.size();
    // Leaves behind the last entry: of entries that were there.
    loop {
        let start = walk.kept.size();
        let stretch = Stretch { level: 0, from: start, count: ROUND };
        let kept = view.nodes(&[stretch], &mut findings)?.pop().unwrap_or_default();
        let count = kept.iter().take_while(|hash| hash.is_some()).count();
        if count == 0 || start.saturating_sub(size) > HOLE_MAX {
            break;
        }
        walk.leaves(start, &kept.into_iter().take(count).collect::<Vec<_>>(), &mut BTreeMap::new(), &mut findings);
        walk.nodes(view, &mut findings)?;
        walk.stood = walk.kept.size();
    }
    walk.finish(view, size, said, findings)
}

/// A head that was signed.
#[derive(Clone, Debug)]
struct Promise {
    size: u64,
    root: Digest,
    /// Whether the tree of the kept leaves, and that of the entries, have this root.
    fits: Option<(bool, bool)>,
}

impl Promise {
    fn is_kept(&self) -> bool {
        matches!(self.fits, Some((true, _) | (_, true)))
    }
}

/// The heads that were signed, by size.
fn promises(view: &mut dyn View, options: &Options<'_>, findings: &mut Findings) -> Result<Vec<Promise>, StoreError> {
    let mut notes = view.notes(findings)?;
    notes.extend(options.trusted.iter().enumerate().map(|(at, note)| Note {
        which: format!("kept elsewhere, number {}", at.saturating_add(1)),
        note: note.clone(),
        size: None,
    }));
    let mut promises = Vec::new();
    for Note { which, note, size } in notes {
        match open_checkpoint(&note, options.origin, options.known) {
            Ok(head) if size.is_none_or(|size| size == head.size) => {
                promises.push(Promise { size: head.size, root: head.root, fits: None });
            }
            Ok(head) => {
                let why = format!("it is of {} entries", head.size);
                findings.push(Finding::Checkpoint { which, why });
            }
            Err(fault) => findings.push(Finding::Checkpoint { which, why: of_checkpoint(fault) }),
        }
    }
    // What is kept elsewhere too is no second promise.
    promises.sort_by_key(|promise| (promise.size, promise.root));
    promises.dedup_by_key(|promise| (promise.size, promise.root));
    Ok(promises)
}

/// A node that two trees have, and what it is in each.
struct Twin {
    node: Node,
    kept: Digest,
    found: Digest,
}

/// What is read of the log at once: what stands there, what that is by itself, and the leaves that are kept of it.
struct Round<'r> {
    rows: &'r [Row],
    leaves: &'r [Option<Leaf>],
    kept: &'r [Option<Digest>],
}

/// An entry whose hash is not the kept one, and its id as it stands there.
type Misfits = BTreeMap<u64, Option<String>>;

/// A walk through a log.
struct Walk {
    step: u8,
    promises: Vec<Promise>,
    next_promise: usize,
    /// The tree of the kept leaves; of the entries, where none is kept.
    kept: Frontier,
    /// The tree of the entries, once it is another one.
    found: Option<Frontier>,
    /// What is complete since the kept nodes were looked at.
    complete: Vec<Twin>,
    /// Entries before this are not there, and up to there the log says so.
    dropped: u64,
    told: u64,
    order: Order,
    /// Behind the last place where an entry was, as the leaves say.
    stood: u64,
    last_time: Option<Timestamp>,
    misfits: Misfits,
    /// Places of which neither entry nor leaf is there.
    unknown: BTreeSet<u64>,
    /// Kept nodes that are not what is below them, and whether they are not in the tree of the entries either.
    strange: BTreeMap<Node, bool>,
}

impl Walk {
    fn new(promises: Vec<Promise>, step: u8) -> Walk {
        Walk {
            step,
            promises,
            next_promise: 0,
            kept: Frontier::default(),
            found: None,
            complete: Vec::new(),
            dropped: 0,
            told: 0,
            order: Order::default(),
            stood: 0,
            last_time: None,
            misfits: Misfits::new(),
            unknown: BTreeSet::new(),
            strange: BTreeMap::new(),
        }
    }

    /// Holds the trees against the heads that were signed of as many entries.
    fn keep_promises(&mut self) {
        while let Some(promise) = self.promises.get_mut(self.next_promise)
            && promise.size == self.kept.size()
        {
            let kept = promise.root == self.kept.root();
            let found = self.found.as_ref().map_or(kept, |found| promise.root == found.root());
            promise.fits = Some((kept, found));
            self.next_promise = self.next_promise.saturating_add(1);
        }
    }

    /// The entries before a place were dropped; their leaves are there.
    fn drop(&mut self, view: &mut dyn View, dropped: u64, findings: &mut Findings) -> Result<(), StoreError> {
        let mut from = 0;
        while from < dropped {
            let count = u32::try_from(dropped.saturating_sub(from)).unwrap_or(u32::MAX).min(ROUND);
            let stretch = Stretch { level: 0, from, count };
            let kept = view.nodes(&[stretch], findings)?.pop().unwrap_or_default();
            self.leaves(from, &kept, &mut BTreeMap::new(), findings);
            self.nodes(view, findings)?;
            from = from.saturating_add(count.into());
        }
        self.dropped = dropped;
        self.order = Order::from(dropped);
        self.stood = dropped;
        Ok(())
    }

    /// What stands from `start` to the last of some rows.
    fn round(
        &mut self,
        view: &mut dyn View,
        start: u64,
        Round { rows, leaves, kept }: Round<'_>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let kept_at = |at: u64| {
            let place = usize::try_from(at.checked_sub(start)?).ok()?;
            kept.get(place).copied().flatten()
        };
        let mut hashes = BTreeMap::new();
        for (row, leaf) in rows.iter().zip(leaves) {
            let Some(leaf) = leaf else {
                // It can't be read, and that was told. It is not missing.
                let index = self.order.expected(row.at);
                self.order.push(row.at, index, || None);
                self.stood = row.at.saturating_add(1);
                continue;
            };
            let stored = kept_at(row.at);
            if stored != Some(leaf.hash) {
                hashes.insert(row.at, leaf.hash);
            }
            let id =
                || row.bytes.as_ref().and_then(|bytes| Header::read(bytes).ok()).map(|header| header.id.to_owned());
            let index = match &leaf.read {
                Ok((index, _)) if *index == row.at => {
                    if stored.is_some_and(|stored| stored != leaf.hash) {
                        self.misfit(row.at, id(), findings);
                    }
                    row.at
                }
                // It says that it belongs elsewhere, and what is kept says so, or does not contradict.
                Ok((index, _)) if stored.is_none_or(|stored| stored == leaf.hash) => *index,
                Ok((index, _)) => {
                    let there = match kept_at(*index) {
                        Some(hash) => Some(hash),
                        None => node_of(view, Node { level: 0, index: *index }, findings)?,
                    };
                    if there == Some(leaf.hash) {
                        *index
                    } else {
                        self.misfit(row.at, id(), findings);
                        self.order.expected(row.at)
                    }
                }
                Err(why) => {
                    if stored.is_none_or(|stored| stored == leaf.hash) {
                        findings.push(Finding::Malformed { index: row.at, why: *why });
                    } else {
                        self.misfit(row.at, None, findings);
                    }
                    self.order.expected(row.at)
                }
            };
            if leaf.is_hidden && stored == Some(leaf.hash) {
                findings.push(Finding::Hidden { index: row.at, id: id() });
            }
            if let Ok((_, time)) = leaf.read
                && index == row.at
                && stored == Some(leaf.hash)
            {
                if self.last_time.is_some_and(|last| time < last) {
                    findings.push(Finding::BackInTime { index, id: id() });
                }
                self.last_time = Some(time);
                self.told = self.told.max(leaf.dropped.unwrap_or_default());
            }
            // Where a leaf is that of an entry from elsewhere, somebody put both there.
            if stored.is_some_and(|stored| index == row.at || stored != leaf.hash) {
                self.stood = row.at.saturating_add(1);
            }
            self.order.push(row.at, index, id);
        }
        self.leaves(start, kept, &mut hashes, findings);
        self.nodes(view, findings)
    }

    fn misfit(&mut self, at: u64, id: Option<String>, findings: &mut Findings) {
        if self.misfits.len() < MISFITS_MAX {
            self.misfits.insert(at, id);
        } else {
            findings.more = true;
        }
    }

    /// A node that is not kept. Of files, the file was told.
    fn missing(&self, node: Node, findings: &mut Findings) {
        if self.step == 1 {
            findings.push(Finding::NodeMissing(node));
        }
    }

    /// Grows both trees by leaves that are kept, where entries have other hashes with those.
    fn leaves(
        &mut self,
        start: u64,
        kept: &[Option<Digest>],
        others: &mut BTreeMap<u64, Digest>,
        findings: &mut Findings,
    ) {
        for (at, stored) in (start..).zip(kept) {
            let entry = if others.is_empty() { None } else { others.remove(&at) };
            if stored.is_none() {
                self.missing(Node { level: 0, index: at }, findings);
                if entry.is_none() {
                    self.unknown.insert(at);
                }
            }
            let kept = stored.or(entry).unwrap_or(Digest([0; 32]));
            let found = entry.unwrap_or(kept);
            if kept != found && self.found.is_none() {
                self.found = Some(self.kept.clone());
            }
            let complete = &mut self.complete;
            let first = complete.len();
            let step = self.step;
            let is_kept = |node: Node| node.level > 0 && node.level.is_multiple_of(step);
            self.kept.append(kept, |node, hash| {
                if is_kept(node) {
                    complete.push(Twin { node, kept: hash, found: hash });
                }
            });
            if let Some(tree) = &mut self.found {
                let mut twins = complete.iter_mut().skip(first);
                tree.append(found, |node, hash| {
                    if is_kept(node)
                        && let Some(twin) = twins.next()
                    {
                        twin.found = hash;
                    }
                });
            }
            self.keep_promises();
        }
    }

    /// Holds the nodes that are complete now against those that are kept.
    fn nodes(&mut self, view: &mut dyn View, findings: &mut Findings) -> Result<(), StoreError> {
        let mut levels: BTreeMap<u8, Vec<Twin>> = BTreeMap::new();
        for twin in self.complete.drain(..) {
            levels.entry(twin.node.level).or_default().push(twin);
        }
        let stretch = |(level, twins): (&u8, &Vec<Twin>)| {
            let from = twins.first()?.node.index;
            Some(Stretch { level: *level, from, count: u32::try_from(twins.len()).unwrap_or(u32::MAX) })
        };
        let stretches: Vec<Stretch> = levels.iter().filter_map(stretch).collect();
        if stretches.is_empty() {
            return Ok(());
        }
        for (twins, kept) in levels.values().zip(view.nodes(&stretches, findings)?) {
            for (twin, stored) in twins.iter().zip(kept) {
                match stored {
                    None => self.missing(twin.node, findings),
                    Some(stored) if stored == twin.kept => {}
                    Some(_) if self.strange.len() >= MISFITS_MAX => findings.more = true,
                    Some(stored) => _ = self.strange.insert(twin.node, stored != twin.found),
                }
            }
        }
        Ok(())
    }

    /// Tells what all of that means.
    fn finish(
        mut self,
        view: &mut dyn View,
        size: u64,
        said: u64,
        mut findings: Findings,
    ) -> Result<Report, StoreError> {
        let step = u32::from(self.step);
        // An entry was changed, or the leaf that is kept of it. The node above tells which, where there is one; the next
        // head that was signed tells it too.
        let mut torn = BTreeSet::new();
        for (index, id) in std::mem::take(&mut self.misfits) {
            torn.insert(index);
            let above = Node { level: self.step, index: index.checked_shr(step).unwrap_or(0) };
            let promise = self.promises.iter().find(|promise| promise.size > index && promise.is_kept());
            let is_leaf = self.strange.get(&above) == Some(&false)
                || promise.is_some_and(|promise| promise.fits == Some((false, true)));
            findings.push(if is_leaf {
                Finding::NodeChanged(Node { level: 0, index })
            } else {
                self.unknown.insert(index);
                Finding::Changed { index, id }
            });
        }
        // A node is strange by itself if nothing below it is; else it may only tell of that.
        for (node, is_strange) in &self.strange {
            let level = node.level.saturating_sub(self.step);
            let from = node.index.checked_shl(step).unwrap_or(u64::MAX);
            let to = from.saturating_add(1_u64.checked_shl(step).unwrap_or(u64::MAX));
            let is_told = if level == 0 {
                self.unknown.range(from..to).next().is_some()
            } else {
                let below = Node { level, index: from }..Node { level, index: to };
                self.strange.range(below).any(|(_, is_strange)| *is_strange)
            };
            if *is_strange && !is_told {
                findings.push(Finding::NodeChanged(*node));
            }
        }
        let signed = self.promises.iter().map(|promise| promise.size).max().unwrap_or(0);
        let promised = signed.max(self.stood).max(if said > size { said } else { 0 });
        let reach = self.order.reach();
        if size < promised && reach < promised {
            findings.push(Finding::Truncated { size, promised });
        } else if reach < promised {
            findings.push(Finding::Missing { from: reach, to: promised });
        }
        let told = self.told.min(self.dropped);
        if told < self.dropped {
            findings.push(Finding::Missing { from: told, to: self.dropped });
        }
        std::mem::take(&mut self.order).tell(&mut findings);
        let mut covered = 0;
        let mut was_kept = true;
        // Where something else explains that a head does not fit, nothing is said of a fork.
        torn.append(&mut self.unknown);
        for promise in self.promises.iter().filter(|promise| promise.fits.is_some()) {
            if promise.is_kept() {
                covered = promise.size;
            } else if was_kept && torn.range(covered..promise.size).next().is_none() {
                let id = id_at(view, covered, &mut Findings::default())?;
                findings.push(Finding::Forked { from: covered, to: promise.size, id });
            }
            was_kept = promise.is_kept();
        }
        let checkpoints = self.promises.iter().filter(|promise| promise.is_kept()).count();
        Ok(Report {
            size,
            dropped: told,
            root: self.found.as_ref().unwrap_or(&self.kept).root(),
            covered,
            checkpoints: u64::try_from(checkpoints).unwrap_or(u64::MAX),
            findings: findings.list,
            more: findings.more,
        })
    }
}

fn id_at(view: &mut dyn View, at: u64, findings: &mut Findings) -> Result<Option<String>, StoreError> {
    let rows = view.rows(at, 1, findings)?;
    let bytes = rows.first().filter(|row| row.at == at).and_then(|row| row.bytes.as_ref());
    Ok(bytes.and_then(|bytes| Header::read(bytes).ok()).map(|header| header.id.to_owned()))
}
