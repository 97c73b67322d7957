//! The version of a store: the digest of all its entities, and enough of what it was made from that the next one, after a
//! patch, costs what has changed.
//!
//! It is the SHA-256 of the digests of the entities' canonical texts, in the order of their types and ids, between `[` and
//! `]`. So what is kept is forty bytes for each entity and no text, and a patch hashes the texts of its own entities and
//! these digests.

use crate::base::hash::{Digest, Hasher};
use crate::vm::canonical::{Form, Writer};
use crate::vm::image::Image;
use crate::vm::memory::{Heap, Memory};
use crate::vm::store::Store;

/// The digest of all entities, and what it was made of.
#[derive(Clone, Debug)]
pub(super) struct Version {
    digest: Digest,
    bytes: usize,
    /// In the order of their entities.
    leaves: Vec<Leaf>,
}

/// One entity.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    row: u32,
    /// How long its text is.
    bytes: u32,
    digest: Digest,
}

impl Version {
    pub(super) fn new(store: &Store, image: &Image) -> Version {
        Version::of(leaves(store, image, &store.sorted(image, |_| true)))
    }

    fn of(leaves: Vec<Leaf>) -> Version {
        let mut hasher = Hasher::default();
        hasher.add(b"[");
        leaves.iter().for_each(|leaf| hasher.add(&leaf.digest.0));
        hasher.add(b"]");
        let bytes = 1 + leaves.iter().map(|leaf| leaf.bytes as usize + 1).sum::<usize>();
        Version { digest: hasher.finish(), bytes, leaves }
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// How long the text of all entities is, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// That of a store in which some entities are others, or are there as well.
    pub(super) fn changed(&self, store: &Store, image: &Image, changed: &[u32]) -> Version {
        let mut rows = changed.to_vec();
        rows.sort_unstable_by_key(|&row| store.name_of(image, row));
        rows.dedup();
        let mut merged = Vec::with_capacity(self.leaves.len() + rows.len());
        let mut rest = self.leaves.as_slice();
        for leaf in leaves(store, image, &rows) {
            let name = store.name_of(image, leaf.row);
            let (before, behind) = rest.split_at(rest.partition_point(|other| store.name_of(image, other.row) < name));
            merged.extend_from_slice(before);
            merged.push(leaf);
            rest = behind.split_first().filter(|(old, _)| old.row == leaf.row).map_or(behind, |(_, behind)| behind);
        }
        merged.extend_from_slice(rest);
        Version::of(merged)
    }
}

fn leaves(store: &Store, image: &Image, rows: &[u32]) -> Vec<Leaf> {
    let local = Heap::default();
    let memory = Memory { program: &image.heap, store: &store.heap, local: &local };
    let writer = Writer { image, memory, presented: &[], form: Form::Digest };
    let mut text = String::new();
    let leaf = |&row: &u32| {
        text.clear();
        store.push_entity(&mut text, writer, row);
        Leaf { row, bytes: text.len() as u32, digest: Digest::of(text.as_bytes()) }
    };
    rows.iter().map(leaf).collect()
}
