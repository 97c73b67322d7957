//! Interval arithmetic: which integers an expression can be, given which ones its parts can be.
//!
//! The checker computes with these bounds: they say whether an operation may overflow, whether a value fits a refined
//! `Int in a..=b`, and whether a comparison can still go either way. Bounds are exact or too wide, never too narrow.

use crate::types::ty::Interval;

/// The bounds of a result, and whether some result lies outside 64 bits (then the bounds are cut off there).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Where the results that exist lie.
    pub interval: Interval,
    /// Some operands have no result.
    pub may_overflow: bool,
}

/// One integer.
#[must_use]
pub fn exactly(value: i64) -> Interval {
    Interval { low: value, high: value }
}

/// The interval between two bounds, if there is anything in it.
#[must_use]
pub fn between(low: i64, high: i64) -> Option<Interval> {
    (low <= high).then_some(Interval { low, high })
}

/// The sizes that a collection or text of at most so many parts can have.
#[must_use]
pub fn size(max: u32) -> Interval {
    Interval { low: 0, high: i64::from(max) }
}

/// What lies in both.
#[must_use]
pub fn intersect(left: Interval, right: Interval) -> Option<Interval> {
    between(left.low.max(right.low), left.high.min(right.high))
}

/// The least interval that holds both.
#[must_use]
pub fn hull(left: Interval, right: Interval) -> Interval {
    Interval { low: left.low.min(right.low), high: left.high.max(right.high) }
}

/// Whether every integer of `inner` is in `outer`.
#[must_use]
pub fn fits(inner: Interval, outer: Interval) -> bool {
    outer.low <= inner.low && inner.high <= outer.high
}

/// `left + right`
#[must_use]
pub fn add(left: Interval, right: Interval) -> Bounds {
    bounds(i128::from(left.low) + i128::from(right.low), i128::from(left.high) + i128::from(right.high))
}

/// `left - right`
#[must_use]
pub fn subtract(left: Interval, right: Interval) -> Bounds {
    bounds(i128::from(left.low) - i128::from(right.high), i128::from(left.high) - i128::from(right.low))
}

/// `left * right`
#[must_use]
pub fn multiply(left: Interval, right: Interval) -> Bounds {
    let corners = [
        i128::from(left.low) * i128::from(right.low),
        i128::from(left.low) * i128::from(right.high),
        i128::from(left.high) * i128::from(right.low),
        i128::from(left.high) * i128::from(right.high),
    ];
    let low = corners.iter().copied().min().unwrap_or(0);
    let high = corners.iter().copied().max().unwrap_or(0);
    bounds(low, high)
}

/// `left / divisor`, rounded toward zero; the divisor is not zero.
#[must_use]
pub fn divide(left: Interval, divisor: i64) -> Bounds {
    let divisor = if divisor == 0 { 1 } else { i128::from(divisor) };
    let (first, second) = (i128::from(left.low) / divisor, i128::from(left.high) / divisor);
    bounds(first.min(second), first.max(second))
}

/// `-value`
#[must_use]
pub fn negate(value: Interval) -> Bounds {
    bounds(-i128::from(value.high), -i128::from(value.low))
}

/// `abs(value)`
#[must_use]
pub fn abs(value: Interval) -> Bounds {
    let (low, high) = (i128::from(value.low), i128::from(value.high));
    if low >= 0 {
        bounds(low, high)
    } else if high <= 0 {
        bounds(-high, -low)
    } else {
        bounds(0, high.max(-low))
    }
}

/// `min(left, right)`
#[must_use]
pub fn min(left: Interval, right: Interval) -> Interval {
    Interval { low: left.low.min(right.low), high: left.high.min(right.high) }
}

/// `max(left, right)`
#[must_use]
pub fn max(left: Interval, right: Interval) -> Interval {
    Interval { low: left.low.max(right.low), high: left.high.max(right.high) }
}

/// What remains of `value` when it is less than something in `other`; with `or_equal`, at most something in it.
#[must_use]
pub fn below(value: Interval, other: Interval, or_equal: bool) -> Option<Interval> {
    let high = if or_equal { other.high } else { other.high.checked_sub(1)? };
    between(value.low, value.high.min(high))
}

/// What remains of `value` when it is greater than something in `other`; with `or_equal`, at least something in it.
#[must_use]
pub fn above(value: Interval, other: Interval, or_equal: bool) -> Option<Interval> {
    let low = if or_equal { other.low } else { other.low.checked_add(1)? };
    between(value.low.max(low), value.high)
}

/// What remains of `value` when it is not `excluded`: only an end can be cut off.
#[must_use]
pub fn without(value: Interval, excluded: i64) -> Option<Interval> {
    if value.low == excluded {
        between(value.low.checked_add(1)?, value.high)
    } else if value.high == excluded {
        between(value.low, value.high.checked_sub(1)?)
    } else {
        Some(value)
    }
}

fn bounds(low: i128, high: i128) -> Bounds {
    let (least, greatest) = (i128::from(i64::MIN), i128::from(i64::MAX));
    let may_overflow = low < least || high > greatest;
    // Where nothing fits at all the bounds say nothing; the operation always fails then.
    let interval = if high < least || low > greatest {
        Interval::FULL
    } else {
        Interval { low: low.max(least) as i64, high: high.min(greatest) as i64 }
    };
    Bounds { interval, may_overflow }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(low: i64, high: i64) -> Interval {
        Interval { low, high }
    }

    fn exact(low: i64, high: i64) -> Bounds {
        Bounds { interval: of(low, high), may_overflow: false }
    }

    #[test]
    fn arithmetic() {
        assert_eq!(add(of(1, 2), of(10, 20)), exact(11, 22));
        assert_eq!(subtract(of(1, 2), of(10, 20)), exact(-19, -8));
        assert_eq!(multiply(of(-2, 3), of(-5, 7)), exact(-15, 21));
        assert_eq!(divide(of(-7, 7), 2), exact(-3, 3));
        assert_eq!(divide(of(-7, 7), -2), exact(-3, 3));
        assert_eq!(negate(of(-1, 5)), exact(-5, 1));
        assert_eq!(abs(of(-7, 3)), exact(0, 7));
        assert_eq!(abs(of(-7, -3)), exact(3, 7));
        assert_eq!(min(of(0, 10), of(3, 5)), of(0, 5));
        assert_eq!(max(of(0, 10), of(3, 5)), of(3, 10));
    }

    #[test]
    fn overflow_is_seen_exactly() {
        assert!(!add(of(i64::MIN, 0), of(0, i64::MAX)).may_overflow);
        assert!(add(of(0, i64::MAX), of(0, 1)).may_overflow);
        assert!(negate(Interval::FULL).may_overflow);
        assert!(abs(Interval::FULL).may_overflow);
        assert!(divide(Interval::FULL, -1).may_overflow);
        assert!(!divide(Interval::FULL, 2).may_overflow);
        assert_eq!(add(exactly(i64::MAX), exactly(1)).interval, Interval::FULL);
    }

    #[test]
    fn narrowing() {
        assert_eq!(below(of(0, 10), exactly(5), false), Some(of(0, 4)));
        assert_eq!(below(of(5, 10), exactly(5), false), None);
        assert_eq!(above(of(0, 10), exactly(5), true), Some(of(5, 10)));
        assert_eq!(above(Interval::FULL, exactly(i64::MAX), false), None);
        assert_eq!(without(of(0, 2), 0), Some(of(1, 2)));
        assert_eq!(without(of(0, 2), 1), Some(of(0, 2)));
        assert_eq!(without(exactly(1), 1), None);
    }
}
