//! Patches: some entities more, others, or fewer. The result is the store that the changed document would give.
//!
//! A patch holds as a whole or not at all: what would leave a reference or a parent dangling, break a type or close a cycle
//! is refused, with every fault named, and the store stays as it was.
//!
//! A patch that removes nothing and has no fault is done on a copy of the store, and the digest of the version is made from
//! what has changed. Any other loads the changed document: what was removed may be referred to by anybody, and faults are
//! those of that document.

use std::collections::BTreeSet;

use crate::base::limits::{DIAGNOSTICS_MAX, ENTITIES_BYTES_MAX};
use crate::vm::canonical::Form;
use crate::vm::decode::names::Plan;
use crate::vm::image::Image;
use crate::vm::json::keys::Keys;
use crate::vm::json::path::path_at;
use crate::vm::json::{JsonError, JsonFault, Reader, Shape};
use crate::vm::store::Store;
use crate::vm::store::fault::{EntityFault, EntityFaultKind};
use crate::vm::store::load::whole;

/// What a patch says.
#[derive(Default)]
struct Patch<'d> {
    /// The elements of the array, as they stand.
    upsert: &'d str,
    /// Types and ids of all that the patch names.
    named: Vec<(String, String)>,
    removed: Vec<(String, String)>,
}

impl Store {
    /// Makes a new store by a patch: `{"upsert": [entity…], "remove": [{"type", "id"}…]}`. Entities that are upserted are added,
    /// or take the place of those of their type and id as a whole.
    pub fn patch(&self, image: &Image, plan: &Plan, bytes: &[u8]) -> Result<Store, Vec<EntityFault>> {
        if bytes.len() > ENTITIES_BYTES_MAX {
            let message = format!("the document is longer than {ENTITIES_BYTES_MAX} bytes");
            return Err(vec![whole(EntityFaultKind::TooLarge, message)]);
        }
        let patch = read(bytes).map_err(|error| {
            let kind = EntityFaultKind::Malformed;
            let path = path_at(bytes, error.offset);
            vec![EntityFault { kind, entity: None, path, message: error.fault.to_string() }]
        })?;
        let row_of = |(ty, id): &(String, String)| {
            let ty =
                image.schema().entity_types.iter().position(|other| *other.name == **ty || *other.qualified == **ty)?;
            self.find(image, ty as u32, id)?.row.stored_at()
        };
        let mut faults = Vec::new();
        let mut dropped: BTreeSet<u32> = patch.named.iter().filter_map(row_of).collect();
        let named: BTreeSet<&(String, String)> = patch.named.iter().collect();
        for name in &patch.removed {
            let fault = |kind, message: &str| EntityFault {
                kind,
                entity: Some(name.clone()),
                path: String::new(),
                message: message.to_owned(),
            };
            if named.contains(name) {
                faults.push(fault(EntityFaultKind::Duplicate, "this entity is removed and put in by one patch"));
            } else if !row_of(name).is_some_and(|row| dropped.insert(row)) {
                faults.push(fault(EntityFaultKind::UnknownRemoval, "this entity is not there to be removed"));
            }
        }
        if !faults.is_empty() {
            faults.truncate(DIAGNOSTICS_MAX);
            return Err(faults);
        }
        let upsert = patch.upsert.trim();
        if patch.removed.is_empty() && self.loaded {
            let replaced: Vec<u32> = dropped.iter().copied().collect();
            if let Some(store) = self.upsert(image, plan, format!("[{upsert}]").as_bytes(), &replaced) {
                return Ok(store);
            }
        }
        let mut document = self.canonical(image, Form::Wire, |row| !dropped.contains(&row));
        document.pop();
        if !upsert.is_empty() && document.len() > 1 {
            document.push(',');
        }
        document.push_str(upsert);
        document.push(']');
        Store::load(image, plan, document.as_bytes())
    }
}

/// Reads a patch. What entities it puts in is looked at when they are loaded.
fn read(bytes: &[u8]) -> Result<Patch<'_>, JsonError> {
    let mut reader = Reader::new(bytes)?;
    reader.clone().skip(&mut Keys::default())?;
    let mut patch = Patch::default();
    let unexpected = |reader: &Reader<'_>| JsonError { fault: JsonFault::Unexpected, offset: reader.offset() };
    let mut key = reader.first_key()?;
    while let Some(name) = key {
        if reader.peek()? != Shape::Array {
            return Err(unexpected(&reader));
        }
        let start = reader.offset() + 1;
        if name.is("upsert") {
            patch.named = names(&mut reader)?;
            patch.upsert = reader.slice(start, reader.offset().saturating_sub(1));
        } else if name.is("remove") {
            patch.removed = names(&mut reader)?;
        } else {
            return Err(JsonError { offset: reader.key_start(name).saturating_sub(1), ..unexpected(&reader) });
        }
        key = reader.next_key()?;
    }
    reader.finish()?;
    Ok(patch)
}

/// The types and ids of an array of entities, of those that have both.
fn names(reader: &mut Reader<'_>) -> Result<Vec<(String, String)>, JsonError> {
    let mut found = Vec::new();
    let mut more = reader.first_element()?;
    while more {
        if reader.peek()? != Shape::Object {
            return Err(JsonError { fault: JsonFault::Unexpected, offset: reader.offset() });
        }
        let (mut ty, mut id) = (None, None);
        let mut key = reader.first_key()?;
        while let Some(name) = key {
            match (reader.peek()?, name.one_of(&["type", "id"])) {
                (Shape::String, Some("type")) => ty = Some(reader.string()?.characters().collect()),
                (Shape::String, Some("id")) => id = Some(reader.string()?.characters().collect()),
                _ => reader.pass()?,
            }
            key = reader.next_key()?;
        }
        found.extend(ty.zip(id));
        more = reader.next_element()?;
    }
    Ok(found)
}
