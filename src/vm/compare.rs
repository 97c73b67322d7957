//! Equality, and the one total order by which sets and maps are kept.
//!
//! The order is consistent with equality and fixed for one program and one snapshot of the store. It is not what `<`
//! says: known strings stand in the order of their numbers, before local ones, which stand in that of their bytes. What
//! people or digests see is sorted again.

use std::cmp::Ordering;

use crate::vm::memory::Memory;
use crate::vm::value::{EntityRef, Seq, StrRef, Value};

/// Whether two strings are equal. A local string is never one that program or store know (whoever makes one looks), so
/// only two local ones have to be read.
#[inline]
#[must_use]
pub fn same_string(memory: Memory<'_>, left: StrRef, right: StrRef) -> bool {
    left == right
        || match (left.local_at(), right.local_at()) {
            (Some(left), Some(right)) => memory.local.texts.get(left) == memory.local.texts.get(right),
            _ => false,
        }
}

/// Whether two entities are the same.
#[inline]
#[must_use]
pub fn same_entity(memory: Memory<'_>, left: EntityRef, right: EntityRef) -> bool {
    left.ty == right.ty && same_string(memory, left.id, right.id)
}

/// Whether two values of one type are equal. Errors and iterators are equal to nothing.
#[inline]
#[must_use]
pub fn equal(memory: Memory<'_>, left: Value, right: Value) -> bool {
    match (left, right) {
        (Value::Absent, Value::Absent) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right))
        | (Value::Decimal(left), Value::Decimal(right))
        | (Value::Duration(left), Value::Duration(right))
        | (Value::Timestamp(left), Value::Timestamp(right)) => left == right,
        (Value::Enum(left), Value::Enum(right)) => left == right,
        (Value::String(left), Value::String(right)) | (Value::Path(left), Value::Path(right)) => {
            same_string(memory, left, right)
        }
        (Value::Entity(left), Value::Entity(right)) => same_entity(memory, left, right),
        (Value::Ip(left), Value::Ip(right)) => memory.ip(left) == memory.ip(right),
        (Value::Net(left), Value::Net(right)) => memory.net(left) == memory.net(right),
        (Value::Url(left), Value::Url(right)) => same_string(memory, memory.url(left).text, memory.url(right).text),
        (Value::Set(left), Value::Set(right))
        | (Value::List(left), Value::List(right))
        | (Value::Map(left), Value::Map(right))
        | (Value::Record(left), Value::Record(right)) => equal_seqs(memory, left, right),
        _ => false,
    }
}

/// Types nest to a bounded depth, and so does this.
fn equal_seqs(memory: Memory<'_>, left: Seq, right: Seq) -> bool {
    if left.len != right.len {
        return false;
    }
    left == right
        || memory.values(left).iter().zip(memory.values(right)).all(|(&left, &right)| equal(memory, left, right))
}

/// The order of two strings in sets and of keys in maps.
#[inline]
#[must_use]
pub fn compare_strings(memory: Memory<'_>, left: StrRef, right: StrRef) -> Ordering {
    match (left.local_at(), right.local_at()) {
        (Some(left), Some(right)) => memory.local.texts.get(left).cmp(memory.local.texts.get(right)),
        _ => left.cmp(&right),
    }
}

/// The order of two values of one type in sets.
#[must_use]
pub fn compare(memory: Memory<'_>, left: Value, right: Value) -> Ordering {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(&right),
        (Value::Int(left), Value::Int(right))
        | (Value::Decimal(left), Value::Decimal(right))
        | (Value::Duration(left), Value::Duration(right))
        | (Value::Timestamp(left), Value::Timestamp(right)) => left.cmp(&right),
        (Value::Enum(left), Value::Enum(right)) => left.cmp(&right),
        (Value::String(left), Value::String(right)) | (Value::Path(left), Value::Path(right)) => {
            compare_strings(memory, left, right)
        }
        (Value::Entity(left), Value::Entity(right)) => {
            left.ty.cmp(&right.ty).then_with(|| compare_strings(memory, left.id, right.id))
        }
        (Value::Ip(left), Value::Ip(right)) => memory.ip(left).cmp(&memory.ip(right)),
        (Value::Net(left), Value::Net(right)) => memory.net(left).cmp(&memory.net(right)),
        (Value::Url(left), Value::Url(right)) => compare_strings(memory, memory.url(left).text, memory.url(right).text),
        (Value::Set(left), Value::Set(right))
        | (Value::List(left), Value::List(right))
        | (Value::Map(left), Value::Map(right))
        | (Value::Record(left), Value::Record(right)) => compare_seqs(memory, left, right),
        _ => rank(left).cmp(&rank(right)),
    }
}

fn compare_seqs(memory: Memory<'_>, left: Seq, right: Seq) -> Ordering {
    let (left, right) = (memory.values(left), memory.values(right));
    for (&left, &right) in left.iter().zip(right) {
        let order = compare(memory, left, right);
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

/// Absent stands before every value; for the rest, values of one type have one rank.
fn rank(value: Value) -> u8 {
    match value {
        Value::Absent => 0,
        Value::Bool(_) => 1,
        Value::Int(_) => 2,
        Value::Decimal(_) => 3,
        Value::Duration(_) => 4,
        Value::Timestamp(_) => 5,
        Value::Enum(_) => 6,
        Value::String(_) => 7,
        Value::Entity(_) => 8,
        Value::Ip(_) => 9,
        Value::Net(_) => 10,
        Value::Url(_) => 11,
        Value::Path(_) => 12,
        Value::Set(_) => 13,
        Value::List(_) => 14,
        Value::Map(_) => 15,
        Value::Record(_) => 16,
        Value::Iterator(_) => 17,
        Value::Graph(_) => 18,
        Value::Error(_) => 19,
    }
}

/// Sorts values as a set has them and drops what is double. `values` lies outside the heaps, because the order reads
/// them.
pub fn make_set(memory: Memory<'_>, values: &mut Vec<Value>) {
    values.sort_unstable_by(|&left, &right| compare(memory, left, right));
    values.dedup_by(|&mut right, &mut left| equal(memory, left, right));
}

/// The place of an element in a set, or where it would be.
#[inline]
pub fn find(memory: Memory<'_>, set: &[Value], element: Value) -> Result<usize, usize> {
    set.binary_search_by(|&other| compare(memory, other, element))
}
