//! Int.

use crate::data::arithmetic::{self, ArithmeticError};
use crate::data::decimal::Decimal;
use crate::vm::ops::{Outcome, failed};
use crate::vm::value::Value;

/// A checked operation on two.
#[inline]
pub fn binary(left: Value, right: Value, operation: fn(i64, i64) -> Result<i64, ArithmeticError>) -> Outcome {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Ok(Value::Int(operation(left, right)?)),
        _ => Ok(failed(&[left, right])),
    }
}

/// A checked operation on one.
#[inline]
pub fn unary(operand: Value, operation: fn(i64) -> Result<i64, ArithmeticError>) -> Outcome {
    match operand {
        Value::Int(operand) => Ok(Value::Int(operation(operand)?)),
        _ => Ok(failed(&[operand])),
    }
}

/// One of two.
#[inline]
pub fn choose(left: Value, right: Value, operation: fn(i64, i64) -> i64) -> Value {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Value::Int(operation(left, right)),
        _ => failed(&[left, right]),
    }
}

/// As a Decimal.
#[inline]
pub fn to_decimal(operand: Value) -> Outcome {
    match operand {
        Value::Int(operand) => Ok(Value::Decimal(Decimal::from_int(operand)?.0)),
        _ => Ok(failed(&[operand])),
    }
}

pub use arithmetic::{int_abs, int_add, int_div, int_mul, int_neg, int_sub};
