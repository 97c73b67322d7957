//! Duration and Timestamp.

use crate::data::arithmetic::ArithmeticError;
use crate::data::duration::Duration;
use crate::data::timestamp::{Parts, Timestamp};
use crate::vm::ops::{Outcome, failed};
use crate::vm::value::Value;

/// A checked operation on two durations.
#[inline]
pub fn durations(
    left: Value,
    right: Value,
    operation: fn(Duration, Duration) -> Result<Duration, ArithmeticError>,
) -> Outcome {
    match (left, right) {
        (Value::Duration(left), Value::Duration(right)) => {
            Ok(Value::Duration(operation(Duration(left), Duration(right))?.0))
        }
        _ => Ok(failed(&[left, right])),
    }
}

/// So many times as long.
#[inline]
pub fn duration_multiply(left: Value, right: Value) -> Outcome {
    match (left, right) {
        (Value::Duration(left), Value::Int(right)) => Ok(Value::Duration(Duration(left).checked_mul(right)?.0)),
        _ => Ok(failed(&[left, right])),
    }
}

/// As long, the other way.
#[inline]
pub fn duration_negate(operand: Value) -> Outcome {
    match operand {
        Value::Duration(operand) => Ok(Value::Duration(Duration(operand).checked_neg()?.0)),
        _ => Ok(failed(&[operand])),
    }
}

/// An instant moved by a duration.
#[inline]
pub fn shift(
    left: Value,
    right: Value,
    operation: fn(Timestamp, Duration) -> Result<Timestamp, ArithmeticError>,
) -> Outcome {
    if let (Value::Timestamp(left), Value::Duration(right)) = (left, right)
        && let Some(left) = Timestamp::from_millis(left)
    {
        return Ok(Value::Timestamp(operation(left, Duration(right))?.millis()));
    }
    Ok(failed(&[left, right]))
}

/// How long the first is after the second. Instants lie so close together that it always fits.
#[inline]
pub fn difference(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Timestamp(left), Value::Timestamp(right)) => Value::Duration(left.saturating_sub(right)),
        _ => failed(&[left, right]),
    }
}

/// What a calendar or a clock shows.
#[inline]
pub fn part(operand: Value, part: fn(Parts) -> i64) -> Value {
    if let Value::Timestamp(millis) = operand
        && let Some(timestamp) = Timestamp::from_millis(millis)
    {
        return Value::Int(part(timestamp.parts()));
    }
    failed(&[operand])
}
