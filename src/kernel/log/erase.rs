//! Erasing: the sensitive values of an entry are forgotten, and that they were is an entry too.
//!
//! The entry itself stays as it was written, byte for byte, and so do its leaf and every proof of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::LogError;
use super::append::{Event, Log};
use super::commitment::commitments;
use crate::base::hash::Digest;
use crate::kernel::entry::{Entry, Kind};
use crate::kernel::environment::Environment;
use crate::kernel::store::{StoreError, Tx};

/// The entry of an id, or of an index, as it was written.
///
/// # Errors
/// [`LogError::NoEntry`], or the store has another one under that id.
pub fn entry_of(tx: &mut dyn Tx, name: &str) -> Result<Entry, LogError> {
    let none = || LogError::NoEntry(name.to_owned());
    // No id is a number.
    let (index, id) = match name.parse::<u64>() {
        Ok(index) if (tx.dropped()?..tx.log_size()?).contains(&index) => (index, None),
        Ok(_) => return Err(none()),
        Err(_) => (tx.index_of(name)?.ok_or_else(none)?, Some(name)),
    };
    let rows = tx.entries(index, 1)?;
    let damaged = |why: String| StoreError::Corrupt(format!("entry {index} of the log: {why}"));
    let [(at, bytes)] = &rows[..] else { return Err(damaged("it is missing".to_owned()).into()) };
    let entry = Entry::read(bytes).map_err(|fault| damaged(fault.to_string()))?;
    if *at != index || entry.index != index || id.is_some_and(|id| entry.id != id) {
        return Err(damaged(format!("it is not {name}")).into());
    }
    Ok(entry)
}

/// Erases what is kept of the sensitive values of an entry, and appends the entry that says so: who had it done, and why,
/// with a link to the decision that allowed it.
/// Gives that entry, or `None` if there was nothing left to erase.
///
/// # Errors
/// [`LogError::NoEntry`], or that the entry could not be appended.
pub fn erase(
    log: &Log,
    tx: &mut dyn Tx,
    environment: &dyn Environment,
    id: &str,
    principal: &Value,
    reason: &str,
    allowed: Option<&str>,
) -> Result<Option<Entry>, LogError> {
    let entry = entry_of(tx, id)?;
    let places = commitments(&entry)?;
    erase_places(log, tx, environment, &entry.id, places, (principal, reason), allowed)
}

/// The same of some of the commitments of an entry.
pub(in crate::kernel) fn erase_places(
    log: &Log,
    tx: &mut dyn Tx,
    environment: &dyn Environment,
    id: &str,
    places: BTreeMap<String, Digest>,
    (principal, reason): (&Value, &str),
    allowed: Option<&str>,
) -> Result<Option<Entry>, LogError> {
    let mut erased = Map::new();
    for (place, digest) in places {
        if tx.erase_content(digest)? {
            erased.insert(place, digest.to_string().into());
        }
    }
    if erased.is_empty() {
        return Ok(None);
    }
    let body = Map::from_iter([
        ("contents".to_owned(), Value::Object(erased)),
        ("principal".to_owned(), principal.clone()),
        ("reason".to_owned(), reason.into()),
    ]);
    let mut event = Event::new(Kind::ContentErased, body).link("erased", id);
    if let Some(allowed) = allowed {
        event = event.link("allowed", allowed);
    }
    log.append(tx, environment, event).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kernel::log::commitment::reveal;
    use crate::kernel::log::testing::{Memory, World, body, event};
    use crate::kernel::store::Store as _;

    fn erase_in(store: &mut Memory, log: &Log, world: &World, id: &str) -> Result<Option<Entry>, LogError> {
        let mut done = None;
        let principal = json!({ "type": "User", "id": "ada" });
        _ = store.transact(&mut |tx| {
            let erased = erase(log, tx, world, id, &principal, "asked by the person", None);
            done = Some(erased.clone());
            erased.map(|_| ()).map_err(Into::into)
        });
        done.expect("it was run")
    }

    #[test]
    fn what_is_erased_is_gone_and_the_log_stands() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let value = json!({ "request": { "email": "a@b.example", "name": "b", "open": 1 } });
        let places = ["/request/email", "/request/name"].map(str::to_owned).to_vec();
        let secret = Event { sensitive: places.clone(), ..Event::new(Kind::Decision, body(value.clone())) };
        let one = store.append(&log, &world, secret.clone());
        let other = store.append(&log, &world, secret);
        let before = store.rows[&0].clone();

        let erased = erase_in(&mut store, &log, &world, &one.id).expect("it is done").expect("there was something");
        assert_eq!((erased.kind, &erased.links["erased"]), (Kind::ContentErased, &one.id));
        assert_eq!(erased.body["contents"].as_object().map(Map::len), Some(2));
        assert_eq!(erased.body["principal"], json!({ "type": "User", "id": "ada" }));
        assert_eq!(store.rows[&0], before);
        assert_eq!(store.findings(&[]), []);

        let mut reveal_in = |entry: &Entry| {
            let mut revealed = None;
            let read = store.transact(&mut |tx| {
                revealed = Some(reveal(tx, entry.clone())?);
                Ok(())
            });
            read.expect("it can be read");
            revealed.expect("it was run")
        };
        let revealed = reveal_in(&one);
        assert_eq!(revealed.erased, places);
        assert_eq!(revealed.entry.body["request"]["open"], 1);
        // What others committed to is still there.
        assert_eq!(Value::Object(reveal_in(&other).entry.body), value);

        // Twice is once.
        assert_eq!(erase_in(&mut store, &log, &world, &one.id), Ok(None));
        assert_eq!(store.rows.len(), 3);
    }

    #[test]
    fn entries_without_contents_and_none() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let entry = store.append(&log, &world, event(1));
        assert_eq!(erase_in(&mut store, &log, &world, &entry.id), Ok(None));
        assert_eq!(erase_in(&mut store, &log, &world, "ent_0"), Err(LogError::NoEntry("ent_0".to_owned())));
        // A store that answers with another entry is found out.
        store.append(&log, &world, event(2));
        store.ids.insert(entry.id.clone(), 1);
        assert!(matches!(erase_in(&mut store, &log, &world, &entry.id), Err(LogError::Store(StoreError::Corrupt(_)))));
    }
}
