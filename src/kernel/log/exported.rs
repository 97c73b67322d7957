//! Single entries of a log that was exported, and their proofs, for whoever has its files: of entries that the store has
//! dropped, and of any entry where there is no store at all.
//!
//! What neighbours may rely on:
//!
//! - The head of the files is signed by a known key, or they are not opened.
//! - No entry is given that this head does not stand for: its proof is made of the files and checked first.
//! - A search shows such entries only. That it shows all of them is not said: what was changed in a file may not look like
//!   what is looked for any more. Whoever has to know asks [`verify_files`](super::export::verify_files).

use std::collections::BTreeMap;

use serde_json::Value;

use super::export::{CHECKPOINT, Files, without_files};
use super::search::{Page, Search};
use super::{LogError, with_nodes};
use crate::base::hash::Digest;
use crate::base::limits::{SEARCH_MAX, SEARCH_STEPS_MAX};
use crate::kernel::entry::Entry;
use crate::kernel::entry::read::Header;
use crate::kernel::json::canonical;
use crate::log::checkpoint::Checkpoint;
use crate::log::note::{NOTE_BYTES_MAX, Verifier};
use crate::log::offline::{Consistency, Inclusion, open_checkpoint};
use crate::log::proof::{self, check_inclusion};
use crate::log::tile::{Content, TILE_WIDTH, Tile, read_entries, read_hashes};
use crate::log::tree::{Node, leaf_hash};

/// The files of a log up to their signed head.
pub struct Exported<'f> {
    files: &'f mut dyn Files,
    // INVARIANT: what the note says, and a known key has signed.
    head: Checkpoint,
    note: String,
    /// The first entry of which there is a file.
    first: u64,
    /// The last tile of hashes of each level.
    tiles: BTreeMap<u8, (Tile, Vec<Digest>)>,
}

/// An entry with the proof that it is in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Proved {
    /// The entry, as it was written.
    pub entry: Entry,
    /// Leads to the head of the files.
    pub proof: Inclusion,
}

impl<'f> Exported<'f> {
    /// Opens the files of a log.
    ///
    /// # Errors
    /// [`LogError::BadCheckpoint`] if no known key has signed their head; or a file can't be read.
    pub fn open(files: &'f mut dyn Files, origin: &str, known: &[Verifier]) -> Result<Exported<'f>, LogError> {
        let note = files.read(CHECKPOINT).map_err(LogError::Exported)?;
        let note = note.ok_or_else(|| wrong("it has no checkpoint"))?;
        let note = String::from_utf8(note).ok().filter(|note| note.len() <= NOTE_BYTES_MAX);
        let note = note.ok_or_else(|| wrong("its checkpoint is not a signed note"))?;
        let head = open_checkpoint(&note, origin, known).map_err(LogError::BadCheckpoint)?;
        let first = without_files(head.size, |path| files.read(path).map_err(LogError::Exported))?;
        Ok(Exported { files, head, note, first, tiles: BTreeMap::new() })
    }

    /// How many entries the head stands for.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.head.size
    }

    /// The first entry of which there is a file: those before it are in other files, or nowhere.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The entry of an id, or of an index, with its proof.
    ///
    /// # Errors
    /// [`LogError::NoEntry`]; or what is there under that id is not what was signed.
    pub fn entry(&mut self, name: &str) -> Result<Proved, LogError> {
        let missing = || LogError::NoEntry(name.to_owned());
        if let Ok(index) = name.parse::<u64>() {
            let tile = Tile::of_entry(index, self.head.size).ok_or_else(missing)?;
            let bytes = self.entries(tile)?.ok_or_else(missing)?;
            let place = usize::try_from(index.rem_euclid(TILE_WIDTH.into())).unwrap_or(usize::MAX);
            let bytes = bytes.into_iter().nth(place).ok_or_else(missing)?;
            return self.proved(index, &bytes);
        }
        let mut at = self.first;
        while let Some(tile) = Tile::of_entry(at, self.head.size) {
            let start = at;
            at = at.saturating_add(tile.width.into());
            for (index, bytes) in (start..).zip(self.entries(tile)?.unwrap_or_default()) {
                // A look at each, before one is read.
                let is_likely = std::str::from_utf8(&bytes).is_ok_and(|text| text.contains(name));
                if is_likely && Header::read(&bytes).is_ok_and(|header| header.id == name) {
                    return self.proved(index, &bytes);
                }
            }
        }
        Err(missing())
    }

    /// Looks for entries, the newest first.
    ///
    /// # Errors
    /// A file is not there or not what such a file is; or what was found is not what was signed.
    pub fn search(&mut self, search: &Search) -> Result<Page, LogError> {
        let needle = search.link.as_ref().map(|link| canonical(&Value::String(link.clone())));
        let limit = usize::try_from(search.limit.min(SEARCH_MAX)).unwrap_or(usize::MAX);
        let mut end = search.before.map_or(self.head.size, |before| before.min(self.head.size));
        let (mut entries, mut looked) = (Vec::new(), 0_u64);
        while end > self.first && entries.len() < limit && looked < SEARCH_STEPS_MAX {
            let Some(tile) = Tile::of_entry(end.saturating_sub(1), self.head.size) else { break };
            let start = tile.index.saturating_mul(TILE_WIDTH.into());
            let there = self.entries(tile)?.ok_or_else(|| wrong(&format!("the file {tile} is missing")))?;
            let there: Vec<(u64, Vec<u8>)> = (start..end).zip(there).collect();
            for (at, bytes) in there.into_iter().rev() {
                looked = looked.saturating_add(1);
                end = at;
                let header = Header::read(&bytes).map_err(|fault| wrong(&format!("entry {at}: {fault}")))?;
                if search.from.is_some_and(|from| header.time < from) {
                    return Ok(Page { entries, next: None });
                }
                let is_meant = (search.kinds.is_empty() || search.kinds.contains(&header.kind))
                    && search.until.is_none_or(|until| header.time <= until)
                    && needle.as_ref().is_none_or(|needle| header.links.contains(needle.as_str()));
                if !is_meant {
                    continue;
                }
                let Proved { entry, .. } = self.proved(at, &bytes)?;
                if search.link.as_ref().is_none_or(|link| entry.links.values().any(|id| id == link)) {
                    entries.push(entry);
                    if entries.len() >= limit {
                        break;
                    }
                }
            }
        }
        Ok(Page { entries, next: (end > self.first).then_some(end) })
    }

    /// The proof that the log of an older checkpoint, of `old` entries, is the beginning of the one of these files.
    ///
    /// # Errors
    /// [`LogError::NoProof`] if the log is not as long, or `old` is 0, of which there is nothing to prove.
    pub fn growth(&mut self, old: u64) -> Result<Consistency, LogError> {
        let size = self.head.size;
        let hashes = with_nodes(|node| self.node(node), |node| proof::consistency(old, size, node))?
            .map_err(LogError::NoProof)?;
        Ok(Consistency { old, hashes, checkpoint: self.note.clone() })
    }

    /// The entry of some bytes, if the head stands for them there.
    fn proved(&mut self, index: u64, bytes: &[u8]) -> Result<Proved, LogError> {
        let size = self.head.size;
        let hashes = with_nodes(|node| self.node(node), |node| proof::inclusion(index, size, node))?
            .map_err(LogError::NoProof)?;
        let is_signed = check_inclusion(leaf_hash(bytes), index, size, &hashes, self.head.root);
        is_signed.map_err(|_| wrong(&format!("entry {index} is not what was signed")))?;
        let entry = Entry::read(bytes).map_err(|fault| wrong(&format!("entry {index}: {fault}")))?;
        if entry.index != index {
            return Err(wrong(&format!("entry {} stands at {index}", entry.index)));
        }
        Ok(Proved { entry, proof: Inclusion { index, hashes, checkpoint: self.note.clone() } })
    }

    fn node(&mut self, node: Node) -> Result<Option<Digest>, LogError> {
        let Some(tile) = Tile::of_node(node, self.head.size) else { return Ok(None) };
        let Content::Hashes(level) = tile.content else { return Ok(None) };
        if let Some((_, hashes)) = self.tiles.get(&level).filter(|(kept, _)| *kept == tile) {
            return Ok(tile.hash_of(node, hashes));
        }
        let bytes = self.files.read(&tile.to_string()).map_err(LogError::Exported)?;
        let bytes = bytes.ok_or_else(|| wrong(&format!("the file {tile} is missing")))?;
        let hashes =
            read_hashes(tile, &bytes).ok_or_else(|| wrong(&format!("the file {tile} is not what it should be")))?;
        let hash = tile.hash_of(node, &hashes);
        self.tiles.insert(level, (tile, hashes));
        Ok(hash)
    }

    /// The entries of a file; `None` if there is none.
    fn entries(&mut self, tile: Tile) -> Result<Option<Vec<Vec<u8>>>, LogError> {
        let Some(bytes) = self.files.read(&tile.to_string()).map_err(LogError::Exported)? else { return Ok(None) };
        let entries =
            read_entries(tile, &bytes).ok_or_else(|| wrong(&format!("the file {tile} is not what it should be")))?;
        Ok(Some(entries.into_iter().map(<[u8]>::to_vec).collect()))
    }
}

impl std::fmt::Debug for Exported<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exported").field("head", &self.head).field("first", &self.first).finish_non_exhaustive()
    }
}

fn wrong(why: &str) -> LogError {
    LogError::Exported(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entry::Kind;
    use crate::kernel::log::append::Log;
    use crate::kernel::log::export::export;
    use crate::kernel::log::testing::{Memory, ORIGIN, World, event, signer};
    use crate::kernel::log::{prove, search};
    use crate::kernel::store::Store as _;
    use crate::log::tile::write_entries;

    type Folder = BTreeMap<String, Vec<u8>>;

    const SIZE: u64 = 700;

    /// A log, signed when it had 300 entries and again at its end, and its files.
    fn logged() -> (Memory, Vec<Entry>, Folder, String) {
        let (mut store, world, log, mut folder) = (Memory::default(), World::new(), Log::default(), Folder::default());
        let (mut entries, mut old) = (Vec::new(), String::new());
        for number in 0..SIZE {
            entries.push(store.append(&log, &world, event(number)));
            if number == 299 || number + 1 == SIZE {
                let done = store.transact(&mut |tx| {
                    let kept = log.checkpoint(tx, &signer())?;
                    old = if number == 299 { kept.note } else { std::mem::take(&mut old) };
                    Ok(())
                });
                assert_eq!(done, Ok(()));
            }
        }
        let done = store.transact(&mut |tx| {
            export(tx, None, ORIGIN, &[signer().verifier()], &mut folder, &mut |_| {}).expect("it is exported");
            Ok(())
        });
        assert_eq!(done, Ok(()));
        (store, entries, folder, old)
    }

    fn opened(folder: &mut Folder) -> Exported<'_> {
        Exported::open(folder, ORIGIN, &[signer().verifier()]).expect("it is signed")
    }

    #[test]
    fn what_the_files_prove_is_what_the_store_proves() {
        let (mut store, entries, mut folder, old) = logged();
        let mut files = opened(&mut folder);
        assert_eq!((files.size(), files.first()), (SIZE, 0));
        for index in [0, 1, 255, 256, 511, 699] {
            let entry = &entries[index];
            let by_id = files.entry(&entry.id).expect("it is there");
            assert_eq!((&by_id.entry, by_id.proof.index), (entry, index as u64));
            assert_eq!(files.entry(&index.to_string()), Ok(by_id.clone()));
            let mut ours = None;
            let done = store.transact(&mut |tx| {
                ours = Some(prove::inclusion(tx, &entry.id).expect("it is proved").1);
                Ok(())
            });
            assert_eq!((done, ours), (Ok(()), Some(by_id.proof)));
        }
        let growth = files.growth(300).expect("it has grown");
        assert_eq!(growth.check(&old, ORIGIN, &[signer().verifier()]).map(|head| head.size), Ok(SIZE));
        assert!(matches!(files.growth(SIZE + 1), Err(LogError::NoProof(_))));
        for name in ["ent_0", "700", "-1", ""] {
            assert_eq!(files.entry(name), Err(LogError::NoEntry(name.to_owned())));
        }
    }

    #[test]
    fn what_is_found_is_what_the_store_finds() {
        let (mut store, entries, mut folder, _) = logged();
        let mut files = opened(&mut folder);
        let time = |index: usize| Some(entries[index].time);
        for search in [
            Search { limit: 5, ..Search::default() },
            Search { limit: 1_000, kinds: vec![Kind::GateVoted, entries[7].kind], ..Search::default() },
            Search { limit: 1_000, from: time(400), until: time(500), ..Search::default() },
            Search { limit: 10, before: Some(256), link: Some(entries[3].id.clone()), ..Search::default() },
            Search { limit: 0, ..Search::default() },
        ] {
            let mut ours = None;
            let done = store.transact(&mut |tx| {
                ours = Some(search::search(tx, &search).expect("it can be read"));
                Ok(())
            });
            let (found, ours) = (files.search(&search).expect("it can be read"), ours.expect("it was run"));
            assert_eq!((done, &found.entries), (Ok(()), &ours.entries), "{search:?}");
        }
    }

    #[test]
    fn what_was_not_signed_is_not_given() {
        let (_, entries, folder, _) = logged();
        let tile = Tile::of_entry(300, SIZE).expect("it is there");
        let mut changed = folder.clone();
        let bytes = &folder[&tile.to_string()];
        let mut others: Vec<Vec<u8>> =
            read_entries(tile, bytes).expect("they are entries").into_iter().map(<[u8]>::to_vec).collect();
        let text = String::from_utf8(others[44].clone()).expect("it is text").replace("300", "301");
        others[44] = text.into_bytes();
        others.swap(10, 11);
        let others = write_entries(others.iter().map(|entry| &entry[..])).expect("they are short");
        changed.insert(tile.to_string(), others);
        let mut files = opened(&mut changed);
        for name in ["300", &entries[300].id, "266", "267", &entries[266].id] {
            assert!(matches!(files.entry(name), Err(LogError::Exported(_))), "{name}");
        }
        let search = Search { limit: 1_000, ..Search::default() };
        assert!(matches!(files.search(&search), Err(LogError::Exported(_))));
        files.entry("301").expect("nobody has touched it");
        // Each file is needed by some entry, and none is needed by all but the checkpoint.
        for path in folder.keys() {
            let mut lacking = folder.clone();
            lacking.remove(path);
            let Ok(mut files) = Exported::open(&mut lacking, ORIGIN, &[signer().verifier()]) else {
                assert_eq!(path, CHECKPOINT);
                continue;
            };
            let told = [0, 300, 600].map(|index| files.entry(&index.to_string()).is_ok());
            assert!(told.contains(&false), "{path}");
        }
        // Another key, another log, another head.
        let known = [signer().verifier()];
        let mut files = folder.clone();
        assert!(matches!(Exported::open(&mut files, ORIGIN, &[]), Err(LogError::BadCheckpoint(_))));
        assert!(matches!(Exported::open(&mut files, "other.example", &known), Err(LogError::BadCheckpoint(_))));
        let note = String::from_utf8(files[CHECKPOINT].clone()).expect("it is text").replacen("700", "699", 1);
        files.insert(CHECKPOINT.to_owned(), note.into_bytes());
        assert!(matches!(Exported::open(&mut files, ORIGIN, &known), Err(LogError::BadCheckpoint(_))));
    }
}
