//! A store as plain as can be, to compare others with: it copies itself before everything that may have to be undone.

use pdl::base::hash::Digest;
use pdl::kernel::store::{Object, Query, Store, StoreError, Tx};
use pdl::log::tree::Node;

#[derive(Clone, Debug, Default)]
pub struct Plain {
    objects: Vec<Object>,
    dropped: u64,
    entries: Vec<(String, String, Vec<u8>)>,
    nodes: Vec<(Node, Digest)>,
    contents: Vec<Vec<u8>>,
}

impl Plain {
    fn conflict<T>(kind: &str, key: &str) -> Result<T, StoreError> {
        Err(StoreError::Conflict { kind: kind.to_owned(), key: key.to_owned() })
    }

    fn indexed(&self, limit: u32, is_wanted: impl Fn(u64, &str) -> bool) -> Vec<(u64, Vec<u8>)> {
        let is_kept = |index: u64| index >= self.dropped;
        let all = (0..).zip(&self.entries).filter(|(index, (_, kind, _))| is_kept(*index) && is_wanted(*index, kind));
        all.map(|(index, (_, _, entry))| (index, entry.clone())).take(limit as usize).collect()
    }
}

impl Store for Plain {
    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.part(work)
    }

    fn check(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Tx for Plain {
    fn part(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let before = self.clone();
        let result = work(self);
        if result.is_err() {
            *self = before;
        }
        result
    }

    fn get(&mut self, kind: &str, key: &str) -> Result<Option<Object>, StoreError> {
        Ok(self.objects.iter().find(|object| object.kind == kind && object.key == key).cloned())
    }

    fn put(&mut self, object: &Object) -> Result<u64, StoreError> {
        let now = self.get(&object.kind, &object.key)?.map_or(0, |object| object.version);
        if object.version != now {
            return Plain::conflict(&object.kind, &object.key);
        }
        self.objects.retain(|other| other.kind != object.kind || other.key != object.key);
        self.objects.push(Object { version: now + 1, ..object.clone() });
        Ok(now + 1)
    }

    fn remove(&mut self, kind: &str, key: &str, version: u64) -> Result<(), StoreError> {
        if self.get(kind, key)?.is_none_or(|object| object.version != version) {
            return Plain::conflict(kind, key);
        }
        self.objects.retain(|other| other.kind != kind || other.key != key);
        Ok(())
    }

    fn find(&mut self, query: &Query) -> Result<Vec<Object>, StoreError> {
        let mut found = self.objects.clone();
        found.retain(|object| object.kind == query.kind);
        found.retain(|object| query.state.as_ref().is_none_or(|state| object.state == *state));
        found.retain(|object| query.due_until_ms.is_none_or(|until| object.due_ms.is_some_and(|due| due <= until)));
        found.retain(|object| query.after.as_ref().is_none_or(|after| object.key > *after));
        found.sort_by(|one, other| one.key.cmp(&other.key));
        found.truncate(query.limit as usize);
        Ok(found)
    }

    fn log_size(&mut self) -> Result<u64, StoreError> {
        Ok(self.entries.len() as u64)
    }

    fn append(&mut self, id: &str, kind: &str, entry: &[u8]) -> Result<u64, StoreError> {
        if self.index_of(id)?.is_some() {
            return Plain::conflict("entry", id);
        }
        self.entries.push((id.to_owned(), kind.to_owned(), entry.to_owned()));
        Ok(self.entries.len() as u64 - 1)
    }

    fn dropped(&mut self) -> Result<u64, StoreError> {
        Ok(self.dropped)
    }

    fn drop_entries(&mut self, before: u64) -> Result<u64, StoreError> {
        self.dropped = self.dropped.max(before.min((self.entries.len() as u64).saturating_sub(1)));
        Ok(self.dropped)
    }

    fn entries(&mut self, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        Ok(self.indexed(limit, |index, _| index >= from))
    }

    fn entries_of(&mut self, kind: &str, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        Ok(self.indexed(limit, |index, of| index >= from && of == kind))
    }

    fn index_of(&mut self, id: &str) -> Result<Option<u64>, StoreError> {
        let mut kept = (0..).zip(&self.entries).filter(|(index, _)| *index >= self.dropped);
        Ok(kept.find(|(_, (other, ..))| other == id).map(|(index, _)| index))
    }

    fn put_node(&mut self, node: Node, hash: Digest) -> Result<(), StoreError> {
        match self.node(node)? {
            Some(kept) if kept != hash => Plain::conflict("node", &format!("{}/{}", node.level, node.index)),
            _ => {
                self.nodes.push((node, hash));
                Ok(())
            }
        }
    }

    fn node(&mut self, node: Node) -> Result<Option<Digest>, StoreError> {
        Ok(self.nodes.iter().find(|(other, _)| *other == node).map(|(_, hash)| *hash))
    }

    fn put_content(&mut self, content: &[u8]) -> Result<Digest, StoreError> {
        self.erase_content(Digest::of(content))?;
        self.contents.push(content.to_owned());
        Ok(Digest::of(content))
    }

    fn content(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.contents.iter().find(|content| Digest::of(content) == digest).cloned())
    }

    fn erase_content(&mut self, digest: Digest) -> Result<bool, StoreError> {
        let before = self.contents.len();
        self.contents.retain(|content| Digest::of(content) != digest);
        Ok(self.contents.len() < before)
    }
}
