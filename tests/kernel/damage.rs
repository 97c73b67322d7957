//! Files that are not what they were: of others, cut off, changed, without room.

use std::fs;
use std::path::Path;

use pdl::base::hash::Digest;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::store::{Object, Query, Store, StoreError, Tx};
use pdl::log::tree::Node;
use rusqlite::Connection;

use super::room::Room;

fn object(key: &str, version: u64) -> Object {
    let body = vec![b'o'; 900];
    Object { kind: "gate".to_owned(), key: key.to_owned(), version, state: "open".to_owned(), due_ms: Some(1), body }
}

/// Keeps something of everything under a number.
fn keep(tx: &mut dyn Tx, number: u64) -> Result<(), StoreError> {
    tx.put(&object(&number.to_string(), 0))?;
    tx.append(&format!("ent_{number}"), "kind", format!("{{\"number\":{number}}}").repeat(40).as_bytes())?;
    tx.put_node(Node { level: 0, index: number }, Digest::of(&number.to_be_bytes()))?;
    tx.put_content(format!("content {number}").repeat(50).as_bytes()).map(drop)
}

/// A store with this many of everything, each kept by a transaction of its own.
fn fill(path: &Path, count: u64) -> Sqlite {
    let mut store = Sqlite::create(path, &Options::PLAIN).expect("it can be made");
    for number in 0..count {
        store.transact(&mut |tx| keep(tx, number)).expect("it can be kept");
    }
    store
}

/// All that a store has, as text.
fn all(store: &mut Sqlite, count: u64) -> Result<String, StoreError> {
    let mut told = String::new();
    store.transact(&mut |tx| {
        let gates = Query { kind: "gate".to_owned(), state: None, due_until_ms: None, after: None, limit: 1_000 };
        told = format!("{:?} {:?} {:?}", tx.find(&gates)?, tx.entries(0, 1_000)?, tx.entries_of("kind", 0, 1_000)?);
        for number in 0..count {
            let digest = Digest::of(format!("content {number}").repeat(50).as_bytes());
            let kept = (tx.get("gate", &number.to_string())?, tx.node(Node { level: 0, index: number })?);
            told += &format!("{kept:?} {:?} {:?}", tx.content(digest)?, tx.index_of(&format!("ent_{number}"))?);
        }
        Ok(())
    })?;
    Ok(told)
}

fn opened(path: &Path) -> Result<Sqlite, StoreError> {
    Sqlite::open(path, &Options::PLAIN)
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let room = Room::new();
    let path = room.path("file");
    let refused = |what: &str| {
        let before = fs::read(&path).expect("it is there");
        for open in [Sqlite::open(&path, &Options::PLAIN), Sqlite::create(&path, &Options::PLAIN)] {
            let error = open.expect_err(what);
            assert!(matches!(error, StoreError::Unknown(_)), "{what}: {error:?}");
        }
        assert_eq!(before, fs::read(&path).expect("it is there"), "{what}");
    };
    fs::write(&path, "not a database at all, but longer than the header of one: ".repeat(10))
        .expect("it can be written");
    refused("a text");
    for sql in [
        "CREATE TABLE objects (kind)",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 1",
        // A form that is newer than any.
        "PRAGMA application_id = 1346653259; PRAGMA user_version = 1000; CREATE TABLE objects (kind)",
        // Ours, and of no version.
        "PRAGMA application_id = 1346653259; CREATE TABLE objects (kind)",
        "PRAGMA application_id = 1346653259; PRAGMA user_version = -1; CREATE TABLE objects (kind)",
    ] {
        fs::remove_file(&path).expect("it was there");
        Connection::open(&path).expect("it can be made").execute_batch(sql).expect("it is SQL");
        refused(sql);
    }
}

#[test]
fn a_store_is_made_once_and_opened_by_one() {
    let room = Room::new();
    let path = room.path("store");
    assert!(matches!(opened(&path), Err(StoreError::Unavailable(_))), "there is none");
    assert!(!path.exists(), "and none was made");
    let mut store = fill(&path, 2);
    assert!(matches!(opened(&path), Err(StoreError::Unavailable(_))), "somebody has it");
    assert!(matches!(Sqlite::create(&path, &Options::PLAIN), Err(StoreError::Unavailable(_))));
    let before = all(&mut store, 2);
    drop(store);
    assert!(matches!(Sqlite::create(&path, &Options::PLAIN), Err(StoreError::Unknown(_))), "it is there already");
    let mut store = opened(&path).expect("nobody has it any more");
    assert_eq!(all(&mut store, 2), before);
    drop(store);
    // What is left of a store that was emptied is not a new one, unless somebody wants one.
    fs::write(&path, "").expect("it can be written");
    assert!(matches!(opened(&path), Err(StoreError::Unknown(_))));
    // Nor is one made where the tip of another one is: something was acknowledged there.
    assert!(matches!(Sqlite::create(&path, &Options::PLAIN), Err(StoreError::Corrupt(_))));
    fs::remove_file(room.path("store-tip")).expect("it was there");
    Sqlite::create(&path, &Options::PLAIN).expect("nothing is in the way");
}

#[test]
fn without_room_nothing_is_done_by_halves() {
    let room = Room::new();
    let path = room.path("store");
    drop(fill(&path, 10));
    let options = Options { pages_max: Some(80), ..Options::PLAIN };
    let mut store = Sqlite::open(&path, &options).expect("it has so few pages");
    let mut kept = 10;
    let error = loop {
        match store.transact(&mut |tx| keep(tx, kept)) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    // Who goes on in spite of it does nothing by halves either.
    let mut found = None;
    let result = store.transact(&mut |tx| {
        found = Some(tx.part(&mut |tx| (kept..).try_for_each(|number| keep(tx, number))));
        tx.append("ent_more", "kind", b"").map(drop)
    });
    assert!(matches!(found, Some(Err(StoreError::Full(_)))), "{found:?}");
    kept += u64::from(result.is_ok());
    store.check().expect("it is whole");
    let read = |store: &mut Sqlite| {
        let mut size = 0;
        store
            .transact(&mut |tx| {
                size = tx.log_size()?;
                assert_eq!(tx.index_of("ent_more")?.is_some(), result.is_ok());
                Ok(())
            })
            .expect("it can be read");
        size
    };
    assert_eq!(read(&mut store), kept);
    drop(store);
    assert!(matches!(Sqlite::open(&path, &Options { pages_max: Some(3), ..options }), Err(StoreError::Full(_))));
    // With room again, it goes on.
    let mut store = opened(&path).expect("it is whole");
    assert_eq!(read(&mut store), kept);
    store.transact(&mut |tx| keep(tx, 10_000)).expect("there is room");
}

#[test]
fn what_is_erased_is_in_no_file() {
    const SECRET: &str = "the name of somebody";
    let room = Room::new();
    let path = room.path("store");
    let mut store = fill(&path, 5);
    let mut digest = None;
    let everything = || {
        let mut bytes = fs::read(&path).expect("it is there");
        bytes.extend(fs::read(room.path("store-wal")).expect("it is there"));
        String::from_utf8_lossy(&bytes).contains(SECRET)
    };
    for secret in [SECRET.to_owned(), SECRET.repeat(1_000)] {
        let mut write = |tx: &mut dyn Tx| {
            digest = Some(tx.put_content(secret.as_bytes())?);
            Ok(())
        };
        store.transact(&mut write).expect("it can be kept");
        assert!(everything());
        store
            .transact(&mut |tx| {
                assert!(tx.erase_content(digest.expect("it was kept"))?);
                Ok(())
            })
            .expect("it can be erased");
        assert!(!everything());
        // Nor did the rest go with it.
        store.check().expect("it is whole");
    }
}

#[test]
fn what_is_dropped_is_in_no_file_and_its_room_can_be_given_back() {
    let room = Room::new();
    let path = room.path("store");
    let mut store = fill(&path, 200);
    let everything = || {
        let mut bytes = fs::read(&path).expect("it is there");
        bytes.extend(fs::read(room.path("store-wal")).expect("it is there"));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    assert!(everything().contains("{\"number\":7}"));
    store.transact(&mut |tx| tx.drop_entries(190).map(drop)).expect("they can be dropped");
    assert!(!everything().contains("{\"number\":7}") && everything().contains("{\"number\":195}"));
    let before = (all(&mut store, 200), everything().len());
    store.shrink().expect("there is room for a copy");
    assert!(everything().len() < before.1, "{} of {}", everything().len(), before.1);
    assert_eq!(all(&mut store, 200), before.0);
    store.check().expect("it is whole");
    drop(store);
    assert_eq!(all(&mut opened(&path).expect("it is level"), 200), before.0);
}

/// Some places of a file, the same each time.
fn places(length: usize, count: usize) -> impl Iterator<Item = usize> {
    let mut at = 12_345_u64;
    std::iter::repeat_with(move || {
        at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (at >> 33) as usize % length
    })
    .take(count)
}

/// Opens a file with other bytes, and reads all of it: an error, or the same as before.
fn is_noticed_or_harmless(path: &Path, bytes: &[u8], before: &str, count: u64) -> bool {
    fs::write(path, bytes).expect("it can be written");
    let read = opened(path).and_then(|mut store| {
        store.check()?;
        all(&mut store, count)
    });
    for more in ["-wal", "-journal"] {
        let _ = fs::remove_file(format!("{}{more}", path.display()));
    }
    match read {
        Ok(text) => {
            assert!(text == before, "other than before, and nobody noticed");
            false
        }
        Err(StoreError::Corrupt(_) | StoreError::Unknown(_) | StoreError::Unavailable(_)) => true,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn damage_is_noticed() {
    const COUNT: u64 = 12;
    let room = Room::new();
    let path = room.path("store");
    let mut store = fill(&path, COUNT);
    let before = all(&mut store, COUNT).expect("it can be read");
    drop(store);
    let good = fs::read(&path).expect("it is there");
    assert!(!is_noticed_or_harmless(&path, &good, &before, COUNT), "this is how it was");
    let mut noticed = 0;
    for place in places(good.len() * 8, 400) {
        let mut bad = good.clone();
        bad[place / 8] ^= 1 << (place % 8);
        noticed += u32::from(is_noticed_or_harmless(&path, &bad, &before, COUNT));
    }
    assert!(noticed > 100, "most of a file is in use, and {noticed} of 400 were noticed");
    for length in places(good.len(), 60).chain([0, 1, 99, 100, 4_095, 4_096, good.len() - 1]) {
        assert!(is_noticed_or_harmless(&path, &good[..length], &before, COUNT), "cut to {length} bytes");
    }
}

/// The files of a store as a process that is killed leaves them: the database, what was written ahead, the tip.
const FILES: [&str; 3] = ["", "-wal", "-tip"];

fn left(room: &Room, name: &str) -> [Vec<u8>; 3] {
    FILES.map(|more| fs::read(room.path(&format!("{name}{more}"))).expect("it is there"))
}

fn leave(room: &Room, name: &str, files: &[&[u8]; 3]) {
    for (more, bytes) in FILES.iter().zip(files) {
        fs::write(room.path(&format!("{name}{more}")), bytes).expect("it can be written");
    }
}

/// How many transactions of `keep` are there, each as a whole.
fn kept(store: &mut Sqlite, count: u64) -> Result<u64, StoreError> {
    store.check()?;
    let mut size = 0;
    store.transact(&mut |tx| {
        size = tx.log_size()?;
        for number in 0..count {
            let is_kept = number < size;
            assert_eq!(tx.get("gate", &number.to_string())?.is_some(), is_kept);
            assert_eq!(tx.node(Node { level: 0, index: number })?.is_some(), is_kept);
            assert_eq!(tx.index_of(&format!("ent_{number}"))?, is_kept.then_some(number));
        }
        Ok(())
    })?;
    Ok(size)
}

/// What was written ahead, cut off and changed anywhere: either everything is there that was acknowledged, or the store is
/// refused. Who accepts it nevertheless has what was kept up to some transaction, whole.
#[test]
fn a_lost_end_is_noticed() {
    const COUNT: u64 = 12;
    const FRAME: usize = 24 + 4_096;
    let room = Room::new();
    let store = fill(&room.path("store"), COUNT);
    let files = left(&room, "store");
    drop(store);
    let [database, ahead, tip] = files.each_ref().map(Vec::as_slice);
    let frames = (32..ahead.len()).step_by(FRAME).chain([0, 1, 31, ahead.len() - 1, ahead.len()]);
    let (mut whole, mut refused, mut seen) = (0, 0, std::collections::BTreeSet::new());
    for at in places(ahead.len(), 80).chain(frames) {
        let mut changed = ahead.to_owned();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 0x10;
        }
        for ahead in [&ahead[..at], &changed] {
            leave(&room, "torn", &[database, ahead, tip]);
            match opened(&room.path("torn")) {
                Ok(mut store) => {
                    assert_eq!(kept(&mut store, COUNT), Ok(COUNT), "{at}");
                    whole += 1;
                }
                Err(StoreError::Corrupt(_) | StoreError::Unknown(_)) => {
                    refused += 1;
                    // Nothing of that is mended by being looked at.
                    assert!(opened(&room.path("torn")).is_err());
                    let Ok((mut store, accepted)) = Sqlite::accept(room.path("torn"), &Options::PLAIN) else {
                        continue;
                    };
                    let size = kept(&mut store, COUNT).expect("it is whole");
                    assert_eq!((accepted.acknowledged, accepted.found), (Some(COUNT), size));
                    seen.insert(size);
                    drop(store);
                    let mut store = opened(&room.path("torn")).expect("it was accepted");
                    assert_eq!(kept(&mut store, COUNT), Ok(size));
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    assert!(whole > 0 && refused > 100 && seen.len() > 4, "{whole} {refused} {seen:?}");
    // Without what was written ahead at all.
    leave(&room, "torn", &[database, &[], tip]);
    fs::remove_file(room.path("torn-wal")).expect("it was there");
    assert!(opened(&room.path("torn")).is_err());
}

/// The tip, missing, cut off and changed anywhere: it is refused, or what is there is everything.
#[test]
fn a_lost_tip_is_noticed() {
    let room = Room::new();
    let mut store = fill(&room.path("store"), 3);
    let older = left(&room, "store");
    store.transact(&mut |tx| keep(tx, 3)).expect("it can be kept");
    let files = left(&room, "store");
    // To look is not to change.
    store.transact(&mut |tx| tx.log_size().map(drop)).expect("it can be read");
    assert_eq!(left(&room, "store"), files);
    drop(store);
    let [database, ahead, tip] = files.each_ref().map(Vec::as_slice);
    let with = |tip: &[u8]| {
        leave(&room, "other", &[database, ahead, tip]);
        opened(&room.path("other")).and_then(|mut store| kept(&mut store, 4))
    };
    assert_eq!(with(tip), Ok(4));
    // As it was before the last one was acknowledged.
    assert_eq!(with(&older[2]), Ok(4));
    let mut refused = 0;
    let slots = [0, 4_096, 8_192, 12_288];
    for at in slots.into_iter().flat_map(|slot| (slot..slot + 64).step_by(9)).chain([100, 5_000]) {
        // At one place, be it in the older slot or in the newer one: there is a copy, and nobody has to accept anything.
        let mut changed = tip.to_owned();
        changed[at] ^= 1;
        assert_eq!(with(&changed), Ok(4), "{at}");
        match with(&tip[..at]) {
            Ok(size) => assert_eq!(size, 4, "{at}"),
            Err(StoreError::Corrupt(_)) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(refused > 8, "{refused}");
    // With a copy it is known that the last transaction was acknowledged, and so it is noticed that it is gone.
    for slot in slots {
        let mut changed = tip.to_owned();
        changed[slot..slot + 64].fill(7);
        assert_eq!(with(&changed), Ok(4), "{slot}");
        let [database, ahead, _] = older.each_ref().map(Vec::as_slice);
        leave(&room, "other", &[database, ahead, &changed]);
        assert!(matches!(opened(&room.path("other")), Err(StoreError::Corrupt(_))), "{slot}");
    }
    // Without it, all that counts is what the next transaction would have left.
    for slot in [0, 4_096] {
        let mut changed = tip.to_owned();
        changed[slot..slot + 64].fill(7);
        changed[slot + 8_192..slot + 8_256].fill(7);
        assert_eq!(with(&changed).is_ok(), slot == 0, "{slot}");
    }
    leave(&room, "other", &[database, ahead, tip]);
    fs::remove_file(room.path("other-tip")).expect("it was there");
    assert!(matches!(opened(&room.path("other")), Err(StoreError::Corrupt(_))));
    // A database that has gone as far is another one.
    drop(fill(&room.path("third"), 4));
    fs::copy(room.path("third-tip"), room.path("other-tip")).expect("it can be copied");
    assert!(matches!(opened(&room.path("other")), Err(StoreError::Corrupt(_))));
    // So is a copy that has gone on by itself.
    leave(&room, "copy", &[database, ahead, tip]);
    let mut copy = opened(&room.path("copy")).expect("it is whole");
    copy.transact(&mut |tx| keep(tx, 4)).expect("it can be kept");
    drop(copy);
    leave(&room, "other", &[database, ahead, tip]);
    let mut store = opened(&room.path("other")).expect("it is whole");
    store.transact(&mut |tx| keep(tx, 4)).expect("it can be kept");
    drop(store);
    fs::copy(room.path("copy-tip"), room.path("other-tip")).expect("it can be copied");
    assert!(matches!(opened(&room.path("other")), Err(StoreError::Corrupt(_))));
}

/// The tip can't be written for a while. Nothing is acknowledged then, not even what is only read; when it can be written
/// again, everything goes on.
#[cfg(unix)]
#[test]
fn without_its_tip_nothing_is_acknowledged() {
    let room = Room::new();
    let path = room.path("store");
    drop(fill(&path, 2));
    let tip = fs::read(room.path("store-tip")).expect("it is there");
    let mut store = opened(&path).expect("it is whole");
    // A folder in its place can't be written to.
    fs::remove_file(room.path("store-tip")).expect("it was there");
    fs::create_dir(room.path("store-tip")).expect("nothing is in the way");
    for number in 2..4 {
        assert!(matches!(store.transact(&mut |tx| keep(tx, number)), Err(StoreError::Unavailable(_))));
        assert!(matches!(store.transact(&mut |tx| tx.log_size().map(drop)), Err(StoreError::Unavailable(_))));
    }
    fs::remove_dir(room.path("store-tip")).expect("it is empty");
    fs::write(room.path("store-tip"), tip).expect("nothing is in the way");
    // What failed is there: it was not known whether it was done.
    assert_eq!(kept(&mut store, 3), Ok(3));
    store.transact(&mut |tx| keep(tx, 3)).expect("it can be written again");
    drop(store);
    assert_eq!(kept(&mut opened(&path).expect("it is level"), 4), Ok(4));
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let room = Room::new();
    let _store = fill(&room.path("store"), 1);
    for more in FILES {
        let mode = fs::metadata(room.path(&format!("store{more}"))).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "store{more}");
    }
}

/// A store of version 1, by the statements of that time.
#[test]
fn an_older_store_is_brought_to_this_form() {
    let room = Room::new();
    let path = room.path("store");
    let before = all(&mut fill(&room.path("new"), 3), 3);
    let make = || {
        let _ = fs::remove_file(&path);
        Connection::open(&path).expect("it can be made").execute_batch(include_str!("store-1.sql")).expect("it is SQL");
    };
    make();
    let old = fs::read(&path).expect("it is there");
    let mut store = opened(&path).expect("it can be brought to this form");
    store.check().expect("it is whole");
    assert_eq!(all(&mut store, 3), before);
    store.transact(&mut |tx| keep(tx, 3)).expect("it can be written");
    drop(store);
    assert_eq!(kept(&mut opened(&path).expect("it is of this form"), 4), Ok(4));
    // As it was before it was brought to this form, it is behind what was acknowledged since.
    fs::write(&path, old).expect("it can be written");
    assert!(matches!(opened(&path), Err(StoreError::Corrupt(_))));
    // One of which a step can't be done is as it was.
    let _ = fs::remove_file(room.path("store-tip"));
    make();
    Connection::open(&path).expect("it is there").execute_batch("CREATE TABLE place (x)").expect("it is SQL");
    for _ in 0..2 {
        assert!(opened(&path).is_err());
        let connection = Connection::open(&path).expect("it is there");
        let version: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0)).expect("it has one");
        assert_eq!(version, 1);
    }
}

#[test]
fn a_row_that_was_changed_is_noticed_when_it_is_read() {
    const COUNT: u64 = 3;
    let room = Room::new();
    let path = room.path("store");
    drop(fill(&path, COUNT));
    let good = fs::read(&path).expect("it is there");
    for sql in [
        "UPDATE objects SET version = 2 WHERE key = '1'",
        "UPDATE objects SET version = -1 WHERE key = '1'",
        "UPDATE objects SET state = 'done' WHERE key = '1'",
        "UPDATE objects SET due_ms = 2 WHERE key = '1'",
        "UPDATE objects SET due_ms = NULL WHERE key = '1'",
        "UPDATE objects SET body = x'00' WHERE key = '1'",
        "UPDATE objects SET key = '7' WHERE key = '1'",
        "UPDATE entries SET entry = x'00' WHERE position = 1",
        "UPDATE entries SET id = 'other' WHERE position = 1",
        "UPDATE entries SET kind = 'other' WHERE position = 1",
        "UPDATE entries SET position = 7 WHERE position = 1",
        "DELETE FROM entries WHERE position = 1",
        "DELETE FROM entries WHERE position = 0",
        // Nor are entries dropped by saying so.
        "DELETE FROM entries WHERE position = 0; INSERT INTO dropped VALUES (0, 1, 7)",
        "INSERT INTO dropped VALUES (0, -1, 7)",
        "UPDATE nodes SET hash = zeroblob(32) WHERE position = 1",
        "UPDATE nodes SET hash = x'00' WHERE position = 1",
        "UPDATE nodes SET level = 1 WHERE position = 1",
        "UPDATE contents SET content = x'00' WHERE rowid = 2",
        "UPDATE contents SET digest = zeroblob(32) WHERE rowid = 2",
    ] {
        fs::write(&path, &good).expect("it can be written");
        Connection::open(&path).expect("it can be opened").execute_batch(sql).expect("it is SQL");
        let mut store = opened(&path).expect("it is one of ours");
        assert!(matches!(store.check(), Err(StoreError::Corrupt(_))), "{sql}");
    }
}
