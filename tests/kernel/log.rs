//! The kernel's log in a file, written by many threads; its proofs against another implementation; its export in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use pdl::base::hash::Digest;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::entry::Kind;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::log::append::{Event, Log};
use pdl::kernel::log::export::{Files, export, verify_files};
use pdl::kernel::log::finding::Finding;
use pdl::kernel::log::verify::{Options, Report, verify};
use pdl::kernel::log::{LogError, prove};
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{self, Sqlite};
use pdl::kernel::store::{Store, StoreError};
use pdl::kernel::writer::{WriteError, Writer};
use pdl::log::note::Signer;
use pdl::log::offline::open_checkpoint;
use pdl::log::tile::{Tile, read_entries, write_entries};
use serde_json::{Map, json};
use sha2::{Digest as _, Sha256};

use super::room::Room;

const ORIGIN: &str = "pdl.example/log";

fn signer() -> Signer {
    Signer::from_seed(ORIGIN, &[7; 32]).expect("it is a name")
}

/// A clock that stands still, and chance that never comes twice.
#[derive(Debug, Default)]
struct World(AtomicU64);

impl Environment for World {
    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-11-21T10:00:00Z").expect("it is a time")
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        let digest = Digest::of(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes()).0;
        buffer.iter_mut().zip(digest).for_each(|(byte, chance)| *byte = chance);
        Ok(())
    }
}

fn event(number: u64) -> Event {
    Event::new(Kind::Decision, Map::from_iter([("number".to_owned(), json!(number))]))
}

fn append(store: &mut dyn Store, log: &Log, world: &World, numbers: std::ops::Range<u64>) {
    let done = store.transact(&mut |tx| {
        for number in numbers.clone() {
            log.append(tx, world, event(number))?;
        }
        log.checkpoint(tx, &signer())?;
        Ok(())
    });
    assert_eq!(done, Ok(()));
}

fn report(store: &mut dyn Store) -> Report {
    let options = Options { origin: ORIGIN, known: &[signer().verifier()], trusted: &[], threads: 2 };
    let mut report = None;
    let done = store.transact(&mut |tx| {
        report = Some(verify(tx, &options, &mut |_| {})?);
        Ok(())
    });
    assert_eq!(done, Ok(()));
    report.expect("it was run")
}

#[derive(Debug, PartialEq)]
struct Failed(String);

impl From<WriteError> for Failed {
    fn from(fault: WriteError) -> Failed {
        Failed(fault.to_string())
    }
}

impl From<LogError> for Failed {
    fn from(fault: LogError) -> Failed {
        Failed(fault.to_string())
    }
}

#[test]
fn many_threads_write_one_log() {
    let room = Room::new();
    let path = room.path("log");
    let store = Sqlite::create(&path, &sqlite::Options::PLAIN).expect("it can be made");
    let writer = Writer::new(Box::new(store)).expect("there is a thread");
    let (log, world) = (Arc::new(Log::default()), Arc::new(World::default()));
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (writer, log, world) = (&writer, log.clone(), world.clone());
            scope.spawn(move || {
                for number in 0..50 {
                    let (log, world) = (log.clone(), world.clone());
                    let done = writer.submit(move |tx| {
                        let entry = log.append(tx, &*world, event(number))?;
                        // Some fail behind that, and are undone.
                        if number % 7 == thread { Err(Failed("given up".to_owned())) } else { Ok(entry.index) }
                    });
                    assert_eq!(done.is_err(), number % 7 == thread, "{done:?}");
                }
                let log = log.clone();
                writer.submit(move |tx| log.checkpoint(tx, &signer()).map_err(Failed::from)).expect("it is signed");
            });
        }
    });
    drop(writer.close().expect("it was not lost"));
    let mut store = Sqlite::open(&path, &sqlite::Options::PLAIN).expect("it is there");
    let report = report(&mut store);
    assert!(report.is_sound(), "{report:?}");
    // Of the numbers up to 50, eight are divided by seven with no rest, and with a rest of 1 to 3 seven or eight.
    let undone: u64 = (0..4).map(|thread| (0..50).filter(|number| number % 7 == thread).count() as u64).sum();
    assert_eq!(report.size, 200 - undone);
    assert_eq!(report.covered, report.size);
}

/// What is done to a file behind the store's back, and what is found then. The store finds what it can by itself: then that
/// entry can't be read; what it can't find, the log does.
#[test]
fn files_that_were_tampered_with() {
    let room = Room::new();
    let path = room.path("log");
    let mut store = Sqlite::create(&path, &sqlite::Options::PLAIN).expect("it can be made");
    let (log, world) = (Log::default(), World::default());
    append(&mut store, &log, &world, 0..20);
    append(&mut store, &log, &world, 20..33);
    assert!(report(&mut store).is_sound());
    drop(store);
    let unreadable = |found: &[Finding], at: u64| matches!(found, [Finding::Unreadable { index, .. }] if *index == at);
    type Check<'a> = &'a dyn Fn(&[Finding]) -> bool;
    let steps: [(&str, Check<'_>); 4] = [
        ("UPDATE entries SET entry = zeroblob(9) WHERE position = 7", &|found| unreadable(found, 7)),
        ("DELETE FROM entries WHERE position = 7", &|found| unreadable(found, 7)),
        ("DELETE FROM entries WHERE position = 32", &|found| found == [Finding::Truncated { size: 32, promised: 33 }]),
        (
            "DELETE FROM nodes WHERE level = 2 AND position = 3",
            &|found| matches!(found, [Finding::NodeMissing(node)] if (node.level, node.index) == (2, 3)),
        ),
    ];
    for (sql, is_named) in steps {
        let copies = Room::new();
        let copy = copies.path("copy");
        for more in ["", "-tip"] {
            fs::copy(room.path(&format!("log{more}")), copies.path(&format!("copy{more}"))).expect("it can be copied");
        }
        let connection = rusqlite::Connection::open(&copy).expect("it is a database");
        assert_eq!(connection.execute(sql, ()).expect("it is SQL"), 1, "{sql}");
        drop(connection);
        let mut store = Sqlite::open(&copy, &sqlite::Options::PLAIN).expect("it is there");
        let found = report(&mut store).findings;
        assert!(is_named(&found), "{sql}: {found:?}");
    }
}

/// An entry that is there, and that nobody finds by what it is: the sums of rows are no secret.
#[test]
fn entries_under_other_names() {
    let room = Room::new();
    let path = room.path("log");
    let mut store = Sqlite::create(&path, &sqlite::Options::PLAIN).expect("it can be made");
    append(&mut store, &Log::default(), &World::default(), 0..9);
    drop(store);
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let connection = rusqlite::Connection::open(&path).expect("it is a database");
    let (id, kind, entry): (String, String, Vec<u8>) =
        connection.query_row("SELECT id, kind, entry FROM entries WHERE position = 7", (), row).expect("it is there");
    drop(connection);
    let forged = format!("{id}0");
    for (id, kind, is_found) in [(&forged, kind.as_str(), false), (&id, "gate.voted", false), (&id, &kind, true)] {
        let length = |text: &str| (text.len() as u64).to_be_bytes();
        let parts = [b"entry", &7_i64.to_be_bytes()[..], &length(id), id.as_bytes(), &length(kind), kind.as_bytes()];
        let Digest(sum) = Digest::of(&[&parts.concat()[..], &entry].concat());
        let sum = i64::from_be_bytes(sum[..8].try_into().expect("there are enough"));
        let connection = rusqlite::Connection::open(&path).expect("it is a database");
        let sql = "UPDATE entries SET id = ?1, kind = ?2, sum = ?3 WHERE position = 7";
        assert_eq!(connection.execute(sql, (id, kind, sum)).expect("it is SQL"), 1);
        drop(connection);
        let found = report(&mut Sqlite::open(&path, &sqlite::Options::PLAIN).expect("it is there")).findings;
        let is_named = matches!(&found[..], [Finding::Hidden { index: 7, id: Some(_) }]);
        assert_eq!((is_named, found.is_empty()), (!is_found, is_found), "{id} {kind}: {found:?}");
    }
}

/// What is done to the files of an exported log, and what is named then.
#[test]
fn exported_files_that_were_tampered_with() {
    type Folder = BTreeMap<String, Vec<u8>>;
    let mut store = Memory::new();
    let (log, world) = (Log::default(), World::default());
    let (known, mut whole, mut young) = ([signer().verifier()], Folder::new(), Folder::new());
    for (numbers, files) in [(0..300, &mut young), (300..700, &mut whole)] {
        append(&mut store, &log, &world, numbers);
        let done = store.transact(&mut |tx| {
            export(tx, None, ORIGIN, &known, files, &mut |_| {}).map(|_| ()).map_err(StoreError::from)
        });
        assert_eq!(done, Ok(()));
    }
    let note = |files: &Folder| String::from_utf8(files["checkpoint"].clone()).expect("it is text");
    let (now, then) = (note(&whole), note(&young));
    let [first, second, last] = ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/188"];
    let entries = |path: &str, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let tile = Tile::parse(path).expect("it is a tile");
        let there = read_entries(tile, &whole[path]).expect("it is a file of entries");
        let mut there = there.into_iter().map(<[u8]>::to_vec).collect();
        change(&mut there);
        (path.to_owned(), Some(write_entries(there.iter().map(|entry| &entry[..])).expect("they are short")))
    };
    let bytes = |path: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut there = whole[path].clone();
        change(&mut there);
        (path.to_owned(), Some(there))
    };
    let gone = |path: &str| (path.to_owned(), None);
    let head = |note: String| ("checkpoint".to_owned(), Some(note.into_bytes()));
    let leaf = |at: usize| Sha256::digest([&[0][..], &forged(&entries(first, &|_| ()), at)].concat()).to_vec();
    const NONE: &str = "is not what such a file is";
    let ways: Vec<(Vec<Changed>, &[&str])> = vec![
        (vec![bytes(first, &|there| there[5_000] ^= 1)], &["was changed"]),
        (vec![entries(first, &|there| there.swap(7, 8))], &["entry 8 ", "entry 7 ", "found at 8: reordered"]),
        (vec![entries(first, &|there| there[8] = there[7].clone())], &["entry 8 is missing", "at 8 once more: dup"]),
        (vec![entries(first, &|there| drop(there.remove(8)))], &["000: it", NONE]),
        (vec![entries(first, &|there| there.push(there[0].clone()))], &["000: it", NONE]),
        (
            vec![entries(first, &|there| {
                there.remove(8);
                there.push(there[254].clone());
            })],
            &["entry 8 is missing", "found at 255 once more"],
        ),
        (vec![entries(last, &|there| drop(there.pop()))], &["188: it", NONE]),
        (vec![bytes(last, &|there| there.truncate(there.len() - 9))], &["188: it", NONE]),
        (vec![bytes(last, &|there| there.clear())], &["188: it", NONE]),
        (vec![gone(first)], &["000: it is missing"]),
        (vec![gone(second)], &["001: it is missing"]),
        (vec![gone(last)], &["188: it is missing"]),
        (vec![gone(first), gone(second), gone(last)], &["000: it is", "001: it is", "188: it is"]),
        (vec![gone("tile/0/001")], &["tile/0/001: it is missing"]),
        (vec![gone("tile/1/000.p/2")], &["tile/1/000.p/2: it is missing"]),
        (vec![bytes("tile/0/001", &|there| there[33] ^= 1)], &["node 257 of level 0 of the tree, of entry 257, was"]),
        (
            vec![bytes("tile/1/000.p/2", &|there| there[33] ^= 1)],
            &["node 1 of level 8 of the tree, of entries 256 to 511, was"],
        ),
        // The entry with its hash: then it is the file above that tells, and the head.
        (
            vec![
                entries(first, &|there| there[9] = forged(&entries(first, &|_| ()), 9)),
                bytes("tile/0/000", &|there| there[9 * 32..10 * 32].copy_from_slice(&leaf(9))),
            ],
            &["of entries 0 to 255, was changed", "forked"],
        ),
        (
            vec![(first.to_owned(), Some(whole[second].clone())), (second.to_owned(), Some(whole[first].clone()))],
            &["found at 0: reordered", "found at 256: reordered"],
        ),
        (
            vec![
                ("tile/0/000".to_owned(), Some(whole["tile/0/001"].clone())),
                ("tile/0/001".to_owned(), Some(whole["tile/0/000"].clone())),
            ],
            &["was changed"],
        ),
        (vec![gone("checkpoint")], &["checkpoint: it is missing"]),
        (vec![head(now.replacen("700", "699", 1))], &["a signature does not fit"]),
        (vec![head(now.replacen('A', "B", 1))], &["checkpoint"]),
        (vec![head(now.replace(ORIGIN, "sham.example/log"))], &["no known key has signed it"]),
        (vec![head(now.replacen("\n\n", "\nmore\n\n", 1))], &["a signature does not fit"]),
        (vec![head(now.split_inclusive("\n\n").next().expect("it has a text").to_owned())], &["signed notes are"]),
        (
            vec![head(
                [now.split_once("\n\n").expect("it is signed").0, then.split_once("\n\n").expect("it is").1]
                    .join("\n\n"),
            )],
            &["a signature does not fit"],
        ),
        // The head of then, with the files of now.
        (vec![head(then.clone())], &["tile/entries/001.p/44: it is missing", "tile/0/001.p/44: it is missing"]),
    ];
    let options = Options { origin: ORIGIN, known: &known, trusted: &[], threads: 2 };
    for (at, (changes, named)) in ways.iter().enumerate() {
        let mut files = whole.clone();
        for (path, bytes) in changes {
            assert_ne!(whole.get(path), bytes.as_ref(), "{at}: something is changed");
            match bytes {
                Some(bytes) => drop(files.insert(path.clone(), bytes.clone())),
                None => drop(files.remove(path)),
            }
        }
        let report = verify_files(&mut files, &options, &mut |_| {}).expect("it can be read");
        let told = report.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        assert!(!report.is_sound() && named.iter().all(|named| told.contains(named)), "{at} {named:?}: {told}");
    }
    // All files of then: that is found by who has kept the head of now.
    assert!(verify_files(&mut young, &options, &mut |_| {}).expect("it can be read").is_sound());
    let options = Options { trusted: &[now], ..options };
    let found = verify_files(&mut young, &options, &mut |_| {}).expect("it can be read").findings;
    assert_eq!(found, [Finding::Truncated { size: 300, promised: 700 }]);
}

/// A file that is another one, or none.
type Changed = (String, Option<Vec<u8>>);

/// An entry of a file as somebody else would rather have it.
fn forged((path, bytes): &Changed, at: usize) -> Vec<u8> {
    let tile = Tile::parse(path).expect("it is a tile");
    let entries = read_entries(tile, bytes.as_deref().expect("it is there")).expect("it is a file of entries");
    let text = std::str::from_utf8(entries[at]).expect("it is text");
    let other = text.replacen("\"body\":{", "\"body\":{\"a\":1,", 1);
    assert_ne!(text, other);
    other.into_bytes()
}

/// Roots and proofs are those of `ct-merkle`, and it takes ours.
#[test]
fn another_implementation_agrees() {
    let mut store = Memory::new();
    let (log, world) = (Log::default(), World::default());
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let (mut ids, mut roots) = (Vec::new(), BTreeMap::new());
    for round in 0..9_u64 {
        append(&mut store, &log, &world, 0..round + 1);
        let done = store.transact(&mut |tx| {
            for (_, entry) in tx.entries(theirs.len(), 1_000)? {
                ids.push(pdl::kernel::entry::Entry::read(&entry).expect("it is an entry").id);
                theirs.push(entry);
            }
            let size = theirs.len();
            let digests = |hashes: &[Digest]| hashes.iter().map(|hash| hash.0.into()).collect::<Vec<_>>();
            for (index, id) in ids.iter().enumerate() {
                let (entry, ours) = prove::inclusion(tx, id)?;
                let head = open_checkpoint(&ours.checkpoint, ORIGIN, &[signer().verifier()]).expect("it is signed");
                assert_eq!((head.size, &head.root.0[..]), (size, &theirs.root().as_bytes()[..]));
                roots.insert(size, RootHash::<Sha256>::new(head.root.0.into(), head.size));
                let hashes = digests(&ours.hashes);
                let proof = InclusionProof::<Sha256>::from_digests(&hashes);
                assert_eq!(proof.as_bytes(), theirs.prove_inclusion(index).as_bytes());
                let verified = roots[&size].verify_inclusion(&entry.to_bytes(), index as u64, &proof);
                verified.expect("they take our proof");
            }
            for (old, root) in roots.range(..size) {
                let ours = digests(&prove::consistency(tx, *old)?.hashes);
                let proof = ConsistencyProof::<Sha256>::from_digests(&ours);
                let added = usize::try_from(size - old).expect("it is small");
                assert_eq!(proof.as_bytes(), theirs.prove_consistency(added).as_bytes());
                roots[&size].verify_consistency(root, &proof).expect("they take our proof");
            }
            Ok(())
        });
        assert_eq!(done, Ok(()));
    }
    assert_eq!(theirs.len(), 45);
}

/// Files of a folder.
struct Folder(PathBuf);

impl Files for Folder {
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.0.join(path);
        let folder = path.parent().ok_or("it has a folder")?;
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, bytes)).map_err(|fault| fault.to_string())
    }

    fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, String> {
        match fs::read(self.0.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault.to_string()),
        }
    }
}

/// The page has every kind of entry, and no other.
#[test]
fn kinds_are_documented() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kernel/log.md")).expect("it can be read");
    let (_, table) = page.split_once("| kind | tells that |").expect("there is a table of kinds");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let told: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(told, kinds);
}

#[test]
fn logs_are_exported_to_folders() {
    let mut store = Memory::new();
    let (log, world) = (Log::default(), World::default());
    append(&mut store, &log, &world, 0..300);
    append(&mut store, &log, &world, 300..700);
    let known = [signer().verifier()];
    let room = Room::new();
    let path = room.path("log");
    let mut folder = Folder(path.clone());
    let done = store.transact(&mut |tx| {
        export(tx, None, ORIGIN, &known, &mut folder, &mut |_| {}).map(|_| ()).map_err(StoreError::from)
    });
    assert_eq!(done, Ok(()));
    let options = Options { origin: ORIGIN, known: &known, trusted: &[], threads: 2 };
    let report = verify_files(&mut folder, &options, &mut |_| {}).expect("it can be read");
    assert!(report.is_sound() && report.size == 700, "{report:?}");

    let entries = path.join("tile/entries/001");
    let mut bytes = fs::read(&entries).expect("it is there");
    let at = bytes.len() - 12;
    bytes[at] ^= 1;
    fs::write(&entries, bytes).expect("it can be written");
    let report = verify_files(&mut folder, &options, &mut |_| {}).expect("it can be read");
    assert!(matches!(&report.findings[..], [Finding::Changed { index: 511, .. }]), "{:?}", report.findings);
}
