//! Checkpoints: the head of the log, signed and kept.
//!
//! A checkpoint is an object: its key is its size, padded to twenty digits, its state `current` for the last one and `past`
//! for all others, its body `{"note":"…"}`.

use serde_json::{Map, Value};

use super::append::Log;
use super::{LogError, with_nodes};
use crate::kernel::json::canonical;
use crate::kernel::store::{Object, Query, StoreError, Tx};
use crate::log::checkpoint::Checkpoint;
use crate::log::note::Signer;
use crate::log::proof;

/// The kind of the objects.
pub const KIND: &str = "checkpoint";
const CURRENT: &str = "current";
const PAST: &str = "past";
const NOTE: &str = "note";

/// A checkpoint that is kept, as it was signed. Whether the signature is right is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// How many entries the log had.
    pub size: u64,
    /// The signed note.
    pub note: String,
}

/// The key of the checkpoint of so many entries.
#[must_use]
pub fn key(size: u64) -> String {
    format!("{size:020}")
}

/// Reads the object of a checkpoint.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn read(object: &Object) -> Result<Kept, &'static str> {
    let size = object.key.parse().ok().filter(|size| key(*size) == object.key).ok_or("its key is not a size")?;
    if object.state != CURRENT && object.state != PAST {
        return Err("its state is not one");
    }
    let wrong = "its body is not that of a checkpoint";
    let body: Value = serde_json::from_slice(&object.body).map_err(|_| wrong)?;
    let note = body.get(NOTE).and_then(Value::as_str).ok_or(wrong)?;
    if body_of(note) != object.body {
        return Err(wrong);
    }
    Ok(Kept { size, note: note.to_owned() })
}

pub(super) fn is_current(object: &Object) -> bool {
    object.state == CURRENT
}

fn body_of(note: &str) -> Vec<u8> {
    canonical(&Value::Object(Map::from_iter([(NOTE.to_owned(), note.into())]))).into_bytes()
}

fn readable(object: &Object) -> Result<Kept, StoreError> {
    read(object).map_err(|why| StoreError::Corrupt(format!("the checkpoint {}: {why}", object.key)))
}

fn current_object(tx: &mut dyn Tx) -> Result<Option<Object>, StoreError> {
    let state = Some(CURRENT.to_owned());
    let query = Query { kind: KIND.to_owned(), state, due_until_ms: None, after: None, limit: 1 };
    Ok(tx.find(&query)?.pop())
}

/// The last checkpoint.
///
/// # Errors
/// The store can't be read.
pub fn current(tx: &mut dyn Tx) -> Result<Option<Kept>, StoreError> {
    current_object(tx)?.as_ref().map(readable).transpose()
}

/// The earliest checkpoint of at least so many entries.
///
/// # Errors
/// The store can't be read.
pub fn covering(tx: &mut dyn Tx, size: u64) -> Result<Option<Kept>, StoreError> {
    let after = size.checked_sub(1).map(key);
    let query = Query { kind: KIND.to_owned(), state: None, due_until_ms: None, after, limit: 1 };
    tx.find(&query)?.first().map(readable).transpose()
}

impl Log {
    /// Signs the head of the log and keeps that. The name of the signer is that of the log. A head that has been signed is
    /// not signed again.
    ///
    /// # Errors
    /// [`LogError::BrokenPromise`] if the log is not a continuation of its last checkpoint: a kernel never signs two
    /// histories.
    pub fn checkpoint(&self, tx: &mut dyn Tx, signer: &Signer) -> Result<Kept, LogError> {
        let head = self.head(tx)?.frontier;
        let before = current_object(tx)?;
        if let Some(object) = &before {
            let kept = readable(object)?;
            let broken = LogError::BrokenPromise { size: kept.size };
            let (text, _) = crate::log::note::open(&kept.note, &[signer.verifier()])?;
            let promised =
                Checkpoint::parse(text).filter(|promised| promised.size == kept.size).ok_or(broken.clone())?;
            let today = match kept.size.cmp(&head.size()) {
                std::cmp::Ordering::Greater => return Err(broken),
                std::cmp::Ordering::Equal => head.root(),
                std::cmp::Ordering::Less => {
                    with_nodes(|node| tx.node(node), |node| proof::root(kept.size, node))?.map_err(LogError::NoProof)?
                }
            };
            if today != promised.root || promised.origin != signer.name() {
                return Err(broken);
            }
            if kept.size == head.size() {
                return Ok(kept);
            }
        }
        let (size, root) = (head.size(), head.root());
        let text = Checkpoint { origin: signer.name().to_owned(), size, root, extensions: Vec::new() }.to_string();
        let note = signer.sign(&text)?;
        if let Some(object) = before {
            tx.put(&Object { state: PAST.to_owned(), ..object })?;
        }
        tx.put(&Object {
            kind: KIND.to_owned(),
            key: key(size),
            version: 0,
            state: CURRENT.to_owned(),
            due_ms: None,
            body: body_of(&note),
        })?;
        Ok(Kept { size, note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::log::testing::{Memory, ORIGIN, World, event, signer};
    use crate::kernel::store::Store as _;
    use crate::log::note;
    use crate::log::tree::Node;

    fn signed(store: &mut Memory, log: &Log) -> Result<Kept, LogError> {
        let mut kept = None;
        _ = store.transact(&mut |tx| {
            let signed = log.checkpoint(tx, &signer());
            kept = Some(signed.clone());
            signed.map(|_| ()).map_err(Into::into)
        });
        kept.expect("it was run")
    }

    #[test]
    fn heads_are_signed_once_and_kept() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let empty = signed(&mut store, &log).expect("it can be signed");
        assert_eq!(empty.size, 0);
        for size in [1, 2, 5] {
            while store.rows.len() < size {
                store.append(&log, &world, event(size as u64));
            }
            let kept = signed(&mut store, &log).expect("it can be signed");
            assert_eq!(signed(&mut store, &log).as_ref(), Ok(&kept));
            let (text, names) = note::open(&kept.note, &[signer().verifier()]).expect("it is signed");
            assert_eq!(names, [ORIGIN]);
            assert_eq!(Checkpoint::parse(text).map(|head| (head.size, head.root)), Some((size as u64, store.root())));
        }
        let done = store.transact(&mut |tx| {
            assert_eq!(current(tx)?.map(|kept| kept.size), Some(5));
            for (wanted, found) in [(0, Some(0)), (1, Some(1)), (3, Some(5)), (5, Some(5)), (6, None)] {
                assert_eq!(covering(tx, wanted)?.map(|kept| kept.size), found, "{wanted}");
            }
            Ok(())
        });
        assert_eq!(done, Ok(()));
    }

    #[test]
    fn two_histories_are_never_signed() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        (0..4).for_each(|n| _ = store.append(&log, &world, event(n)));
        signed(&mut store, &log).expect("it can be signed");
        let whole = store.clone();

        // Fewer than were signed.
        store.rows.remove(&3);
        assert_eq!(signed(&mut store, &Log::default()), Err(LogError::BrokenPromise { size: 4 }));

        // As many and others, and more on other ones.
        let mut other = Memory { objects: whole.objects.clone(), ..Memory::default() };
        (0..4).for_each(|n| _ = other.append(&log, &world, event(n + 1)));
        assert_eq!(signed(&mut other, &log), Err(LogError::BrokenPromise { size: 4 }));
        other.append(&log, &world, event(9));
        assert_eq!(signed(&mut other, &log), Err(LogError::BrokenPromise { size: 4 }));

        // A checkpoint that says something else than it did.
        for (from, to) in [("\\n4\\n", "\\n3\\n"), ("note", "mote"), (ORIGIN, "another")] {
            let mut changed = whole.clone();
            for object in changed.objects.values_mut() {
                object.body =
                    String::from_utf8(object.body.clone()).expect("it is text").replace(from, to).into_bytes();
            }
            changed.append(&log, &world, event(4));
            assert!(signed(&mut changed, &log).is_err(), "{from}");
        }
        let mut damaged = whole.clone();
        damaged.append(&log, &world, event(4));
        damaged.nodes.remove(&Node { level: 2, index: 0 });
        assert!(signed(&mut damaged, &log).is_err());
    }
}
