//! A process that is killed at any moment.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use pdl::kernel::store::StoreError;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::writer::{WriteError, Writer};

use super::Chance;
#[cfg(feature = "compiler")]
use super::audit::Ack;
#[cfg(feature = "compiler")]
use super::keeper;
use super::life::{WORKERS, check, work};
use super::room::Room;

/// Where the process that is killed finds the path of its store.
const STORE: &str = "PDL_CRASH_STORE";
/// And, where that life is one of a whole kernel, that of its bundle.
#[cfg(feature = "compiler")]
const BUNDLE: &str = "PDL_CRASH_BUNDLE";
/// How many kills there are, in so many threads; and of how many of them a whole kernel dies.
const KILLS: u64 = 1_000;
const KILLS_OF_KERNELS: u64 = if cfg!(feature = "compiler") { 300 } else { 0 };
const THREADS: u64 = 2;
/// After how many kills another store is begun.
const KILLS_OF_A_STORE: u64 = 25;

/// Opens the store that is there, or makes it: it may be that nobody came so far.
fn open(path: &Path) -> Result<Sqlite, StoreError> {
    match Sqlite::open(path, &Options::PLAIN) {
        Err(StoreError::Unavailable(_)) if !path.exists() => Sqlite::create(path, &Options::PLAIN),
        Err(StoreError::Unknown(why)) if why == "there is nothing in it" => Sqlite::create(path, &Options::PLAIN),
        other => other,
    }
}

/// Works, and says so on the standard output once a work is acknowledged; `most` works of each worker.
fn live(path: &Path, most: u64) {
    let writer = Writer::new(Box::new(open(path).expect("it can be opened"))).expect("there is a thread");
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let writer = &writer;
            scope.spawn(move || {
                for _ in 0..most {
                    let count = writer.submit(move |tx| Ok::<u64, WriteError>(work(tx, worker)?)).expect("it is done");
                    // One write, past what captures the output of tests.
                    let line = format!("done {worker} {count}\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).expect("somebody listens");
                }
            });
        }
    });
}

/// A life of a process. As a test of its own it comes to a good end.
#[test]
fn a_life() {
    if let Some(path) = std::env::var_os(STORE) {
        #[cfg(feature = "compiler")]
        if let Some(bundle) = std::env::var_os(BUNDLE) {
            let store = open(Path::new(&path)).expect("it can be opened");
            return keeper::live(Box::new(store), Path::new(&bundle), u64::MAX);
        }
        return live(Path::new(&path), u64::MAX);
    }
    let room = Room::new();
    let path = room.path("store");
    for life in 1..=3 {
        live(&path, 20);
        let counts = check(&mut open(&path).expect("it can be opened")).expect("it is whole");
        assert_eq!(counts, [life * 20; WORKERS]);
    }
}

/// Begins a life and ends it. Gives what was acknowledged.
fn kill(path: &Path, chance: &mut Chance) -> [u64; WORKERS] {
    let mut done = [0; WORKERS];
    end_a_life(&[(STORE, path)], 20_000, chance, &mut |line| {
        // The name of the test may stand before it.
        let words = line.split_once("done ").and_then(|(_, line)| line.strip_suffix('\n')?.split_once(' '));
        let Some((worker, count)) = words else { return false };
        let worker: usize = worker.parse().expect("it is a worker");
        done[worker] = count.parse().expect("it is a count");
        true
    });
    done
}

/// Begins a life and ends it: at any moment before it is under way, or after so and so many lines that somebody hears of.
fn end_a_life(places: &[(&str, &Path)], before: u64, chance: &mut Chance, hear: &mut dyn FnMut(&str) -> bool) {
    let this = std::env::current_exe().expect("a test knows where it is");
    let mut child = Command::new(this)
        .args(["kill::a_life", "--exact", "--nocapture", "--test-threads=1"])
        .envs(places.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it can be run again");
    let mut output = BufReader::new(child.stdout.take().expect("it was asked for"));
    let mut line = String::new();
    if chance.below(4) == 0 {
        // Before or in the middle of opening, too.
        thread::sleep(Duration::from_micros(chance.below(before)));
    } else {
        let mut waiting = 1 + chance.below(20);
        while waiting > 0 {
            line.clear();
            assert!(output.read_line(&mut line).expect("it can be read") > 0, "it ended by itself");
            waiting -= u64::from(hear(&line));
        }
        thread::sleep(Duration::from_micros(chance.below(1_500)));
    }
    child.kill().expect("it can be killed");
    loop {
        line.clear();
        if output.read_line(&mut line).expect("it can be read") == 0 {
            break;
        }
        hear(&line);
    }
    let status = child.wait().expect("it has ended");
    assert_eq!(status.code(), None, "it did not end by itself");
}

/// What is left of the store of a room. To look at a store is to tidy it up. Half of the time a copy is looked at, and the
/// next process finds what this one left.
fn what_is_left(room: &Room, chance: &mut Chance) -> Result<Sqlite, StoreError> {
    let (path, copy) = (room.path("store"), room.path("copy"));
    if chance.below(2) > 0 || !path.exists() {
        return open(&path);
    }
    for more in ["", "-wal", "-tip"] {
        let (file, its_copy) = (room.path(&format!("store{more}")), room.path(&format!("copy{more}")));
        let _ = fs::remove_file(&its_copy);
        if file.exists() {
            fs::copy(file, its_copy).expect("it can be copied");
        }
    }
    open(&copy)
}

/// The same with a whole kernel in each process.
#[cfg(feature = "compiler")]
fn kill_kernels(mut chance: Chance, kills: u64) -> u64 {
    let (mut all, mut left) = (0, kills);
    let bundle = keeper::bundle();
    while left > 0 {
        let room = Room::new();
        let (path, policy) = (room.path("store"), room.path("bundle"));
        fs::write(&policy, &bundle).expect("it can be written");
        let mut acks = Vec::new();
        for _ in 0..left.min(KILLS_OF_A_STORE) {
            left -= 1;
            let places = [(STORE, &*path), (BUNDLE, &*policy)];
            end_a_life(&places, 100_000, &mut chance, &mut |line| {
                let ack = Ack::of_line(line);
                let is_one = ack.is_some();
                acks.extend(ack);
                is_one
            });
            let looked_at = what_is_left(&room, &mut chance).and_then(|mut store| keeper::check(&mut store, &acks));
            looked_at.unwrap_or_else(|error| panic!("after {} acknowledgements: {error}", acks.len()));
        }
        all += acks.len() as u64;
    }
    all
}

#[cfg(not(feature = "compiler"))]
fn kill_kernels(_: Chance, _: u64) -> u64 {
    0
}

/// Kills processes, one after the other, and looks at what they left. Gives how many works were acknowledged.
fn kill_often(mut chance: Chance, kills: u64) -> u64 {
    let mut all = 0;
    let mut left = kills;
    while left > 0 {
        let room = Room::new();
        let path = room.path("store");
        let mut done = [0; WORKERS];
        for _ in 0..left.min(KILLS_OF_A_STORE) {
            left -= 1;
            let heard = kill(&path, &mut chance);
            all += heard.iter().filter(|count| **count > 0).count() as u64;
            done = std::array::from_fn(|worker| heard[worker].max(done[worker]));
            let mut store = what_is_left(&room, &mut chance).unwrap_or_else(|error| panic!("after {done:?}: {error}"));
            let counts = check(&mut store).unwrap_or_else(|error| panic!("after {done:?}: {error}"));
            for worker in 0..WORKERS {
                // One more may be done and not acknowledged yet.
                let is_one_of = (done[worker]..=done[worker] + 1).contains(&counts[worker]);
                assert!(is_one_of, "{counts:?} are there, and {done:?} were acknowledged");
            }
            // What was done without being acknowledged is done.
            done = counts;
        }
    }
    all
}

#[test]
fn a_thousand_kills_lose_nothing() {
    let (done, told) = thread::scope(|scope| {
        let stores = |seed| kill_often(Chance::of(seed), (KILLS - KILLS_OF_KERNELS) / THREADS);
        let kernels = |seed| kill_kernels(Chance::of(seed), KILLS_OF_KERNELS / THREADS);
        let threads: Vec<_> = (0..THREADS).map(|seed| scope.spawn(move || (stores(seed), kernels(seed)))).collect();
        let each = threads.into_iter().map(|thread| thread.join().expect("nothing was lost"));
        each.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    });
    assert!(done > KILLS - KILLS_OF_KERNELS, "most lives came to something");
    assert!(told + 1 > 3 * KILLS_OF_KERNELS, "kernels were told of {told} things only");
}
