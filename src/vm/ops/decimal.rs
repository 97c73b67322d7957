//! Decimal.

use crate::data::arithmetic::ArithmeticError;
use crate::data::decimal::Decimal;
use crate::vm::ops::{Outcome, failed};
use crate::vm::value::Value;

/// A checked operation on two.
#[inline]
pub fn binary(
    left: Value,
    right: Value,
    operation: fn(Decimal, Decimal) -> Result<Decimal, ArithmeticError>,
) -> Outcome {
    match (left, right) {
        (Value::Decimal(left), Value::Decimal(right)) => {
            Ok(Value::Decimal(operation(Decimal(left), Decimal(right))?.0))
        }
        _ => Ok(failed(&[left, right])),
    }
}

/// A checked operation on one.
#[inline]
pub fn unary(operand: Value, operation: fn(Decimal) -> Result<Decimal, ArithmeticError>) -> Outcome {
    match operand {
        Value::Decimal(operand) => Ok(Value::Decimal(operation(Decimal(operand))?.0)),
        _ => Ok(failed(&[operand])),
    }
}

/// Without the digits behind the point.
#[inline]
pub fn truncate(operand: Value) -> Value {
    match operand {
        Value::Decimal(operand) => Value::Int(Decimal(operand).truncate()),
        _ => failed(&[operand]),
    }
}

/// One of two.
#[inline]
pub fn choose(left: Value, right: Value, operation: fn(i64, i64) -> i64) -> Value {
    match (left, right) {
        (Value::Decimal(left), Value::Decimal(right)) => Value::Decimal(operation(left, right)),
        _ => failed(&[left, right]),
    }
}
