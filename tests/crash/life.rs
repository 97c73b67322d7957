//! What a process does with a store until it is stopped, and what has to hold whenever that was.

use pdl::base::hash::Digest;
use pdl::kernel::store::{Object, Query, Store, StoreError, Tx};
use pdl::log::tree::{Frontier, leaf_hash};

/// How many work at once.
pub const WORKERS: usize = 3;
/// Every so many works, a content is erased.
const ERASE: u64 = 8;

fn id(worker: usize, count: u64) -> String {
    format!("ent_{worker}_{count}")
}

fn entry(worker: usize, count: u64) -> Vec<u8> {
    format!("{{\"worker\":{worker},\"count\":{count},\"more\":\"{}\"}}", "x".repeat(300)).into_bytes()
}

fn content(worker: usize, count: u64) -> Vec<u8> {
    format!("content {count} of {worker}").into_bytes()
}

/// Counts an object up whose body is the count. Gives the new count.
fn count_up(tx: &mut dyn Tx, kind: &str, key: &str) -> Result<u64, StoreError> {
    let new = || Object {
        kind: kind.to_owned(),
        key: key.to_owned(),
        version: 0,
        state: "counting".to_owned(),
        due_ms: None,
        body: Vec::new(),
    };
    let mut object = tx.get(kind, key)?.unwrap_or_else(new);
    let count = object.version + 1;
    object.body = count.to_string().into_bytes();
    tx.put(&object)
}

/// A work, which touches everything that a store has: objects, an entry, nodes, contents. Gives the worker's count.
pub fn work(tx: &mut dyn Tx, worker: usize) -> Result<u64, StoreError> {
    let count = count_up(tx, "counter", &worker.to_string())?;
    let total = count_up(tx, "total", "log")?;
    let size = tx.log_size()?;
    assert_eq!(total, size + 1, "the total is that of the log");
    let mut missing = None;
    let frontier = Frontier::load(size, |node| {
        tx.node(node).unwrap_or_else(|error| {
            missing = Some(error);
            None
        })
    });
    if let Some(error) = missing {
        return Err(error);
    }
    let mut frontier = frontier.expect("a log of that size has these nodes");
    let entry = entry(worker, count);
    tx.append(&id(worker, count), "work", &entry)?;
    let mut nodes = Vec::new();
    frontier.append(leaf_hash(&entry), |node, hash| nodes.push((node, hash)));
    for (node, hash) in nodes {
        tx.put_node(node, hash)?;
    }
    tx.put_content(&content(worker, count))?;
    if count % ERASE == 0 {
        assert!(tx.erase_content(Digest::of(&content(worker, count - 1)))?, "it was kept by the work before");
    }
    Ok(count)
}

/// What every store that only such works have changed has to hold. Gives the count of each worker.
pub fn check(store: &mut dyn Store) -> Result<[u64; WORKERS], StoreError> {
    store.check()?;
    let mut counts = [0; WORKERS];
    store.transact(&mut |tx| {
        counts = counts_of(tx)?;
        Ok(())
    })?;
    Ok(counts)
}

fn counts_of(tx: &mut dyn Tx) -> Result<[u64; WORKERS], StoreError> {
    let mut counts = [0; WORKERS];
    let all = |kind: &str| Query { kind: kind.to_owned(), state: None, due_until_ms: None, after: None, limit: 100 };
    for object in tx.find(&all("counter"))? {
        let worker: usize = object.key.parse().expect("its key is a worker");
        assert_eq!(object.body, object.version.to_string().into_bytes());
        counts[worker] = object.version;
    }
    let size = tx.log_size()?;
    assert_eq!(size, counts.iter().sum::<u64>(), "the log has an entry of each count");
    let total = tx.find(&all("total"))?.iter().map(|object| object.version).sum::<u64>();
    assert_eq!(total, size, "the total is that of the log");

    // Each worker's entries are there, once and in order, and nothing else is.
    let mut frontier = Frontier::default();
    let mut nodes = Vec::new();
    let mut seen = [0; WORKERS];
    for (index, found) in tx.entries(0, u32::MAX)? {
        let worker = (0..WORKERS).find(|worker| found == entry(*worker, seen[*worker] + 1));
        let worker = worker.unwrap_or_else(|| panic!("the entry {index} is of nobody"));
        seen[worker] += 1;
        assert_eq!(tx.index_of(&id(worker, seen[worker]))?, Some(index));
        frontier.append(leaf_hash(&found), |node, hash| nodes.push((node, hash)));
    }
    assert_eq!(seen, counts);
    for (node, hash) in nodes {
        assert_eq!(tx.node(node)?, Some(hash), "{node:?}");
    }
    for (worker, last) in counts.into_iter().enumerate() {
        for count in 1..=last {
            let is_erased = (count + 1) % ERASE == 0 && count < last;
            let kept = tx.content(Digest::of(&content(worker, count)))?;
            assert_eq!(kept.is_none(), is_erased, "the content {count} of {worker}");
        }
    }
    Ok(counts)
}
