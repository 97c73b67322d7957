//! What a log is verified in: a store, or the files of an export.

use super::checkpoint;
use super::finding::{Finding, Findings};
use crate::base::hash::Digest;
use crate::kernel::store::{Query, StoreError, Tx};

/// How many checkpoints are read at once.
const CHECKPOINTS_AT_ONCE: u32 = 1_000;

/// What stands at a place of the log.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) at: u64,
    /// `None` if it can't be read; that was told then.
    pub(super) bytes: Option<Vec<u8>>,
}

/// A head that somebody signed, before anybody has looked at the signature.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) which: String,
    pub(super) note: String,
    /// The size that it is kept as, if it is.
    pub(super) size: Option<u64>,
}

/// Where entries, hashes and checkpoints of a log are read. What can't be read is told to the findings.
pub(super) trait View {
    /// Of how many levels of the tree one is kept: 1 or 8.
    fn step(&self) -> u8;

    /// How many entries it says it has.
    fn size(&mut self) -> Result<u64, StoreError>;

    /// What stands from a place on, at most so many; nothing if the log ends there.
    fn rows(&mut self, from: u64, limit: u32, findings: &mut Findings) -> Result<Vec<Row>, StoreError>;

    /// The hashes of nodes of a level that is kept.
    fn nodes(
        &mut self,
        level: u8,
        from: u64,
        count: u32,
        findings: &mut Findings,
    ) -> Result<Vec<Option<Digest>>, StoreError>;

    /// The checkpoints that are kept.
    fn notes(&mut self, findings: &mut Findings) -> Result<Vec<Note>, StoreError>;
}

/// A store.
pub(super) struct InStore<'t>(pub(super) &'t mut dyn Tx);

impl View for InStore<'_> {
    fn step(&self) -> u8 {
        1
    }

    fn size(&mut self) -> Result<u64, StoreError> {
        self.0.log_size()
    }

    fn rows(&mut self, from: u64, limit: u32, findings: &mut Findings) -> Result<Vec<Row>, StoreError> {
        match self.0.entries(from, limit) {
            Ok(rows) => Ok(rows.into_iter().map(|(at, bytes)| Row { at, bytes: Some(bytes) }).collect()),
            // A store that finds the damage itself does not say where: it is looked for by halves.
            Err(StoreError::Corrupt(why)) if limit <= 1 => {
                findings.push(Finding::Unreadable { index: from, why });
                Ok(vec![Row { at: from, bytes: None }])
            }
            Err(StoreError::Corrupt(_)) => {
                let half = limit.div_euclid(2);
                let mut rows = self.rows(from, half, findings)?;
                let behind = from.saturating_add(half.into());
                rows.extend(self.rows(behind, limit.saturating_sub(half), findings)?);
                Ok(rows)
            }
            Err(fault) => Err(fault),
        }
    }

    fn nodes(&mut self, level: u8, from: u64, count: u32, _: &mut Findings) -> Result<Vec<Option<Digest>>, StoreError> {
        nodes_by_halves(self.0, level, from, count)
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
            let objects = match self.0.find(&query) {
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

/// Nodes, where one that the store finds damaged itself is missing.
fn nodes_by_halves(tx: &mut dyn Tx, level: u8, from: u64, count: u32) -> Result<Vec<Option<Digest>>, StoreError> {
    match tx.nodes(level, from, count) {
        Err(StoreError::Corrupt(_)) if count <= 1 => Ok(vec![None]),
        Err(StoreError::Corrupt(_)) => {
            let half = count.div_euclid(2);
            let mut nodes = nodes_by_halves(tx, level, from, half)?;
            let behind = from.saturating_add(half.into());
            nodes.extend(nodes_by_halves(tx, level, behind, count.saturating_sub(half))?);
            Ok(nodes)
        }
        read => read,
    }
}
