//! Numbers as the analysis sees them: variables with bounds, and sums of them with whole coefficients.
//!
//! Integers, decimals (as millionths), durations and timestamps (as milliseconds) are all integers of 64 bits; sums are
//! computed with 128 bits and checked, so that an overflow of the language is a question like any other.

use std::collections::BTreeMap;

use crate::analysis::text::TextVar;

/// A variable that stands for an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumVar(pub u32);

/// What a number is a function of, where it is no variable of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The code points of a text.
    Characters(TextVar),
    /// The components of a path.
    Depth(TextVar),
    /// The port of a URL that has one.
    Port(TextVar),
    /// The year of a timestamp, UTC, as are the next.
    Year(NumVar),
    /// The month of a timestamp.
    Month(NumVar),
    /// The day of the month of a timestamp.
    Day(NumVar),
}

/// All variables, with the least and the greatest value of each.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    bounds: Vec<(i128, i128)>,
    sources: BTreeMap<Source, NumVar>,
    functions: BTreeMap<NumVar, Source>,
}

impl Numbers {
    /// A new variable between two values, both included.
    pub fn variable(&mut self, low: i128, high: i128) -> NumVar {
        self.bounds.push((low, high));
        NumVar(u32::try_from(self.bounds.len() - 1).unwrap_or(u32::MAX))
    }

    /// The variable that is a function of something else; the same for the same.
    pub fn function(&mut self, source: Source, low: i128, high: i128) -> NumVar {
        if let Some(known) = self.sources.get(&source) {
            return *known;
        }
        let new = self.variable(low, high);
        self.sources.insert(source, new);
        self.functions.insert(new, source);
        new
    }

    /// What a variable is a function of, if it is one.
    #[must_use]
    pub fn source(&self, variable: NumVar) -> Option<Source> {
        self.functions.get(&variable).copied()
    }

    /// All variables that are functions of something else.
    pub fn functions(&self) -> impl Iterator<Item = (Source, NumVar)> {
        self.sources.iter().map(|(source, variable)| (*source, *variable))
    }

    /// Between which values a variable lies.
    #[must_use]
    pub fn bounds(&self, variable: NumVar) -> (i128, i128) {
        self.bounds[variable.0 as usize]
    }

    /// How many variables there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bounds.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bounds.is_empty()
    }

    /// The least and the greatest value that a sum can have; nothing where they don't fit into 128 bits.
    #[must_use]
    pub fn range(&self, sum: &Linear) -> Option<(i128, i128)> {
        let (mut low, mut high) = (sum.constant, sum.constant);
        for (variable, factor) in &sum.terms {
            let (least, greatest) = self.bounds(*variable);
            let (one, other) = (least.checked_mul(*factor)?, greatest.checked_mul(*factor)?);
            low = low.checked_add(one.min(other))?;
            high = high.checked_add(one.max(other))?;
        }
        Some((low, high))
    }
}

/// A constant and variables with factors. No factor is zero, and the variables are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Linear {
    /// What is added.
    pub constant: i128,
    /// The variables with their factors.
    pub terms: Vec<(NumVar, i128)>,
}

impl Linear {
    /// A constant.
    #[must_use]
    pub fn constant(value: i128) -> Linear {
        Linear { constant: value, terms: Vec::new() }
    }

    /// A variable.
    #[must_use]
    pub fn variable(variable: NumVar) -> Linear {
        Linear { constant: 0, terms: vec![(variable, 1)] }
    }

    /// The value, if no variable is in it.
    #[must_use]
    pub fn as_constant(&self) -> Option<i128> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// The variable, if it is nothing but one.
    #[must_use]
    pub fn as_variable(&self) -> Option<NumVar> {
        match self.terms[..] {
            [(variable, 1)] if self.constant == 0 => Some(variable),
            _ => None,
        }
    }

    /// `self + factor * other`; nothing past 128 bits.
    #[must_use]
    pub fn plus(&self, other: &Linear, factor: i128) -> Option<Linear> {
        let mut terms: BTreeMap<NumVar, i128> = self.terms.iter().copied().collect();
        for (variable, times) in &other.terms {
            let sum = terms.entry(*variable).or_default();
            *sum = sum.checked_add(times.checked_mul(factor)?)?;
        }
        let constant = self.constant.checked_add(other.constant.checked_mul(factor)?)?;
        Some(Linear { constant, terms: terms.into_iter().filter(|(_, factor)| *factor != 0).collect() })
    }

    /// `factor * self`; nothing past 128 bits.
    #[must_use]
    pub fn times(&self, factor: i128) -> Option<Linear> {
        Linear::default().plus(self, factor)
    }

    /// The value, given values of the variables; nothing past 128 bits.
    pub fn value(&self, of: impl Fn(NumVar) -> i128) -> Option<i128> {
        self.terms
            .iter()
            .try_fold(self.constant, |sum, (variable, factor)| sum.checked_add(of(*variable).checked_mul(*factor)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        let mut numbers = Numbers::default();
        let (x, y) = (numbers.variable(0, 10), numbers.variable(-5, 5));
        let sum = Linear::variable(x).plus(&Linear::variable(y), -2).expect("it is small");
        assert_eq!(sum.terms, [(x, 1), (y, -2)]);
        assert_eq!(numbers.range(&sum), Some((-10, 20)));
        assert_eq!(sum.value(|variable| if variable == x { 7 } else { 3 }), Some(1));
        assert_eq!(sum.plus(&sum, -1).and_then(|nothing| nothing.as_constant()), Some(0));
        assert_eq!(Linear::constant(i128::MAX).times(2), None);
    }
}
