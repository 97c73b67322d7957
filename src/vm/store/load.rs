//! Loads entities from JSON: all of them or none, with every fault named.
//!
//! The document is read twice: once for types and ids, so that everybody is known; once for attributes and parents.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::base::limits::{DIAGNOSTICS_MAX, ENTITIES_BYTES_MAX, ENTITIES_MAX};
use crate::bytecode::schema::{Schema, TypeId};
use crate::vm::decode::entity::{Extra, Parts};
use crate::vm::decode::names::{Fields, Plan};
use crate::vm::decode::value::{Buffers, Decoder, Sink, Want, duplicate_key, missing, shape_name};
use crate::vm::image::Image;
use crate::vm::input::{Fail, InputErrorKind, fail};
use crate::vm::json::path::{path_at, push_key};
use crate::vm::json::{Reader, Shape, Text};
use crate::vm::memory::{Heap, Memory};
use crate::vm::store::ancestors::{Ancestors, HierarchyError};
use crate::vm::store::fault::{EntityFault, EntityFaultKind, kind_of};
use crate::vm::store::{Store, UNREGISTERED};
use crate::vm::strings::hash;
use crate::vm::value::{EntityRef, Region, Row, StrRef, Value};

impl Store {
    /// Loads entities: a JSON array of `{"type", "id", "properties", "in"}`. Nothing is loaded if anything is wrong, and all
    /// that is wrong is told, up to [`DIAGNOSTICS_MAX`] faults.
    pub fn load(image: &Image, plan: &Plan, bytes: &[u8]) -> Result<Store, Vec<EntityFault>> {
        if bytes.len() > ENTITIES_BYTES_MAX {
            let message = format!("the document is longer than {ENTITIES_BYTES_MAX} bytes");
            return Err(vec![whole(EntityFaultKind::TooLarge, message)]);
        }
        let reader = match Reader::new(bytes) {
            Ok(reader) => reader,
            Err(error) => return Err(vec![whole(EntityFaultKind::Malformed, error.to_string())]),
        };
        let mut buffers = Buffers::default();
        let counts = vec![0; image.schema().entity_types.len()];
        let sink = StoreSink { image, store: Store::empty(image), local: Heap::default(), counts };
        let decoder = Decoder { reader, schema: image.schema(), plan, sink, buffers: &mut buffers };
        let reused = BTreeMap::new();
        let mut loader = Loader { decoder, bytes, entries: Vec::new(), faults: Vec::new(), place: 0, reused };
        match loader.names().and_then(|()| loader.contents()) {
            Ok(()) => loader.finish(),
            // The document itself is broken; what was found before stays worth telling.
            Err(error) => {
                let fault = EntityFault {
                    kind: kind_of(&error, false),
                    entity: None,
                    path: path_at(bytes, error.offset),
                    message: error.message,
                };
                loader.report(fault);
                Err(loader.faults)
            }
        }
    }
}

impl Store {
    /// The store with some entities more, or others in the place of those in the rows `replaced`: what [`Store::load`] would
    /// make of the changed document, for what the change costs. `None` if anything is wrong with it, or too much that was
    /// replaced lies about: then all is loaded again, which tells what is wrong.
    pub(super) fn upsert(&self, image: &Image, plan: &Plan, bytes: &[u8], replaced: &[u32]) -> Option<Store> {
        if self.heap.bytes() > self.compact.saturating_add(self.compact / 4).saturating_add(STALE_BYTES_MAX) {
            return None;
        }
        let version = self.version(image);
        let mut store = self.successor();
        let mut reused = BTreeMap::new();
        for &row in replaced {
            let record = &mut store.rows[row as usize];
            reused.insert(row, std::mem::replace(&mut record.at, UNREGISTERED));
            store.registered -= 1;
        }
        let known_rows = store.rows.len();
        let counts =
            store.columns.iter().map(|columns| columns.first().map_or(0, |column| column.len() as u32)).collect();
        let mut buffers = Buffers::default();
        let sink = StoreSink { image, store, local: Heap::default(), counts };
        let decoder =
            Decoder { reader: Reader::new(bytes).ok()?, schema: image.schema(), plan, sink, buffers: &mut buffers };
        let mut loader = Loader { decoder, bytes, entries: Vec::new(), faults: Vec::new(), place: 0, reused };
        loader.names().and_then(|()| loader.contents()).ok()?;
        for at in 0..loader.entries.len() {
            let Entry { row, place } = loader.entries[at];
            let parents = &mut loader.decoder.sink.store.parents;
            if place.parents().is_none() && !parents[row as usize].is_empty() {
                Arc::make_mut(parents)[row as usize].clear();
            }
        }
        if !loader.faults.is_empty() {
            return None;
        }
        let changed: Vec<u32> = loader.entries.iter().map(|entry| entry.row).collect();
        let mut store = loader.decoder.sink.store;
        if store.rows.len() != known_rows || !Arc::ptr_eq(&store.parents, &self.parents) {
            store.ancestors = Arc::new(Ancestors::new(&store.parents).ok()?);
        }
        let texts = &store.heap.texts;
        let longest = (self.heap.texts.len() as u32..texts.len() as u32).map(|at| texts.get(at).len()).max();
        store.longest_string = store.longest_string.max(longest.unwrap_or(0));
        store.loaded = true;
        store.shrink();
        let version = version.changed(&store, image, &changed);
        // As a document it is no longer than in the form that is hashed.
        let fits = store.registered <= ENTITIES_MAX && version.bytes() <= ENTITIES_BYTES_MAX;
        store.version = OnceLock::from(version);
        Some(store).filter(|_| fits)
    }
}

/// How much that was replaced lies about before all is loaded again, beside a quarter of what there is.
const STALE_BYTES_MAX: usize = 1 << 20;

/// A fault of the whole document.
pub(super) fn whole(kind: EntityFaultKind, message: String) -> EntityFault {
    EntityFault { kind, entity: None, path: String::new(), message }
}

/// An entity of the document: which row is its own, and where in the document it stands. There are many at once.
#[derive(Clone, Copy)]
struct Entry {
    row: u32,
    place: Place,
}

/// Where an entity stands. No document is longer than [`ENTITIES_BYTES_MAX`].
#[derive(Clone, Copy)]
struct Place {
    offset: u32,
    /// Where its attributes stand; `NOWHERE` if it has none.
    properties: u32,
    /// Where its parents stand; `NOWHERE` if it has none.
    parents: u32,
}

const NOWHERE: u32 = u32::MAX;
const _: () = assert!(ENTITIES_BYTES_MAX < NOWHERE as usize, "every place of a document has a number");

impl Place {
    fn of(parts: Parts<'_>) -> Place {
        let number = |offset: Option<usize>| offset.map_or(NOWHERE, |offset| offset as u32);
        Place { offset: parts.offset as u32, properties: number(parts.properties), parents: number(parts.parents) }
    }

    fn properties(self) -> Option<usize> {
        (self.properties != NOWHERE).then_some(self.properties as usize)
    }

    fn parents(self) -> Option<usize> {
        (self.parents != NOWHERE).then_some(self.parents as usize)
    }
}

struct Loader<'d, 's> {
    decoder: Decoder<'d, 's, StoreSink<'s>>,
    bytes: &'d [u8],
    entries: Vec<Entry>,
    faults: Vec<EntityFault>,
    /// Which element of the document the first pass looks at.
    place: usize,
    /// Places in the columns of rows that are loaded again.
    reused: BTreeMap<u32, u32>,
}

/// What an attempt to read a value came to, whose document is sound.
enum Attempt<T> {
    Read(T),
    Faulty(Fail),
}

impl<'d> Loader<'d, '_> {
    fn report(&mut self, fault: EntityFault) {
        if self.faults.len() < DIAGNOSTICS_MAX {
            self.faults.push(fault);
        }
    }

    /// Reads one value in some way. If that fails, the value is passed over as a whole, so that reading can go on; an error
    /// is one of the document.
    fn attempt<T>(
        &mut self,
        read: impl FnOnce(&mut Decoder<'d, '_, StoreSink<'_>>) -> Result<T, Fail>,
    ) -> Result<Attempt<T>, Fail> {
        let before = self.decoder.reader.clone();
        let work = self.decoder.buffers.work.len();
        match read(&mut self.decoder) {
            Ok(value) => Ok(Attempt::Read(value)),
            Err(error) => {
                self.decoder.reader = before;
                self.decoder.buffers.work.truncate(work);
                self.decoder.buffers.keys.clear();
                self.decoder.sink.store.heap.texts.cancel();
                self.decoder.reader.pass()?;
                Ok(Attempt::Faulty(error))
            }
        }
    }

    /// The first pass: who there is.
    fn names(&mut self) -> Result<(), Fail> {
        let shape = self.decoder.reader.peek()?;
        if shape != Shape::Array {
            let message = format!("an array of entities should stand here, not {}", shape_name(shape));
            return Err(fail(InputErrorKind::Malformed, self.decoder.reader.offset(), None, message));
        }
        let mut more = self.decoder.reader.first_element()?;
        while more {
            if self.entries.len() >= ENTITIES_MAX {
                self.report(whole(EntityFaultKind::TooLarge, format!("there are more than {ENTITIES_MAX} entities")));
                return Ok(());
            }
            self.decoder.reader.peek()?;
            let offset = self.decoder.reader.offset();
            match self.attempt(|decoder| {
                let shape = decoder.reader.peek()?;
                decoder.expect_object(shape)?;
                decoder.parts(Extra::Parents, &mut Vec::new())
            })? {
                Attempt::Read(parts) => self.name(parts),
                Attempt::Faulty(error) => {
                    let kind = match kind_of(&error, false) {
                        EntityFaultKind::UnknownAttribute | EntityFaultKind::TypeError => EntityFaultKind::Malformed,
                        kind => kind,
                    };
                    self.report_nameless(kind, offset, &error);
                }
            }
            self.place += 1;
            more = self.decoder.reader.next_element()?;
        }
        self.decoder.reader.finish()?;
        Ok(())
    }

    /// Reports a fault of an entity that has no name, at this offset: its place in the document has to do.
    #[cold]
    fn report_nameless(&mut self, kind: EntityFaultKind, offset: usize, error: &Fail) {
        if self.faults.len() >= DIAGNOSTICS_MAX {
            return;
        }
        let from = self.bytes.get(offset..).unwrap_or_default();
        let mut inner = path_at(from, error.offset.saturating_sub(offset));
        if !error.path.is_empty() {
            push_key(&mut inner, &error.path);
        }
        let dot = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
        let path = format!("[{}]{dot}{inner}", self.place);
        self.report(EntityFault { kind, entity: None, path, message: error.message.clone() });
    }

    /// Gives an entity its row.
    fn name(&mut self, parts: Parts<'d>) {
        let text =
            |text: Option<(Text<'_>, usize)>| text.map_or(String::new(), |(text, _)| text.characters().collect());
        let name = (text(parts.ty), text(parts.id));
        let fault = |kind, path: &str, message| EntityFault {
            kind,
            entity: Some(name.clone()),
            path: path.to_owned(),
            message,
        };
        let (ty, id) = match self.decoder.identity(&parts) {
            Ok(identity) => identity,
            Err(error) if error.kind == InputErrorKind::UnknownEntityType => {
                return self.report(fault(EntityFaultKind::UnknownType, "type", error.message));
            }
            Err(error) => return self.report_nameless(EntityFaultKind::Malformed, parts.offset, &error),
        };
        if self.decoder.schema.entity_types[ty as usize].presented {
            let message = "entities of this type come with requests, they can't be registered".to_owned();
            return self.report(fault(EntityFaultKind::PresentedType, "type", message));
        }
        let store = &mut self.decoder.sink;
        let id = store.string(id);
        let store = &mut store.store;
        let row = match store.row(ty, id) {
            Some(row) if store.is_registered(row) => {
                let message = "this entity stands in the document already".to_owned();
                return self.report(fault(EntityFaultKind::Duplicate, "", message));
            }
            Some(row) => row,
            None => store.add_row(ty, id),
        };
        // Its place among the columns is where the second pass puts it; entities of faulty documents have none.
        let at = &mut store.rows[row as usize].at;
        *at = UNREGISTERED - 1;
        store.registered += 1;
        self.entries.push(Entry { row, place: Place::of(parts) });
    }

    /// The second pass: what they are.
    fn contents(&mut self) -> Result<(), Fail> {
        for at in 0..self.entries.len() {
            let Entry { row, place } = self.entries[at];
            let ty = self.decoder.sink.store.rows[row as usize].ty;
            self.attributes(row, ty, place)?;
            if let Some(parents) = place.parents() {
                self.decoder.reader.seek(parents);
                self.parents(row, ty, place)?;
            }
        }
        Ok(())
    }

    #[cold]
    fn report_in(&mut self, place: Place, error: &Fail, is_parent: bool) {
        self.report_as(kind_of(error, is_parent), place, error);
    }

    #[cold]
    fn report_as(&mut self, kind: EntityFaultKind, place: Place, error: &Fail) {
        // As the document has them; it was read before.
        let before = self.decoder.reader.clone();
        self.decoder.reader.seek(place.offset as usize);
        let parts = self.decoder.parts(Extra::Parents, &mut Vec::new()).unwrap_or_default();
        self.decoder.reader = before;
        let text =
            |text: Option<(Text<'_>, usize)>| text.map_or(String::new(), |(text, _)| text.characters().collect());
        let from = self.bytes.get(place.offset as usize..).unwrap_or_default();
        let mut path = path_at(from, error.offset.saturating_sub(place.offset as usize));
        if !error.path.is_empty() {
            push_key(&mut path, &error.path);
        }
        let entity = Some((text(parts.ty), text(parts.id)));
        self.report(EntityFault { kind, entity, path, message: error.message.clone() });
    }

    fn attributes(&mut self, row: u32, ty: u32, stands: Place) -> Result<(), Fail> {
        let plan = self.decoder.plan;
        let fields: &Fields = &plan.attributes[ty as usize];
        let reused = self.reused.get(&row).copied();
        let mark = self.decoder.reserve(fields.list.len());
        if let Some(properties) = stands.properties() {
            self.decoder.reader.seek(properties);
            let mut predicted = 0;
            let mut key = self.decoder.reader.first_key()?;
            while let Some(name) = key {
                predicted = self.attribute(fields, mark, predicted, name, stands)? + 1;
                key = self.decoder.reader.next_key()?;
            }
        }
        for (at, field) in fields.list.iter().enumerate() {
            let mut value = self.decoder.buffers.work[mark + at];
            if value.is_error() {
                if !field.optional {
                    let offset = stands.properties().unwrap_or(stands.offset as usize);
                    let error = missing(offset, fields.names.get(at));
                    self.report_as(EntityFaultKind::MissingAttribute, stands, &error);
                }
                value = Value::Absent;
            }
            let column = &mut self.decoder.sink.store.columns[ty as usize][at];
            match reused {
                Some(place) => column.set(place as usize, value),
                None => column.push(value),
            }
        }
        let count = &mut self.decoder.sink.counts[ty as usize];
        self.decoder.sink.store.rows[row as usize].at = reused.unwrap_or(*count);
        *count += u32::from(reused.is_none());
        self.decoder.buffers.work.truncate(mark);
        Ok(())
    }

    /// Reads an attribute; its place among the fields, or that at which the next is expected.
    fn attribute(
        &mut self,
        fields: &Fields,
        mark: usize,
        predicted: usize,
        name: Text<'d>,
        stands: Place,
    ) -> Result<usize, Fail> {
        let offset = self.decoder.reader.key_start(name).saturating_sub(1);
        let Some(at) = fields.names.find(predicted, name) else {
            let error = self.decoder.unknown_field(name, &fields.names);
            self.report_in(stands, &error, false);
            self.decoder.reader.pass()?;
            return Ok(predicted);
        };
        if !self.decoder.buffers.work[mark + at].is_error() {
            let error = duplicate_key(offset);
            self.report_in(stands, &error, false);
        }
        let ty: TypeId = fields.list[at].ty;
        let value = match self.attempt(|decoder| decoder.value(ty, Want::Built))? {
            Attempt::Read(value) => value,
            Attempt::Faulty(error) => {
                self.report_in(stands, &error, false);
                Value::Absent
            }
        };
        self.decoder.buffers.work[mark + at] = value;
        Ok(at)
    }

    fn parents(&mut self, row: u32, ty: u32, stands: Place) -> Result<(), Fail> {
        let schema: &Schema = self.decoder.schema;
        let types = schema.entity_types[ty as usize].parents.as_slice();
        let shape = self.decoder.reader.peek()?;
        if shape != Shape::Array {
            let message = format!("an array of parents should stand here, not {}", shape_name(shape));
            let offset = self.decoder.reader.offset();
            let error = fail(InputErrorKind::WrongType, offset, None, message);
            self.report_in(stands, &error, true);
            return Ok(());
        }
        let mut found: Vec<(u32, usize)> = Vec::new();
        let mut more = self.decoder.reader.first_element()?;
        while more {
            self.decoder.reader.peek()?;
            let offset = self.decoder.reader.offset();
            match self.attempt(|decoder| decoder.reference(types))? {
                Attempt::Read(parent) => found.extend(parent.row.stored_at().map(|parent| (parent, offset))),
                Attempt::Faulty(error) => self.report_in(stands, &error, true),
            }
            more = self.decoder.reader.next_element()?;
        }
        found.sort_unstable();
        for pair in found.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let message = "this parent stands in the list already".to_owned();
            let error = fail(InputErrorKind::DuplicateElement, pair[1].1, None, message);
            self.report_in(stands, &error, true);
        }
        let mut found: Vec<u32> = found.into_iter().map(|(parent, _)| parent).collect();
        found.dedup();
        let parents = &mut self.decoder.sink.store.parents;
        if parents[row as usize] != found {
            Arc::make_mut(parents)[row as usize] = found;
        }
        Ok(())
    }

    /// Works out the hierarchy; the store, if nothing is wrong.
    fn finish(mut self) -> Result<Store, Vec<EntityFault>> {
        let made = Ancestors::new(&self.decoder.sink.store.parents);
        match made {
            Ok(ancestors) => self.decoder.sink.store.ancestors = Arc::new(ancestors),
            Err(HierarchyError::TooLarge) => {
                let message = "the hierarchy is too wide: its sets of ancestors take too much memory".to_owned();
                self.report(whole(EntityFaultKind::TooLarge, message));
            }
            Err(HierarchyError::Cycles(cycles)) => {
                for cycle in cycles {
                    let fault = self.cycle(&cycle);
                    self.report(fault);
                }
            }
        }
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        let mut store = self.decoder.sink.store;
        let texts = &store.heap.texts;
        let longest = (0..texts.len() as u32).map(|at| texts.get(at).len()).max().unwrap_or(0);
        store.longest_string = store.longest_string.max(longest);
        store.loaded = true;
        store.compact = store.heap.bytes();
        store.shrink();
        Ok(store)
    }

    #[cold]
    fn cycle(&self, cycle: &[u32]) -> EntityFault {
        let store = &self.decoder.sink.store;
        let names: Vec<(String, String)> = cycle
            .iter()
            .map(|&row| {
                let (ty, id) = store.name(self.decoder.schema, self.decoder.sink.memory(), row);
                (ty.to_owned(), id.to_owned())
            })
            .collect();
        let shown: Vec<String> =
            names.iter().chain(names.first()).map(|(ty, id)| format!("{ty} \"{}\"", id.escape_debug())).collect();
        EntityFault {
            kind: EntityFaultKind::Cycle,
            entity: names.into_iter().next(),
            path: "in".to_owned(),
            message: format!("this entity lies below itself: {}", shown.join(" in ")),
        }
    }
}

/// The heap of a store in the making.
struct StoreSink<'s> {
    image: &'s Image,
    store: Store,
    /// No value of a store is local.
    local: Heap,
    /// How many entities of each type have their columns filled.
    counts: Vec<u32>,
}

impl Sink for StoreSink<'_> {
    const REGION: Region = Region::Store;

    fn heap(&mut self) -> &mut Heap {
        &mut self.store.heap
    }

    fn memory(&self) -> Memory<'_> {
        Memory { program: &self.image.heap, store: &self.store.heap, local: &self.local }
    }

    fn known(&self, text: &str) -> Option<StrRef> {
        let hash = hash(text.as_bytes());
        self.image.find_string_hashed(hash, text).or_else(|| self.store.find_string_hashed(hash, text))
    }

    fn added(&mut self, at: u32) -> StrRef {
        let Store { heap, strings, .. } = &mut self.store;
        strings.insert(heap.texts.get(at), at);
        StrRef(self.store.program_strings + at)
    }

    fn presents(&self, ty: u32) -> bool {
        self.image.schema().entity_types[ty as usize].presented
    }

    fn registered(&mut self, ty: u32, id: Text<'_>) -> Result<EntityRef, String> {
        let known = self.known_text(id);
        let row = known.and_then(|id| self.store.row(ty, id)).filter(|&row| self.store.is_registered(row));
        match (known, row) {
            (Some(id), Some(row)) => Ok(EntityRef { ty: ty as u16, id, row: Row::stored(row) }),
            _ => {
                let id: String = id.characters().take(64).collect();
                let ty = &self.image.schema().entity_types[ty as usize].name;
                Err(format!("there is no {ty} \"{}\"", id.escape_debug()))
            }
        }
    }

    /// Entities that come with requests can't stand in a registry: the checker sees to it that no attribute is of their
    /// type, and where one is all the same, nothing is known of it.
    fn present(&mut self, ty: u32, id: Text<'_>, _attributes: Option<&[Value]>) -> EntityRef {
        EntityRef { ty: ty as u16, id: self.string(id), row: Row::NONE }
    }

    fn reads(&self, _ty: u32, _attribute: usize) -> bool {
        true
    }
}
