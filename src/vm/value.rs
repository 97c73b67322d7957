//! Values as they lie in slots: small, `Copy`, with everything wide kept in a [`Heap`](crate::vm::memory::Heap).
//!
//! A value alone says too little to be shown or compared: what it refers to lies in a
//! [`Memory`](crate::vm::memory::Memory).

use crate::bytecode::program::SiteId;

/// A value of the language, at most sixteen bytes.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// An optional without a value.
    Absent,
    /// Bool.
    Bool(bool),
    /// Int.
    Int(i64),
    /// Decimal: a count of 10⁻⁶.
    Decimal(i64),
    /// Duration: milliseconds.
    Duration(i64),
    /// Timestamp: milliseconds since 1970.
    Timestamp(i64),
    /// A variant of an enum.
    Enum(Variant),
    /// String.
    String(StrRef),
    /// An entity.
    Entity(EntityRef),
    /// IpAddr.
    Ip(WideRef),
    /// IpNet.
    Net(WideRef),
    /// Url.
    Url(WideRef),
    /// Path: its normalised text.
    Path(StrRef),
    /// A set: its elements, each once, in the order of `compare`.
    Set(Seq),
    /// A list: its elements.
    List(Seq),
    /// A map: keys and values in turn, sorted by key in the order of `compare`, each key
    /// once.
    Map(Seq),
    /// A record: its fields in order.
    Record(Seq),
    /// Where a loop stands. Never an element or a field.
    Iterator(Iter),
    /// A graph that is being built: nothing, or the graph before the last node, that node, and what its edges lead to.
    /// Never an element or a field, but of the next graph.
    Graph(Seq),
    /// What had no result. Never an element or a field.
    Error(Fault),
}

/// A variant of an enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variant {
    /// The enum, by its place in the schema.
    pub of: u32,
    /// The variant, by its place in the enum.
    pub at: u32,
}

/// A string, by number. Which heap it lies in follows from the number: see
/// [`Memory::text`](crate::vm::memory::Memory::text).
///
/// The derived equality is that of numbers; two *local* strings with different numbers may have equal texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrRef(pub u32);

impl StrRef {
    const LOCAL: u32 = 1 << 31;

    /// The local string with this place in the local heap.
    #[inline]
    #[must_use]
    pub fn local(at: u32) -> StrRef {
        StrRef(at | StrRef::LOCAL)
    }

    /// The place in the local heap, if it is a local string.
    #[inline]
    #[must_use]
    pub fn local_at(self) -> Option<u32> {
        (self.0 & StrRef::LOCAL != 0).then_some(self.0 & !StrRef::LOCAL)
    }
}

/// Where a wide value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// The program's constants.
    Program,
    /// The entity store.
    Store,
    /// What belongs to one decision.
    Local,
}

/// A wide scalar in the table of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WideRef {
    /// The heap.
    pub region: Region,
    /// The place in the table.
    pub at: u32,
}

/// A stretch of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seq {
    /// The heap.
    pub region: Region,
    /// The place of the first value.
    pub start: u32,
    /// How many values there are (of a map: keys and values).
    pub len: u32,
}

/// A place in a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Iter {
    /// The heap.
    pub region: Region,
    /// From one element to the next: 2 over the keys of a map, else 1.
    pub stride: u8,
    /// The place behind the element at which it stands.
    pub at: u32,
    /// One past the last value.
    pub end: u32,
}

/// An entity. Its identity is its type and its id; the row only finds what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct EntityRef {
    /// The entity type.
    pub ty: u16,
    /// The id.
    pub id: StrRef,
    /// What is known of it.
    pub row: Row,
}

/// Where what is known of an entity lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row(u32);

impl Row {
    const PRESENTED: u32 = 1 << 31;

    /// Nothing is known of it.
    pub const NONE: Row = Row(u32::MAX);

    /// A row of the store. The first rows of every store belong to the entities that the program names (see
    /// `Image::named`), whether they are registered or not.
    #[inline]
    #[must_use]
    pub fn stored(at: u32) -> Row {
        debug_assert!(at < Row::PRESENTED, "a store has at most 2^24 entities");
        Row(at)
    }

    /// An entity whose attributes came with the request: its place in `Local::presented`.
    #[inline]
    #[must_use]
    pub fn presented(at: u32) -> Row {
        Row(at | Row::PRESENTED)
    }

    /// The row of the store.
    #[inline]
    #[must_use]
    pub fn stored_at(self) -> Option<u32> {
        (self.0 & Row::PRESENTED == 0).then_some(self.0)
    }

    /// The place among the entities of the request.
    #[inline]
    #[must_use]
    pub fn presented_at(self) -> Option<u32> {
        (self.0 & Row::PRESENTED != 0 && self != Row::NONE).then_some(self.0 & !Row::PRESENTED)
    }
}

/// An error as a value: where, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The place in source order. Of several errors that with the smallest counts.
    pub site: SiteId,
    /// What happened.
    pub kind: FaultKind,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// A result outside the range of its type.
    Overflow,
    /// A result that has no exact representation.
    Inexact,
    /// An optional without a value was unwrapped.
    Absent,
    /// An entity of another type than the rule has made sure of.
    WrongType,
    /// A collection with more elements than any may have.
    TooManyElements,
    /// More values or text than a decision may hold.
    TooMuchMemory,
    /// A quorum below one.
    QuorumTooSmall,
    /// An attribute of an entity that the program names and the store does not know.
    UnknownEntity,
    /// A defect of the machine or its verifier. The decision fails closed.
    Internal,
}

impl FaultKind {
    /// The name in decisions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Overflow => "overflow",
            FaultKind::Inexact => "inexact",
            FaultKind::Absent => "absent",
            FaultKind::WrongType => "wrong_type",
            FaultKind::TooManyElements => "too_many_elements",
            FaultKind::TooMuchMemory => "too_much_memory",
            FaultKind::QuorumTooSmall => "quorum_too_small",
            FaultKind::UnknownEntity => "unknown_entity",
            FaultKind::Internal => "internal",
        }
    }
}

impl Fault {
    /// A defect of ours. Any other error has a smaller site.
    pub const INTERNAL: Fault = Fault { site: SiteId(u32::MAX), kind: FaultKind::Internal };
}

impl Value {
    /// A defect of ours, as a value.
    pub const INTERNAL: Value = Value::Error(Fault::INTERNAL);

    /// A decision holds more than it may. That has no site: any error of a rule's own comes first.
    pub const EXHAUSTED: Value = Value::Error(Fault { site: SiteId(u32::MAX - 2), kind: FaultKind::TooMuchMemory });

    /// The error that this value is.
    #[inline]
    #[must_use]
    pub fn fault(self) -> Option<Fault> {
        if let Value::Error(fault) = self { Some(fault) } else { None }
    }

    /// Whether this is an error.
    #[inline]
    #[must_use]
    pub fn is_error(self) -> bool {
        matches!(self, Value::Error(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_sixteen_bytes() {
        assert!(size_of::<Value>() <= 16);
    }

    #[test]
    fn rows_keep_apart() {
        assert_eq!(Row::stored(7).stored_at(), Some(7));
        assert_eq!(Row::stored(7).presented_at(), None);
        assert_eq!(Row::presented(7).presented_at(), Some(7));
        assert_eq!(Row::presented(7).stored_at(), None);
        assert_eq!(Row::NONE.stored_at(), None);
        assert_eq!(Row::NONE.presented_at(), None);
    }
}
