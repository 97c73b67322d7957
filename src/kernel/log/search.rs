//! Searching the log, the newest first.
//!
//! Entries are found by kind with an index; by time by halving, since times never go back; by link by looking at what came
//! after the entry that is linked to. A search looks at so many entries at most and then says from where to go on, and is
//! done in rounds, so that it never keeps the writer of the store for long.

use serde_json::Value;

use super::LogError;
use super::view::{AtOnce, Rounds};
use crate::base::limits::{SEARCH_MAX, SEARCH_STEPS_MAX};
use crate::data::timestamp::Timestamp;
use crate::kernel::entry::read::Header;
use crate::kernel::entry::{Entry, Kind};
use crate::kernel::json::canonical;
use crate::kernel::store::{StoreError, Tx};

/// How many entries are looked at first, and at most, in one step.
const STEP_FIRST: u64 = 256;
const STEP_MAX: u64 = 8_192;
/// How many rows are read at once.
const ROWS: u32 = 1_024;

/// What is looked for. Of several conditions, all have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Of one of these kinds; of any, if there are none.
    pub kinds: Vec<Kind>,
    /// With a link to this id.
    pub link: Option<String>,
    /// Not before this time.
    pub from: Option<Timestamp>,
    /// Not after this time.
    pub until: Option<Timestamp>,
    /// Before this index: for going on.
    pub before: Option<u64>,
    /// At most so many, and never more than the bound.
    pub limit: u32,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The entries, the newest first.
    pub entries: Vec<Entry>,
    /// Where to go on, as [`Search::before`]; `None` if there is nothing left to look at.
    pub next: Option<u64>,
}

/// Looks for entries.
///
/// # Errors
/// The store can't be read, or has something else than entries.
pub fn search(tx: &mut dyn Tx, search: &Search) -> Result<Page, LogError> {
    search_in(&mut AtOnce(tx), search)
}

/// The same in rounds, which may be transactions of their own.
pub(in crate::kernel) fn search_in(rounds: &mut impl Rounds, search: &Search) -> Result<Page, LogError> {
    let wanted = search.clone();
    let (start, mut end) = rounds.read(move |tx| bounds(tx, &wanted))?;
    // As it is written in an entry.
    let needle = search.link.as_ref().map(|link| canonical(&Value::String(link.clone())));
    let limit = usize::try_from(search.limit.min(SEARCH_MAX)).unwrap_or(usize::MAX);
    let mut entries = Vec::new();
    let (mut step, mut looked) = (STEP_FIRST, 0_u64);
    while end > start && entries.len() < limit && looked < SEARCH_STEPS_MAX {
        let low = end.saturating_sub(step).max(start);
        let kinds = search.kinds.clone();
        for (at, bytes) in rounds.read(move |tx| rows(tx, &kinds, low, end))?.into_iter().rev() {
            let header = header_of(at, &bytes)?;
            if !search.kinds.is_empty() && !search.kinds.contains(&header.kind) {
                return Err(damaged(at, "it is of another kind than it is kept as").into());
            }
            let may_link = needle.as_ref().is_none_or(|needle| header.links.contains(needle.as_str()));
            if !may_link {
                continue;
            }
            let entry = Entry::read(&bytes).map_err(|fault| damaged(at, &fault.to_string()))?;
            if search.link.as_ref().is_none_or(|link| entry.links.values().any(|id| id == link)) {
                entries.push(entry);
                if entries.len() >= limit {
                    end = at;
                    return Ok(Page { entries, next: (end > start).then_some(end) });
                }
            }
        }
        looked = looked.saturating_add(end.saturating_sub(low));
        end = low;
        step = step.saturating_mul(2).min(STEP_MAX);
    }
    Ok(Page { entries, next: (end > start).then_some(end) })
}

/// Between which places something can be found.
fn bounds(tx: &mut dyn Tx, search: &Search) -> Result<(u64, u64), StoreError> {
    let size = tx.log_size()?;
    let mut end = search.before.map_or(size, |before| before.min(size));
    if let Some(until) = search.until {
        end = end.min(first(tx, size, |time| time > until)?);
    }
    let mut start = match search.from {
        Some(from) => first(tx, size, |time| time >= from)?,
        None => tx.dropped()?,
    };
    if let Some(link) = &search.link
        && let Some(linked) = tx.index_of(link)?
    {
        // An entry is linked to by later ones only.
        start = start.max(linked.saturating_add(1));
    }
    Ok((start, end))
}

/// The first index of which the time fulfils what all later ones do; the size if none does.
fn first(tx: &mut dyn Tx, size: u64, is_behind: impl Fn(Timestamp) -> bool) -> Result<u64, StoreError> {
    let (mut low, mut high) = (tx.dropped()?, size);
    while low < high {
        let middle = u64::midpoint(low, high);
        let rows = tx.entries(middle, 1)?;
        let Some((at, bytes)) = rows.first() else { return Err(damaged(middle, "it is missing")) };
        if is_behind(header_of(*at, bytes)?.time) {
            high = middle;
        } else {
            low = middle.saturating_add(1);
        }
    }
    Ok(low)
}

/// What stands between two places, of some kinds, in the order of the log.
fn rows(tx: &mut dyn Tx, kinds: &[Kind], low: u64, end: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let mut rows = Vec::new();
    let names: Vec<Option<&str>> =
        if kinds.is_empty() { vec![None] } else { kinds.iter().map(|kind| Some(kind.name())).collect() };
    for name in names {
        let mut from = low;
        while from < end {
            let count = u32::try_from(end.saturating_sub(from)).unwrap_or(u32::MAX).min(ROWS);
            let read = match name {
                Some(name) => tx.entries_of(name, from, count)?,
                None => tx.entries(from, count)?,
            };
            let Some(last) = read.last().map(|(at, _)| *at) else { break };
            rows.extend(read.into_iter().filter(|(at, _)| *at < end));
            from = last.saturating_add(1);
        }
    }
    rows.sort_by_key(|(at, _)| *at);
    // A kind that was asked for twice is found twice.
    rows.dedup_by_key(|(at, _)| *at);
    Ok(rows)
}

fn header_of(at: u64, bytes: &[u8]) -> Result<Header<'_>, StoreError> {
    let header = Header::read(bytes).map_err(|fault| damaged(at, &fault.to_string()))?;
    if header.index == at { Ok(header) } else { Err(damaged(at, "it belongs elsewhere")) }
}

fn damaged(at: u64, why: &str) -> StoreError {
    StoreError::Corrupt(format!("entry {at} of the log: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kernel::log::append::{Event, Log};
    use crate::kernel::log::testing::{Memory, World, body};
    use crate::kernel::store::Store as _;

    /// A log of decisions, of which every fifth is followed by a permit for it, ten milliseconds apart.
    fn grown() -> (Memory, Vec<Entry>) {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let mut entries: Vec<Entry> = Vec::new();
        let done = store.transact(&mut |tx| {
            for number in 0..1_000 {
                let event = match entries.last() {
                    Some(last) if number % 5 == 4 => {
                        Event::new(Kind::PermitIssued, body(json!({}))).link("decision", &last.id)
                    }
                    _ => Event::new(Kind::Decision, body(json!({ "number": number }))),
                };
                entries.push(log.append(tx, &world, event)?);
                world.turn(10);
            }
            Ok(())
        });
        assert_eq!(done, Ok(()));
        (store, entries)
    }

    /// All that is found, page by page.
    fn all(store: &mut Memory, wanted: &Search) -> Vec<u64> {
        let mut found = Vec::new();
        let mut wanted = wanted.clone();
        loop {
            let page = search(store, &wanted).expect("it can be read");
            assert!(page.entries.len() <= wanted.limit as usize);
            found.extend(page.entries.iter().map(|entry| entry.index));
            match page.next {
                Some(next) => wanted.before = Some(next),
                None => return found,
            }
        }
    }

    #[test]
    fn what_is_found_is_what_was_looked_for() {
        let (mut store, entries) = grown();
        let time = |at: usize| entries[at].time;
        let permit = Kind::PermitIssued;
        for (wanted, expected) in [
            (Search::default(), Box::new(|_: &Entry| true) as Box<dyn Fn(&Entry) -> bool>),
            (Search { kinds: vec![permit], ..Search::default() }, Box::new(|entry| entry.kind == permit)),
            (Search { kinds: vec![permit, Kind::Decision, permit], ..Search::default() }, Box::new(|_| true)),
            (Search { kinds: vec![Kind::GateOpened], ..Search::default() }, Box::new(|_| false)),
            (Search { link: Some(entries[503].id.clone()), ..Search::default() }, Box::new(|entry| entry.index == 504)),
            (Search { link: Some("ent_0".to_owned()), ..Search::default() }, Box::new(|_| false)),
            (
                Search { from: Some(time(100)), until: Some(time(200)), ..Search::default() },
                Box::new(|entry| (100..=200).contains(&entry.index)),
            ),
            (
                Search { from: Some(time(990)), kinds: vec![permit], ..Search::default() },
                Box::new(|entry| entry.index >= 990 && entry.kind == permit),
            ),
            (Search { before: Some(7), ..Search::default() }, Box::new(|entry| entry.index < 7)),
            (Search { before: Some(7), from: Some(time(9)), ..Search::default() }, Box::new(|_| false)),
            (Search { until: Some(Timestamp::EPOCH), ..Search::default() }, Box::new(|_| false)),
        ] {
            let expected: Vec<u64> =
                entries.iter().rev().filter(|entry| expected(entry)).map(|entry| entry.index).collect();
            for limit in [1, 7, 100, SEARCH_MAX] {
                assert_eq!(all(&mut store, &Search { limit, ..wanted.clone() }), expected, "{wanted:?}");
            }
        }
        assert_eq!(all(&mut Memory::default(), &Search { limit: 1, ..Search::default() }), [0; 0]);
    }

    #[test]
    fn damage_is_not_found_to_be_something() {
        let (store, _) = grown();
        let wanted = Search { limit: 10, ..Search::default() };
        let mut damaged = store.clone();
        damaged.rows.insert(995, b"{}".to_vec());
        assert!(matches!(search(&mut damaged, &wanted), Err(LogError::Store(StoreError::Corrupt(_)))));
        let mut damaged = store.clone();
        let other = damaged.rows[&3].clone();
        damaged.rows.insert(995, other);
        assert!(matches!(search(&mut damaged, &wanted), Err(LogError::Store(StoreError::Corrupt(_)))));
        let mut damaged = store.clone();
        damaged.kinds.insert(995, Kind::PermitIssued.name().to_owned());
        let permits = Search { kinds: vec![Kind::PermitIssued], ..wanted };
        assert!(matches!(search(&mut damaged, &permits), Err(LogError::Store(StoreError::Corrupt(_)))));
    }
}
