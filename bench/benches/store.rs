//! How many decisions 64 callers get in a second, each durable before it is answered, and what of that is the store: beside
//! works of the same kind without a kernel, and a bare loop that appends to a file and syncs it.
//!
//! A decision is one of the kernel, allowed: two entries, the nodes of their tree, a permit. A work without a kernel is an
//! object, an entry of 1 KB, the nodes of its tree. The bare loop appends as many bytes for each as a work has, and syncs
//! once for as many as the store had in a transaction in this run: to have as many syncs for as much.
//!
//! Rates are by the clock on the wall, for a part of it is waiting for the disk; beside them is the time on the CPU of all
//! threads, which another program on the machine makes little longer.
//!
//! The first argument that is a number says how many runs there are, 7 if there is none.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cpu_time::ProcessTime;
use pdl::Answer;
use pdl::base::hash::Digest;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::record::Principal;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::store::{Object, Store, StoreError, Tx};
use pdl::kernel::writer::{WriteError, Writer};
use pdl::log::tree::{Frontier, leaf_hash};
use pdl_bench::{machine, registry};

const CALLERS: u64 = 64;
const ROUNDS: u64 = 500;
const ENTRY_BYTES: usize = 1_024;
const OBJECT_BYTES: usize = 300;
/// What a decision has, about: two entries, a permit.
const DECISION_BYTES: usize = 2_048;

const ENTITIES: &str = r#"[{"type":"Team","id":"team-1"},{"type":"Agent","id":"agent-1","properties":{"level":3,
    "limit":500.5,"region":"eu-1","name":"Agent number 1","active":true,"tools":["deploy","restart"],
    "joined":"2026-11-20T10:00:00Z","score":7,"note":"of step 1"},"in":["team-1"]}]"#;
const REQUEST: &str = r#"{"subject":{"type":"Agent","id":"agent-1"},"action":{"name":"pay"},
    "resource":{"type":"Order","id":"order-4711","properties":{"open":true}},"context":{"cost":12.50}}"#;

/// What came of a run.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// In a second by the clock.
    rate: f64,
    /// On the CPU for each, in microseconds.
    cpu: f64,
    /// How many were made durable together.
    together: f64,
}

fn main() {
    machine();
    let count: u64 =
        std::env::args().find_map(|argument| argument.parse().ok()).filter(|count| *count > 0).unwrap_or(7);
    println!("here rates by the clock on the wall: medians of {count} runs (least – most)");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("the machine was loaded before: {load}");
    let room = Path::new(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("/tmp"));
    let path = |name: &str, run: u64| room.join(format!("{name}-{run}-{}", std::process::id()));

    // One behind the other in each run, so that all have the machine as it is then.
    let (mut decisions, mut bare_decisions, mut works, mut bare_works) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..count {
        let decided = at_file(&path("kernel", run), decided);
        bare_decisions.push(bare(&path("bare", run), DECISION_BYTES, decided.together));
        decisions.push(decided);
        let written = at_file(&path("store", run), |store| written(store));
        bare_works.push(bare(&path("bare", run), ENTRY_BYTES + OBJECT_BYTES, written.together));
        works.push(written);
    }
    show("decisions, SQLite", &decisions);
    show("  bare loop of that", &bare_decisions);
    ratio(&decisions, &bare_decisions);
    show("works, SQLite", &works);
    show("  bare loop of that", &bare_works);
    ratio(&works, &bare_works);
    let runs = |run: &dyn Fn() -> Run| (0..count).map(|_| run()).collect::<Vec<_>>();
    show("decisions, memory", &runs(&|| decided(Box::new(Memory::new()))));
    show("works, memory, a writer", &runs(&|| written(Box::new(Memory::new()))));
    show("works, memory, no writer", &runs(&|| alone(&mut Memory::new())));
}

/// The median, the least and the most of something.
fn spread(of: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut sorted: Vec<f64> = of.collect();
    sorted.sort_by(f64::total_cmp);
    (sorted[sorted.len() / 2], sorted[0], sorted[sorted.len() - 1])
}

fn show(what: &str, runs: &[Run]) {
    let (rate, least, most) = spread(runs.iter().map(|run| run.rate));
    let (cpu, cpu_least, cpu_most) = spread(runs.iter().map(|run| run.cpu));
    let (together, ..) = spread(runs.iter().map(|run| run.together));
    println!(
        "{what:<26} {rate:>8.0}/s ({least:.0} – {most:.0}), {cpu:.1} µs CPU ({cpu_least:.1} – {cpu_most:.1}), \
         {together:.0} together"
    );
}

fn ratio(of: &[Run], to: &[Run]) {
    let (ratio, least, most) = spread(of.iter().zip(to).map(|(of, to)| to.rate / of.rate));
    println!("  the bare loop does         {ratio:>6.2} times as many ({least:.2} – {most:.2})");
}

/// Has something done with a store in a file, and leaves nothing behind.
fn at_file(path: &Path, run: impl FnOnce(Box<dyn Store>) -> Run) -> Run {
    let done = run(Box::new(Sqlite::create(path, &Options::PLAIN).expect("it can be made")));
    for end in ["", "-wal", "-tip"] {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        drop(std::fs::remove_file(PathBuf::from(file)));
    }
    done
}

/// Has each of the callers do something over and over.
fn timed(transactions: &AtomicU64, each: impl Fn() + Sync) -> Run {
    let before = transactions.load(Ordering::Relaxed);
    let (start, busy) = (Instant::now(), ProcessTime::now());
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| (0..ROUNDS).for_each(|_| each()));
        }
    });
    let (done, took) = ((CALLERS * ROUNDS) as f64, start.elapsed().as_secs_f64());
    let together = done / (transactions.load(Ordering::Relaxed) - before) as f64;
    Run { rate: done / took, cpu: busy.elapsed().as_secs_f64() * 1e6 / done, together }
}

/// A store whose transactions are counted.
#[derive(Debug)]
struct Counted(Box<dyn Store>, Arc<AtomicU64>);

impl Store for Counted {
    fn is_durable(&self) -> bool {
        self.0.is_durable()
    }

    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.transact(work)
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.0.check()
    }
}

/// The clock of the system, by which ids are in an order, and chance that never comes twice.
#[derive(Debug, Default)]
struct World(AtomicU64);

impl Environment for World {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        i64::try_from(since).ok().and_then(Timestamp::from_millis).unwrap_or(Timestamp::EPOCH)
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        let digest = Digest::of(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes()).0;
        buffer.iter_mut().zip(digest).for_each(|(byte, chance)| *byte = chance);
        Ok(())
    }
}

/// Decisions of a kernel.
fn decided(store: Box<dyn Store>) -> Run {
    let transactions = Arc::new(AtomicU64::new(0));
    let kernel = registry::kernel_in(Counted(store, Arc::clone(&transactions)), Arc::new(World::default()));
    kernel.activate(&registry::operator(), &registry::bundle(), Some(ENTITIES.as_bytes())).expect("it is sound");
    let who = Principal::new("Agent", "agent-1").expect("it is short");
    timed(&transactions, || {
        let verdict = kernel.decide(&who, REQUEST.as_bytes(), None);
        assert!(verdict.answer() == Answer::Allow && verdict.permit.is_some(), "{verdict:?}");
    })
}

/// A work. Keys are in the order of time, as those of the kernel are.
fn work(tx: &mut dyn Tx) -> Result<u64, StoreError> {
    let size = tx.log_size()?;
    let key = format!("permit_{size:026}");
    tx.put(&Object {
        kind: "permit".to_owned(),
        key: key.clone(),
        version: 0,
        state: "issued".to_owned(),
        due_ms: Some(1_800_000_000_000),
        body: vec![b'o'; OBJECT_BYTES],
    })?;
    let mut entry = vec![b'e'; ENTRY_BYTES];
    entry[..key.len()].copy_from_slice(key.as_bytes());
    let frontier = Frontier::load(size, |node| tx.node(node).ok().flatten());
    let mut frontier = frontier.ok_or_else(|| StoreError::Corrupt("a node is missing".to_owned()))?;
    let index = tx.append(&key, "decision", &entry)?;
    let mut nodes = Vec::new();
    frontier.append(leaf_hash(&entry), |node, hash| nodes.push((node, hash)));
    nodes.into_iter().try_for_each(|(node, hash)| tx.put_node(node, hash))?;
    Ok(index)
}

/// Works of a store behind a writer.
fn written(store: Box<dyn Store>) -> Run {
    let transactions = Arc::new(AtomicU64::new(0));
    let writer = Writer::new(Box::new(Counted(store, Arc::clone(&transactions)))).expect("there is a thread");
    timed(&transactions, || {
        writer.submit(|tx| Ok::<u64, WriteError>(work(tx)?)).expect("it is done");
    })
}

/// Works of a store that nobody is between.
fn alone(store: &mut dyn Store) -> Run {
    let (start, busy) = (Instant::now(), ProcessTime::now());
    for _ in 0..CALLERS * ROUNDS {
        store.transact(&mut |tx| work(tx).map(drop)).expect("it is done");
    }
    let done = (CALLERS * ROUNDS) as f64;
    Run { rate: done / start.elapsed().as_secs_f64(), cpu: busy.elapsed().as_secs_f64() * 1e6 / done, together: 1.0 }
}

/// A file that is appended to, and synced once for so many.
fn bare(path: &Path, bytes: usize, together: f64) -> Run {
    let mut file = File::create(path).expect("it can be made");
    let together = (together.round() as u64).max(1);
    let syncs = CALLERS * ROUNDS / together;
    let bytes = vec![b'e'; bytes];
    let (start, busy) = (Instant::now(), ProcessTime::now());
    for _ in 0..syncs {
        for _ in 0..together {
            file.write_all(&bytes).expect("there is room");
        }
        file.sync_data().expect("it can be synced");
    }
    let done = (syncs * together) as f64;
    let (rate, cpu) = (done / start.elapsed().as_secs_f64(), busy.elapsed().as_secs_f64() * 1e6 / done);
    std::fs::remove_file(path).expect("it was made");
    Run { rate, cpu, together: together as f64 }
}
