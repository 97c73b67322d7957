//! Registered entities: interned, in typed columns, with the sets of their ancestors. A snapshot that never changes;
//! a patch makes a new one.
//!
//! The rows of a store begin with the entities that the program names, registered or not, so that a constant finds its
//! row in whatever store. Numbers of strings count on from the program's. A store therefore belongs to one program.

pub mod ancestors;
mod column;
pub mod directory;
pub mod fault;
pub mod load;
pub mod patch;
mod version;

use std::sync::{Arc, OnceLock};

use crate::base::hash::{Digest, Hasher};
use crate::bytecode::schema::Schema;
use crate::vm::canonical::{Form, Writer, push_string};
use crate::vm::entities::Entities;
use crate::vm::image::Image;
use crate::vm::memory::{Heap, Memory};
use crate::vm::store::ancestors::Ancestors;
use crate::vm::store::column::Column;
use crate::vm::store::version::Version;
use crate::vm::strings::{StringIndex, hash};
use crate::vm::value::{EntityRef, Row, StrRef, Value};

/// The entities that decisions are made with.
#[derive(Clone, Debug)]
pub struct Store {
    heap: Heap,
    strings: StringIndex,
    /// How many strings the program has: the store's begin with this number.
    program_strings: u32,
    longest_string: usize,
    rows: Vec<Record>,
    index: RowIndex,
    /// For each entity type a column for each attribute.
    columns: Vec<Vec<Column>>,
    parents: Arc<Vec<Vec<u32>>>,
    ancestors: Arc<Ancestors>,
    loaded: bool,
    registered: usize,
    /// How much room the heap took when all entities were loaded. What patches have replaced stays in it for a while.
    compact: usize,
    version: OnceLock<Version>,
    /// How an earlier PDL named the version, if this store was found under that name.
    former_name: OnceLock<Digest>,
}

/// An entity.
#[derive(Clone, Copy, Debug)]
struct Record {
    ty: u32,
    id: StrRef,
    /// Its place in the columns of its type; `UNREGISTERED` if the program only names it.
    at: u32,
}

const UNREGISTERED: u32 = u32::MAX;
/// How long a piece of a text is, about. Shorter than what an allocator takes from the system for itself.
const PIECE_BYTES: usize = 1 << 15;

impl Store {
    /// A store without entities: what there is before any are loaded.
    #[must_use]
    pub fn empty(image: &Image) -> Store {
        let schema = image.schema();
        let mut store = Store {
            heap: Heap::default(),
            strings: StringIndex::default(),
            program_strings: image.heap.texts.len() as u32,
            longest_string: image.program.strings.iter().map(|text| text.len()).max().unwrap_or(0),
            rows: Vec::new(),
            index: RowIndex::default(),
            columns: schema.entity_types.iter().map(|ty| vec![Column::default(); ty.attributes.len()]).collect(),
            parents: Arc::default(),
            ancestors: Arc::default(),
            loaded: false,
            registered: 0,
            compact: 0,
            version: OnceLock::new(),
            former_name: OnceLock::new(),
        };
        for named in &image.named {
            store.add_row(u32::from(named.ty), named.id);
        }
        store
    }

    /// A store with the same entities, without a version of its own.
    fn successor(&self) -> Store {
        Store {
            heap: self.heap.clone(),
            strings: self.strings.clone(),
            rows: self.rows.clone(),
            index: self.index.clone(),
            columns: self.columns.clone(),
            parents: Arc::clone(&self.parents),
            ancestors: Arc::clone(&self.ancestors),
            version: OnceLock::new(),
            former_name: OnceLock::new(),
            ..*self
        }
    }

    fn add_row(&mut self, ty: u32, id: StrRef) -> u32 {
        self.index.grow(&self.rows);
        let row = self.rows.len() as u32;
        self.rows.push(Record { ty, id, at: UNREGISTERED });
        Arc::make_mut(&mut self.parents).push(Vec::new());
        self.index.insert(ty, id, row);
        row
    }

    /// Whether entities have been loaded, be it none.
    #[inline]
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// How many entities are registered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.registered
    }

    /// Whether no entity is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.registered == 0
    }

    /// The length of the longest string that program or store know, in bytes: a longer one need not be looked for.
    #[inline]
    #[must_use]
    pub fn longest_string(&self) -> usize {
        self.longest_string
    }

    /// The string of the store with this text, whose hash the caller knows.
    #[inline]
    #[must_use]
    pub fn find_string_hashed(&self, hash: u32, text: &str) -> Option<StrRef> {
        let found = self.strings.find_hashed(hash, text, |at| self.heap.texts.get(at));
        found.map(|at| StrRef(self.program_strings + at))
    }

    /// The row of an entity, registered or only named by the program.
    #[inline]
    #[must_use]
    pub fn row(&self, ty: u32, id: StrRef) -> Option<u32> {
        self.index.find(ty, id, &self.rows)
    }

    /// Whether the entity in a row is registered.
    #[inline]
    #[must_use]
    pub fn is_registered(&self, row: u32) -> bool {
        self.rows.get(row as usize).is_some_and(|record| record.at != UNREGISTERED)
    }

    /// The entity in a row.
    #[must_use]
    pub fn entity(&self, row: u32) -> Option<EntityRef> {
        let record = self.rows.get(row as usize)?;
        Some(EntityRef { ty: record.ty as u16, id: record.id, row: Row::stored(row) })
    }

    /// The registered entity with this type and id.
    #[must_use]
    pub fn find(&self, image: &Image, ty: u32, id: &str) -> Option<EntityRef> {
        let id = image.find_string(id).or_else(|| self.find_string(id))?;
        let row = self.row(ty, id).filter(|&row| self.is_registered(row))?;
        self.entity(row)
    }

    /// The rows of all registered entities, in no order that means anything.
    pub fn registered(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.rows.len() as u32).filter(|&row| self.is_registered(row))
    }

    /// The direct parents of an entity, by row.
    #[must_use]
    pub fn parents(&self, row: u32) -> &[u32] {
        self.parents.get(row as usize).map_or(&[], |parents| parents)
    }

    /// The version of the registry: the digest of all entities, in whatever order they were loaded.
    #[must_use]
    pub fn digest(&self, image: &Image) -> Digest {
        self.former_name.get().copied().unwrap_or_else(|| self.version(image).digest())
    }

    /// Whether this is the version with that digest.
    ///
    /// Before 0.1 was out the digest was that of the text of all entities. Whoever finds a store under such a name has it
    /// under that name from then on: decisions of that time have it, and are held against it.
    #[must_use]
    pub fn is_version(&self, image: &Image, digest: Digest) -> bool {
        if self.digest(image) == digest {
            return true;
        }
        let mut hasher = Hasher::default();
        self.pass_canonical(image, Form::Digest, |piece| hasher.add(piece));
        let former = hasher.finish();
        former == digest && *self.former_name.get_or_init(|| former) == digest
    }

    fn version(&self, image: &Image) -> &Version {
        self.version.get_or_init(|| Version::new(self, image))
    }

    /// The entities in chosen rows as a JSON array, in the order of their types' names and their ids.
    #[must_use]
    pub fn canonical(&self, image: &Image, form: Form, chosen: impl Fn(u32) -> bool) -> String {
        let rows = self.sorted(image, chosen);
        // The text of a hundred thousand entities is long enough to be worth no second copy: as it grows, or in its brackets.
        let whole = self.version.get().map_or(0, Version::bytes);
        let share = whole as u64 * rows.len() as u64 / (self.registered as u64).max(1);
        let mut out = String::with_capacity(share as usize + rows.len() / 8 + 2);
        self.pass_text(&mut out, image, form, &rows, |_| {});
        out
    }

    /// The same of all entities, piece by piece: at no time is there more than one piece of it.
    pub fn pass_canonical(&self, image: &Image, form: Form, mut to: impl FnMut(&[u8])) {
        let rows = self.sorted(image, |_| true);
        let mut piece = String::with_capacity(2 * PIECE_BYTES);
        self.pass_text(&mut piece, image, form, &rows, |piece| {
            if piece.len() >= PIECE_BYTES {
                to(piece.as_bytes());
                piece.clear();
            }
        });
        to(piece.as_bytes());
    }

    /// Chosen rows in the order of their types' names and their ids.
    fn sorted(&self, image: &Image, chosen: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut rows: Vec<(&str, &str, u32)> = self
            .registered()
            .filter(|&row| chosen(row))
            .map(|row| {
                let (ty, id) = self.name_of(image, row);
                (ty, id, row)
            })
            .collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, _, row)| row).collect()
    }

    fn pass_text(&self, out: &mut String, image: &Image, form: Form, rows: &[u32], mut look: impl FnMut(&mut String)) {
        let local = Heap::default();
        let memory = Memory { program: &image.heap, store: &self.heap, local: &local };
        let writer = Writer { image, memory, presented: &[], form };
        out.push('[');
        for (at, &row) in rows.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            self.push_entity(out, writer, row);
            look(out);
        }
        out.push(']');
    }

    /// Gives back the room that grew in advance: a store that was made does not grow, the next one is another.
    fn shrink(&mut self) {
        self.heap.shrink();
        self.rows.shrink_to_fit();
        self.columns.iter_mut().flatten().for_each(Column::shrink);
        if let Some(parents) = Arc::get_mut(&mut self.parents) {
            parents.shrink_to_fit();
        }
    }

    /// The name of a row's type, and its id.
    fn name_of<'a>(&'a self, image: &'a Image, row: u32) -> (&'a str, &'a str) {
        let record = self.rows[row as usize];
        let id = match record.id.0.checked_sub(self.program_strings) {
            None => image.heap.texts.get(record.id.0),
            Some(at) => self.heap.texts.get(at),
        };
        (&image.schema().entity_types[record.ty as usize].name, id)
    }

    fn name<'a>(&self, schema: &'a Schema, memory: Memory<'a>, row: u32) -> (&'a str, &'a str) {
        let record = self.rows[row as usize];
        (&schema.entity_types[record.ty as usize].name, memory.text(record.id))
    }

    fn push_entity(&self, out: &mut String, writer: Writer<'_>, row: u32) {
        let record = self.rows[row as usize];
        let Some(entity) = self.entity(row) else { return };
        let value = |column: &Column| column.get(record.at as usize).unwrap_or(Value::INTERNAL);
        let values: Vec<Value> = self.columns[record.ty as usize].iter().map(value).collect();
        out.push_str("{\"id\":");
        push_string(out, writer.memory.text(entity.id));
        if !self.parents(row).is_empty() {
            let parents = self.parents(row).iter().filter_map(|&parent| self.entity(parent));
            let mut parents: Vec<String> = parents
                .map(|parent| {
                    let mut text = String::new();
                    writer.push_entity(&mut text, parent);
                    text
                })
                .collect();
            parents.sort();
            out.push_str(",\"in\":[");
            out.push_str(&parents.join(","));
            out.push(']');
        }
        out.push_str(",\"properties\":");
        writer.push_object(out, writer.image.attributes(record.ty), &values, |_| true);
        out.push_str(",\"type\":");
        push_string(out, writer.type_name(entity));
        out.push('}');
    }
}

impl Entities for Store {
    #[inline]
    fn heap(&self) -> &Heap {
        &self.heap
    }

    #[inline]
    fn attribute(&self, row: u32, attribute: u32) -> Option<Value> {
        let record = self.rows.get(row as usize)?;
        self.columns.get(record.ty as usize)?.get(attribute as usize)?.get(record.at as usize)
    }

    #[inline]
    fn is_in(&self, row: u32, ancestor: u32) -> bool {
        self.ancestors.is_in(row, ancestor)
    }

    #[inline]
    fn find_string(&self, text: &str) -> Option<StrRef> {
        self.find_string_hashed(hash(text.as_bytes()), text)
    }
}

/// Rows by type and id: an open-addressed table.
#[derive(Clone, Debug, Default)]
struct RowIndex {
    /// The length is zero or a power of two, at most half of it is taken.
    places: Vec<u32>,
    len: usize,
}

const FREE: u32 = u32::MAX;

impl RowIndex {
    #[inline]
    fn start(&self, ty: u32, id: StrRef) -> usize {
        let key = u64::from(ty) << 32 | u64::from(id.0);
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (hash >> 32) as usize & (self.places.len() - 1)
    }

    #[inline]
    fn find(&self, ty: u32, id: StrRef, rows: &[Record]) -> Option<u32> {
        if self.places.is_empty() {
            return None;
        }
        let mut at = self.start(ty, id);
        loop {
            let row = *self.places.get(at)?;
            let record = rows.get(row as usize)?;
            if record.ty == ty && record.id == id {
                return Some(row);
            }
            at = (at + 1) & (self.places.len() - 1);
        }
    }

    /// Puts in a row that is not there yet. Rows are put in as they are numbered: from 0, without gaps.
    fn insert(&mut self, ty: u32, id: StrRef, row: u32) {
        debug_assert_eq!(row as usize, self.len, "rows are numbered without gaps");
        self.put(ty, id, row);
        self.len += 1;
    }

    fn put(&mut self, ty: u32, id: StrRef, row: u32) {
        let mut at = self.start(ty, id);
        while self.places[at] != FREE {
            at = (at + 1) & (self.places.len() - 1);
        }
        self.places[at] = row;
    }

    /// Makes room for one more; the rows are those that have been put in.
    fn grow(&mut self, rows: &[Record]) {
        if (self.len + 1) * 2 <= self.places.len() {
            return;
        }
        self.places = vec![FREE; ((self.len + 1) * 4).next_power_of_two()];
        for (row, record) in rows.iter().enumerate() {
            self.put(record.ty, record.id, row as u32);
        }
    }
}
