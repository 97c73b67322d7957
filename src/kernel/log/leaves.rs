//! Hashing and reading entries on many threads: all that takes time in a verification and needs nothing but the entry.

use std::thread;

use super::compact;
use super::view::Row;
use crate::base::hash::Digest;
use crate::data::timestamp::Timestamp;
use crate::kernel::entry::read::{Header, Malformed};
use crate::log::tree::leaf_hash;

/// Fewer entries than this are not worth a thread.
const WORTH_A_THREAD: usize = 128;

/// What is known of an entry by itself.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) hash: Digest,
    /// The index that it says it has, and its time.
    pub(super) read: Result<(u64, Timestamp), Malformed>,
    /// Whether it is found by another id or kind than it has.
    pub(super) is_hidden: bool,
    /// If it tells that entries were dropped: how many, from the beginning on.
    pub(super) dropped: Option<u64>,
}

fn leaf(row: &Row) -> Option<Leaf> {
    let bytes = row.bytes.as_ref()?;
    let header = Header::read(bytes);
    let dropped = header.ok().and_then(|header| compact::dropped(&header));
    let is_hidden = match (&row.listed, header) {
        (Some(listed), Ok(header)) => listed.split_once(' ') != Some((header.id, header.kind.name())),
        _ => false,
    };
    let read = header.map(|header| (header.index, header.time));
    Some(Leaf { hash: leaf_hash(bytes), read, is_hidden, dropped })
}

/// The leaves of rows, in their order; `None` where there are no bytes. Something else is done meanwhile.
pub(super) fn leaves_of<T>(rows: &[Row], threads: usize, meanwhile: impl FnOnce() -> T) -> (Vec<Option<Leaf>>, T) {
    let share = rows.len().div_ceil(threads.max(1)).max(WORTH_A_THREAD);
    thread::scope(|scope| {
        let work = |rows: &[Row]| -> Vec<Option<Leaf>> { rows.iter().map(leaf).collect() };
        let shares: Vec<_> = rows
            .chunks(share)
            // Where the system has no thread, the work is done here, afterwards.
            .map(|rows| (rows, thread::Builder::new().spawn_scoped(scope, move || work(rows)).ok()))
            .collect();
        let other = meanwhile();
        let leaves = shares
            .into_iter()
            .flat_map(|(rows, thread)| thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| work(rows)));
        (leaves.collect(), other)
    })
}
