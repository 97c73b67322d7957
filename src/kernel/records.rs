//! Governed records: what has a lifecycle, as the store keeps it.
//!
//! A record is an object of the kind `record:` and the qualified name of its type, under its id; its state is its status.
//! It is made and changed by [`Kernel::change`] and by nothing else. What neighbours may rely on:
//!
//! - Whoever asks names a record by type and id; its attributes are put before policy as they are stored at that moment,
//!   in the transaction that changes them.
//! - What is stored is in a state that its lifecycle leads to from the one before, whatever policy allowed; its attributes
//!   are of their types, in the canonical form of the wire; and its invariants hold of it. What is final stays as it is.
//! - Several changes happen together or not at all.
//! - Each change is an entry that says what became what, linked to its decision and to the change before it.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod change;
mod facts;
pub(super) mod fit;
pub(super) mod former;
pub mod refused;
mod write;

use serde_json::{Map, Value};

use super::engine::{Active, Kernel};
use super::entry::Entry;
use super::error::KernelError;
use super::log::commitment::opened;
use super::record::Principal;
use super::registry::text;
use super::store::{Object, Query, StoreError, Tx};
use crate::base::hash::Digest;
use crate::base::limits::PAGE_MAX;
use crate::data::timestamp::Timestamp;

/// What evidence is kept, by its commitment, with its entry and its time: other contents are nobody's business.
pub(super) const EVIDENCE: &str = "evidence";
/// Where the entry of a change has it.
pub(super) const EVIDENCE_PLACE: &str = "/evidence";
/// What they are called where somebody wants to look at them.
const RECORDS: &str = "records";
/// The types of which there are records.
const TYPES: &str = "record-type";

/// A record that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The qualified name of its type.
    pub ty: String,
    /// Its id.
    pub id: String,
    /// Its status.
    pub status: String,
    /// Whether that is a final one.
    pub is_final: bool,
    /// How often it was written.
    pub version: u64,
    /// Its attributes and its status: a JSON object in the canonical form of the wire.
    pub properties: String,
    /// The entry of the log that says how it became so.
    pub entry: String,
}

/// The kind of the objects of a type.
fn kind(ty: &str) -> String {
    format!("record:{ty}")
}

/// The record of a type and an id.
pub(super) fn find(tx: &mut dyn Tx, ty: &str, id: &str) -> Result<Option<Record>, KernelError> {
    tx.get(&kind(ty), id)?.map(|object| read(ty, object)).transpose()
}

fn read(ty: &str, object: Object) -> Result<Record, KernelError> {
    let read = || {
        let body: Map<String, Value> = serde_json::from_slice(&object.body).ok()?;
        let (properties, entry) = (text(&body, "properties")?.to_owned(), text(&body, "entry")?.to_owned());
        Some((properties, entry, body.get("final")?.as_bool()?))
    };
    let (properties, entry, is_final) =
        read().ok_or_else(|| KernelError::Damaged(format!("the {ty} {}", object.key)))?;
    let (ty, id) = (ty.to_owned(), object.key);
    Ok(Record { ty, id, status: object.state, is_final, version: object.version, properties, entry })
}

/// The qualified name of a type of records. A name that the bundle does not have may be one of a bundle before it.
fn qualified(active: Option<&Active>, ty: &str) -> String {
    let known = active.and_then(|active| active.machine.record_type(ty));
    known.map_or_else(|| ty.to_owned(), |ty| ty.entity_type().qualified.to_string())
}

impl Kernel {
    /// The record of a type, by its simple or its qualified name, and an id. What is kept of records is for operators whose
    /// role it is.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn record(&self, who: &Principal, ty: &str, id: &str) -> Result<Option<Record>, KernelError> {
        let (ty, id) = (qualified(self.active().ok().as_deref(), ty), id.to_owned());
        self.look_at_all(who, RECORDS, move |tx, _| find(tx, &ty, &id))
    }

    /// Records of a type in the order of their ids: with a status, if one is given, and behind an id. At most [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn records(
        &self,
        who: &Principal,
        ty: &str,
        status: Option<&str>,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Record>, KernelError> {
        let ty = qualified(self.active().ok().as_deref(), ty);
        let (state, limit) = (status.map(str::to_owned), limit.min(PAGE_MAX));
        let query = Query { kind: kind(&ty), state, due_until_ms: None, after, limit };
        self.look_at_all(who, RECORDS, move |tx, _| {
            tx.find(&query)?.into_iter().map(|object| read(&ty, object)).collect()
        })
    }

    /// The qualified names of the types of which there are records.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn record_types(&self, who: &Principal) -> Result<Vec<String>, KernelError> {
        self.look_at_all(who, RECORDS, |tx, _| types(tx))
    }

    /// How a record became what it is: the entries of its changes, the last one first, from the one given on or from the
    /// last. At most [`PAGE_MAX`]; the link `before` of the last one given leads on. Entries that the log has dropped end it.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], the store can't be read, or there is no such record.
    pub fn history(
        &self,
        who: &Principal,
        ty: &str,
        id: &str,
        from: Option<String>,
        limit: u32,
    ) -> Result<Vec<Entry>, KernelError> {
        let (ty, id) = (qualified(self.active().ok().as_deref(), ty), id.to_owned());
        self.look_at_all(who, RECORDS, move |tx, _| {
            let record = find(tx, &ty, &id)?.ok_or_else(|| refused::RecordRefused::Unknown(id.clone()))?;
            let mut next = Some(from.unwrap_or(record.entry));
            let mut entries = Vec::new();
            for _ in 0..limit.min(PAGE_MAX) {
                let Some(entry) = next.take() else { break };
                let Some(entry) = entry_of(tx, &entry)? else { break };
                let is_of_it = |name: &str, of: &str| entry.body.get(name).and_then(Value::as_str) == Some(of);
                if !is_of_it("type", &ty) || !is_of_it("id", &id) {
                    return Err(KernelError::Damaged(format!("the history of the {ty} {id}")));
                }
                next = entry.links.get("before").cloned();
                entries.push(entry);
            }
            Ok(entries)
        })
    }

    /// The evidence that the entry of a change commits to, as it was given; `None` if none of that commitment is kept, or it
    /// was erased.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn evidence(&self, who: &Principal, commitment: Digest) -> Result<Option<String>, KernelError> {
        self.look_at_all(who, EVIDENCE, move |tx, _| {
            let Some(object) = tx.get(EVIDENCE, &commitment.to_string())? else { return Ok(None) };
            let Some(content) = tx.content(commitment)? else { return Ok(None) };
            let evidence = if former::is_plain(&object) {
                String::from_utf8(content).ok()
            } else {
                opened(commitment, &content).as_ref().and_then(Value::as_str).map(str::to_owned)
            };
            evidence.map(Some).ok_or_else(|| KernelError::Damaged(format!("the evidence {commitment}")))
        })
    }
}

/// The entry of an id; `None` if the log has dropped it.
pub(super) fn entry_of(tx: &mut dyn Tx, id: &str) -> Result<Option<Entry>, KernelError> {
    let Some(index) = tx.index_of(id)? else { return Ok(None) };
    let rows = tx.entries(index, 1)?;
    let entry = rows.first().filter(|(at, _)| *at == index).and_then(|(_, bytes)| Entry::read(bytes).ok());
    let entry = entry.filter(|entry| entry.id == id);
    entry.map(Some).ok_or_else(|| KernelError::Damaged(format!("the entry {id}")))
}

/// Whether a content is evidence, which does not go with its entry.
pub(super) fn is_evidence(tx: &mut dyn Tx, content: Digest) -> Result<bool, StoreError> {
    Ok(tx.get(EVIDENCE, &content.to_string())?.is_some())
}

/// The entry of some evidence, and since when it is there.
pub(super) fn evidence_of(object: &Object) -> Result<(String, Timestamp), KernelError> {
    let read = || {
        let body: Map<String, Value> = serde_json::from_slice(&object.body).ok()?;
        Some((text(&body, "entry")?.to_owned(), Timestamp::parse(text(&body, "time")?).ok()?))
    };
    read().ok_or_else(|| KernelError::Damaged(format!("the evidence {}", object.key)))
}

fn types(tx: &mut dyn Tx) -> Result<Vec<String>, KernelError> {
    let query = Query { kind: TYPES.to_owned(), state: None, due_until_ms: None, after: None, limit: u32::MAX };
    Ok(tx.find(&query)?.into_iter().map(|object| object.key).collect())
}
