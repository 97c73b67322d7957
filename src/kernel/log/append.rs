//! Appending: an event becomes an entry, a leaf of the tree, and what nodes it completes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};

use super::commitment::{self, Sealed};
use super::{LogError, with_nodes};
use crate::base::hash::Digest;
use crate::base::limits::ENTRY_BYTES_MAX;
use crate::base::text::Text;
use crate::data::timestamp::Timestamp;
use crate::kernel::entry::read::{Header, ID_WORD, Malformed};
use crate::kernel::entry::{Entry, Envelope, Kind};
use crate::kernel::environment::Environment;
use crate::kernel::id;
use crate::kernel::json::push_members;
use crate::kernel::json::scan::{NUMBER_MAX, can_be_written_within};
use crate::kernel::store::{StoreError, Tx};
use crate::log::tree::{Frontier, Node, leaf_hash};
use crate::vm::canonical::key_order;

/// How deep the values of a body lie in an entry.
const BODY_DEPTH: usize = 2;
/// How much room for a text is kept for the next one.
const TEXT_BYTES_KEPT: usize = 65_536;

/// What happened, before it has a place, an id and a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What it tells of.
    pub kind: Kind,
    /// The ids of entries that it belongs to, by what they are to it.
    pub links: BTreeMap<String, String>,
    /// What happened.
    pub body: Map<String, Value>,
    /// Where in the body values are that may not be read in the log, as JSON Pointers: `/request/context/email`.
    pub sensitive: Vec<String>,
    /// Where in the body something stands that was committed to before, as JSON Pointers, too.
    pub sealed: Vec<(String, Sealed)>,
}

impl Event {
    /// An event without links and without anything sensitive.
    #[must_use]
    pub fn new(kind: Kind, body: Map<String, Value>) -> Event {
        Event { kind, links: BTreeMap::new(), body, sensitive: Vec::new(), sealed: Vec::new() }
    }

    /// The same, with a link to an entry.
    #[must_use]
    pub fn link(mut self, name: &str, id: &str) -> Event {
        self.links.insert(name.to_owned(), id.to_owned());
        self
    }
}

/// The log of a store. One of them is shared by all who append; it remembers where the log ends, so that appending does not
/// read it all again, and looks whether that is still so, each time.
#[derive(Debug, Default)]
pub struct Log {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    head: Option<Head>,
    /// Where entries are written before they are stored: room that is there already.
    text: Text,
}

/// The end of a log.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) frontier: Frontier,
    /// The leaf and the time of the last entry; `None` if there is none.
    last: Option<(Digest, Timestamp)>,
}

impl Log {
    /// Appends an event and gives the entry that it has become.
    ///
    /// # Errors
    /// Says why there is no entry. Some of it may be in the transaction: the part in which this was called has to fail.
    pub fn append(&self, tx: &mut dyn Tx, environment: &dyn Environment, event: Event) -> Result<Entry, LogError> {
        // What is written can be read: else it would be an entry that nobody can verify. What it is written of is looked
        // at, not the text.
        if !event.body.values().all(|value| can_be_written_within(value, BODY_DEPTH)) {
            return Err(LogError::Unwritable);
        }
        let Event { kind, links, mut body, sensitive, sealed } = event;
        let commits = !sensitive.is_empty() || !sealed.is_empty();
        let contents = commitment::commit(&mut body, &sensitive, sealed, environment)?;
        // A commitment nests deeper than what it stands for may.
        if commits && !body.values().all(|value| can_be_written_within(value, BODY_DEPTH)) {
            return Err(LogError::Unwritable);
        }
        let mut named: Vec<(&str, &str)> = links.iter().map(|(name, id)| (&**name, &**id)).collect();
        named.sort_unstable_by(|(one, _), (other, _)| key_order(one, other));
        let placed = self.put(tx, environment, (kind, &named), &contents, |out| push_members(out, &body))?;
        let Placed { index, id, time } = placed;
        Ok(Entry { index, id, kind, time, links, body })
    }

    /// Appends what its writer writes: a body in canonical form, of values that an entry may have and none of which may not
    /// be read in the log. For what is written with every request; `links` are in the order of their names. Gives the id of
    /// the entry.
    ///
    /// # Errors
    /// As of [`Log::append`].
    pub(in crate::kernel) fn write(
        &self,
        tx: &mut dyn Tx,
        environment: &dyn Environment,
        kind: Kind,
        links: &[(&str, &str)],
        push_body: impl FnOnce(&mut Text),
    ) -> Result<String, LogError> {
        Ok(self.put(tx, environment, (kind, links), &[], push_body)?.id)
    }

    fn put(
        &self,
        tx: &mut dyn Tx,
        environment: &dyn Environment,
        (kind, links): (Kind, &[(&str, &str)]),
        contents: &[Vec<u8>],
        push_body: impl FnOnce(&mut Text),
    ) -> Result<Placed, LogError> {
        if links.iter().any(|(name, id)| name.is_empty() || id.is_empty()) {
            return Err(LogError::Malformed(Malformed::Links));
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { head: known, text } = &mut *kept;
        // Whatever fails from here on: the end is looked for anew the next time.
        let mut head = head(known.take(), tx)?;
        let (index, now) = (head.frontier.size(), environment.now());
        if index >= NUMBER_MAX {
            return Err(LogError::LogFull);
        }
        let time = head.last.map_or(now, |(_, last)| now.max(last));
        let id = id::new(ID_WORD, environment)?;
        text.clear(TEXT_BYTES_KEPT);
        Envelope { index, id: &id, kind, time }.push(text, links, push_body);
        let bytes = text.as_bytes();
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(LogError::TooLong(bytes.len()));
        }
        debug_assert_eq!(Header::read(bytes).map(|header| header.index), Ok(index));
        for content in contents {
            tx.put_content(content)?;
        }
        let at = tx.append(&id, kind.name(), bytes)?;
        if at != index {
            return Err(StoreError::Corrupt(format!("entry {index} of the log was put at {at}")).into());
        }
        let leaf = leaf_hash(bytes);
        let mut put = Ok(());
        head.frontier.append(leaf, |node, hash| {
            if put.is_ok() {
                put = tx.put_node(node, hash);
            }
        });
        put?;
        head.last = Some((leaf, time));
        *known = Some(head);
        Ok(Placed { index, id, time })
    }

    /// The end of the log, as it is in this transaction.
    pub(super) fn head(&self, tx: &mut dyn Tx) -> Result<Head, LogError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let head = head(kept.head.take(), tx)?;
        kept.head = Some(head.clone());
        Ok(head)
    }
}

/// Where an entry stands, and when.
struct Placed {
    index: u64,
    id: String,
    time: Timestamp,
}

/// The end of the log: what was known of it if that still holds, or what the store says.
///
/// What is known may be of a transaction that was undone, and another process may have appended since; so the last leaf has
/// to be the one that is known. Leaves are of entries with random ids, so then everything before it is known too.
fn head(known: Option<Head>, tx: &mut dyn Tx) -> Result<Head, LogError> {
    let size = tx.log_size()?;
    let Some(last_index) = size.checked_sub(1) else {
        return Ok(Head { frontier: Frontier::default(), last: None });
    };
    let last_node = Node { level: 0, index: last_index };
    let missing = |node: Node| {
        StoreError::Corrupt(format!("the node {} of level {} of the log's tree is missing", node.index, node.level))
    };
    let leaf = tx.node(last_node)?.ok_or_else(|| missing(last_node))?;
    if let Some(known) = known
        && known.frontier.size() == size
        && known.last.is_some_and(|(known, _)| known == leaf)
    {
        return Ok(known);
    }
    let mut absent = last_node;
    let frontier = with_nodes(
        |node| tx.node(node),
        |node| {
            Frontier::load(size, |wanted| {
                absent = wanted;
                node(wanted)
            })
        },
    )?;
    let frontier = frontier.ok_or_else(|| missing(absent))?;
    let damaged = |why: String| StoreError::Corrupt(format!("the last entry of the log: {why}"));
    let rows = tx.entries(last_index, 1)?;
    let [(at, bytes)] = &rows[..] else { return Err(damaged("it is missing".to_owned()).into()) };
    let header = Header::read(bytes).map_err(|why| damaged(why.to_string()))?;
    if *at != last_index || header.index != last_index || leaf_hash(bytes) != leaf {
        return Err(damaged("it is not the one that was written".to_owned()).into());
    }
    Ok(Head { frontier, last: Some((leaf, header.time)) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::limits::ENTRY_DEPTH_MAX;
    use crate::kernel::log::testing::{Memory, World, body, event};
    use crate::kernel::store::Store as _;

    #[test]
    fn entries_are_numbered_and_their_tree_is_kept() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let entries: Vec<Entry> = (0..20).map(|n| store.append(&log, &world, event(n))).collect();
        let mut tree = Frontier::default();
        for (at, entry) in entries.iter().enumerate() {
            assert_eq!(entry.index, at as u64);
            assert_eq!(store.rows[&entry.index], entry.to_bytes());
            assert_eq!(Entry::read(&store.rows[&entry.index]).as_ref(), Ok(entry));
            assert_eq!(store.ids[&entry.id], entry.index);
            tree.append(leaf_hash(&entry.to_bytes()), |node, hash| assert_eq!(store.nodes.remove(&node), Some(hash)));
        }
        assert!(store.nodes.is_empty(), "no other node is kept");
    }

    #[test]
    fn times_never_go_back() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let first = store.append(&log, &world, event(1)).time;
        world.turn(-5_000);
        assert_eq!(store.append(&log, &world, event(2)).time, first);
        // Not either for somebody who has to read when the last one was.
        assert_eq!(store.append(&Log::default(), &world, event(3)).time, first);
        world.turn(6_000);
        assert_eq!(store.append(&log, &world, event(4)).time.millis(), first.millis() + 1_000);
    }

    #[test]
    fn what_was_undone_is_not_remembered() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        store.append(&log, &world, event(0));
        let undone = store.transact(&mut |tx| {
            log.append(tx, &world, event(1))?;
            tx.part(&mut |tx| {
                log.append(tx, &world, event(2))?;
                Err(StoreError::Refused)
            })
            .expect_err("it was given up");
            log.append(tx, &world, event(3))?;
            Err(StoreError::Refused)
        });
        assert_eq!(undone, Err(StoreError::Refused));
        // Another one appends as many as were undone: what is remembered has the right length and is wrong.
        let other = Log::default();
        store.append(&other, &world, event(4));
        store.append(&other, &world, event(5));
        store.append(&log, &world, event(6));
        assert_eq!(store.findings(&[]), []);
        assert_eq!(store.rows.len(), 4);
    }

    #[test]
    fn what_can_not_be_kept_is_refused() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let mut refused = |event: Event| {
            let mut fault = None;
            let done = store.transact(&mut |tx| {
                fault = log.append(tx, &world, event.clone()).err();
                fault.clone().map_or(Ok(()), |fault| Err(fault.into()))
            });
            assert!(done.is_err() && store.rows.is_empty(), "nothing is written");
            fault
        };
        let with = |value: Value| Event::new(Kind::Decision, body(json!({ "a": value })));
        assert_eq!(refused(with(json!(1.5))), Some(LogError::Unwritable));
        assert_eq!(refused(with(json!([u64::MAX]))), Some(LogError::Unwritable));
        assert!(matches!(
            refused(with("x".repeat(ENTRY_BYTES_MAX).into())),
            Some(LogError::TooLong(66_000.. | 65_536..))
        ));
        let nowhere = event(1).link("", "ent_0");
        assert!(matches!(refused(nowhere), Some(LogError::Malformed(_))));
        let secret = Event { sensitive: vec!["/b".to_owned()], ..with(json!(1)) };
        assert_eq!(refused(secret), Some(LogError::NoSuchPlace("/b".to_owned())));
    }

    /// Whatever is written is read back, though nobody looks at the text when it is written.
    #[test]
    fn what_lies_too_deep_to_be_read_is_not_written() {
        let nested = |depth: usize| {
            let text = format!("{}0{}", "[".repeat(depth), "]".repeat(depth));
            body(json!({ "a": serde_json::from_str::<Value>(&text).expect("it is JSON") }))
        };
        let append = |depth: usize, sensitive: &[&str]| {
            let (mut store, world, mut fault) = (Memory::default(), World::new(), None);
            let sensitive = sensitive.iter().map(|place| (*place).to_owned()).collect();
            let event = Event { sensitive, ..Event::new(Kind::Decision, nested(depth)) };
            let done = store.transact(&mut |tx| match Log::default().append(tx, &world, event.clone()) {
                Ok(entry) => {
                    assert_eq!(Entry::read(&entry.to_bytes()).as_ref(), Ok(&entry), "{depth}");
                    Ok(())
                }
                Err(error) => {
                    fault = Some(error.clone());
                    Err(error.into())
                }
            });
            assert_eq!(done.is_ok(), fault.is_none());
            fault
        };
        let deepest = ENTRY_DEPTH_MAX - BODY_DEPTH;
        assert_eq!(append(deepest, &[]), None);
        assert_eq!(append(deepest + 1, &[]), Some(LogError::Unwritable));
        // A commitment is an object where a number was.
        let place = |depth: usize| format!("/a{}", "/0".repeat(depth));
        assert_eq!(append(deepest - 1, &[&place(deepest - 1)]), None);
        assert_eq!(append(deepest, &[&place(deepest)]), Some(LogError::Unwritable));
    }

    #[test]
    fn a_damaged_end_is_not_appended_to() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        (0..3).for_each(|n| _ = store.append(&log, &world, event(n)));
        let append = |mut store: Memory| {
            store.transact(&mut |tx| Log::default().append(tx, &world, event(3)).map(|_| ()).map_err(Into::into))
        };
        assert_eq!(append(store.clone()), Ok(()));
        let mut damaged = store.clone();
        damaged.nodes.remove(&Node { level: 0, index: 2 });
        assert!(matches!(append(damaged), Err(StoreError::Corrupt(_))));
        let mut damaged = store.clone();
        damaged.nodes.remove(&Node { level: 1, index: 0 });
        assert!(matches!(append(damaged), Err(StoreError::Corrupt(_))));
        let mut damaged = store.clone();
        damaged.rows.get_mut(&2).expect("it is there")[9] ^= 1;
        assert!(matches!(append(damaged), Err(StoreError::Corrupt(_))));
    }
}
