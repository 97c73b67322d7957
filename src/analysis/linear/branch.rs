//! Integers from fractions: where a variable came out between two integers, it is one or less, or the other or more.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::budget::{Budget, Reason};
use crate::analysis::linear::simplex::{Core, Simplex};
use crate::analysis::linear::{Constraint, Range, Side, Why, given};
use crate::analysis::numbers::NumVar;

/// How many branches may lie within each other.
const DEPTH_MAX: usize = 200;

/// A search for integers.
pub(super) struct Search<'b> {
    variables: Vec<NumVar>,
    simplex: Simplex,
    conflict: Option<Core>,
    budget: &'b mut Budget,
}

/// Values, or the places of constraints that can't hold together.
type Found = Result<BTreeMap<NumVar, i128>, Vec<usize>>;

impl<'b> Search<'b> {
    /// For these variables, all that are in these constraints on sums.
    pub(super) fn new<'c>(
        ranges: &BTreeMap<NumVar, Range>,
        constraints: impl Iterator<Item = (usize, &'c Constraint)>,
        budget: &'b mut Budget,
    ) -> Result<Search<'b>, Reason> {
        let variables: Vec<NumVar> = ranges.keys().copied().collect();
        let columns: BTreeMap<NumVar, usize> =
            variables.iter().enumerate().map(|(column, variable)| (*variable, column)).collect();
        let mut simplex = Simplex::new(ranges.values().copied());
        let mut sums: BTreeMap<&'c [(NumVar, i128)], usize> = BTreeMap::new();
        let mut conflict = None;
        for (place, Constraint { sum, side, bound }) in constraints {
            budget.spend(1)?;
            let column = match sums.get(&sum.terms[..]) {
                Some(column) => *column,
                None => {
                    let terms =
                        sum.terms.iter().filter_map(|(variable, factor)| Some((*columns.get(variable)?, *factor)));
                    let column = simplex.sum(terms, UNBOUNDED)?;
                    sums.insert(&sum.terms, column);
                    column
                }
            };
            let bound = bound.checked_sub(sum.constant).ok_or(Reason::Numbers)?;
            if let Some(core) = simplex.narrow(column, *side, bound, Why::Given(place))? {
                conflict.get_or_insert(core);
            }
        }
        Ok(Search { variables, simplex, conflict, budget })
    }

    pub(super) fn run(&mut self) -> Result<Found, Reason> {
        let core = match self.conflict.take() {
            Some(core) => Some(core),
            None => self.branch(0)?,
        };
        Ok(match core {
            Some(core) => Err(given(core)),
            None => Ok(self
                .variables
                .iter()
                .enumerate()
                .map(|(column, variable)| (*variable, self.simplex.value(column).floor()))
                .collect()),
        })
    }

    /// Leaves integers in the variables, or says which bounds can't hold together over integers.
    fn branch(&mut self, depth: usize) -> Result<Option<Core>, Reason> {
        if let Some(core) = self.simplex.check(self.budget)? {
            return Ok(Some(core));
        }
        let between = (0..self.variables.len()).find(|column| self.simplex.value(*column).as_integer().is_none());
        let Some(column) = between else { return Ok(None) };
        if let Some(core) = self.simplex.indivisible()? {
            return Ok(Some(core));
        }
        if depth >= DEPTH_MAX {
            return Err(Reason::Steps);
        }
        let range = self.simplex.range(column);
        let floor = self.simplex.value(column).floor();
        let below = (Side::AtMost, floor);
        let above = (Side::AtLeast, floor.checked_add(1).ok_or(Reason::Numbers)?);
        // What is nearer to 0 comes first.
        let sides = if floor >= 0 { [below, above] } else { [above, below] };
        let mut reasons: BTreeSet<Why> = BTreeSet::new();
        for (side, bound) in sides {
            let why = Why::Branch(depth);
            let core = match self.simplex.narrow(column, side, bound, why)? {
                Some(core) => Some(core),
                None => self.branch(depth.saturating_add(1))?,
            };
            let Some(core) = core else { return Ok(None) };
            self.simplex.widen(column, range);
            if !core.contains(&why) {
                return Ok(Some(core));
            }
            reasons.extend(core.into_iter().filter(|reason| *reason != why));
        }
        Ok(Some(reasons.into_iter().collect()))
    }
}

/// A sum has no bounds but those that it is given: nothing gets to these, so that they are never a reason.
const UNBOUNDED: Range = Range { low: (i128::MIN, Why::Axiom), high: (i128::MAX, Why::Axiom) };
