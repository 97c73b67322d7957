//! Compacting: the oldest entries are dropped once they are in an archive, and that they were is an entry too.
//!
//! The nodes of the tree stay, so the entries that are left are proved and verified as before. A log whose oldest entries
//! are not there is sound only if a later entry says that they were dropped; [`verify`](super::verify) holds it to that.

use serde_json::{Map, Value, json};

use super::append::{Event, Log};
use super::commitment::commitments;
use super::export::{Files, verify_files};
use super::verify::{Options, Progress};
use super::{LogError, with_nodes};
use crate::base::hash::Digest;
use crate::base::limits::COMPACT_MAX;
use crate::kernel::entry::read::Header;
use crate::kernel::entry::{Entry, Kind};
use crate::kernel::environment::Environment;
use crate::kernel::store::{StoreError, Tx};
use crate::log::proof;
use crate::log::tile::TILE_WIDTH;

const BEFORE: &str = "before";

/// An export that was verified: what is in it can be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archive {
    // INVARIANT: files with all of so many entries were there when this was made, and they have this root.
    size: u64,
    root: Digest,
}

impl Archive {
    /// Verifies the files of an export.
    ///
    /// # Errors
    /// [`LogError::Archive`] if anything in it is not as it was signed; or a file can't be read.
    pub fn verified(
        files: &mut dyn Files,
        options: &Options<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Archive, LogError> {
        let report = verify_files(files, options, progress)?;
        if let Some(finding) = report.findings.first() {
            return Err(LogError::Archive(finding.to_string()));
        }
        if report.dropped > 0 {
            return Err(LogError::Archive(format!("its first {} entries are not in it", report.dropped)));
        }
        if report.more || report.covered != report.size {
            return Err(LogError::Archive("its checkpoint does not stand for all of it".to_owned()));
        }
        Ok(Archive { size: report.size, root: report.root })
    }

    /// How many entries are in it.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// Drops the entries before an index as far as they are in the archive, [`COMPACT_MAX`] of them at most, with what is kept
/// of their sensitive values, but for what outlives its entry; and appends the entry that says so: who had it done, and why.
/// What is dropped ends where a
/// file of an export does. Gives that entry, or `None` if there was nothing left to drop: so it is called until then.
///
/// # Errors
/// [`LogError::Archive`] if the archive is not one of this log; or the entry could not be appended. The part in which this
/// was called has to fail then.
pub fn compact(
    log: &Log,
    tx: &mut dyn Tx,
    environment: &dyn Environment,
    archive: &Archive,
    before: u64,
    (principal, reason): (&Value, &str),
    outlives: &dyn Fn(&mut dyn Tx, Digest) -> Result<bool, StoreError>,
) -> Result<Option<Entry>, LogError> {
    let Archive { size, root } = *archive;
    let ours = with_nodes(|node| tx.node(node), |node| proof::root(size, node))?.map_err(LogError::NoProof)?;
    if ours != root {
        return Err(LogError::Archive(format!("its {size} entries are not those of this log")));
    }
    let dropped = tx.dropped()?;
    // The last entry stays, so that it is known where the log goes on.
    let last = tx.log_size()?.saturating_sub(1);
    let before = before.min(size).min(last).min(dropped.saturating_add(COMPACT_MAX));
    let before = before.saturating_sub(before.checked_rem(TILE_WIDTH.into()).unwrap_or_default());
    let Some(count) = before.checked_sub(dropped).filter(|count| *count > 0) else { return Ok(None) };
    for (at, bytes) in tx.entries(dropped, u32::try_from(count).unwrap_or(u32::MAX))? {
        let damaged = |why: String| StoreError::Corrupt(format!("entry {at} of the log: {why}"));
        let entry = Entry::read(&bytes).map_err(|fault| damaged(fault.to_string()))?;
        for (_, digest) in commitments(&entry)? {
            if !outlives(tx, digest)? {
                tx.erase_content(digest)?;
            }
        }
    }
    tx.drop_entries(before)?;
    let body = json!({
        BEFORE: before, "from": dropped, "archive": { "size": size, "root": root.to_string() },
        "principal": principal, "reason": reason,
    });
    let body = body.as_object().cloned().unwrap_or_else(Map::new);
    log.append(tx, environment, Event::new(Kind::LogCompacted, body)).map(Some)
}

/// How many entries were dropped, from the beginning on, if an entry tells of that.
pub(in crate::kernel) fn dropped(header: &Header<'_>) -> Option<u64> {
    let is_told = header.kind == Kind::LogCompacted;
    is_told.then(|| serde_json::from_str::<Value>(header.body).ok()?.get(BEFORE)?.as_u64())?
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::kernel::log::commitment::reveal;
    use crate::kernel::log::export::export;
    use crate::kernel::log::finding::Finding;
    use crate::kernel::log::prove;
    use crate::kernel::log::testing::{Memory, ORIGIN, World, body, event, signer};
    use crate::kernel::store::Store as _;
    use crate::log::tree::{Node, leaf_hash};

    type Folder = BTreeMap<String, Vec<u8>>;

    /// What is done in a transaction of its own, with its answer.
    fn done<T>(store: &mut Memory, mut work: impl FnMut(&mut dyn Tx) -> Result<T, LogError>) -> Result<T, LogError> {
        let mut answer = None;
        _ = store.transact(&mut |tx| {
            let done = work(tx);
            let failed = done.as_ref().err().cloned();
            answer = Some(done);
            failed.map_or(Ok(()), |fault| Err(fault.into()))
        });
        answer.expect("it was run")
    }

    fn secret(number: u64) -> Event {
        let body = body(json!({ "number": number, "name": format!("person {number}") }));
        Event { sensitive: vec!["/name".to_owned()], ..Event::new(Kind::Decision, body) }
    }

    fn verified(folder: &mut Folder) -> Result<Archive, LogError> {
        let options = Options { origin: ORIGIN, known: &[signer().verifier()], trusted: &[], threads: 2 };
        Archive::verified(folder, &options, &mut |_| {})
    }

    /// A log of 700 entries, signed and exported.
    fn archived() -> (Memory, World, Log, Folder) {
        let (mut store, world, log, mut folder) = (Memory::default(), World::new(), Log::default(), Folder::default());
        (0..700).for_each(|number| _ = store.append(&log, &world, secret(number)));
        done(&mut store, |tx| log.checkpoint(tx, &signer())).expect("it is signed");
        let known = [signer().verifier()];
        done(&mut store, |tx| export(tx, None, ORIGIN, &known, &mut folder, &mut |_| {})).expect("it is exported");
        (store, world, log, folder)
    }

    fn compacted(
        store: &mut Memory,
        (world, log): (&World, &Log),
        archive: &Archive,
        before: u64,
    ) -> Result<Option<Entry>, LogError> {
        let principal = json!({ "type": "User", "id": "ada" });
        done(store, |tx| {
            let why = (&principal, "two years have gone by");
            compact(log, tx, world, archive, before, why, &|_, _| Ok(false))
        })
    }

    #[test]
    fn what_is_left_is_proved_and_verified() {
        let (mut store, world, log, mut folder) = archived();
        let before = folder.clone();
        let archive = verified(&mut folder).expect("it is whole");
        let (old, young) = (store.rows[&100].clone(), store.rows[&600].clone());
        let [old, young] = [old, young].map(|bytes| Entry::read(&bytes).expect("it is an entry"));
        let contents = store.contents.len();
        let told =
            compacted(&mut store, (&world, &log), &archive, 600).expect("it is done").expect("there was something");
        assert_eq!((told.index, told.kind, told.body["before"].as_u64()), (700, Kind::LogCompacted, Some(512)));
        assert_eq!(
            (store.rows.first_key_value().map(|(at, _)| *at), store.contents.len()),
            (Some(512), contents - 512)
        );
        let report = store.report(&[]);
        assert!(report.is_sound(), "{report:?}");
        assert_eq!((report.size, report.dropped, report.covered), (701, 512, 700));
        // There is nothing more to drop.
        assert_eq!(compacted(&mut store, (&world, &log), &archive, 600), Ok(None));
        // The log goes on, for others who append too.
        store.append(&Log::default(), &world, event(701));
        done(&mut store, |tx| log.checkpoint(tx, &signer())).expect("it is signed");
        done(&mut store, |tx| prove::inclusion(tx, &young.id)).expect("it can be proved");
        assert_eq!(done(&mut store, |tx| prove::consistency(tx, 700)).expect("it can be proved").old, 700);
        let revealed = done(&mut store, |tx| reveal(tx, young.clone())).expect("it can be read");
        assert_eq!(revealed.entry.body["name"], "person 600");
        assert_eq!(done(&mut store, |tx| prove::inclusion(tx, &old.id)).err(), Some(LogError::NoEntry(old.id.clone())));
        // Whoever has what was dropped has it proved, and nothing else.
        let proof = done(&mut store, |tx| prove::inclusion_of(tx, &old, None)).expect("it is of this log");
        let leaf = leaf_hash(&old.to_bytes());
        assert_eq!(proof.check(leaf, ORIGIN, &[signer().verifier()]).map(|head| head.size), Ok(702));
        let others = [Entry { index: 101, ..old.clone() }, Entry { index: 9_000, ..old.clone() }, {
            let mut other = old.clone();
            other.body.insert("name".to_owned(), "person 99".into());
            other
        }];
        for other in others {
            let fault = done(&mut store, |tx| prove::inclusion_of(tx, &other, None)).err();
            assert!(matches!(fault, Some(LogError::Exported(_))), "{fault:?}");
        }
        let report = store.report(&[]);
        assert!(report.is_sound() && report.dropped == 512 && report.covered == 702, "{report:?}");
        // An export completes the archive, and by itself is none.
        let known = [signer().verifier()];
        let mut alone = Folder::default();
        for folder in [&mut folder, &mut alone] {
            done(&mut store, |tx| export(tx, None, ORIGIN, &known, folder, &mut |_| {})).expect("it is exported");
        }
        assert_eq!(verified(&mut folder).map(|archive| archive.size()), Ok(702));
        assert!(matches!(verified(&mut alone), Err(LogError::Archive(_))));
        // It verifies all the same, for it says itself what it does not have.
        let report = in_files(&mut alone);
        assert!(report.is_sound(), "{report:?}");
        assert_eq!((report.size, report.dropped, report.covered), (702, 512, 702));
        // What else it lacks is missing, and so is what was there when nothing was dropped yet.
        let [first, second, last] = ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/190"];
        for (folder, paths, missing) in [
            (&alone, &[last][..], &[first, second, last][..]),
            (&before, &[first, second], &[first, second]),
            (&folder, &[second], &[second]),
        ] {
            let mut lacking = folder.clone();
            paths.iter().for_each(|path| drop(lacking.remove(*path).expect("it was there")));
            let report = in_files(&mut lacking);
            let why = "it is missing".to_owned();
            let files = missing.iter().map(|path| Finding::File { path: (*path).to_owned(), why: why.clone() });
            assert_eq!((report.dropped, report.findings), (0, files.collect::<Vec<_>>()));
        }
        // The archive may lose what was dropped: then it is an export as any other.
        folder.remove("tile/entries/000");
        folder.remove("tile/entries/001");
        assert_eq!((in_files(&mut folder).is_sound(), in_files(&mut folder).dropped), (true, 512));
        assert!(matches!(verified(&mut folder), Err(LogError::Archive(_))));
    }

    fn in_files(folder: &mut Folder) -> super::super::verify::Report {
        let options = Options { origin: ORIGIN, known: &[signer().verifier()], trusted: &[], threads: 2 };
        verify_files(folder, &options, &mut |_| {}).expect("it can be read")
    }

    #[test]
    fn what_the_log_does_not_say_was_dropped_is_missing() {
        let (mut store, world, log, mut folder) = archived();
        let mut unsaid = store.clone();
        assert_eq!(unsaid.drop_entries(256), Ok(256));
        let report = unsaid.report(&[]);
        assert_eq!((report.dropped, &report.findings[..]), (0, &[Finding::Missing { from: 0, to: 256 }][..]));
        let archive = verified(&mut folder).expect("it is whole");
        compacted(&mut store, (&world, &log), &archive, 256).expect("it is done").expect("there was something");
        // More than it says.
        let mut more = store.clone();
        assert_eq!(more.drop_entries(400), Ok(400));
        let report = more.report(&[]);
        assert_eq!((report.dropped, &report.findings[..]), (256, &[Finding::Missing { from: 256, to: 400 }][..]));
        // A hash of what was dropped.
        let mut changed = store.clone();
        changed.nodes.get_mut(&Node { level: 0, index: 9 }).expect("it is there").0[0] ^= 1;
        assert!(!changed.report(&[]).is_sound());
        store.nodes.remove(&Node { level: 0, index: 9 });
        assert!(store.findings(&[]).contains(&Finding::NodeMissing(Node { level: 0, index: 9 })));
    }

    #[test]
    fn nothing_is_dropped_without_an_archive_of_it() {
        let (mut store, world, log, folder) = archived();
        for path in folder.keys() {
            let mut lacking = folder.clone();
            lacking.remove(path);
            assert!(matches!(verified(&mut lacking), Err(LogError::Archive(_))), "{path}");
        }
        // One of another log.
        let (mut another, others, mut foreign) = (Memory::default(), Log::default(), Folder::default());
        (0..300).for_each(|number| _ = another.append(&others, &world, event(number)));
        done(&mut another, |tx| others.checkpoint(tx, &signer())).expect("it is signed");
        let known = [signer().verifier()];
        done(&mut another, |tx| export(tx, None, ORIGIN, &known, &mut foreign, &mut |_| {})).expect("it is exported");
        let archive = verified(&mut foreign).expect("it is whole");
        let before = store.rows.clone();
        assert!(matches!(compacted(&mut store, (&world, &log), &archive, 256), Err(LogError::Archive(_))));
        assert_eq!(store.rows, before);
        // No more than is in it.
        let archive = verified(&mut folder.clone()).expect("it is whole");
        (0..600).for_each(|number| _ = store.append(&log, &world, event(number)));
        compacted(&mut store, (&world, &log), &archive, u64::MAX).expect("it is done").expect("there was something");
        assert_eq!(store.dropped, 512);
    }
}
