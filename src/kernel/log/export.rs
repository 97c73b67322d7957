//! Exporting a log to files, laid out as C2SP `tlog-tiles` has it, and verifying such files: for keeping a copy elsewhere,
//! and for anybody who has software of their own.
//!
//! ```text
//! checkpoint                 the signed head
//! tile/0/000 …               the hashes of the leaves, 256 in a file
//! tile/1/000 …               those of the nodes above them, every eighth level
//! tile/entries/000 …         the entries, 256 in a file, each behind its length
//! ```
//!
//! Nothing here touches files: whoever calls gives [`Files`] that do. The checkpoint is written last, and only if it is that
//! of everything that was written before it.

use std::collections::{BTreeMap, BTreeSet};

use super::LogError;
use super::checkpoint::{Kept, covering, current};
use super::finding::{Finding, Findings, of_checkpoint};
use super::verify::{Options, Progress, Report, verify_view};
use super::view::{AtOnce, Hashes, Note, Rounds, Row, Stretch, View};
use crate::base::hash::Digest;
use crate::kernel::store::{StoreError, Tx};
use crate::log::note::{NOTE_BYTES_MAX, Verifier};
use crate::log::offline::open_checkpoint;
use crate::log::tile::{
    Content, TILE_HEIGHT, TILE_WIDTH, Tile, read_entries, read_hashes, write_entries, write_hashes,
};
use crate::log::tree::{Frontier, empty_root, leaf_hash};

/// The file of the signed head.
pub const CHECKPOINT: &str = "checkpoint";

/// Which checkpoint that is, where one is named.
const OF_FILES: &str = "of the files";

/// How many entries are read at once: a multiple of those of a tile.
const ROUND: u32 = 4_096;

/// Where files of a log are. Paths have `/` between their parts, and none that goes up.
pub trait Files {
    /// Writes a file, with the folders in which it is. One that is there is replaced.
    ///
    /// # Errors
    /// Says why it can't be written.
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), String>;

    /// Reads a file; `None` if there is none.
    ///
    /// # Errors
    /// Says why it can't be read.
    fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, String>;
}

/// Files that are nowhere but in memory, by their paths.
impl Files for BTreeMap<String, Vec<u8>> {
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), String> {
        self.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.get(path).cloned())
    }
}

/// Writes the log up to a checkpoint, the one of `size` entries or the last one. Gives that checkpoint.
///
/// # Errors
/// [`LogError::NoCheckpoint`]; [`LogError::BrokenPromise`] if the entries are not those that were signed; or a file can't be
/// written.
pub fn export(
    tx: &mut dyn Tx,
    size: Option<u64>,
    origin: &str,
    known: &[Verifier],
    files: &mut dyn Files,
    progress: &mut dyn FnMut(Progress),
) -> Result<Kept, LogError> {
    export_in(&mut AtOnce(tx), size, origin, known, files, progress)
}

/// The same in rounds, which may be transactions of their own.
pub(in crate::kernel) fn export_in(
    rounds: &mut impl Rounds,
    size: Option<u64>,
    origin: &str,
    known: &[Verifier],
    files: &mut dyn Files,
    progress: &mut dyn FnMut(Progress),
) -> Result<Kept, LogError> {
    let (kept, dropped) = rounds.read(move |tx| {
        let kept = match size {
            Some(size) => covering(tx, size)?.filter(|kept| kept.size == size),
            None => current(tx)?,
        };
        Ok((kept, tx.dropped()?))
    })?;
    let kept = kept.ok_or(LogError::NoCheckpoint(size.unwrap_or(0)))?;
    let head = open_checkpoint(&kept.note, origin, known).map_err(LogError::BadCheckpoint)?;
    let size = head.size;
    let mut tree = Frontier::default();
    // The hashes of each level of tiles that are in no file yet.
    let mut open: BTreeMap<u8, Vec<Digest>> = BTreeMap::new();
    let mut rows: Vec<(u64, Vec<u8>)> = Vec::new();
    while tree.size() < size {
        let start = tree.size();
        let Some(tile) = Tile::of_entry(start, size) else { break };
        let leaves = if start.saturating_add(tile.width.into()) <= dropped {
            // Their file is that of an earlier export.
            rounds.read(move |tx| tx.nodes(0, start, tile.width.into()))?
        } else {
            let behind = rows.partition_point(|(at, _)| *at < start);
            rows.drain(..behind);
            if rows.len() < usize::from(tile.width) {
                rows = rounds.read(move |tx| tx.entries(start, ROUND))?;
            }
            let rows = rows.get(..usize::from(tile.width)).unwrap_or(&rows);
            let is_whole = (start..).zip(rows).all(|(at, (index, _))| at == *index);
            let bytes = write_entries(rows.iter().map(|(_, entry)| &entry[..]));
            let Some(bytes) = bytes.filter(|_| is_whole && rows.len() == usize::from(tile.width)) else {
                return Err(StoreError::Corrupt(format!("the entries from {start} on are not whole")).into());
            };
            files.write(&tile.to_string(), &bytes).map_err(LogError::Files)?;
            rows.iter().map(|(_, entry)| Some(leaf_hash(entry))).collect()
        };
        for leaf in leaves {
            let missing = || StoreError::Corrupt(format!("nodes of the entries from {start} on are missing"));
            let leaf = leaf.ok_or_else(missing)?;
            let mut complete = Vec::new();
            tree.append(leaf, |node, hash| complete.push((node, hash)));
            for (node, hash) in complete.into_iter().filter(|(node, _)| node.level.is_multiple_of(TILE_HEIGHT)) {
                let level = node.level.div_euclid(TILE_HEIGHT);
                let hashes = open.entry(level).or_default();
                hashes.push(hash);
                if hashes.len() == usize::from(TILE_WIDTH) {
                    let index = node.index.div_euclid(TILE_WIDTH.into());
                    write_tile(files, level, index, hashes)?;
                    hashes.clear();
                }
            }
        }
        progress(Progress { done: tree.size(), of: size });
    }
    for (level, hashes) in open.iter().filter(|(_, hashes)| !hashes.is_empty()) {
        let bits = u32::from(*level).saturating_mul(TILE_HEIGHT.into());
        let index = size.checked_shr(bits).unwrap_or(0).div_euclid(TILE_WIDTH.into());
        write_tile(files, *level, index, hashes)?;
    }
    if tree.root() != head.root {
        return Err(LogError::BrokenPromise { size });
    }
    files.write(CHECKPOINT, kept.note.as_bytes()).map_err(LogError::Files)?;
    Ok(kept)
}

fn write_tile(files: &mut dyn Files, level: u8, index: u64, hashes: &[Digest]) -> Result<(), LogError> {
    let width = u16::try_from(hashes.len()).unwrap_or(TILE_WIDTH);
    let tile = Tile { content: Content::Hashes(level), index, width };
    files.write(&tile.to_string(), &write_hashes(hashes)).map_err(LogError::Files)
}

/// Verifies the files of a log as [`verify`](super::verify::verify) does a store. That the first entries have no files is
/// believed as far as an entry that is signed for says that they were dropped; else they are missing.
///
/// # Errors
/// A file can't be read. One that is missing or not what it should be is a finding.
pub fn verify_files(
    files: &mut dyn Files,
    options: &Options<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, StoreError> {
    let failed = |finding| Report {
        size: 0,
        dropped: 0,
        root: empty_root(),
        covered: 0,
        checkpoints: 0,
        findings: vec![finding],
        more: false,
    };
    let wrong = |why: &str| failed(Finding::File { path: CHECKPOINT.to_owned(), why: why.to_owned() });
    let Some(bytes) = read(files, CHECKPOINT)? else { return Ok(wrong("it is missing")) };
    let Some(note) = String::from_utf8(bytes).ok().filter(|note| note.len() <= NOTE_BYTES_MAX) else {
        return Ok(wrong("it is not a signed note"));
    };
    match open_checkpoint(&note, options.origin, options.known) {
        Ok(head) => {
            let dropped = without_files(head.size, |path| read(files, path))?;
            let report = verify_view(&mut InFiles::new(files, head.size, dropped, &note), options, progress)?;
            match first_file(report.dropped) {
                told if told < dropped => {
                    verify_view(&mut InFiles::new(files, head.size, told, &note), options, progress)
                }
                _ => Ok(report),
            }
        }
        Err(fault) => Ok(failed(Finding::Checkpoint { which: OF_FILES.to_owned(), why: of_checkpoint(fault) })),
    }
}

fn read(files: &mut dyn Files, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
    files.read(path).map_err(StoreError::Unavailable)
}

/// How many of the first entries have no file. Where no entry has one, nothing can say that any was dropped: none, then.
pub(in crate::kernel) fn without_files<E>(
    size: u64,
    mut read: impl FnMut(&str) -> Result<Option<Vec<u8>>, E>,
) -> Result<u64, E> {
    let mut at = 0_u64;
    while let Some(tile) = Tile::of_entry(at, size) {
        if read(&tile.to_string())?.is_some() {
            return Ok(at);
        }
        at = at.saturating_add(tile.width.into());
    }
    Ok(0)
}

/// So many entries, as far as they end where a file does.
pub(in crate::kernel) fn first_file(entries: u64) -> u64 {
    entries.saturating_sub(entries.rem_euclid(TILE_WIDTH.into()))
}

/// The files of a log up to their checkpoint.
struct InFiles<'f> {
    files: &'f mut dyn Files,
    size: u64,
    /// So many of the first entries have no file, and need none.
    dropped: u64,
    note: &'f str,
    /// Paths of which it was told that they are not what they should be.
    told: BTreeSet<String>,
    /// The last tile of hashes of each level.
    tiles: BTreeMap<u8, (Tile, Option<Vec<Digest>>)>,
}

impl<'f> InFiles<'f> {
    fn new(files: &'f mut dyn Files, size: u64, dropped: u64, note: &'f str) -> InFiles<'f> {
        InFiles { files, size, dropped, note, told: BTreeSet::new(), tiles: BTreeMap::new() }
    }

    /// What is in a file, if it is what it should be; else that is told, once.
    fn file<T>(
        &mut self,
        tile: Tile,
        parse: impl FnOnce(&[u8]) -> Option<T>,
        findings: &mut Findings,
    ) -> Result<Option<T>, StoreError> {
        let path = tile.to_string();
        let bytes = read(self.files, &path)?;
        let why = match bytes.as_deref().map(parse) {
            Some(Some(parsed)) => return Ok(Some(parsed)),
            Some(None) => "it is not what such a file is",
            None => "it is missing",
        };
        if self.told.insert(path.clone()) {
            findings.push(Finding::File { path, why: why.to_owned() });
        }
        Ok(None)
    }
}

impl InFiles<'_> {
    fn stretch(&mut self, stretch: Stretch, findings: &mut Findings) -> Result<Hashes, StoreError> {
        let Stretch { level, from, count } = stretch;
        let tiles_level = level.div_euclid(TILE_HEIGHT);
        let mut nodes = Vec::new();
        for index in (from..=u64::MAX).take(usize::try_from(count).unwrap_or(usize::MAX)) {
            let Some(tile) = Tile::of_node(crate::log::tree::Node { level, index }, self.size) else {
                nodes.push(None);
                continue;
            };
            if self.tiles.get(&tiles_level).is_none_or(|(kept, _)| *kept != tile) {
                let hashes = self.file(tile, |bytes| read_hashes(tile, bytes), findings)?;
                self.tiles.insert(tiles_level, (tile, hashes));
            }
            let place = usize::try_from(index.rem_euclid(TILE_WIDTH.into())).unwrap_or(usize::MAX);
            let hashes = self.tiles.get(&tiles_level).and_then(|(_, hashes)| hashes.as_ref());
            nodes.push(hashes.and_then(|hashes| hashes.get(place)).copied());
        }
        Ok(nodes)
    }
}

impl View for InFiles<'_> {
    fn step(&self) -> u8 {
        TILE_HEIGHT
    }

    fn dropped(&self) -> u64 {
        self.dropped
    }

    fn size(&mut self) -> Result<u64, StoreError> {
        Ok(self.size)
    }

    fn rows(&mut self, from: u64, limit: u32, findings: &mut Findings) -> Result<Vec<Row>, StoreError> {
        let end = from.saturating_add(limit.into()).min(self.size);
        let mut rows: Vec<Row> = Vec::new();
        let mut at = from;
        while at < end {
            let Some(tile) = Tile::of_entry(at, self.size) else { break };
            let owned =
                |bytes: &[u8]| Some(read_entries(tile, bytes)?.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>());
            let first = tile.index.saturating_mul(TILE_WIDTH.into());
            let behind = first.saturating_add(tile.width.into()).min(end);
            let mut entries = self.file(tile, owned, findings)?;
            for at in at..behind {
                let place = usize::try_from(at.saturating_sub(first)).unwrap_or(usize::MAX);
                let bytes = entries.as_mut().and_then(|entries| entries.get_mut(place)).map(std::mem::take);
                rows.push(Row { at, bytes, listed: None });
            }
            at = behind;
        }
        Ok(rows)
    }

    fn nodes(&mut self, stretches: &[Stretch], findings: &mut Findings) -> Result<Vec<Hashes>, StoreError> {
        stretches.iter().map(|stretch| self.stretch(*stretch, findings)).collect()
    }

    fn notes(&mut self, _: &mut Findings) -> Result<Vec<Note>, StoreError> {
        Ok(vec![Note { which: OF_FILES.to_owned(), note: self.note.to_owned(), size: None }])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::kernel::log::append::Log;
    use crate::kernel::log::testing::{Memory, ORIGIN, World, event, signer};
    use crate::kernel::store::Store as _;
    use crate::log::tree::Node;

    type Folder = BTreeMap<String, Vec<u8>>;

    const SIZE: u64 = 600;
    const SIGNED: [u64; 3] = [1, 256, 590];

    fn grown() -> Memory {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let done = store.transact(&mut |tx| {
            for number in 0..SIZE {
                log.append(tx, &world, event(number))?;
                if SIGNED.contains(&(number + 1)) {
                    log.checkpoint(tx, &signer())?;
                }
            }
            Ok(())
        });
        assert_eq!(done, Ok(()));
        store
    }

    fn exported(store: &mut Memory, size: Option<u64>) -> Result<Folder, LogError> {
        let mut folder = Folder::default();
        let kept = export(store, size, ORIGIN, &[signer().verifier()], &mut folder, &mut |_| {})?;
        assert_eq!(folder["checkpoint"], kept.note.as_bytes());
        Ok(folder)
    }

    fn report(folder: &mut Folder) -> Report {
        let options = Options { origin: ORIGIN, known: &[signer().verifier()], trusted: &[], threads: 2 };
        verify_files(folder, &options, &mut |_| {}).expect("it can be read")
    }

    static WHOLE: LazyLock<Folder> = LazyLock::new(|| exported(&mut grown(), None).expect("it can be exported"));

    #[test]
    fn files_are_those_of_the_layout_and_sound() {
        let mut store = grown();
        for size in SIGNED {
            let mut folder = exported(&mut store, Some(size)).expect("it can be exported");
            let mut paths: Vec<String> = Tile::all(size).map(|tile| tile.to_string()).collect();
            paths.push(CHECKPOINT.to_owned());
            paths.sort();
            assert_eq!(folder.keys().cloned().collect::<Vec<_>>(), paths);
            let report = report(&mut folder);
            assert!(report.is_sound(), "{report:?}");
            assert_eq!((report.size, report.covered), (size, size));
        }
        assert_eq!(exported(&mut store, Some(2)), Err(LogError::NoCheckpoint(2)));
        assert_eq!(exported(&mut Memory::default(), None), Err(LogError::NoCheckpoint(0)));
    }

    #[test]
    fn an_empty_log_is_a_checkpoint() {
        let (mut store, log) = (Memory::default(), Log::default());
        store.transact(&mut |tx| log.checkpoint(tx, &signer()).map(|_| ()).map_err(Into::into)).expect("it is signed");
        let mut folder = exported(&mut store, None).expect("it can be exported");
        assert_eq!(folder.len(), 1);
        assert!(report(&mut folder).is_sound());
    }

    #[test]
    fn what_was_not_signed_is_not_exported() {
        let mut store = grown();
        let row = store.rows.get_mut(&300).expect("it is there");
        row[20] ^= 1;
        assert_eq!(exported(&mut store, None), Err(LogError::BrokenPromise { size: 590 }));
        store.rows.remove(&300);
        assert!(matches!(exported(&mut store, None), Err(LogError::Store(StoreError::Corrupt(_)))));
    }

    #[test]
    fn missing_files_are_named() {
        for path in WHOLE.keys() {
            let mut folder = WHOLE.clone();
            folder.remove(path);
            let why = "it is missing".to_owned();
            assert_eq!(report(&mut folder).findings, [Finding::File { path: path.clone(), why }]);
        }
    }

    #[test]
    fn other_entries_are_named() {
        let mut folder = WHOLE.clone();
        let tile = Tile::of_entry(300, 590).expect("it is there");
        let bytes = folder[&tile.to_string()].clone();
        let mut entries = read_entries(tile, &bytes).expect("they are entries");
        entries.swap(300 - 256, 301 - 256);
        folder.insert(tile.to_string(), write_entries(entries).expect("they are short"));
        let found = report(&mut folder).findings;
        assert!(
            matches!(
                &found[..],
                [Finding::Reordered { at: 300, index: 301, .. }, Finding::Reordered { at: 301, index: 300, .. }]
            ),
            "{found:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 48 } else { 1_000 }))]

        /// A byte of any file: it is named by the file, the entry, the node or the checkpoint.
        #[test]
        fn a_changed_byte(which: prop::sample::Index, place: prop::sample::Index, change in 1..=255_u8) {
            let mut folder = WHOLE.clone();
            let path = which.get(&WHOLE.keys().collect::<Vec<_>>()).to_string();
            let bytes = folder.get_mut(&path).expect("it is there");
            let place = place.index(bytes.len());
            bytes[place] ^= change;
            let found = report(&mut folder).findings;
            let [finding] = &found[..] else { panic!("{found:?}") };
            let tile = Tile::parse(&path);
            let is_named = match (tile.map(|tile| (tile.content, tile.index)), finding) {
                (None, Finding::Checkpoint { .. } | Finding::File { .. }) => true,
                (Some((Content::Hashes(of), tile)), Finding::NodeChanged(Node { level, index })) => {
                    (*level, *index) == (of * TILE_HEIGHT, tile * 256 + place as u64 / 32)
                }
                (Some((Content::Entries, tile)), Finding::Changed { index, .. }) => index / 256 == tile,
                (Some((Content::Entries, _)), Finding::File { path: named, .. }) => *named == path,
                _ => false,
            };
            prop_assert!(is_named, "{path} {place}: {found:?}");
        }
    }
}
