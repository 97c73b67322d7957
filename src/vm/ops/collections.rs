//! Sets, lists, maps, records, iterators.

use crate::base::limits::COLLECTION_MAX;
use crate::vm::compare::{compare, compare_strings, equal, find};
use crate::vm::entities::Entities;
use crate::vm::make::{Maker, reading};
use crate::vm::memory::Memory;
use crate::vm::ops::{Outcome, failed};
use crate::vm::value::{FaultKind, Iter, Seq, Value};

/// How many elements or entries there are.
#[inline]
pub fn size(operand: Value) -> Value {
    match operand {
        Value::Set(seq) | Value::List(seq) => Value::Int(i64::from(seq.len)),
        Value::Map(seq) => Value::Int(i64::from(seq.len / 2)),
        _ => failed(&[operand]),
    }
}

/// Whether a set or list has an element.
#[inline]
pub fn contains(memory: Memory<'_>, collection: Value, element: Value) -> Value {
    if element.is_error() {
        return failed(&[collection, element]);
    }
    match collection {
        Value::Set(seq) => Value::Bool(find(memory, memory.values(seq), element).is_ok()),
        Value::List(seq) => Value::Bool(memory.values(seq).iter().any(|&other| equal(memory, other, element))),
        _ => failed(&[collection, element]),
    }
}

/// Whether the first set has every element of the second.
pub fn contains_all(memory: Memory<'_>, outer: Value, inner: Value) -> Value {
    let (Value::Set(left), Value::Set(right)) = (outer, inner) else { return failed(&[outer, inner]) };
    let mut rest = memory.values(left);
    for &element in memory.values(right) {
        match find(memory, rest, element) {
            Ok(at) => rest = &rest[at + 1..],
            Err(_) => return Value::Bool(false),
        }
    }
    Value::Bool(true)
}

/// Whether two sets share an element.
pub fn contains_any(memory: Memory<'_>, left: Value, right: Value) -> Value {
    let (Value::Set(first), Value::Set(second)) = (left, right) else { return failed(&[left, right]) };
    let (few, many) = if first.len < second.len { (first, second) } else { (second, first) };
    let mut rest = memory.values(many);
    for &element in memory.values(few) {
        match find(memory, rest, element) {
            Ok(_) => return Value::Bool(true),
            Err(at) => rest = &rest[at..],
        }
    }
    Value::Bool(false)
}

/// Which elements a merge of two sets keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Those of either.
    Either,
    /// Those of both.
    Both,
    /// Those of the first that the second has not.
    First,
}

/// A merge of two sets.
pub fn merge<E: Entities>(maker: Maker<'_, E>, left: Value, right: Value, keep: Keep) -> Outcome {
    let (Value::Set(first), Value::Set(second)) = (left, right) else { return Ok(failed(&[left, right])) };
    let memory = reading(maker.image, maker.entities, maker.heap);
    let (mut first, mut second) = (memory.values(first), memory.values(second));
    let values = &mut *maker.values;
    values.clear();
    while let (Some((&one, rest)), Some((&other, others))) = (first.split_first(), second.split_first()) {
        let order = compare(memory, one, other);
        let kept = match keep {
            Keep::Either => true,
            Keep::Both => order.is_eq(),
            Keep::First => order.is_lt(),
        };
        if kept {
            values.push(if order.is_gt() { other } else { one });
        }
        if order.is_le() {
            first = rest;
        }
        if order.is_ge() {
            second = others;
        }
    }
    if keep != Keep::Both {
        values.extend_from_slice(first);
    }
    if keep == Keep::Either {
        values.extend_from_slice(second);
    }
    if values.len() > COLLECTION_MAX as usize {
        return Err(FaultKind::TooManyElements);
    }
    Ok(maker.seq(Value::Set))
}

/// The element of a list at a place.
#[inline]
pub fn list_get(memory: Memory<'_>, list: Value, at: Value) -> Value {
    match (list, at) {
        (Value::List(seq), Value::Int(at)) => {
            let element = usize::try_from(at).ok().and_then(|at| memory.values(seq).get(at));
            element.copied().unwrap_or(Value::Absent)
        }
        _ => failed(&[list, at]),
    }
}

/// The place of a key's value in a map.
#[inline]
fn find_key(memory: Memory<'_>, map: Seq, key: crate::vm::value::StrRef) -> Option<Value> {
    let entries = memory.values(map);
    let (mut low, mut high) = (0, entries.len() / 2);
    while low < high {
        let middle = low + (high - low) / 2;
        let Value::String(other) = entries[middle * 2] else { return Some(Value::INTERNAL) };
        match compare_strings(memory, other, key) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Some(entries[middle * 2 + 1]),
        }
    }
    None
}

/// Whether a map has a key.
#[inline]
pub fn map_has_key(memory: Memory<'_>, map: Value, key: Value) -> Value {
    match (map, key) {
        (Value::Map(seq), Value::String(key)) => Value::Bool(find_key(memory, seq, key).is_some()),
        _ => failed(&[map, key]),
    }
}

/// The value of a map at a key.
#[inline]
pub fn map_get(memory: Memory<'_>, map: Value, key: Value) -> Value {
    match (map, key) {
        (Value::Map(seq), Value::String(key)) => find_key(memory, seq, key).unwrap_or(Value::Absent),
        _ => failed(&[map, key]),
    }
}

/// What is made of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A set.
    Set,
    /// A list.
    List,
    /// A map: keys and values in turn.
    Map,
    /// A record.
    Record,
}

/// A collection or record of values in consecutive slots.
pub fn make<E: Entities>(maker: Maker<'_, E>, slots: &[Value], shape: Shape) -> Value {
    if slots.iter().any(|value| value.is_error()) {
        return failed(slots);
    }
    maker.values.clear();
    maker.values.extend_from_slice(slots);
    match shape {
        Shape::Set => maker.set(),
        Shape::Map => maker.map(),
        Shape::List => maker.seq(Value::List),
        Shape::Record => maker.seq(Value::Record),
    }
}

/// A field of a record.
#[inline]
pub fn field(memory: Memory<'_>, record: Value, at: u16) -> Value {
    match record {
        Value::Record(seq) => memory.values(seq).get(usize::from(at)).copied().unwrap_or(Value::INTERNAL),
        _ => failed(&[record]),
    }
}

/// An iterator before the first element, or the first key.
#[inline]
pub fn iterate(operand: Value) -> Value {
    let (seq, stride) = match operand {
        Value::Set(seq) | Value::List(seq) => (seq, 1),
        Value::Map(seq) => (seq, 2),
        _ => return failed(&[operand]),
    };
    Value::Iterator(Iter { region: seq.region, stride, at: seq.start, end: seq.start.saturating_add(seq.len) })
}

/// The element at which an iterator stands.
#[inline]
pub fn element(memory: Memory<'_>, operand: Value) -> Value {
    match operand {
        Value::Iterator(iter) => memory.element(iter),
        _ => failed(&[operand]),
    }
}
