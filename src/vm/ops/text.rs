//! String.

use crate::vm::image::Image;
use crate::vm::memory::Memory;
use crate::vm::ops::failed;
use crate::vm::value::Value;

/// The number of code points.
#[inline]
pub fn length(memory: Memory<'_>, operand: Value) -> Value {
    match operand {
        Value::String(operand) => Value::Int(memory.text(operand).chars().count() as i64),
        _ => failed(&[operand]),
    }
}

/// A test on two strings.
#[inline]
pub fn test(memory: Memory<'_>, left: Value, right: Value, test: fn(&str, &str) -> bool) -> Value {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Value::Bool(test(memory.text(left), memory.text(right))),
        _ => failed(&[left, right]),
    }
}

/// Whether the whole string matches a pattern.
#[inline]
pub fn matches(image: &Image, memory: Memory<'_>, operand: Value, pattern: u32) -> Value {
    match (operand, image.patterns.get(pattern as usize)) {
        (Value::String(operand), Some(pattern)) => Value::Bool(pattern.is_match(memory.text(operand))),
        _ => failed(&[operand]),
    }
}
