//! Many threads do everything at once with one kernel; then the log alone is asked whether anything happened that must not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pdl::kernel::Kernel;
use pdl::kernel::environment::Environment;
use pdl::kernel::reading::Against;
use pdl::kernel::store::Store;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{Options, Sqlite};

use super::audit::{Ack, Ledger, compare, kept};
use super::crowd::{Crowd, ENTITIES, POLICY};
use super::house::{World, bundle, open, settings, who};
use super::room::Room;

const THREADS: u64 = 10;

/// Numbers that look like chance, and are others for each thread; `PDL_SEED` asks for others.
fn chance(seed: u64) -> impl FnMut(u64) -> u64 {
    let more = std::env::var("PDL_SEED").ok().and_then(|seed| seed.parse::<u64>().ok()).unwrap_or(0);
    let mut state = more.wrapping_mul(1_000_003).wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |end| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % end
    }
}

/// What the threads were told.
fn work(kernel: &Kernel, world: &Arc<World>, crowd: &Crowd, most: u64) -> Vec<Ack> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|seed| {
                scope.spawn(move || {
                    let (mut below, mut acks) = (chance(seed + 1), Vec::new());
                    for _ in 0..most {
                        crowd.act(kernel, &mut below, &mut |ack| acks.push(ack));
                        // About once in so many steps of all of them a second goes by.
                        if below(40) == 0 {
                            world.turn(1);
                        }
                    }
                    acks
                })
            })
            .collect();
        // And one reads all the time.
        let reader = scope.spawn(|| {
            let against = Against { known: &[], trusted: &[], threads: 1 };
            while !is_over.load(Ordering::Relaxed) {
                let report = kernel.verify_log(&who("Person", "olga"), &against, &mut |_| {}).expect("it can be read");
                assert!(report.is_sound(), "{:?}", report.findings);
            }
        });
        let acks = workers.into_iter().flat_map(|worker| worker.join().expect("it ran")).collect();
        is_over.store(true, Ordering::Relaxed);
        reader.join().expect("it ran");
        acks
    })
}

fn judge(store: impl Store + 'static, most: u64) {
    let world = World::new();
    let kernel = open(store, &world);
    kernel.activate(&who("Person", "olga"), &bundle(POLICY), Some(ENTITIES)).expect("it is activated");
    let mut acks = work(&kernel, &world, &Crowd::default(), most);
    // Another process goes on with what waits.
    let environment: Arc<dyn Environment> = Arc::<World>::clone(&world);
    let kernel = Kernel::open(kernel.close().expect("it closes"), environment, settings()).expect("it opens");
    let crowd = Crowd::find(&kernel).expect("it can be read");
    acks.extend(work(&kernel, &world, &crowd, most / 2));
    assert!(acks.iter().all(|ack| Ack::of_line(&ack.line()).as_ref() == Some(ack)), "lines come back");
    let (ledger, compared) = kernel
        .read(|tx| {
            let mut ledger = Ledger::of_moving_time(5_000);
            let read = ledger.read_on(tx).map(|_| ());
            let compared = read.and_then(|()| compare(&ledger, tx));
            Ok((ledger, compared))
        })
        .expect("it can be read");
    compared.and_then(|()| kept(&ledger, &acks)).unwrap_or_else(|why| panic!("{why}"));
    let count = |is: fn(&Ack) -> bool| acks.iter().filter(|ack| is(ack)).count();
    // Whether somebody happens to spend a gate before it ends is up to the threads; that they are spent the model sees to.
    let counts = [
        count(|ack| matches!(ack, Ack::Decided { permit: Some(_), gate: None, .. })),
        count(|ack| matches!(ack, Ack::Voted(_))),
        count(|ack| matches!(ack, Ack::Started(_))),
        count(|ack| matches!(ack, Ack::Ended(..))),
        count(|ack| matches!(ack, Ack::Made(_))),
    ];
    assert!(counts.iter().all(|count| *count > 0), "hardly anything came about: {counts:?}");
}

#[test]
fn many_at_once_in_memory() {
    judge(Memory::new(), 60);
}

#[test]
fn many_at_once_in_a_file() {
    let room = Room::new();
    judge(Sqlite::create(room.path("store"), &Options::PLAIN).expect("it is made"), 40);
}
