//! Governed records, as the store keeps them: what has a lifecycle.
//!
//! A record is an object of the kind `record:` and the qualified name of its type, under its id; its state is its status.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use serde_json::{Map, Value};

use super::error::KernelError;
use super::registry::text;
use super::store::Tx;

/// A record that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The qualified name of its type.
    pub ty: String,
    /// Its id.
    pub id: String,
    /// Its status.
    pub status: String,
    /// How often it was written.
    pub version: u64,
    /// Its attributes and its status: a JSON object in the canonical form of the wire.
    pub properties: String,
}

/// The kind of the objects of a type.
pub(super) fn kind(ty: &str) -> String {
    format!("record:{ty}")
}

/// The record of a type and an id.
pub(super) fn find(tx: &mut dyn Tx, ty: &str, id: &str) -> Result<Option<Record>, KernelError> {
    let Some(object) = tx.get(&kind(ty), id)? else { return Ok(None) };
    let damaged = || KernelError::Damaged(format!("the {ty} {id}"));
    let body: Map<String, Value> = serde_json::from_slice(&object.body).map_err(|_| damaged())?;
    let properties = text(&body, "properties").ok_or_else(damaged)?.to_owned();
    let (ty, id) = (ty.to_owned(), object.key);
    Ok(Some(Record { ty, id, status: object.state, version: object.version, properties }))
}
