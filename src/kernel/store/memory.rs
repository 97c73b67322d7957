//! A store in memory: for tests, and for whoever needs decisions and can do without their history. Nothing in it outlives
//! the process.

#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::{BTreeMap, btree_map};
use std::ops::Bound;

use super::{Object, Query, Store, StoreError, Tx, conflict, content_fits, entry_fits, node_conflict, object_fits};
use crate::base::hash::Digest;
use crate::log::tree::Node;

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory {
    // By kind and key.
    objects: BTreeMap<String, BTreeMap<String, Object>>,
    // Before these there were so many.
    dropped: u64,
    entries: Vec<Entry>,
    ids: BTreeMap<String, u64>,
    kinds: BTreeMap<String, Vec<u64>>,
    nodes: Nodes,
    contents: BTreeMap<Digest, Vec<u8>>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    kind: String,
    bytes: Vec<u8>,
}

/// The nodes of the tree. Those of a level come one behind the other, and are found by their place; a store takes others
/// as well.
#[derive(Debug, Default)]
struct Nodes {
    levels: Vec<Vec<Digest>>,
    others: BTreeMap<Node, Digest>,
}

impl Nodes {
    fn get(&self, node: Node) -> Option<&Digest> {
        let place = usize::try_from(node.index).ok()?;
        self.levels.get(usize::from(node.level)).and_then(|level| level.get(place)).or_else(|| self.others.get(&node))
    }

    /// Of a node that is not there.
    fn insert(&mut self, node: Node, hash: Digest) {
        let at = usize::from(node.level);
        if self.levels.len() == at {
            self.levels.push(Vec::new());
        }
        match self.levels.get_mut(at) {
            Some(level) if u64::try_from(level.len()) == Ok(node.index) => level.push(hash),
            _ => drop(self.others.insert(node, hash)),
        }
    }

    /// Of a node that is there. Nodes go in the order in which they came, the last one first.
    fn remove(&mut self, node: Node) {
        if self.others.remove(&node).is_none()
            && let Some(level) = self.levels.get_mut(usize::from(node.level))
        {
            level.pop();
        }
    }
}

impl Memory {
    /// A store with nothing in it.
    #[must_use]
    pub fn new() -> Memory {
        Memory::default()
    }

    fn size(&self) -> u64 {
        self.dropped.saturating_add(u64::try_from(self.entries.len()).unwrap_or(u64::MAX))
    }

    fn set_object(&mut self, kind: &str, key: &str, object: Option<Object>) -> Option<Object> {
        match object {
            Some(object) => match self.objects.get_mut(kind) {
                Some(objects) => match objects.get_mut(key) {
                    Some(kept) => Some(std::mem::replace(kept, object)),
                    None => objects.insert(key.to_owned(), object),
                },
                None => self.objects.entry(kind.to_owned()).or_default().insert(key.to_owned(), object),
            },
            None => self.objects.get_mut(kind).and_then(|objects| objects.remove(key)),
        }
    }

    fn set_content(&mut self, digest: Digest, content: Option<Vec<u8>>) -> Option<Vec<u8>> {
        match content {
            Some(content) => self.contents.insert(digest, content),
            None => self.contents.remove(&digest),
        }
    }

    fn undo(&mut self, step: Undo) {
        match step {
            Undo::Object { kind, key, before } => drop(self.set_object(&kind, &key, before)),
            Undo::Entry => {
                let Some(entry) = self.entries.pop() else { return };
                self.ids.remove(&entry.id);
                if let Some(indexes) = self.kinds.get_mut(&entry.kind) {
                    indexes.pop();
                }
            }
            Undo::Dropped { before, mut entries } => {
                for (index, entry) in (before..).zip(&entries) {
                    self.ids.insert(entry.id.clone(), index);
                    let indexes = self.kinds.entry(entry.kind.clone()).or_default();
                    indexes.insert(indexes.partition_point(|other| *other < index), index);
                }
                entries.append(&mut self.entries);
                self.entries = entries;
                self.dropped = before;
            }
            Undo::Node(node) => self.nodes.remove(node),
            Undo::Content { digest, before } => drop(self.set_content(digest, before)),
        }
    }
}

impl Store for Memory {
    fn is_durable(&self) -> bool {
        false
    }

    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut tx = Transaction { store: self, done: Vec::new() };
        tx.part(work)
    }

    fn check(&mut self) -> Result<(), StoreError> {
        match self.contents.iter().find(|(digest, content)| Digest::of(content) != **digest) {
            Some((digest, _)) => Err(StoreError::Corrupt(format!("the content {digest} is another"))),
            None => Ok(()),
        }
    }
}

/// What a step changed, as it was before.
#[derive(Debug)]
enum Undo {
    Object { kind: String, key: String, before: Option<Object> },
    Entry,
    Dropped { before: u64, entries: Vec<Entry> },
    Node(Node),
    Content { digest: Digest, before: Option<Vec<u8>> },
}

struct Transaction<'s> {
    store: &'s mut Memory,
    done: Vec<Undo>,
}

/// Undoes what was done since it was made, unless it is told to keep it: when the work panics, too.
struct Part<'t, 's> {
    tx: &'t mut Transaction<'s>,
    since: usize,
    keep: bool,
}

impl Drop for Part<'_, '_> {
    fn drop(&mut self) {
        while !self.keep && self.tx.done.len() > self.since {
            if let Some(step) = self.tx.done.pop() {
                self.tx.store.undo(step);
            }
        }
    }
}

impl Tx for Transaction<'_> {
    fn part(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let since = self.done.len();
        let mut part = Part { tx: self, since, keep: false };
        let result = work(part.tx);
        part.keep = result.is_ok();
        result
    }

    fn get(&mut self, kind: &str, key: &str) -> Result<Option<Object>, StoreError> {
        Ok(self.store.objects.get(kind).and_then(|objects| objects.get(key)).cloned())
    }

    fn put(&mut self, object: &Object) -> Result<u64, StoreError> {
        object_fits(object)?;
        let (kind, key) = (&object.kind, &object.key);
        let now = self.store.objects.get(kind).and_then(|objects| objects.get(key)).map_or(0, |object| object.version);
        let version = object.version.checked_add(1).filter(|_| object.version == now);
        let version = version.ok_or_else(|| conflict(kind, key))?;
        let before = self.store.set_object(kind, key, Some(Object { version, ..object.clone() }));
        self.done.push(Undo::Object { kind: kind.clone(), key: key.clone(), before });
        Ok(version)
    }

    fn remove(&mut self, kind: &str, key: &str, version: u64) -> Result<(), StoreError> {
        let now = self.store.objects.get(kind).and_then(|objects| objects.get(key)).map(|object| object.version);
        if now != Some(version) {
            return Err(conflict(kind, key));
        }
        let before = self.store.set_object(kind, key, None);
        self.done.push(Undo::Object { kind: kind.to_owned(), key: key.to_owned(), before });
        Ok(())
    }

    fn find(&mut self, query: &Query) -> Result<Vec<Object>, StoreError> {
        let Some(objects) = self.store.objects.get(&query.kind) else { return Ok(Vec::new()) };
        let from = query.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let is_wanted = |object: &&Object| {
            let in_time = query.due_until_ms.is_none_or(|until| object.due_ms.is_some_and(|due| due <= until));
            in_time && query.state.as_ref().is_none_or(|state| *state == object.state)
        };
        let found = objects.range::<str, _>((from, Bound::Unbounded)).map(|(_, object)| object).filter(is_wanted);
        Ok(found.take(usize::try_from(query.limit).unwrap_or(usize::MAX)).cloned().collect())
    }

    fn log_size(&mut self) -> Result<u64, StoreError> {
        Ok(self.store.size())
    }

    fn append(&mut self, id: &str, kind: &str, entry: &[u8]) -> Result<u64, StoreError> {
        entry_fits(id, kind, entry)?;
        if self.store.ids.contains_key(id) {
            return Err(conflict("entry", id));
        }
        let index = self.store.size();
        self.store.entries.push(Entry { id: id.to_owned(), kind: kind.to_owned(), bytes: entry.to_owned() });
        self.store.ids.insert(id.to_owned(), index);
        match self.store.kinds.get_mut(kind) {
            Some(indexes) => indexes.push(index),
            None => self.store.kinds.entry(kind.to_owned()).or_default().push(index),
        }
        self.done.push(Undo::Entry);
        Ok(index)
    }

    fn dropped(&mut self) -> Result<u64, StoreError> {
        Ok(self.store.dropped)
    }

    fn drop_entries(&mut self, before: u64) -> Result<u64, StoreError> {
        let dropped = self.store.dropped;
        let before = before.min(self.store.size().saturating_sub(1));
        let count = usize::try_from(before.saturating_sub(dropped)).unwrap_or(usize::MAX);
        if count == 0 || count > self.store.entries.len() {
            return Ok(dropped);
        }
        let kept = self.store.entries.split_off(count);
        let entries = std::mem::replace(&mut self.store.entries, kept);
        self.store.dropped = before;
        for entry in &entries {
            self.store.ids.remove(&entry.id);
            if let Some(indexes) = self.store.kinds.get_mut(&entry.kind) {
                indexes.retain(|index| *index >= before);
            }
        }
        self.done.push(Undo::Dropped { before: dropped, entries });
        Ok(before)
    }

    fn entries(&mut self, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let indexes =
            (from.max(self.store.dropped)..self.store.size()).take(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(self.read(indexes))
    }

    fn each_entry(&mut self, from: u64, limit: u32, show: &mut dyn FnMut(u64, &[u8])) -> Result<(), StoreError> {
        let dropped = self.store.dropped;
        let skipped = usize::try_from(from.saturating_sub(dropped)).unwrap_or(usize::MAX);
        let entries = self.store.entries.iter().skip(skipped).take(usize::try_from(limit).unwrap_or(usize::MAX));
        (from.max(dropped)..).zip(entries).for_each(|(index, entry)| show(index, &entry.bytes));
        Ok(())
    }

    fn entries_of(&mut self, kind: &str, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let Some(indexes) = self.store.kinds.get(kind) else { return Ok(Vec::new()) };
        let start = indexes.partition_point(|index| *index < from);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.read(indexes.iter().copied().skip(start).take(limit)))
    }

    fn index_of(&mut self, id: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.store.ids.get(id).copied())
    }

    fn put_node(&mut self, node: Node, hash: Digest) -> Result<(), StoreError> {
        match self.store.nodes.get(node) {
            Some(kept) if *kept == hash => Ok(()),
            Some(_) => Err(node_conflict(node)),
            None => {
                self.store.nodes.insert(node, hash);
                self.done.push(Undo::Node(node));
                Ok(())
            }
        }
    }

    fn node(&mut self, node: Node) -> Result<Option<Digest>, StoreError> {
        Ok(self.store.nodes.get(node).copied())
    }

    fn put_content(&mut self, content: &[u8]) -> Result<Digest, StoreError> {
        content_fits(content)?;
        let digest = Digest::of(content);
        if let btree_map::Entry::Vacant(vacant) = self.store.contents.entry(digest) {
            vacant.insert(content.to_owned());
            self.done.push(Undo::Content { digest, before: None });
        }
        Ok(digest)
    }

    fn content(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.store.contents.get(&digest).cloned())
    }

    fn erase_content(&mut self, digest: Digest) -> Result<bool, StoreError> {
        let before = self.store.set_content(digest, None);
        let was_there = before.is_some();
        if was_there {
            self.done.push(Undo::Content { digest, before });
        }
        Ok(was_there)
    }
}

impl Transaction<'_> {
    fn read(&self, indexes: impl Iterator<Item = u64>) -> Vec<(u64, Vec<u8>)> {
        let entry = |index: u64| {
            let place = index.checked_sub(self.store.dropped)?;
            self.store.entries.get(usize::try_from(place).ok()?)
        };
        indexes.filter_map(|index| Some((index, entry(index)?.bytes.clone()))).collect()
    }
}
