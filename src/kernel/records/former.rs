//! Evidence as it was kept once: as it was given, known by its digest alone, with nothing that says of which entry it is.
//!
//! Whoever knows such a digest can try what the evidence was, and that stays so: the digest is in the log. What is kept of it
//! is brought into the form of today when a store is opened, so that it is shown, erased and removed by its age as all other
//! evidence is.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{EVIDENCE, evidence_of};
use crate::base::hash::Digest;
use crate::base::limits::PAGE_MAX;
use crate::kernel::engine::put;
use crate::kernel::entry::{Entry, Kind};
use crate::kernel::error::KernelError;
use crate::kernel::store::{Object, Query, Tx};

/// Says of evidence in the form of today that it was kept without a salt.
const PLAIN: &str = "plain";

/// Brings all evidence of a store into the form of today.
pub(in crate::kernel) fn bring_up(tx: &mut dyn Tx) -> Result<(), KernelError> {
    let mut former = former(tx)?;
    if former.is_empty() {
        return Ok(());
    }
    for kind in [Kind::RecordCreated, Kind::RecordStepped] {
        let mut from = 0;
        loop {
            let entries = tx.entries_of(kind.name(), from, PAGE_MAX)?;
            let Some((last, _)) = entries.last() else { break };
            from = last.saturating_add(1);
            for (index, bytes) in entries {
                let entry = Entry::read(&bytes).map_err(|why| KernelError::Damaged(format!("entry {index}: {why}")))?;
                let Some(object) = plain_in(&entry).and_then(|digest| former.remove(&digest)) else { continue };
                let body = json!({ "entry": entry.id, "time": entry.time.to_string(), PLAIN: true });
                put(tx, EVIDENCE, &object.key, object.version, "", None, &body)?;
            }
        }
    }
    // Of these the entries were dropped, and so they were to go as well.
    for (digest, object) in former {
        tx.erase_content(digest)?;
        tx.remove(EVIDENCE, &object.key, object.version)?;
    }
    Ok(())
}

/// All evidence that nothing is said of.
fn former(tx: &mut dyn Tx) -> Result<BTreeMap<Digest, Object>, KernelError> {
    let (mut found, mut after) = (BTreeMap::new(), None);
    loop {
        let query = Query { kind: EVIDENCE.to_owned(), state: None, due_until_ms: None, after, limit: PAGE_MAX };
        let objects = tx.find(&query)?;
        let Some(last) = objects.last() else { return Ok(found) };
        after = Some(last.key.clone());
        for object in objects {
            if serde_json::from_slice::<Map<String, Value>>(&object.body).is_ok_and(|body| body.is_empty()) {
                let digest = Digest::parse(&object.key);
                let digest = digest.ok_or_else(|| KernelError::Damaged(format!("the evidence {}", object.key)))?;
                found.insert(digest, object);
            }
        }
    }
}

/// The digest of the evidence that an entry names without a salt, if it does.
fn plain_in(entry: &Entry) -> Option<Digest> {
    Digest::parse(entry.body.get("evidence")?.as_str()?)
}

/// The same, if that is kept: it is erased with its entry.
pub(in crate::kernel) fn kept_of(tx: &mut dyn Tx, entry: &Entry) -> Result<Option<Digest>, KernelError> {
    let Some(digest) = plain_in(entry) else { return Ok(None) };
    let is_plain = tx.get(EVIDENCE, &digest.to_string())?.is_some_and(|object| is_plain(&object));
    Ok(is_plain.then_some(digest))
}

/// Whether evidence is kept as it was given.
pub(super) fn is_plain(object: &Object) -> bool {
    let body: Option<Value> = serde_json::from_slice(&object.body).ok();
    evidence_of(object).is_ok() && body.is_some_and(|body| body.get(PLAIN) == Some(&Value::Bool(true)))
}
