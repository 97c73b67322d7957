//! Files that are damaged under a whole kernel with a history: what was acknowledged is there, or the loss is named; and no
//! damage allows anything.

use std::fs;
use std::sync::Arc;

use pdl::kernel::environment::Environment;
use pdl::kernel::store::StoreError;
use pdl::kernel::store::sqlite::{Accepted, Options, Sqlite};
use pdl::kernel::{Kernel, KernelError};
use pdl::{Answer, LoadOptions};

use super::engine::{ENTITIES, FACTS, SHOP, agent, bundle, limit, open, operator, request, settings};
use super::house::World;
use super::room::Room;

/// The files of a store: the database, what was written ahead, the tip.
const FILES: [&str; 3] = ["", "-wal", "-tip"];

/// What a kernel with a history has left behind when the power went.
struct Left {
    files: [Vec<u8>; 3],
    /// The entries that it had acknowledged.
    entries: Vec<(u64, Vec<u8>)>,
    /// A permit that was used.
    used: String,
    /// One that was not.
    unused: String,
}

fn left(room: &Room, world: &Arc<World>) -> Left {
    let kernel = open(Sqlite::create(room.path("whole"), &Options::PLAIN).expect("it can be made"), world);
    kernel.activate(&operator(), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    let permit = |cost: &str| {
        let verdict = kernel.decide(&agent(), &request(cost), FACTS);
        verdict.permit.expect("it is allowed").token().to_owned()
    };
    for cost in ["2", "3", "4"] {
        let token = permit(cost);
        kernel.start(&agent(), &token, &request(cost)).expect("it starts");
        kernel.complete(&agent(), &token).expect("it runs");
        assert_eq!(kernel.decide(&agent(), &request("99"), FACTS).answer(), Answer::Deny);
    }
    // What allows more is taken back; what was allowed before is not to come again.
    kernel.patch_entities(&operator(), &limit("1000")).expect("it is sound");
    kernel.patch_entities(&operator(), &limit("50")).expect("it is sound");
    let (used, unused) = (permit("1"), permit("1"));
    kernel.start(&agent(), &used, &request("1")).expect("it starts");
    let entries = kernel.read(|tx| Ok(tx.entries(0, u32::MAX)?)).expect("it can be read");
    let files = FILES.map(|more| fs::read(room.path(&format!("whole{more}"))).expect("it is there"));
    Left { files, entries, used, unused }
}

#[derive(Debug, PartialEq)]
enum Seen {
    /// It is not opened.
    Refused,
    /// It is, and what was lost can't be read.
    Noticed,
    /// All is there.
    Whole,
}

/// Opens a kernel over files, and tries whatever damage could have allowed.
fn look(room: &Room, world: &Arc<World>, files: &[Vec<u8>; 3], left: &Left, what: &str) -> Seen {
    for (more, bytes) in FILES.iter().zip(files) {
        fs::write(room.path(&format!("damaged{more}")), bytes).expect("it can be written");
    }
    let store = match Sqlite::open(room.path("damaged"), &Options::PLAIN) {
        Ok(store) => store,
        Err(StoreError::Corrupt(_) | StoreError::Unknown(_) | StoreError::Unavailable(_)) => return Seen::Refused,
        Err(other) => panic!("{what}: {other:?}"),
    };
    let environment: Arc<dyn Environment> = Arc::<World>::clone(world);
    let Ok(kernel) = Kernel::open(Box::new(store), environment, settings(LoadOptions::UNSIGNED)) else {
        return Seen::Refused;
    };
    let rows = kernel.read(|tx| Ok(tx.entries(0, u32::MAX)?));
    for cost in ["99", "60"] {
        assert_ne!(kernel.decide(&agent(), &request(cost), FACTS).answer(), Answer::Allow, "{what}: {cost}");
    }
    assert!(kernel.start(&agent(), &left.used, &request("1")).is_err(), "{what}: a permit was used twice");
    assert!(kernel.start(&agent(), &left.unused, &request("2")).is_err(), "{what}: another request was started");
    let starts = [(); 2].map(|()| kernel.start(&agent(), &left.unused, &request("1")).is_ok());
    assert_ne!(starts, [true, true], "{what}: a permit was used twice");
    match rows {
        Ok(rows) => {
            assert!(rows == left.entries, "{what}: {} of {} entries", rows.len(), left.entries.len());
            Seen::Whole
        }
        Err(KernelError::Write(_)) => Seen::Noticed,
        Err(other) => panic!("{what}: {other:?}"),
    }
}

/// Some places of a file, the same each time, and its ends.
fn places(length: usize, count: usize) -> Vec<usize> {
    let mut at = 54_321_u64;
    let place = |_| {
        at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (at >> 33) as usize % length
    };
    (0..count).map(place).chain([0, length - 1]).collect()
}

#[test]
fn what_was_acknowledged_is_there_or_its_loss_is_named() {
    let (room, world) = (Room::new(), World::new());
    let left = left(&room, &world);
    assert_eq!(look(&room, &world, &left.files, &left, "as it was left"), Seen::Whole);
    let [mut refused, mut noticed] = [0, 0];
    for (file, name) in FILES.iter().enumerate() {
        let good = &left.files[file];
        for place in places(good.len(), 16) {
            // A write that was cut short, one that was torn, and one bit.
            let cut = good[..place].to_vec();
            let mut torn = good.clone();
            torn[place..].iter_mut().take(512).for_each(|byte| *byte = 0);
            let mut flipped = good.clone();
            flipped[place] ^= 1 << (place % 8);
            for (how, bytes) in [("cut", cut), ("torn", torn), ("flipped", flipped)] {
                let mut files = left.files.clone();
                files[file] = bytes;
                match look(&room, &world, &files, &left, &format!("{how} at {place} of store{name}")) {
                    Seen::Refused => refused += 1,
                    Seen::Noticed => noticed += 1,
                    Seen::Whole => {}
                }
            }
        }
    }
    assert!(refused > 40, "{refused} refused, {noticed} noticed");
}

/// What a damaged end costs is only taken by who says so, and who does hears how much it is.
#[test]
fn a_lost_end_is_accepted_by_nobody_but_who_says_so() {
    let (room, world) = (Room::new(), World::new());
    let left = left(&room, &world);
    let mut files = left.files.clone();
    let length = files[1].len();
    files[1].truncate(length / 2);
    assert_eq!(look(&room, &world, &files, &left, "half of what was written ahead"), Seen::Refused);
    for (more, bytes) in FILES.iter().zip(&files) {
        fs::write(room.path(&format!("accepted{more}")), bytes).expect("it can be written");
    }
    let accepted = Sqlite::accept(room.path("accepted"), &Options::PLAIN).expect("what is there is whole");
    let (store, Accepted { acknowledged, found }) = accepted;
    assert!(acknowledged.is_some_and(|acknowledged| found < acknowledged), "{found} of {acknowledged:?}");
    let kernel = open(store, &world);
    let rows = kernel.read(|tx| Ok(tx.entries(0, u32::MAX)?)).expect("it can be read");
    assert!(!rows.is_empty() && rows.len() < left.entries.len() && left.entries.starts_with(&rows));
    assert_ne!(kernel.decide(&agent(), &request("99"), FACTS).answer(), Answer::Allow);
}
