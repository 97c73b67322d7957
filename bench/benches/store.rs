//! How many works 64 callers have done in a second, each durable before it is answered, beside a bare loop that appends
//! as many bytes to a file and syncs it once for 64 of them.
//!
//! A work is what a decision costs the store: an object, an entry of 1 KB, the nodes of its tree. It is timed by the
//! clock on the wall, for a part of it is waiting for the disk.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::store::{Object, Store, StoreError, Tx};
use pdl::kernel::writer::{WriteError, Writer};
use pdl::log::tree::{Frontier, leaf_hash};
use pdl_bench::machine;

const CALLERS: u64 = 64;
const ROUNDS: u64 = 1_000;
const RUNS: u64 = 5;
const ENTRY_BYTES: usize = 1_024;
const OBJECT_BYTES: usize = 300;

fn main() {
    machine();
    println!("here by the clock on the wall: medians of {RUNS} runs\n");
    let room = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let bare = median(|run| bare(&room.join(format!("bare-{run}"))));
    println!("bare loop, a sync for {CALLERS}:  {:>9.0} works/s", bare.0);
    let sqlite = median(|run| {
        let path = room.join(format!("store-{run}-{}", std::process::id()));
        let rate = written(Box::new(Sqlite::create(&path, &Options::PLAIN).expect("it can be made")));
        std::fs::remove_file(path).expect("it was made");
        rate
    });
    println!("SQLite, {CALLERS} callers:        {:>9.0} works/s, {:.1} in a transaction", sqlite.0, sqlite.1);
    let memory = median(|_| written(Box::new(Memory::new())));
    println!("memory, {CALLERS} callers:        {:>9.0} works/s, {:.1} in a transaction", memory.0, memory.1);
    let alone = median(|_| alone(&mut Memory::new()));
    println!("memory, without a writer:  {:>9.0} works/s", alone.0);
    println!("SQLite to the bare loop:   {:>9.2}", sqlite.0 / bare.0);
}

/// The median of some runs, by their rate.
fn median(mut run: impl FnMut(u64) -> (f64, f64)) -> (f64, f64) {
    let mut rates: Vec<(f64, f64)> = (0..RUNS).map(&mut run).collect();
    rates.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    rates[rates.len() / 2]
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

/// A store whose transactions are counted.
#[derive(Debug)]
struct Counted(Box<dyn Store>, Arc<AtomicU64>);

impl Store for Counted {
    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.transact(work)
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.0.check()
    }
}

/// The rate of a store behind a writer, and how many works were done in a transaction.
fn written(store: Box<dyn Store>) -> (f64, f64) {
    let transactions = Arc::new(AtomicU64::new(0));
    let writer = Writer::new(Box::new(Counted(store, Arc::clone(&transactions)))).expect("there is a thread");
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            let writer = &writer;
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    writer.submit(|tx| Ok::<u64, WriteError>(work(tx)?)).expect("it is done");
                }
            });
        }
    });
    let works = (CALLERS * ROUNDS) as f64;
    (works / start.elapsed().as_secs_f64(), works / transactions.load(Ordering::Relaxed) as f64)
}

/// The rate of a store that nobody is between.
fn alone(store: &mut dyn Store) -> (f64, f64) {
    let start = Instant::now();
    for _ in 0..CALLERS * ROUNDS {
        store.transact(&mut |tx| work(tx).map(drop)).expect("it is done");
    }
    ((CALLERS * ROUNDS) as f64 / start.elapsed().as_secs_f64(), 1.0)
}

/// The rate of a file that is appended to.
fn bare(path: &Path) -> (f64, f64) {
    let mut file = File::create(path).expect("it can be made");
    let bytes = vec![b'e'; ENTRY_BYTES + OBJECT_BYTES];
    let start = Instant::now();
    for _ in 0..ROUNDS {
        for _ in 0..CALLERS {
            file.write_all(&bytes).expect("there is room");
        }
        file.sync_data().expect("it can be synced");
    }
    let rate = (CALLERS * ROUNDS) as f64 / start.elapsed().as_secs_f64();
    std::fs::remove_file(path).expect("it was made");
    (rate, CALLERS as f64)
}
