//! Checked arithmetic on `Int`, the 64-bit integer of the language, and the one error type of all arithmetic.
//!
//! Nothing here wraps, saturates or panics: a result that does not fit is an error, and an error is a value of
//! the language (it makes a decision `DENY`). The checker folds constants with these same functions, so that a
//! folded expression and an evaluated one can't differ.

use std::fmt;

/// Why an operation on numbers, durations or times has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArithmeticError {
    /// The result is outside the range of its type. A division by zero is an overflow too; the checker and the
    /// verifier admit non-zero constant divisors only, so that it can't be met at run time.
    Overflow,
    /// The result is not a whole count of the type's unit (10⁻⁶ for a decimal), and nothing is ever rounded.
    Inexact,
}

impl fmt::Display for ArithmeticError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArithmeticError::Overflow => "the result is out of range",
            ArithmeticError::Inexact => "the result has no exact representation",
        })
    }
}

impl std::error::Error for ArithmeticError {}

/// `left + right`.
#[inline]
pub fn int_add(left: i64, right: i64) -> Result<i64, ArithmeticError> {
    left.checked_add(right).ok_or(ArithmeticError::Overflow)
}

/// `left - right`.
#[inline]
pub fn int_sub(left: i64, right: i64) -> Result<i64, ArithmeticError> {
    left.checked_sub(right).ok_or(ArithmeticError::Overflow)
}

/// `left * right`.
#[inline]
pub fn int_mul(left: i64, right: i64) -> Result<i64, ArithmeticError> {
    left.checked_mul(right).ok_or(ArithmeticError::Overflow)
}

/// `-value`. The least integer has no negation.
#[inline]
pub fn int_neg(value: i64) -> Result<i64, ArithmeticError> {
    value.checked_neg().ok_or(ArithmeticError::Overflow)
}

/// The magnitude of `value`. The least integer has none.
#[inline]
pub fn int_abs(value: i64) -> Result<i64, ArithmeticError> {
    value.checked_abs().ok_or(ArithmeticError::Overflow)
}

/// `value / divisor`, truncated toward zero: `-7 / 2` is `-3`.
#[inline]
pub fn int_div(value: i64, divisor: i64) -> Result<i64, ArithmeticError> {
    value.checked_div(divisor).ok_or(ArithmeticError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERFLOW: Result<i64, ArithmeticError> = Err(ArithmeticError::Overflow);

    #[test]
    fn edges() {
        assert_eq!(int_add(i64::MAX, 0), Ok(i64::MAX));
        assert_eq!(int_add(i64::MAX, 1), OVERFLOW);
        assert_eq!(int_sub(i64::MIN, 1), OVERFLOW);
        assert_eq!(int_mul(i64::MIN, -1), OVERFLOW);
        assert_eq!(int_mul(1 << 32, 1 << 31), OVERFLOW);
        assert_eq!(int_neg(i64::MIN), OVERFLOW);
        assert_eq!(int_neg(i64::MAX), Ok(-i64::MAX));
        assert_eq!(int_abs(i64::MIN), OVERFLOW);
        assert_eq!(int_abs(-5), Ok(5));
    }

    #[test]
    fn division_truncates_toward_zero() {
        assert_eq!(int_div(7, 2), Ok(3));
        assert_eq!(int_div(-7, 2), Ok(-3));
        assert_eq!(int_div(7, -2), Ok(-3));
        assert_eq!(int_div(-7, -2), Ok(3));
        assert_eq!(int_div(i64::MIN, -1), OVERFLOW);
        assert_eq!(int_div(1, 0), OVERFLOW);
    }
}
