//! A machine that loses its power at any moment, on a disk that forgets what was not synced.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pdl::kernel::store::sqlite::{Options, Sqlite, Vfs};
use pdl::kernel::store::{Store, StoreError};

use super::Chance;
use super::forgetful::{Disk, Fault};
use super::life::{WORKERS, check, work};

const PATH: &str = "/store";
/// How many disks, and how often the power of each goes.
const DISKS: u64 = 25;
const OUTAGES: u64 = 12;

fn open(disk: &Disk, name: &str) -> Result<Sqlite, StoreError> {
    let vfs = Vfs { name: name.to_owned(), beside: Arc::new(disk.clone()) };
    let options = Options { vfs: Some(vfs), ..Options::PLAIN };
    match Sqlite::open(PATH, &options) {
        Err(StoreError::Unavailable(_)) if !disk.has(PATH) => Sqlite::create(PATH, &options),
        Err(StoreError::Unknown(why)) if why == "there is nothing in it" => Sqlite::create(PATH, &options),
        other => other,
    }
}

/// What came of many outages.
#[derive(Debug, Default)]
struct Told {
    acknowledged: u64,
    failed: u64,
    full: u64,
    /// Whether it was noticed that something is lost.
    refused: bool,
}

/// Works until the power goes, looks what is left, and so on. Panics when something is lost.
fn outages(disk: &Disk, name: &str, fault: Fault, chance: &mut Chance) -> Told {
    let mut told = Told::default();
    let (mut done, mut unsure) = ([0; WORKERS], 0);
    disk.clear();
    for _ in 0..OUTAGES {
        // Time to look at what is left. Nothing is written for that, but a little to tidy up.
        disk.power(1_000_000, Fault::None, chance);
        let opened = open(disk, name).and_then(|mut store| {
            let counts = check(&mut store)?;
            Ok((store, counts))
        });
        let (store, counts) = match opened {
            Ok(opened) => opened,
            Err(_) if matches!(fault, Fault::DeafButForTip | Fault::DeafToTip) => {
                told.refused = true;
                return told;
            }
            Err(error) => panic!("{done:?} were acknowledged: {error}"),
        };
        // What failed while it was made durable may be done or not, and so may that in whose middle the power went.
        let is_no_more = counts.iter().sum::<u64>() <= done.iter().sum::<u64>() + unsure;
        let is_kept = is_no_more && counts.iter().zip(done).all(|(count, done)| *count >= done);
        assert!(is_kept, "{counts:?} are there, and {done:?} were acknowledged");
        done = counts;
        drop(store);
        unsure = 1;
        disk.power(1 + chance.below(800), fault, chance);
        let Ok(mut store) = open(disk, name) else { continue };
        while disk.has_power() {
            let worker = chance.below(WORKERS as u64) as usize;
            let mut count = 0;
            let result = store.transact(&mut |tx| {
                count = work(tx, worker)?;
                Ok(())
            });
            match result {
                Ok(()) => {
                    done[worker] = count;
                    told.acknowledged += 1;
                }
                Err(StoreError::Corrupt(why)) => panic!("{why}"),
                Err(error) if disk.has_power() => {
                    unsure += 1;
                    let is_full = matches!(error, StoreError::Full(_));
                    *(if is_full { &mut told.full } else { &mut told.failed }) += 1;
                }
                Err(_) => {}
            }
        }
    }
    told
}

/// All disks of a sort.
fn all(name: &str, fault: Fault) -> Told {
    let disk = Disk::new(name);
    let mut chance = Chance::of(7);
    let mut all = Told::default();
    for _ in 0..DISKS {
        let told = outages(&disk, name, fault, &mut chance);
        all.acknowledged += told.acknowledged;
        all.failed += told.failed;
        all.full += told.full;
    }
    assert!(all.acknowledged > DISKS * OUTAGES, "{all:?}");
    all
}

#[test]
fn what_was_synced_is_enough() {
    let told = all("forgetful", Fault::None);
    assert_eq!((told.failed, told.full), (0, 0), "with power, everything is done");
}

/// The disk itself is put to the test: a store that does not sync does not stand it.
#[test]
fn a_store_that_does_not_sync_is_found_out() {
    let disk = Disk::new("deaf");
    let mut chance = Chance::of(7);
    let lost = (0..DISKS)
        .filter(|_| catch_unwind(AssertUnwindSafe(|| outages(&disk, "deaf", Fault::Deaf, &mut chance))).is_err())
        .count() as u64;
    assert!(lost > DISKS / 2, "only {lost} of {DISKS} disks lost something");
}

/// A disk that loses what is in the database, or in its tip: that may happen, but not without being noticed.
#[test]
fn what_a_disk_has_lost_is_noticed() {
    for (name, fault) in [("deaf-but-for-tip", Fault::DeafButForTip), ("deaf-to-tip", Fault::DeafToTip)] {
        let disk = Disk::new(name);
        let mut chance = Chance::of(7);
        let refused = (0..DISKS).filter(|_| outages(&disk, name, fault, &mut chance).refused).count() as u64;
        assert!(refused > DISKS / 2, "{name}: only {refused} of {DISKS} disks were refused");
    }
}

#[test]
fn what_could_not_be_synced_was_not_acknowledged() {
    let told = all("failing", Fault::Failing);
    assert!(told.failed > DISKS, "{told:?}");
}

#[test]
fn what_found_no_room_was_not_acknowledged() {
    let told = all("full", Fault::Full);
    assert!(told.full > DISKS, "{told:?}");
}

/// The same with a whole kernel over such a disk.
#[cfg(feature = "compiler")]
mod of_kernels {
    use std::sync::atomic::{AtomicI64, Ordering};

    use pdl::Answer;
    use pdl::data::timestamp::Timestamp;
    use pdl::kernel::KernelError;
    use pdl::kernel::environment::{Environment, NoRandomness};
    use pdl::kernel::record::Principal;
    use pdl::kernel::writer::WriteError;

    use super::*;
    use crate::audit::Ack;
    use crate::crowd::Crowd;
    use crate::keeper;

    const KERNELS: u64 = 4;

    /// Time goes on whenever somebody asks, and numbers don't come twice.
    #[derive(Debug)]
    struct Turning(AtomicI64);

    impl Environment for Turning {
        fn now(&self) -> Timestamp {
            let now = 1_795_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed) / 4;
            Timestamp::from_millis(now).expect("it is a time")
        }

        fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
            for part in buffer.chunks_mut(32) {
                let next = pdl::Digest::of(&self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes());
                part.copy_from_slice(&next.0[..part.len()]);
            }
            Ok(())
        }
    }

    /// Gives how much was acknowledged.
    fn kernels(disk: &Disk, name: &str, fault: Fault, bundle: &[u8], chance: &mut Chance) -> usize {
        let outside = Arc::new(Turning(AtomicI64::new(0)));
        let mut acks = Vec::new();
        disk.clear();
        for _ in 0..OUTAGES / 2 {
            disk.power(10_000_000, Fault::None, chance);
            let looked_at = open(disk, name).and_then(|mut store| keeper::check(&mut store, &acks));
            looked_at.unwrap_or_else(|error| panic!("after {} acknowledgements: {error}", acks.len()));
            disk.power(1 + chance.below(2_500), fault, chance);
            let Ok(store) = open(disk, name) else { continue };
            let Ok(kernel) = keeper::open(Box::new(store), Arc::<Turning>::clone(&outside) as _, bundle) else {
                continue;
            };
            let Ok(crowd) = Crowd::find(&kernel) else { continue };
            while disk.has_power() {
                crowd.act(&kernel, &mut |end| chance.below(end), &mut |ack| acks.push(ack));
            }
        }
        acks.len()
    }

    #[test]
    fn a_kernel_forgets_nothing_that_it_has_told() {
        let (bundle, mut chance) = (keeper::bundle(), Chance::of(11));
        for (name, fault) in [("kernel", Fault::None), ("kernel-failing", Fault::Failing), ("kernel-full", Fault::Full)]
        {
            let disk = Disk::new(name);
            let told: usize = (0..KERNELS).map(|_| kernels(&disk, name, fault, &bundle, &mut chance)).sum();
            assert!(told as u64 > KERNELS * OUTAGES, "{name}: {told}");
        }
    }

    /// A disk that is full, and stays so until somebody makes room.
    #[test]
    fn where_there_is_no_room_all_is_denied_until_there_is_again() {
        const NAME: &str = "kernel-crammed";
        let (bundle, mut chance) = (keeper::bundle(), Chance::of(13));
        let (disk, outside) = (Disk::new(NAME), Arc::new(Turning(AtomicI64::new(0))));
        disk.power(u64::MAX, Fault::None, &mut chance);
        let begin = || {
            let store = open(&disk, NAME).expect("it opens");
            keeper::open(Box::new(store), Arc::<Turning>::clone(&outside) as _, &bundle).expect("it opens")
        };
        let bot = Principal::new("Agent", "bot").expect("it is short");
        let pay = br#"{"subject":{"type":"Agent","id":"bot"},"action":{"name":"pay"},
            "resource":{"type":"Order","id":"o1"},"context":{"cost":7}}"#;
        let (mut kernel, mut acks, mut full) = (begin(), Vec::new(), 0);
        for round in 0..8 {
            let crowd = Crowd::find(&kernel).expect("it can be read");
            // Room for a while, then for a little, then for nothing.
            for room in [None, Some(chance.below(60_000) as usize), Some(0)] {
                disk.leave_room(room);
                for _ in 0..20 {
                    crowd.act(&kernel, &mut |end| chance.below(end), &mut |ack| acks.push(ack));
                    let verdict = kernel.decide(&bot, pay, None);
                    let Some(trouble) = &verdict.trouble else {
                        assert_eq!(verdict.answer(), Answer::Allow, "{verdict:?}");
                        assert!(verdict.permit.is_some() && verdict.entry.is_some(), "{verdict:?}");
                        acks.push(Ack::Decided {
                            entry: verdict.entry.unwrap_or_default(),
                            answer: Answer::Allow.name().to_owned(),
                            permit: verdict.permit.map(|permit| permit.claims().id.clone()),
                            gate: None,
                        });
                        continue;
                    };
                    assert!(room.is_some(), "there is room, and it is denied: {trouble}");
                    assert!(verdict.answer() == Answer::Deny && verdict.permit.is_none(), "{verdict:?}");
                    let is_full = matches!(trouble, KernelError::Write(WriteError::Store(StoreError::Full(_))));
                    assert!(is_full, "it is denied for another reason: {trouble}");
                    full += 1;
                }
            }
            // Every other time the kernel ends before there is room again.
            if round % 2 == 0 {
                drop(kernel);
                disk.leave_room(None);
                kernel = begin();
            } else {
                disk.leave_room(None);
            }
            let verdict = kernel.decide(&bot, pay, None);
            assert_eq!((verdict.answer(), &verdict.trouble), (Answer::Allow, &None), "there is room again");
        }
        assert!(full > 8 * 10, "there was no room {full} times only");
        let mut store = kernel.close().expect("it closes");
        let size = keeper::check(&mut *store, &acks).unwrap_or_else(|error| panic!("of {}: {error}", acks.len()));
        assert!(size > 500 && acks.len() > 50, "{size} entries, {} acknowledgements", acks.len());
    }

    #[test]
    fn a_kernel_over_a_disk_that_does_not_sync_is_found_out() {
        let (bundle, mut chance) = (keeper::bundle(), Chance::of(11));
        let disk = Disk::new("kernel-deaf");
        let mut run = || kernels(&disk, "kernel-deaf", Fault::Deaf, &bundle, &mut chance);
        let lost = (0..KERNELS).filter(|_| catch_unwind(AssertUnwindSafe(&mut run)).is_err()).count() as u64;
        assert!(lost > KERNELS / 2, "only {lost} of {KERNELS} disks lost something");
    }
}
