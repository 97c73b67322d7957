//! What the machine wants of an entity store.

use crate::vm::memory::Heap;
use crate::vm::value::{StrRef, Value};

/// Registered entities, as one decision sees them: a snapshot that does not change.
///
/// Rows are numbered from 0. The first rows are those of the entities that the program names (`Image::named`), in that
/// order, registered or not; so a constant of the program finds its row whatever the store holds.
pub trait Entities {
    /// The heap to which the values refer.
    fn heap(&self) -> &Heap;

    /// An attribute of the entity in a row, by its place in the entity type; `None` if nothing is registered there.
    fn attribute(&self, row: u32, attribute: u32) -> Option<Value>;

    /// Whether the entity in a row is, or lies below, that in another one. Where nothing is registered, only equal rows
    /// are.
    fn is_in(&self, row: u32, ancestor: u32) -> bool;

    /// The string of the store with this text: its number counts on from those of the program.
    fn find_string(&self, text: &str) -> Option<StrRef>;
}

/// A store without entities.
#[derive(Clone, Debug, Default)]
pub struct NoEntities {
    heap: Heap,
}

impl Entities for NoEntities {
    fn heap(&self) -> &Heap {
        &self.heap
    }

    fn attribute(&self, _row: u32, _attribute: u32) -> Option<Value> {
        None
    }

    fn is_in(&self, row: u32, ancestor: u32) -> bool {
        row == ancestor
    }

    fn find_string(&self, _text: &str) -> Option<StrRef> {
        None
    }
}
