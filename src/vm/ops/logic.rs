//! Strong Kleene logic, comparison, presence.

use crate::vm::compare;
use crate::vm::memory::Memory;
use crate::vm::ops::{Outcome, failed};
use crate::vm::value::{FaultKind, Value};

/// False if one is false, else an error if one is, else true.
#[inline]
pub fn and(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
        (Value::Bool(true), Value::Bool(true)) => Value::Bool(true),
        _ => failed(&[left, right]),
    }
}

/// True if one is true, else an error if one is, else false.
#[inline]
pub fn or(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Bool(true), _) | (_, Value::Bool(true)) => Value::Bool(true),
        (Value::Bool(false), Value::Bool(false)) => Value::Bool(false),
        _ => failed(&[left, right]),
    }
}

/// Whether it is false.
#[inline]
pub fn not(operand: Value) -> Value {
    match operand {
        Value::Bool(operand) => Value::Bool(!operand),
        _ => failed(&[operand]),
    }
}

/// One more if it is true.
#[inline]
pub fn count_if(count: Value, condition: Value) -> Value {
    match (count, condition) {
        (Value::Int(count), Value::Bool(condition)) => Value::Int(count.saturating_add(i64::from(condition))),
        _ => failed(&[count, condition]),
    }
}

/// Whether an optional is present.
#[inline]
pub fn is_present(operand: Value) -> Value {
    match operand {
        Value::Error(_) => operand,
        Value::Absent => Value::Bool(false),
        _ => Value::Bool(true),
    }
}

/// The value of an optional.
#[inline]
pub fn unwrap(operand: Value) -> Outcome {
    if let Value::Absent = operand { Err(FaultKind::Absent) } else { Ok(operand) }
}

/// Equality of any two values of one type.
#[inline]
pub fn equal(memory: Memory<'_>, left: Value, right: Value) -> Value {
    if left.is_error() || right.is_error() {
        return failed(&[left, right]);
    }
    Value::Bool(compare::equal(memory, left, right))
}

/// Inequality.
#[inline]
pub fn not_equal(memory: Memory<'_>, left: Value, right: Value) -> Value {
    not(equal(memory, left, right))
}

/// Whether the order of two values, as the language has it, is one of those that `holds` names.
#[inline]
pub fn ordered(memory: Memory<'_>, left: Value, right: Value, holds: impl Fn(std::cmp::Ordering) -> bool) -> Value {
    let order = match (left, right) {
        (Value::Int(left), Value::Int(right))
        | (Value::Decimal(left), Value::Decimal(right))
        | (Value::Duration(left), Value::Duration(right))
        | (Value::Timestamp(left), Value::Timestamp(right)) => left.cmp(&right),
        (Value::Enum(left), Value::Enum(right)) => left.at.cmp(&right.at),
        // The order of bytes of UTF-8 is that of code points.
        (Value::String(left), Value::String(right)) => memory.text(left).cmp(memory.text(right)),
        _ => return failed(&[left, right]),
    };
    Value::Bool(holds(order))
}
