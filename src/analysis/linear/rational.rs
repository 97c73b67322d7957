//! Fractions of 128-bit integers. Nothing rounds and nothing wraps: what does not fit is nothing.

use std::cmp::Ordering;

/// A fraction in lowest terms, with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rational {
    over: i128,
    under: i128,
}

impl Rational {
    /// 0
    pub const ZERO: Rational = Rational { over: 0, under: 1 };

    /// An integer.
    #[must_use]
    pub fn integer(value: i128) -> Rational {
        Rational { over: value, under: 1 }
    }

    /// `over / under`
    #[must_use]
    pub fn new(over: i128, under: i128) -> Option<Rational> {
        if under == 0 {
            return None;
        }
        let divisor = i128::try_from(greatest_common_divisor(over.unsigned_abs(), under.unsigned_abs())).ok()?;
        let (over, under) = (over.checked_div(divisor)?, under.checked_div(divisor)?);
        if under < 0 {
            Some(Rational { over: over.checked_neg()?, under: under.checked_neg()? })
        } else {
            Some(Rational { over, under })
        }
    }

    /// The integer, if it is one.
    #[must_use]
    pub fn as_integer(self) -> Option<i128> {
        (self.under == 1).then_some(self.over)
    }

    /// The denominator.
    #[must_use]
    pub fn denominator(self) -> i128 {
        self.under
    }

    /// The greatest integer that is not greater.
    #[must_use]
    pub fn floor(self) -> i128 {
        self.over.div_euclid(self.under)
    }

    /// Whether it is less than, equal to or greater than 0.
    #[must_use]
    pub fn sign(self) -> Ordering {
        self.over.cmp(&0)
    }

    /// `self + other`
    #[must_use]
    pub fn plus(self, other: Rational) -> Option<Rational> {
        if self.under == other.under {
            return Rational::new(self.over.checked_add(other.over)?, self.under);
        }
        let (one, another) = (self.over.checked_mul(other.under)?, other.over.checked_mul(self.under)?);
        Rational::new(one.checked_add(another)?, self.under.checked_mul(other.under)?)
    }

    /// `self - other`
    #[must_use]
    pub fn minus(self, other: Rational) -> Option<Rational> {
        self.plus(other.negated()?)
    }

    /// `self * other`
    #[must_use]
    pub fn times(self, other: Rational) -> Option<Rational> {
        // Reduced crosswise first, so that what fits does.
        let (one, another) = (Rational::new(self.over, other.under)?, Rational::new(other.over, self.under)?);
        Rational::new(one.over.checked_mul(another.over)?, one.under.checked_mul(another.under)?)
    }

    /// `-self`
    #[must_use]
    pub fn negated(self) -> Option<Rational> {
        Some(Rational { over: self.over.checked_neg()?, under: self.under })
    }

    /// `1 / self`
    #[must_use]
    pub fn inverse(self) -> Option<Rational> {
        Rational::new(self.under, self.over)
    }

    /// How it compares to an integer.
    #[must_use]
    pub fn compare(self, integer: i128) -> Ordering {
        // a/b against n: with a = qb + r and 0 <= r < b it is q + r/b.
        let floor = self.floor();
        floor.cmp(&integer).then(if self.under == 1 { Ordering::Equal } else { Ordering::Greater })
    }
}

pub(super) fn greatest_common_divisor(one: u128, other: u128) -> u128 {
    let (mut one, mut other) = (one, other);
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_in_lowest_terms() {
        let of = |over, under| Rational::new(over, under).expect("it fits");
        assert_eq!(of(2, -4), of(-1, 2));
        assert_eq!(of(1, 2).plus(of(1, 3)), Some(of(5, 6)));
        assert_eq!(of(1, 2).minus(of(1, 2)), Some(Rational::ZERO));
        assert_eq!(of(-2, 3).times(of(3, 4)), Some(of(-1, 2)));
        assert_eq!(of(-2, 3).inverse(), Some(of(-3, 2)));
        assert_eq!(Rational::ZERO.inverse(), None);
        assert_eq!([of(-7, 2).floor(), of(7, 2).floor(), of(-4, 2).floor()], [-4, 3, -2]);
        assert_eq!(of(-7, 2).compare(-4), Ordering::Greater);
        assert_eq!(of(-7, 2).compare(-3), Ordering::Less);
        assert_eq!(of(6, 2).compare(3), Ordering::Equal);
    }

    #[test]
    fn what_does_not_fit_is_nothing() {
        let most = Rational::integer(i128::MAX);
        assert_eq!(most.plus(Rational::integer(1)), None);
        assert_eq!(most.times(Rational::integer(2)), None);
        assert_eq!(Rational::integer(i128::MIN).negated(), None);
        assert_eq!(Rational::new(i128::MIN, -1), None);
        assert_eq!(Rational::new(1, 2).and_then(|half| most.times(half)), Rational::new(i128::MAX, 2));
    }
}
