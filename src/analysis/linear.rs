//! Whether linear constraints over integers with bounds can hold together; if so, with which values, if not, which of
//! them can't.
//!
//! Constraints on one variable, which most are, only move its bounds, and where there are no others that is all. Sums
//! are decided over fractions by the general simplex method of Dutertre and de Moura, and over integers by branching.
//! Values are chosen near 0. All is exact: what does not fit into 128 bits is undecided.

mod branch;
mod rational;
mod simplex;

use std::collections::BTreeMap;

use crate::analysis::budget::{Budget, Reason};
use crate::analysis::linear::branch::Search;
use crate::analysis::numbers::{Linear, NumVar, Numbers};

/// A sum with a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// What is bounded.
    pub sum: Linear,
    /// On which side.
    pub side: Side,
    /// By what, inclusive.
    pub bound: i128,
}

/// A side of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
}

/// What a search ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They hold together, with these values of the variables in them.
    Values(BTreeMap<NumVar, i128>),
    /// These can't hold together, by their places; ascending.
    Conflict(Vec<usize>),
    /// It could not be found out.
    Undecided(Reason),
}

impl Constraint {
    /// `sum <= bound`
    #[must_use]
    pub fn at_most(sum: Linear, bound: i128) -> Constraint {
        Constraint { sum, side: Side::AtMost, bound }
    }

    /// `sum >= bound`
    #[must_use]
    pub fn at_least(sum: Linear, bound: i128) -> Constraint {
        Constraint { sum, side: Side::AtLeast, bound }
    }

    /// Whether it holds; nothing if that does not fit into 128 bits.
    pub fn holds(&self, of: impl Fn(NumVar) -> i128) -> Option<bool> {
        let value = self.sum.value(of)?;
        Some(match self.side {
            Side::AtMost => value <= self.bound,
            Side::AtLeast => value >= self.bound,
        })
    }
}

/// The value between these that is nearest to 0.
#[must_use]
pub fn nearest_to_zero(low: i128, high: i128) -> i128 {
    0.clamp(low, high.max(low))
}

/// Why a bound is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// By what the variable is.
    Axiom,
    /// By a constraint, at this place.
    Given(usize),
    /// For the sake of argument: the branch of this number.
    Branch(usize),
}

/// Between which values something lies, and why.
#[derive(Clone, Copy, Debug)]
struct Range {
    low: (i128, Why),
    high: (i128, Why),
}

impl Range {
    /// The range with this bound as well, if that says more.
    fn bounded(mut self, side: Side, bound: i128, why: Why) -> Range {
        match side {
            Side::AtMost if bound < self.high.0 => self.high = (bound, why),
            Side::AtLeast if bound > self.low.0 => self.low = (bound, why),
            Side::AtMost | Side::AtLeast => {}
        }
        self
    }

    fn is_empty(&self) -> bool {
        self.low.0 > self.high.0
    }
}

/// Whether the constraints hold together.
#[must_use]
pub fn decide(numbers: &Numbers, constraints: &[Constraint], budget: &mut Budget) -> Verdict {
    match attempt(numbers, constraints, budget) {
        Ok(verdict) => verdict,
        Err(stop) => Verdict::Undecided(stop),
    }
}

fn attempt(numbers: &Numbers, constraints: &[Constraint], budget: &mut Budget) -> Result<Verdict, Reason> {
    budget.spend(1)?;
    let mut ranges: BTreeMap<NumVar, Range> = BTreeMap::new();
    let mut sums: Vec<usize> = Vec::new();
    for (place, constraint) in constraints.iter().enumerate() {
        budget.spend(1)?;
        for (variable, _) in &constraint.sum.terms {
            let (low, high) = numbers.bounds(*variable);
            ranges.entry(*variable).or_insert(Range { low: (low, Why::Axiom), high: (high, Why::Axiom) });
        }
        let bound = constraint.bound.checked_sub(constraint.sum.constant).ok_or(Reason::Numbers)?;
        match constraint.sum.terms[..] {
            [] => {
                if constraint.holds(|_| 0) != Some(true) {
                    return Ok(Verdict::Conflict(vec![place]));
                }
            }
            [(variable, factor)] => {
                let (side, bound) = divided(constraint.side, bound, factor).ok_or(Reason::Numbers)?;
                let Some(range) = ranges.get_mut(&variable) else { continue };
                *range = range.bounded(side, bound, Why::Given(place));
                if range.is_empty() {
                    return Ok(Verdict::Conflict(given([range.low.1, range.high.1])));
                }
            }
            _ => sums.push(place),
        }
    }
    let mut values: BTreeMap<NumVar, i128> =
        ranges.iter().map(|(variable, range)| (*variable, nearest_to_zero(range.low.0, range.high.0))).collect();
    let of = |values: &BTreeMap<NumVar, i128>, variable: NumVar| values.get(&variable).copied().unwrap_or(0);
    let all_hold = |values: &BTreeMap<NumVar, i128>| {
        sums.iter().all(|place| constraints[*place].holds(|variable| of(values, variable)) == Some(true))
    };
    if all_hold(&values) {
        return Ok(Verdict::Values(values));
    }
    // What stands in no sum is settled.
    let open: BTreeMap<NumVar, Range> = sums
        .iter()
        .flat_map(|place| constraints[*place].sum.terms.iter())
        .filter_map(|(variable, _)| Some((*variable, *ranges.get(variable)?)))
        .collect();
    let mut search = Search::new(&open, sums.iter().map(|place| (*place, &constraints[*place])), budget)?;
    match search.run()? {
        Ok(found) => values.extend(found),
        Err(core) => return Ok(Verdict::Conflict(core)),
    }
    for (variable, range) in &open {
        budget.spend(u64::try_from(sums.len()).unwrap_or(u64::MAX))?;
        let now = of(&values, *variable);
        if let Some(better) = nearer(*variable, *range, &values, sums.iter().map(|place| &constraints[*place])) {
            values.insert(*variable, better);
            if !all_hold(&values) {
                values.insert(*variable, now);
            }
        }
    }
    if all_hold(&values) { Ok(Verdict::Values(values)) } else { Err(Reason::Numbers) }
}

/// The constraint `factor * x <= bound` (or `>=`) as one on `x`.
fn divided(side: Side, bound: i128, factor: i128) -> Option<(Side, i128)> {
    let (side, bound, factor) = match (side, factor < 0) {
        (side, false) => (side, bound, factor),
        (Side::AtMost, true) => (Side::AtLeast, bound.checked_neg()?, factor.checked_neg()?),
        (Side::AtLeast, true) => (Side::AtMost, bound.checked_neg()?, factor.checked_neg()?),
    };
    let floor = bound.checked_div_euclid(factor)?;
    Some(match side {
        Side::AtMost => (side, floor),
        Side::AtLeast if floor.checked_mul(factor)? == bound => (side, floor),
        Side::AtLeast => (side, floor.checked_add(1)?),
    })
}

/// The places of constraints among reasons.
fn given(reasons: impl IntoIterator<Item = Why>) -> Vec<usize> {
    let mut places: Vec<usize> = reasons
        .into_iter()
        .filter_map(|why| match why {
            Why::Given(place) => Some(place),
            Why::Axiom | Why::Branch(_) => None,
        })
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The value of a variable that is nearest to 0 while the others keep theirs.
fn nearer<'c>(
    variable: NumVar,
    range: Range,
    values: &BTreeMap<NumVar, i128>,
    sums: impl Iterator<Item = &'c Constraint>,
) -> Option<i128> {
    let mut range = range;
    for constraint in sums {
        let Some((_, factor)) = constraint.sum.terms.iter().find(|(other, _)| *other == variable) else { continue };
        let rest = constraint
            .sum
            .value(|other| if other == variable { 0 } else { values.get(&other).copied().unwrap_or(0) })?;
        let (side, bound) = divided(constraint.side, constraint.bound.checked_sub(rest)?, *factor)?;
        range = range.bounded(side, bound, Why::Axiom);
    }
    (!range.is_empty()).then(|| nearest_to_zero(range.low.0, range.high.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ample() -> Budget {
        Budget::new(100_000)
    }

    /// Factors, whether at most or at least, and the bound.
    type Row = (Vec<i128>, bool, i128);

    /// Up to four variables between -4 and 4, and sums of them.
    fn problems() -> impl Strategy<Value = (Vec<(i128, i128)>, Vec<Row>)> {
        let bounds = prop::collection::vec((-4..=2_i128, 0..=4_i128).prop_map(|(low, size)| (low, low + size)), 1..=4);
        let constraint = (prop::collection::vec(-5..=5_i128, 4), any::<bool>(), -12..=12_i128);
        // Many with one variable, as it is in life.
        let single = (0..4_usize, 1..=3_i128, any::<bool>(), -5..=5_i128).prop_map(|(at, factor, side, bound)| {
            let mut factors = vec![0; 4];
            factors[at] = factor;
            (factors, side, bound)
        });
        (bounds, prop::collection::vec(prop_oneof![constraint, single], 0..=6))
    }

    fn build(bounds: &[(i128, i128)], rows: &[(Vec<i128>, bool, i128)]) -> (Numbers, Vec<NumVar>, Vec<Constraint>) {
        let mut numbers = Numbers::default();
        let variables: Vec<NumVar> = bounds.iter().map(|(low, high)| numbers.variable(*low, *high)).collect();
        let constraints = rows
            .iter()
            .map(|(factors, at_most, bound)| {
                let mut sum = Linear::constant(1);
                for (variable, factor) in variables.iter().zip(factors) {
                    sum = sum.plus(&Linear::variable(*variable), *factor).expect("it is small");
                }
                if *at_most { Constraint::at_most(sum, *bound) } else { Constraint::at_least(sum, *bound) }
            })
            .collect();
        (numbers, variables, constraints)
    }

    /// Whether some values satisfy all constraints.
    fn is_possible(numbers: &Numbers, variables: &[NumVar], constraints: &[&Constraint]) -> bool {
        fn go(
            numbers: &Numbers,
            variables: &[NumVar],
            constraints: &[&Constraint],
            values: &mut BTreeMap<NumVar, i128>,
        ) -> bool {
            let Some((first, rest)) = variables.split_first() else {
                return constraints
                    .iter()
                    .all(|constraint| constraint.holds(|variable| values[&variable]) == Some(true));
            };
            let (low, high) = numbers.bounds(*first);
            (low..=high).any(|value| {
                values.insert(*first, value);
                go(numbers, rest, constraints, values)
            })
        }
        go(numbers, variables, constraints, &mut BTreeMap::new())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn what_is_decided_is_so((bounds, rows) in problems()) {
            let (numbers, variables, constraints) = build(&bounds, &rows);
            let all: Vec<&Constraint> = constraints.iter().collect();
            match decide(&numbers, &constraints, &mut ample()) {
                Verdict::Values(values) => {
                    for (variable, value) in &values {
                        let (low, high) = numbers.bounds(*variable);
                        prop_assert!((low..=high).contains(value));
                    }
                    prop_assert!(all.iter().all(|constraint| constraint.holds(|variable| values[&variable]) == Some(true)));
                }
                Verdict::Conflict(core) => {
                    let core: Vec<&Constraint> = core.iter().map(|place| all[*place]).collect();
                    prop_assert!(!is_possible(&numbers, &variables, &core));
                }
                Verdict::Undecided(stop) => prop_assert!(false, "{stop:?}"),
            }
        }
    }

    #[test]
    fn values_are_near_zero() {
        let mut numbers = Numbers::default();
        let (x, y) = (numbers.variable(-100, 100), numbers.variable(3, 50));
        let (sum, one) = (Linear::variable(x).plus(&Linear::variable(y), 1), Linear::variable(y));
        let sum = sum.expect("it is small");
        let values = |constraints: &[Constraint]| match decide(&numbers, constraints, &mut ample()) {
            Verdict::Values(values) => values,
            other => panic!("{other:?}"),
        };
        assert_eq!(values(&[Constraint::at_least(one.clone(), -7)]), BTreeMap::from([(y, 3)]));
        assert_eq!(values(&[Constraint::at_least(sum.clone(), 4)]), BTreeMap::from([(x, 1), (y, 3)]));
        let exact = [Constraint::at_least(sum.clone(), 0), Constraint::at_most(sum, 0)];
        assert_eq!(values(&exact), BTreeMap::from([(x, -3), (y, 3)]));
    }

    #[test]
    fn whole_numbers_are_not_fractions() {
        let mut numbers = Numbers::default();
        let huge = i128::from(i64::MAX);
        let [x, y, a, b] = [(); 4].map(|()| numbers.variable(-huge, huge));
        let sum = |terms: &[(NumVar, i128)]| Linear { constant: 0, terms: terms.to_vec() };
        let equals = |terms: &[(NumVar, i128)], value: i128| {
            [Constraint::at_most(sum(terms), value), Constraint::at_least(sum(terms), value)]
        };
        // x + y is even and x - y is odd.
        let mut constraints = vec![Constraint::at_least(sum(&[(x, 1)]), 0)];
        constraints.extend(equals(&[(x, 1), (y, 1), (a, -2)], 0));
        constraints.extend(equals(&[(x, 1), (y, -1), (b, -2)], 1));
        assert_eq!(decide(&numbers, &constraints, &mut ample()), Verdict::Conflict(vec![1, 2, 3, 4]));
        // 3x + 5y = 4 has solutions.
        let constraints = equals(&[(x, 3), (y, 5)], 4);
        match decide(&numbers, &constraints, &mut ample()) {
            Verdict::Values(values) => assert_eq!(3 * values[&x] + 5 * values[&y], 4),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_does_not_fit_or_takes_too_long_is_undecided() {
        let mut numbers = Numbers::default();
        let (x, y) = (numbers.variable(0, i128::MAX), numbers.variable(0, i128::MAX));
        let sum = Linear { constant: 0, terms: vec![(x, i128::MAX), (y, i128::MAX - 1)] };
        let huge = [Constraint::at_least(sum.clone(), 5), Constraint::at_most(sum, 6)];
        assert_eq!(decide(&numbers, &huge, &mut ample()), Verdict::Undecided(Reason::Numbers));
        let small = Linear { constant: 0, terms: vec![(x, 1), (y, 1)] };
        let impossible = [Constraint::at_least(small.clone(), 1), Constraint::at_most(small, 0)];
        assert_eq!(decide(&numbers, &impossible, &mut ample()), Verdict::Conflict(vec![0, 1]));
        for steps in 0..3 {
            let verdict = decide(&numbers, &impossible, &mut Budget::new(steps));
            assert_eq!(verdict, Verdict::Undecided(Reason::Steps));
        }
    }
}
