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
use super::life::{WORKERS, check, work};
use super::room::Room;

/// Where the process that is killed finds the path of its store.
const STORE: &str = "PDL_CRASH_STORE";
/// How many kills there are, in so many threads.
const KILLS: u64 = 1_000;
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
    let this = std::env::current_exe().expect("a test knows where it is");
    let mut child = Command::new(this)
        .args(["kill::a_life", "--exact", "--nocapture", "--test-threads=1"])
        .env(STORE, path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it can be run again");
    let mut output = BufReader::new(child.stdout.take().expect("it was asked for"));
    let mut done = [0; WORKERS];
    let mut hear = |line: &str| {
        // The name of the test may stand before it.
        let mut words = line.split_once("done ")?.1.strip_suffix('\n')?.split(' ');
        let worker: usize = words.next()?.parse().ok()?;
        done[worker] = words.next()?.parse().ok()?;
        Some(())
    };
    let mut line = String::new();
    if chance.below(4) == 0 {
        // Before or in the middle of opening, too.
        thread::sleep(Duration::from_micros(chance.below(20_000)));
    } else {
        let mut waiting = 1 + chance.below(20);
        while waiting > 0 {
            line.clear();
            assert!(output.read_line(&mut line).expect("it can be read") > 0, "it ended by itself");
            waiting -= u64::from(hear(&line).is_some());
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
    done
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
            // To look at a store is to tidy it up. Half of the time a copy is looked at, and the next process finds
            // what this one left.
            let copy = room.path("copy");
            let looked_at = if chance.below(2) == 0 && path.exists() {
                for more in ["", "-wal", "-tip"] {
                    let (file, its_copy) = (room.path(&format!("store{more}")), room.path(&format!("copy{more}")));
                    let _ = fs::remove_file(&its_copy);
                    if file.exists() {
                        fs::copy(file, its_copy).expect("it can be copied");
                    }
                }
                &copy
            } else {
                &path
            };
            let mut store = open(looked_at).unwrap_or_else(|error| panic!("after {done:?}: {error}"));
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
    let done: u64 = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|seed| scope.spawn(move || kill_often(Chance(seed), KILLS / THREADS))).collect();
        threads.into_iter().map(|thread| thread.join().expect("nothing was lost")).sum()
    });
    assert!(done > KILLS, "most lives came to something");
}
