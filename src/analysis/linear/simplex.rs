//! The general simplex method over fractions: variables and sums of them with bounds.
//!
//! Each sum has a column of its own, which is basic at first: its row says what it is in terms of the columns that are
//! not. A basic column out of its bounds is exchanged for one that can give way; where none can, the bounds of the row
//! are the conflict. The column of least number goes first (Bland's rule), so that this ends.
//!
//! INVARIANT: columns that are not basic lie within their bounds, and the values of basic ones are what their rows say.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::analysis::budget::{Budget, Reason};
use crate::analysis::linear::rational::{Rational, greatest_common_divisor};
use crate::analysis::linear::{Range, Side, Why, nearest_to_zero};

/// Columns with bounds and values, and the rows of the basic ones.
#[derive(Clone, Debug)]
pub(super) struct Simplex {
    columns: Vec<Column>,
    rows: BTreeMap<usize, Row>,
}

type Row = BTreeMap<usize, Rational>;

#[derive(Clone, Debug)]
struct Column {
    range: Range,
    value: Rational,
}

/// The reasons of bounds that can't hold together.
pub(super) type Core = Vec<Why>;

impl Simplex {
    /// Variables with their ranges, as the first columns; no sums yet.
    pub(super) fn new(ranges: impl Iterator<Item = Range>) -> Simplex {
        let columns = ranges
            .map(|range| Column { range, value: Rational::integer(nearest_to_zero(range.low.0, range.high.0)) })
            .collect();
        Simplex { columns, rows: BTreeMap::new() }
    }

    /// A new column for a sum of variables, before anything was exchanged.
    pub(super) fn sum(&mut self, terms: impl Iterator<Item = (usize, i128)>, range: Range) -> Result<usize, Reason> {
        let row: Row = terms.map(|(column, factor)| (column, Rational::integer(factor))).collect();
        let value = self.row_value(&row)?;
        self.columns.push(Column { range, value });
        let column = self.columns.len().saturating_sub(1);
        self.rows.insert(column, row);
        Ok(column)
    }

    pub(super) fn value(&self, column: usize) -> Rational {
        self.columns[column].value
    }

    pub(super) fn range(&self, column: usize) -> Range {
        self.columns[column].range
    }

    /// Put back a wider range, which nothing lies out of.
    pub(super) fn widen(&mut self, column: usize, range: Range) {
        self.columns[column].range = range;
    }

    /// Bound a column more narrowly.
    pub(super) fn narrow(&mut self, column: usize, side: Side, bound: i128, why: Why) -> Result<Option<Core>, Reason> {
        let range = self.columns[column].range.bounded(side, bound, why);
        if range.is_empty() {
            return Ok(Some(vec![range.low.1, range.high.1]));
        }
        self.columns[column].range = range;
        if !self.rows.contains_key(&column) {
            let value = self.columns[column].value;
            if value.compare(range.low.0) == Ordering::Less {
                self.update(column, Rational::integer(range.low.0))?;
            } else if value.compare(range.high.0) == Ordering::Greater {
                self.update(column, Rational::integer(range.high.0))?;
            }
        }
        Ok(None)
    }

    /// Bring all columns within their bounds, or say which bounds can't hold together.
    pub(super) fn check(&mut self, budget: &mut Budget) -> Result<Option<Core>, Reason> {
        loop {
            budget.spend(size(self.rows.len()))?;
            let out = self.rows.keys().find_map(|basic| {
                let column = &self.columns[*basic];
                if column.value.compare(column.range.low.0) == Ordering::Less {
                    Some((*basic, Side::AtLeast))
                } else if column.value.compare(column.range.high.0) == Ordering::Greater {
                    Some((*basic, Side::AtMost))
                } else {
                    None
                }
            });
            let Some((basic, side)) = out else { return Ok(None) };
            let row = &self.rows[&basic];
            let Some(entering) = row.iter().find(|(column, factor)| self.can_help(**column, **factor, side)) else {
                let own = &self.columns[basic].range;
                let mut core = vec![if side == Side::AtLeast { own.low.1 } else { own.high.1 }];
                core.extend(row.iter().map(|(column, factor)| {
                    let range = &self.columns[*column].range;
                    if rises(*factor, side) { range.high.1 } else { range.low.1 }
                }));
                return Ok(Some(core));
            };
            let entering = *entering.0;
            let bound =
                if side == Side::AtLeast { self.columns[basic].range.low.0 } else { self.columns[basic].range.high.0 };
            self.exchange(basic, entering, Rational::integer(bound), budget)?;
        }
    }

    /// Whether a column that is not basic can move so that a basic one with this factor of it comes to its bound.
    fn can_help(&self, column: usize, factor: Rational, side: Side) -> bool {
        let column = &self.columns[column];
        if rises(factor, side) {
            column.value.compare(column.range.high.0) == Ordering::Less
        } else {
            column.value.compare(column.range.low.0) == Ordering::Greater
        }
    }

    /// Give a column that is not basic another value.
    fn update(&mut self, column: usize, value: Rational) -> Result<(), Reason> {
        let change = value.minus(self.columns[column].value).ok_or(Reason::Numbers)?;
        for (basic, row) in &self.rows {
            if let Some(factor) = row.get(&column) {
                let moved = factor.times(change).and_then(|by| self.columns[*basic].value.plus(by));
                self.columns[*basic].value = moved.ok_or(Reason::Numbers)?;
            }
        }
        self.columns[column].value = value;
        Ok(())
    }

    /// Make one column basic instead of another, which gets this value.
    fn exchange(
        &mut self,
        leaving: usize,
        entering: usize,
        value: Rational,
        budget: &mut Budget,
    ) -> Result<(), Reason> {
        let factor = self.rows[&leaving][&entering];
        let change = value.minus(self.columns[leaving].value).ok_or(Reason::Numbers)?;
        let change = factor.inverse().and_then(|inverse| change.times(inverse)).ok_or(Reason::Numbers)?;
        let moved = self.columns[entering].value.plus(change).ok_or(Reason::Numbers)?;
        self.update(entering, moved)?;

        // leaving = factor * entering + rest, so entering = leaving / factor - rest / factor.
        let inverse = factor.inverse().ok_or(Reason::Numbers)?;
        let mut old = self.rows.remove(&leaving).unwrap_or_default();
        old.remove(&entering);
        let mut new = Row::from([(leaving, inverse)]);
        for (column, factor) in old {
            let factor = factor.times(inverse).and_then(Rational::negated).ok_or(Reason::Numbers)?;
            new.insert(column, factor);
        }
        for row in self.rows.values_mut() {
            let Some(factor) = row.remove(&entering) else { continue };
            budget.spend(size(new.len()))?;
            for (column, times) in &new {
                let more = factor.times(*times).ok_or(Reason::Numbers)?;
                let sum = row.get(column).copied().unwrap_or(Rational::ZERO).plus(more).ok_or(Reason::Numbers)?;
                if sum == Rational::ZERO {
                    row.remove(column);
                } else {
                    row.insert(*column, sum);
                }
            }
        }
        self.rows.insert(entering, new);
        Ok(())
    }

    /// A row that no integers solve: the columns in it that can move do so in steps that the fixed ones don't fit.
    pub(super) fn indivisible(&self) -> Result<Option<Core>, Reason> {
        'rows: for (basic, row) in &self.rows {
            // basic = sum of factors * columns, times the common denominator.
            let mut common: i128 = 1;
            for factor in row.values() {
                let shared = greatest_common_divisor(common.unsigned_abs(), factor.denominator().unsigned_abs());
                let shared = i128::try_from(shared).map_err(|_| Reason::Numbers)?;
                let Some(next) = (factor.denominator() / shared).checked_mul(common) else { continue 'rows };
                common = next;
            }
            let whole = Rational::integer(common);
            let terms = row.iter().map(|(column, factor)| (*column, factor.times(whole)));
            let own = (*basic, whole.negated());
            let (mut divisor, mut fixed, mut core) = (0_u128, 0_i128, Core::new());
            for (column, factor) in terms.chain([own]) {
                let Some(factor) = factor.and_then(Rational::as_integer) else { continue 'rows };
                let range = &self.columns[column].range;
                if range.low.0 == range.high.0 {
                    let Some(sum) = factor.checked_mul(range.low.0).and_then(|more| fixed.checked_add(more)) else {
                        continue 'rows;
                    };
                    fixed = sum;
                    core.extend([range.low.1, range.high.1]);
                } else {
                    divisor = greatest_common_divisor(divisor, factor.unsigned_abs());
                }
            }
            let is_solvable = if divisor == 0 { fixed == 0 } else { fixed.unsigned_abs() % divisor == 0 };
            if !is_solvable {
                return Ok(Some(core));
            }
        }
        Ok(None)
    }

    fn row_value(&self, row: &Row) -> Result<Rational, Reason> {
        row.iter()
            .try_fold(Rational::ZERO, |sum, (column, factor)| sum.plus(factor.times(self.columns[*column].value)?))
            .ok_or(Reason::Numbers)
    }
}

/// Whether a column has to rise so that a basic one with this factor of it gets to its bound on this side.
fn rises(factor: Rational, side: Side) -> bool {
    (factor.sign() == Ordering::Greater) == (side == Side::AtLeast)
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX).max(1)
}
