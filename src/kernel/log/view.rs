//! What a log is verified in: a store, or the files of an export.
//!
//! A store is read in rounds, each a transaction of its own if whoever calls has it so: what was appended once never
//! changes, so a verification of the entries that there are when it begins sees one log, however many are appended
//! meanwhile.

use super::checkpoint;
use super::finding::{Finding, Findings};
use crate::base::hash::Digest;
use crate::kernel::store::{Query, StoreError, Tx};
use crate::log::tree::Node;

/// How many checkpoints are read at once.
const CHECKPOINTS_AT_ONCE: u32 = 1_000;

/// What stands at a place of the log.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) at: u64,
    /// `None` if it can't be read; that was told then.
    pub(super) bytes: Option<Vec<u8>>,
    /// By which id and kind it is found, if that is kept beside it.
    pub(super) listed: Option<String>,
}

/// A head that somebody signed, before anybody has looked at the signature.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) which: String,
    pub(super) note: String,
    /// The size that it is kept as, if it is.
    pub(super) size: Option<u64>,
}

/// Nodes of a level that follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) level: u8,
    pub(super) from: u64,
    pub(super) count: u32,
}

/// The hashes of nodes; `None` where there is none.
pub(super) type Hashes = Vec<Option<Digest>>;

/// Where entries, hashes and checkpoints of a log are read. What can't be read is told to the findings.
pub(super) trait View {
    /// Of how many levels of the tree one is kept: 1 or 8.
    fn step(&self) -> u8;

    /// How many entries it says it has. What is appended later is not seen from here on.
    fn size(&mut self) -> Result<u64, StoreError>;

    /// How many entries were dropped, from the beginning on. Known once the size is.
    fn dropped(&self) -> u64;

    /// What stands from a place on, at most so many; nothing if the log ends there.
    fn rows(&mut self, from: u64, limit: u32, findings: &mut Findings) -> Result<Vec<Row>, StoreError>;

    /// The hashes of nodes of levels that are kept, for each stretch.
    fn nodes(&mut self, stretches: &[Stretch], findings: &mut Findings) -> Result<Vec<Hashes>, StoreError>;

    /// The checkpoints that are kept. They are asked for before the size: so none is of more entries than are seen.
    fn notes(&mut self, findings: &mut Findings) -> Result<Vec<Note>, StoreError>;
}

/// How a store is read: all in one transaction, or each round in one of its own.
pub(in crate::kernel) trait Rounds {
    /// Reads a round.
    fn read<T: Send + 'static>(
        &mut self,
        round: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError>;
}

/// All rounds in one transaction.
pub(super) struct AtOnce<'t>(pub(super) &'t mut dyn Tx);

impl Rounds for AtOnce<'_> {
    fn read<T: Send + 'static>(
        &mut self,
        round: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        round(self.0)
    }
}

/// A store.
pub(super) struct InStore<R> {
    rounds: R,
    /// Nothing from here on is looked at: it was appended since.
    end: u64,
    dropped: u64,
}

impl<R: Rounds> InStore<R> {
    pub(super) fn new(rounds: R) -> InStore<R> {
        InStore { rounds, end: u64::MAX, dropped: 0 }
    }
}

impl<R: Rounds> View for InStore<R> {
    fn step(&self) -> u8 {
        1
    }

    fn size(&mut self) -> Result<u64, StoreError> {
        let (size, dropped, is_whole) = self.rounds.read(|tx| {
            let (size, dropped) = (tx.log_size()?, tx.dropped()?);
            let behind = nodes_by_halves(tx, Stretch { level: 0, from: size, count: 1 })?;
            Ok((size, dropped, behind.iter().all(Option::is_none)))
        })?;
        self.dropped = dropped;
        // A log that ends before its leaves do was cut off. Nothing can be appended to it: the place of its leaf is taken.
        self.end = if is_whole { size } else { u64::MAX };
        Ok(size)
    }

    fn dropped(&self) -> u64 {
        self.dropped
    }

    fn rows(&mut self, from: u64, limit: u32, findings: &mut Findings) -> Result<Vec<Row>, StoreError> {
        let dropped = self.dropped;
        let limit = u32::try_from(self.end.saturating_sub(from)).unwrap_or(u32::MAX).min(limit);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let (rows, found) = self.rounds.read(move |tx| {
            if tx.dropped()? != dropped {
                return Err(StoreError::Unavailable("entries were dropped while the log was read".to_owned()));
            }
            let mut found = Findings::default();
            let mut rows = rows_by_halves(tx, from, limit, &mut found)?;
            let mut listed = tx.listed(from, limit)?.into_iter().peekable();
            for row in &mut rows {
                while listed.next_if(|(at, _)| *at < row.at).is_some() {}
                row.listed = listed.next_if(|(at, _)| *at == row.at).map(|(_, listed)| listed);
            }
            Ok((rows, found))
        })?;
        findings.take(found);
        Ok(rows)
    }

    fn nodes(&mut self, stretches: &[Stretch], _: &mut Findings) -> Result<Vec<Hashes>, StoreError> {
        let (stretches, end) = (stretches.to_vec(), self.end);
        self.rounds.read(move |tx| {
            let hashes_of = |stretch: Stretch| {
                let there = end.checked_shr(stretch.level.into()).unwrap_or(0).saturating_sub(stretch.from);
                let count = u32::try_from(there).unwrap_or(u32::MAX).min(stretch.count);
                let mut hashes = nodes_by_halves(tx, Stretch { count, ..stretch })?;
                hashes.resize(usize::try_from(stretch.count).unwrap_or(usize::MAX), None);
                Ok(hashes)
            };
            stretches.into_iter().map(hashes_of).collect()
        })
    }

    fn notes(&mut self, findings: &mut Findings) -> Result<Vec<Note>, StoreError> {
        let mut notes = Vec::new();
        let mut current = None;
        let mut query = Query {
            kind: checkpoint::KIND.to_owned(),
            state: None,
            due_until_ms: None,
            after: None,
            limit: CHECKPOINTS_AT_ONCE,
        };
        loop {
            let round = query.clone();
            let objects = match self.rounds.read(move |tx| tx.find(&round)) {
                Ok(objects) => objects,
                Err(StoreError::Corrupt(why)) if query.limit <= 1 => {
                    // What is behind it can't be found: it has no name to be passed by.
                    let which = query.after.map_or("that is the first".to_owned(), |key| format!("behind {key}"));
                    findings.push(Finding::Checkpoint { which, why });
                    return Ok(notes);
                }
                Err(StoreError::Corrupt(_)) => {
                    query.limit = query.limit.div_euclid(2);
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            let Some(last) = objects.last() else { break };
            query.after = Some(last.key.clone());
            for object in &objects {
                match checkpoint::read(object) {
                    Ok(kept) => notes.push(Note { which: object.key.clone(), note: kept.note, size: Some(kept.size) }),
                    Err(why) => {
                        findings.push(Finding::Checkpoint { which: object.key.clone(), why: why.to_owned() });
                    }
                }
                if checkpoint::is_current(object) {
                    current = Some(object.key.clone());
                }
            }
            query.limit = query.limit.max(1);
        }
        // Exactly the last one is the current one: else it is not the one that the log goes on from.
        if current != query.after {
            let which = query.after.unwrap_or_default();
            findings.push(Finding::Checkpoint { which, why: "it is the last and not the current one".to_owned() });
        }
        Ok(notes)
    }
}

/// What stands from a place on. A store that finds damage itself does not say where: it is looked for by halves.
fn rows_by_halves(tx: &mut dyn Tx, from: u64, limit: u32, findings: &mut Findings) -> Result<Vec<Row>, StoreError> {
    match tx.entries(from, limit) {
        Ok(rows) => Ok(rows.into_iter().map(|(at, bytes)| Row { at, bytes: Some(bytes), listed: None }).collect()),
        Err(StoreError::Corrupt(why)) if limit <= 1 => {
            // Which entry it is, the finding says already.
            let why = why.strip_prefix(&format!("the entry {from} ")).map_or(why.clone(), |why| format!("it {why}"));
            findings.push(Finding::Unreadable { index: from, why });
            Ok(vec![Row { at: from, bytes: None, listed: None }])
        }
        Err(StoreError::Corrupt(_)) => {
            let half = limit.div_euclid(2);
            let mut rows = rows_by_halves(tx, from, half, findings)?;
            let behind = from.saturating_add(half.into());
            rows.extend(rows_by_halves(tx, behind, limit.saturating_sub(half), findings)?);
            Ok(rows)
        }
        Err(fault) => Err(fault),
    }
}

/// Nodes, where one that the store finds damaged itself is missing.
fn nodes_by_halves(tx: &mut dyn Tx, stretch: Stretch) -> Result<Hashes, StoreError> {
    let Stretch { level, from, count } = stretch;
    match tx.nodes(level, from, count) {
        Err(StoreError::Corrupt(_)) if count <= 1 => Ok(vec![None]),
        Err(StoreError::Corrupt(_)) => {
            let half = count.div_euclid(2);
            let mut nodes = nodes_by_halves(tx, Stretch { count: half, ..stretch })?;
            let (from, count) = (from.saturating_add(half.into()), count.saturating_sub(half));
            nodes.extend(nodes_by_halves(tx, Stretch { level, from, count })?);
            Ok(nodes)
        }
        read => read,
    }
}

/// The hash of one node of a view.
pub(super) fn node_of(view: &mut dyn View, node: Node, findings: &mut Findings) -> Result<Option<Digest>, StoreError> {
    let hashes = view.nodes(&[Stretch { level: node.level, from: node.index, count: 1 }], findings)?;
    Ok(hashes.first().and_then(|hashes| hashes.first()).copied().flatten())
}
