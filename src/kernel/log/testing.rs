//! What the tests of the log have in common: a store that can be tampered with, and a world that is theirs.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use super::append::{Event, Log};
use super::finding::Finding;
use super::verify::{Options, Report, verify};
use crate::base::hash::Digest;
use crate::data::timestamp::Timestamp;
use crate::kernel::entry::{Entry, Kind};
use crate::kernel::environment::{Environment, NoRandomness};
use crate::kernel::store::{Object, Query, Store, StoreError, Tx};
use crate::log::note::Signer;
use crate::log::tree::{Frontier, Node, leaf_hash};

pub const ORIGIN: &str = "pdl.example/log";

pub fn signer() -> Signer {
    Signer::from_seed(ORIGIN, &[7; 32]).expect("it is a name")
}

pub fn body(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("it is an object")
}

/// An event that tells its number.
pub fn event(number: u64) -> Event {
    let kind = Kind::ALL[number as usize % Kind::ALL.len()];
    Event::new(kind, body(json!({ "number": number, "text": "é\n" }))).link("before", "ent_of_another")
}

/// A clock that is set by hand, and chance that is none: every byte sequence differs from those before.
#[derive(Debug)]
pub struct World(Mutex<(i64, u64)>);

impl World {
    pub fn new() -> World {
        World(Mutex::new((1_800_000_000_000, 0)))
    }

    pub fn turn(&self, millis: i64) {
        self.0.lock().expect("nobody panicked").0 += millis;
    }
}

impl Environment for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.lock().expect("nobody panicked").0).expect("it is in range")
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        let mut kept = self.0.lock().expect("nobody panicked");
        kept.1 += 1;
        let digest = Digest::of(&kept.1.to_be_bytes()).0;
        buffer.iter_mut().zip(digest).for_each(|(byte, chance)| *byte = chance);
        Ok(())
    }
}

/// A store whose insides anybody can change. Work that fails leaves nothing.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub objects: BTreeMap<(String, String), Object>,
    pub dropped: u64,
    pub rows: BTreeMap<u64, Vec<u8>>,
    pub kinds: BTreeMap<u64, String>,
    pub ids: BTreeMap<String, u64>,
    pub nodes: BTreeMap<Node, Digest>,
    pub contents: BTreeMap<Digest, Vec<u8>>,
}

impl Memory {
    pub fn append(&mut self, log: &Log, world: &World, event: Event) -> Entry {
        let mut entry = None;
        let done = self.transact(&mut |tx| {
            entry = Some(log.append(tx, world, event.clone())?);
            Ok(())
        });
        assert_eq!(done, Ok(()));
        entry.expect("it was run")
    }

    /// Verifies, against checkpoints that were kept elsewhere too.
    pub fn report(&mut self, trusted: &[String]) -> Report {
        let options = Options { origin: ORIGIN, known: &[signer().verifier()], trusted, threads: 2 };
        let mut report = None;
        let done = self.transact(&mut |tx| {
            report = Some(verify(tx, &options, &mut |_| {})?);
            Ok(())
        });
        assert_eq!(done, Ok(()));
        report.expect("it was run")
    }

    /// What a verification finds.
    pub fn findings(&mut self, trusted: &[String]) -> Vec<Finding> {
        self.report(trusted).findings
    }

    /// Computes all nodes anew, as somebody would who covers their traces.
    pub fn rebuild(&mut self) {
        let (mut tree, mut nodes) = (Frontier::default(), BTreeMap::new());
        for entry in self.rows.values() {
            tree.append(leaf_hash(entry), |node, hash| _ = nodes.insert(node, hash));
        }
        self.nodes = nodes;
    }

    /// The root of what is there.
    pub fn root(&self) -> Digest {
        let mut tree = Frontier::default();
        self.rows.values().for_each(|entry| tree.append(leaf_hash(entry), |_, _| {}));
        tree.root()
    }
}

impl Store for Memory {
    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.part(work)
    }

    fn check(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Tx for Memory {
    fn part(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let before = self.clone();
        work(self).inspect_err(|_| *self = before)
    }

    fn get(&mut self, kind: &str, key: &str) -> Result<Option<Object>, StoreError> {
        Ok(self.objects.get(&(kind.to_owned(), key.to_owned())).cloned())
    }

    fn put(&mut self, object: &Object) -> Result<u64, StoreError> {
        let at = (object.kind.clone(), object.key.clone());
        if self.objects.get(&at).map_or(0, |kept| kept.version) != object.version {
            return Err(StoreError::Conflict { kind: at.0, key: at.1 });
        }
        let version = object.version + 1;
        self.objects.insert(at, Object { version, ..object.clone() });
        Ok(version)
    }

    fn remove(&mut self, kind: &str, key: &str, _: u64) -> Result<(), StoreError> {
        self.objects.remove(&(kind.to_owned(), key.to_owned()));
        Ok(())
    }

    fn find(&mut self, query: &Query) -> Result<Vec<Object>, StoreError> {
        let is_wanted = |object: &&Object| {
            object.kind == query.kind
                && query.state.as_ref().is_none_or(|state| *state == object.state)
                && query.after.as_ref().is_none_or(|after| *after < object.key)
        };
        Ok(self.objects.values().filter(is_wanted).take(query.limit as usize).cloned().collect())
    }

    fn log_size(&mut self) -> Result<u64, StoreError> {
        Ok(self.rows.last_key_value().map_or(0, |(last, _)| last + 1))
    }

    fn append(&mut self, id: &str, kind: &str, entry: &[u8]) -> Result<u64, StoreError> {
        let index = self.log_size()?;
        if self.ids.insert(id.to_owned(), index).is_some() {
            return Err(StoreError::Conflict { kind: "entry".to_owned(), key: id.to_owned() });
        }
        self.kinds.insert(index, kind.to_owned());
        self.rows.insert(index, entry.to_vec());
        Ok(index)
    }

    fn dropped(&mut self) -> Result<u64, StoreError> {
        Ok(self.dropped)
    }

    fn drop_entries(&mut self, before: u64) -> Result<u64, StoreError> {
        self.dropped = self.dropped.max(before.min(self.log_size()?.saturating_sub(1)));
        self.rows.retain(|index, _| *index >= self.dropped);
        self.ids.retain(|_, index| *index >= self.dropped);
        Ok(self.dropped)
    }

    fn entries(&mut self, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let rows = self.rows.range(from..).take(limit as usize);
        Ok(rows.map(|(index, entry)| (*index, entry.clone())).collect())
    }

    fn entries_of(&mut self, kind: &str, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let rows = self.rows.range(from..).filter(|(index, _)| self.kinds.get(index).is_some_and(|of| of == kind));
        Ok(rows.take(limit as usize).map(|(index, entry)| (*index, entry.clone())).collect())
    }

    fn index_of(&mut self, id: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.ids.get(id).copied())
    }

    fn put_node(&mut self, node: Node, hash: Digest) -> Result<(), StoreError> {
        match self.nodes.insert(node, hash) {
            Some(kept) if kept != hash => Err(StoreError::Conflict { kind: "node".to_owned(), key: String::new() }),
            _ => Ok(()),
        }
    }

    fn node(&mut self, node: Node) -> Result<Option<Digest>, StoreError> {
        Ok(self.nodes.get(&node).copied())
    }

    fn put_content(&mut self, content: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(content);
        self.contents.insert(digest, content.to_vec());
        Ok(digest)
    }

    fn content(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.contents.get(&digest).cloned())
    }

    fn erase_content(&mut self, digest: Digest) -> Result<bool, StoreError> {
        Ok(self.contents.remove(&digest).is_some())
    }
}
