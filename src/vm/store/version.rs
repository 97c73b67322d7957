//! The version of a store: the digest of all its entities, and enough of what it was made from that the next one, after a
//! patch, costs what has changed.
//!
//! The canonical text is kept in pages of some hundred entities, with the state of the hash before each. A patch writes anew
//! the pages of its entities and hashes from the first of them on.

use std::sync::Arc;

use crate::base::hash::{Digest, Hasher};
use crate::vm::canonical::Form;
use crate::vm::image::Image;
use crate::vm::store::Store;

/// How many entities a page has at first; one of more than twice as many is parted.
const PAGE: usize = 256;
/// A text that is longer than this is not kept, and written anew after each change.
const KEPT_BYTES_MAX: usize = 1 << 28;

/// The digest of all entities, and what it was made of.
#[derive(Clone, Debug)]
pub(super) struct Version {
    digest: Digest,
    bytes: usize,
    /// In the order of their entities; `None` if that is too much to keep.
    pages: Option<Vec<Page>>,
}

/// Entities that follow each other.
#[derive(Clone, Debug)]
struct Page {
    /// Never empty.
    rows: Vec<u32>,
    text: Arc<str>,
    /// Of all that stands before it.
    before: Hasher,
}

impl Version {
    pub(super) fn new(store: &Store, image: &Image) -> Version {
        let rows = store.sorted(image, |_| true);
        let page = |rows: &[u32]| Page {
            rows: rows.to_vec(),
            text: store.text(image, Form::Digest, rows).into(),
            before: Hasher::default(),
        };
        Version::of(rows.chunks(PAGE).map(page).collect(), 0)
    }

    /// Hashes pages from one on.
    fn of(mut pages: Vec<Page>, from: usize) -> Version {
        let mut hasher = match pages.get(from).filter(|_| from > 0) {
            Some(page) => page.before.clone(),
            None => {
                let mut hasher = Hasher::default();
                hasher.add(b"[");
                hasher
            }
        };
        let last = pages.len();
        for (at, page) in pages.iter_mut().enumerate().skip(from) {
            page.before = hasher.clone();
            hasher.add(page.text.as_bytes());
            if at + 1 < last {
                hasher.add(b",");
            }
        }
        hasher.add(b"]");
        let bytes = 1 + pages.iter().map(|page| page.text.len() + 1).sum::<usize>();
        Version { digest: hasher.finish(), bytes, pages: Some(pages).filter(|_| bytes <= KEPT_BYTES_MAX) }
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// How long the text is, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// That of a store in which some entities are others, or are there as well; `None` if the text was not kept.
    pub(super) fn changed(&self, store: &Store, image: &Image, changed: &[u32]) -> Option<Version> {
        let mut pages = self.pages.clone()?;
        let mut dirty: Vec<usize> = Vec::new();
        let name = |row: u32| store.name_of(image, row);
        for &row in changed {
            if pages.is_empty() {
                return Some(Version::new(store, image));
            }
            let behind = pages.partition_point(|page| name(page.rows[0]) <= name(row));
            let at = behind.saturating_sub(1);
            let rows = &mut pages[at].rows;
            if let Err(place) = rows.binary_search_by(|&other| name(other).cmp(&name(row))) {
                rows.insert(place, row);
            }
            dirty.push(at);
        }
        dirty.sort_unstable();
        dirty.dedup();
        let first = dirty.first().copied().unwrap_or(0);
        // From behind, so that parting one moves none that is still to come.
        for &at in dirty.iter().rev() {
            let rows = std::mem::take(&mut pages[at].rows);
            let size = if rows.len() > 2 * PAGE { PAGE } else { rows.len() };
            let before = pages[at].before.clone();
            let page = |rows: &[u32]| Page {
                rows: rows.to_vec(),
                text: store.text(image, Form::Digest, rows).into(),
                before: before.clone(),
            };
            let parts: Vec<Page> = rows.chunks(size).map(page).collect();
            pages.splice(at..=at, parts);
        }
        Some(Version::of(pages, first))
    }
}
