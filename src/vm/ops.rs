//! What each instruction does to its operands. Functions of values, without a program counter.
//!
//! Errors are values: an operand that is one is the result; of several, that with the smallest site. An operand of a type
//! that the verifier would not have let through is a defect of ours and gives [`Value::INTERNAL`], which fails closed.

pub mod collections;
pub mod decimal;
pub mod entities;
pub mod graph;
pub mod int;
pub mod logic;
pub mod net;
pub mod text;
pub mod time;

use crate::data::arithmetic::ArithmeticError;
use crate::vm::value::{FaultKind, Value};

/// The result of an instruction that may fail by itself: the caller adds the site.
pub type Outcome = Result<Value, FaultKind>;

impl From<ArithmeticError> for FaultKind {
    fn from(error: ArithmeticError) -> FaultKind {
        match error {
            ArithmeticError::Overflow => FaultKind::Overflow,
            ArithmeticError::Inexact => FaultKind::Inexact,
        }
    }
}

/// The error that operands give which are not what the instruction works on.
#[cold]
#[must_use]
pub fn failed(operands: &[Value]) -> Value {
    operands.iter().filter_map(|operand| operand.fault()).min().map_or(Value::INTERNAL, Value::Error)
}
