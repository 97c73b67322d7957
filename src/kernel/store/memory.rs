//! A store in memory: for tests, and for whoever needs decisions and can do without their history. Nothing in it outlives
//! the process.

#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod keys;
mod rows;

use std::collections::{BTreeMap, btree_map};
use std::sync::Arc;

use self::keys::{Key, Keys};
use self::rows::{Dropped, Rows};
use super::{
    Object, Query, Standing, Store, StoreError, Tx, conflict, content_fits, entry_fits, node_conflict, object_fits,
    state_fits,
};
use crate::base::hash::Digest;
use crate::log::tree::Node;

/// How many steps of a transaction have room that is kept for the next one.
const STEPS_KEPT: usize = 256;

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory {
    objects: Sorted<Keys<Kept>>,
    // Before these there were so many.
    dropped: u64,
    entries: Rows,
    ids: Keys<u64>,
    kinds: Sorted<Vec<u64>>,
    nodes: Nodes,
    contents: BTreeMap<Digest, Vec<u8>>,
    /// Room for what undoes a transaction; empty outside of one.
    undo: Vec<Undo>,
}

/// An object, under its kind and its key. What undoes a change has the body too, and does not copy it.
#[derive(Debug)]
struct Kept {
    version: u64,
    state: Box<str>,
    due_ms: Option<i64>,
    body: Arc<[u8]>,
}

impl Kept {
    fn to_object(&self, kind: &str, key: &str) -> Object {
        let Kept { version, state, due_ms, body } = self;
        Object {
            kind: kind.to_owned(),
            key: key.to_owned(),
            version: *version,
            state: state.to_string(),
            due_ms: *due_ms,
            body: body.to_vec(),
        }
    }
}

/// The place of a kind, which it keeps.
type Kind = usize;

/// What is kept by kinds, of which there are few: by their names, and by their places once they are found.
#[derive(Debug)]
struct Sorted<T> {
    /// Looked through one by one: most differ in how long they are.
    kinds: Vec<Box<str>>,
    all: Vec<T>,
}

impl<T> Default for Sorted<T> {
    fn default() -> Sorted<T> {
        Sorted { kinds: Vec::new(), all: Vec::new() }
    }
}

impl<T: Default> Sorted<T> {
    fn get(&self, kind: &str) -> Option<&T> {
        self.all.get(self.find(kind)?)
    }

    /// The place of a kind, if there is one.
    fn find(&self, kind: &str) -> Option<Kind> {
        self.kinds.iter().position(|other| **other == *kind)
    }

    /// The place of a kind, made if there is none.
    fn place(&mut self, kind: &str) -> Kind {
        self.find(kind).unwrap_or_else(|| {
            self.kinds.push(kind.into());
            self.all.push(T::default());
            self.all.len().saturating_sub(1)
        })
    }
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

    /// The place of a kind, and of its objects that of a key.
    fn object(&mut self, kind: &str, key: &str) -> Option<(Kind, Key, &mut Kept)> {
        let kind = self.objects.find(kind)?;
        let (key, kept) = self.objects.all.get_mut(kind)?.get_mut(key)?;
        Some((kind, key, kept))
    }

    fn set_content(&mut self, digest: Digest, content: Option<Vec<u8>>) -> Option<Vec<u8>> {
        match content {
            Some(content) => self.contents.insert(digest, content),
            None => self.contents.remove(&digest),
        }
    }

    fn undo(&mut self, step: Undo) {
        match step {
            Undo::Object { kind, key, before } => {
                let Some(objects) = self.objects.all.get_mut(kind) else { return };
                match before {
                    Some(before) => objects.set(key, *before),
                    None => drop(objects.remove(&key)),
                }
            }
            Undo::Entry(id) => {
                self.ids.remove(&id);
                let Some(kind) = self.entries.pop() else { return };
                if let Some(indexes) = self.kinds.all.get_mut(kind) {
                    indexes.pop();
                }
            }
            Undo::Dropped { before, entries, ids } => {
                ids.into_iter().for_each(|(id, index)| self.ids.set(id, index));
                for (index, kind) in (before..).zip(entries.kinds()) {
                    if let Some(indexes) = self.kinds.all.get_mut(kind) {
                        indexes.insert(indexes.partition_point(|other| *other < index), index);
                    }
                }
                self.entries.put_back(*entries);
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
        let done = std::mem::take(&mut self.undo);
        let mut tx = Transaction { store: self, done };
        let result = tx.part(work);
        let mut done = tx.done;
        done.clear();
        done.shrink_to(STEPS_KEPT);
        self.undo = done;
        result
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
    Object { kind: Kind, key: Key, before: Option<Box<Kept>> },
    Entry(Key),
    Dropped { before: u64, entries: Box<Dropped>, ids: Vec<(Key, u64)> },
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
        let kept = self.store.objects.get(kind).and_then(|objects| objects.get(key));
        Ok(kept.map(|kept| kept.to_object(kind, key)))
    }

    fn standing(&mut self, kind: &str, key: &str) -> Result<Option<Standing>, StoreError> {
        let kept = self.store.objects.get(kind).and_then(|objects| objects.get(key));
        Ok(kept.map(|Kept { version, state, due_ms, .. }| Standing {
            version: *version,
            state: state.to_string(),
            due_ms: *due_ms,
        }))
    }

    fn put(&mut self, object: &Object) -> Result<u64, StoreError> {
        let Object { kind, key, version, state, due_ms, body } = object;
        if *version == 0 {
            return self.create(kind, key, (state, *due_ms), body);
        }
        object_fits((kind, key), state, body)?;
        let refused = || conflict(kind, key);
        let next = version.checked_add(1).ok_or_else(refused)?;
        let (place, key, there) = self.store.object(kind, key).ok_or_else(refused)?;
        if there.version != *version {
            return Err(refused());
        }
        let kept = Kept { version: next, state: state.as_str().into(), due_ms: *due_ms, body: body.as_slice().into() };
        let before = Some(Box::new(std::mem::replace(there, kept)));
        self.done.push(Undo::Object { kind: place, key, before });
        Ok(next)
    }

    fn create(
        &mut self,
        kind: &str,
        key: &str,
        (state, due_ms): (&str, Option<i64>),
        body: &[u8],
    ) -> Result<u64, StoreError> {
        object_fits((kind, key), state, body)?;
        let refused = || conflict(kind, key);
        let place = self.store.objects.place(kind);
        let objects = self.store.objects.all.get_mut(place).ok_or_else(refused)?;
        let kept = Kept { version: 1, state: state.into(), due_ms, body: body.into() };
        let key = objects.insert(key, kept).ok_or_else(refused)?;
        self.done.push(Undo::Object { kind: place, key, before: None });
        Ok(1)
    }

    fn turn(
        &mut self,
        kind: &str,
        key: &str,
        version: u64,
        (state, due_ms): (&str, Option<i64>),
    ) -> Result<u64, StoreError> {
        state_fits(state)?;
        let refused = || conflict(kind, key);
        let (place, id, kept) = self.store.object(kind, key).ok_or_else(refused)?;
        let next = version.checked_add(1).filter(|_| version == kept.version).ok_or_else(refused)?;
        let turned = Kept { version: next, state: state.into(), due_ms, body: Arc::clone(&kept.body) };
        let before = Some(Box::new(std::mem::replace(kept, turned)));
        self.done.push(Undo::Object { kind: place, key: id, before });
        Ok(next)
    }

    fn remove(&mut self, kind: &str, key: &str, version: u64) -> Result<(), StoreError> {
        let refused = || conflict(kind, key);
        let (place, id, kept) = self.store.object(kind, key).ok_or_else(refused)?;
        if kept.version != version {
            return Err(refused());
        }
        let before = self.store.objects.all.get_mut(place).and_then(|objects| objects.remove(&id)).map(Box::new);
        self.done.push(Undo::Object { kind: place, key: id, before });
        Ok(())
    }

    fn find(&mut self, query: &Query) -> Result<Vec<Object>, StoreError> {
        let Some(objects) = self.store.objects.get(&query.kind) else { return Ok(Vec::new()) };
        let is_wanted = |kept: &Kept| {
            let in_time = query.due_until_ms.is_none_or(|until| kept.due_ms.is_some_and(|due| due <= until));
            in_time && query.state.as_ref().is_none_or(|state| **state == *kept.state)
        };
        let found = objects.behind(query.after.as_deref(), is_wanted);
        let found = found.take(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(found.map(|(key, kept)| kept.to_object(&query.kind, &key)).collect())
    }

    fn log_size(&mut self) -> Result<u64, StoreError> {
        Ok(self.store.size())
    }

    fn append(&mut self, id: &str, kind: &str, entry: &[u8]) -> Result<u64, StoreError> {
        entry_fits(id, kind, entry)?;
        let index = self.store.size();
        let kind = self.store.kinds.place(kind);
        let id = self.store.ids.insert(id, index).ok_or_else(|| conflict("entry", id))?;
        if !self.store.entries.push(kind, entry) {
            self.store.ids.remove(&id);
            return Err(StoreError::Full("more entries than memory has places for".to_owned()));
        }
        if let Some(indexes) = self.store.kinds.all.get_mut(kind) {
            indexes.push(index);
        }
        self.done.push(Undo::Entry(id));
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
        let entries = Box::new(self.store.entries.drop_first(count));
        self.store.dropped = before;
        let ids = self.store.ids.extract(|index| *index < before);
        for indexes in &mut self.store.kinds.all {
            indexes.drain(..indexes.partition_point(|index| *index < before));
        }
        self.done.push(Undo::Dropped { before: dropped, entries, ids });
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
        let entries = self.store.entries.behind(skipped).take(usize::try_from(limit).unwrap_or(usize::MAX));
        (from.max(dropped)..).zip(entries).for_each(|(index, entry)| show(index, entry));
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
        indexes.filter_map(|index| Some((index, entry(index)?.to_vec()))).collect()
    }
}
