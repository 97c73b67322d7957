//! Rows of tables and arms of `match`: which of their patterns could be others.
//!
//! A change counts only if the checker would let it pass (some row still takes every case) and if it makes a difference
//! to some case (a row that gives the same does not take over).

use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;
use crate::mutate::show;
use crate::types::exhaustive::{self, Column};
use crate::types::ty::Type;
use crate::types::typed::{Const, Expr, ExprKind, Pattern, TypedPolicy};

/// What becomes of a row.
#[derive(Clone, Debug)]
pub(super) enum RowChange {
    /// It is not there.
    Removed,
    /// The pattern in this column is another.
    Pattern(usize, Box<Pattern>, String),
}

/// The rows of a table, or the arms of a `match`.
pub(super) struct Rows<'a> {
    policy: &'a TypedPolicy,
    columns: Vec<Column<'a>>,
    patterns: Vec<Vec<Pattern>>,
    values: Vec<&'a Expr>,
    /// Every case is taken without more being known of the values than their types.
    is_whole: bool,
}

/// A pattern that differs in a few values: which it is, those values, and how to say it.
struct Moved {
    pattern: Pattern,
    /// The values that were matched and are not, or the other way round.
    differing: Vec<Pattern>,
    text: String,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        policy: &'a TypedPolicy,
        types: impl Iterator<Item = &'a Type>,
        patterns: Vec<Vec<Pattern>>,
        values: Vec<&'a Expr>,
    ) -> Rows<'a> {
        let columns: Vec<Column<'a>> = types.map(|ty| column(policy, ty)).collect();
        let is_whole = is_whole(&columns, &patterns);
        Rows { policy, columns, patterns, values, is_whole }
    }

    /// What could become of a row, in the order of its patterns.
    pub(super) fn changes(&self, row: usize) -> Vec<RowChange> {
        let mut changes = Vec::new();
        for (at, pattern) in self.patterns[row].iter().enumerate() {
            for moved in moved(self.policy, pattern) {
                if self.is_sound(row, at, &moved) {
                    changes.push(RowChange::Pattern(at, Box::new(moved.pattern), moved.text));
                }
            }
        }
        let mut left = self.patterns.clone();
        let removed = left.remove(row);
        if self.is_whole && is_whole(&self.columns, &left) && self.differs(row, &removed) {
            changes.push(RowChange::Removed);
        }
        changes
    }

    fn is_sound(&self, row: usize, at: usize, moved: &Moved) -> bool {
        let mut rows = self.patterns.clone();
        rows[row][at] = moved.pattern.clone();
        let part = |differing: &Pattern| {
            let mut part = self.patterns[row].clone();
            part[at] = differing.clone();
            part
        };
        let fits = |value: &Pattern| match (&self.columns[at], value) {
            (Column::Int(interval), Pattern::Const(Const::Int(value))) => {
                (interval.low..=interval.high).contains(value)
            }
            _ => true,
        };
        moved.differing.iter().all(fits)
            && self.is_whole
            && is_whole(&self.columns, &rows)
            && moved.differing.iter().any(|differing| self.differs(row, &part(differing)))
    }

    /// Whether some case of these patterns, if it comes as far as this row, would be given something else below it.
    fn differs(&self, row: usize, part: &[Pattern]) -> bool {
        let below = (row + 1..self.patterns.len()).filter(|&other| !same(self.values[row], self.values[other]));
        below.into_iter().any(|other| {
            let Some(common) = common_row(part, &self.patterns[other]) else { return false };
            let mut above: Vec<Vec<Pattern>> = self.patterns[..other].to_vec();
            above.remove(row);
            above.push(common);
            let last = above.len() - 1;
            let report = exhaustive::check(&self.columns, &above);
            !report.hidden.iter().any(|(hidden, _)| *hidden == last)
        })
    }
}

fn column<'a>(policy: &'a TypedPolicy, ty: &Type) -> Column<'a> {
    match ty {
        Type::Bool => Column::Bool,
        Type::Enum(id) => Column::Enum(&policy.enums[id.index()].variants),
        Type::Int(interval) => Column::Int(*interval),
        Type::Decimal => Column::Decimal,
        Type::Duration => Column::Duration,
        Type::Timestamp => Column::Timestamp,
        Type::Optional(_) => Column::Optional,
        _ => Column::Open,
    }
}

fn is_whole(columns: &[Column<'_>], rows: &[Vec<Pattern>]) -> bool {
    let report = exhaustive::check(columns, rows);
    report.missing.is_empty() && !report.gave_up
}

fn same(one: &Expr, other: &Expr) -> bool {
    matches!((&one.kind, &other.kind), (ExprKind::Const(one), ExprKind::Const(other)) if one == other)
}

/// The patterns that a pattern could be instead: with an alternative dropped, a number or the end of a range moved by one.
fn moved(policy: &TypedPolicy, pattern: &Pattern) -> Vec<Moved> {
    let becomes =
        |to: &Pattern| format!("`{}` becomes `{}`", show::pattern(policy, pattern), show::pattern(policy, to));
    match pattern {
        Pattern::Any | Pattern::Present | Pattern::Absent => Vec::new(),
        Pattern::Or(parts) => {
            let mut found = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                let with = |one: Option<Pattern>| {
                    let mut parts = parts.clone();
                    parts.splice(at..=at, one);
                    if parts.len() == 1 { parts.remove(0) } else { Pattern::Or(parts) }
                };
                found.push(Moved {
                    pattern: with(None),
                    differing: vec![part.clone()],
                    text: format!("`{}` is dropped", show::pattern(policy, part)),
                });
                found.extend(
                    moved(policy, part).into_iter().map(|one| Moved { pattern: with(Some(one.pattern)), ..one }),
                );
            }
            found
        }
        Pattern::Const(value) => {
            let change = |other: Const| {
                let differing = vec![pattern.clone(), Pattern::Const(other.clone())];
                let pattern = Pattern::Const(other);
                Moved { text: becomes(&pattern), pattern, differing }
            };
            [1, -1].into_iter().filter_map(|by| step(value, by)).map(change).collect()
        }
        Pattern::Range(low, high) => {
            let mut found = Vec::new();
            let mut add = |to: (Option<Const>, Option<Const>), differing: Const| {
                let pattern = Pattern::Range(to.0, to.1);
                found.push(Moved { text: becomes(&pattern), pattern, differing: vec![Pattern::Const(differing)] });
            };
            if let Some(end) = high {
                if let Some(more) = step(end, 1) {
                    add((low.clone(), Some(more.clone())), more);
                }
                if let Some(less) = step(end, -1).filter(|less| low.as_ref().is_none_or(|low| low <= less)) {
                    add((low.clone(), Some(less)), end.clone());
                }
            }
            if let Some(end) = low {
                if let Some(more) = step(end, 1).filter(|more| high.as_ref().is_none_or(|high| more <= high)) {
                    add((Some(more), high.clone()), end.clone());
                }
                if let Some(less) = step(end, -1) {
                    add((Some(less.clone()), high.clone()), less);
                }
            }
            found
        }
    }
}

/// The next or previous value, of what is counted.
fn step(value: &Const, by: i64) -> Option<Const> {
    match value {
        Const::Int(value) => value.checked_add(by).map(Const::Int),
        Const::Decimal(Decimal(count)) => count.checked_add(by).map(|count| Const::Decimal(Decimal(count))),
        Const::Duration(Duration(count)) => count.checked_add(by).map(|count| Const::Duration(Duration(count))),
        Const::Timestamp(time) => time.millis().checked_add(by).and_then(Timestamp::from_millis).map(Const::Timestamp),
        _ => None,
    }
}

/// What both rows match, if that is anything.
fn common_row(one: &[Pattern], other: &[Pattern]) -> Option<Vec<Pattern>> {
    one.iter().zip(other).map(|(one, other)| common(one, other)).collect()
}

fn common(one: &Pattern, other: &Pattern) -> Option<Pattern> {
    match (one, other) {
        (Pattern::Any, pattern) | (pattern, Pattern::Any) => Some(pattern.clone()),
        (Pattern::Or(parts), pattern) | (pattern, Pattern::Or(parts)) => {
            let parts: Vec<Pattern> = parts.iter().filter_map(|part| common(part, pattern)).collect();
            (!parts.is_empty()).then_some(Pattern::Or(parts))
        }
        (Pattern::Const(one), Pattern::Const(other)) => (one == other).then(|| Pattern::Const(one.clone())),
        (Pattern::Const(value), Pattern::Range(low, high)) | (Pattern::Range(low, high), Pattern::Const(value)) => {
            let within = low.as_ref().is_none_or(|low| low <= value) && high.as_ref().is_none_or(|high| value <= high);
            within.then(|| Pattern::Const(value.clone()))
        }
        (Pattern::Range(low, high), Pattern::Range(other_low, other_high)) => {
            // An end that is open gives way to one that is not.
            let low = low.clone().max(other_low.clone());
            let high = match (high, other_high) {
                (Some(one), Some(other)) => Some(one.min(other).clone()),
                (one, other) => one.clone().or_else(|| other.clone()),
            };
            let is_empty = matches!((&low, &high), (Some(low), Some(high)) if low > high);
            (!is_empty).then_some(Pattern::Range(low, high))
        }
        (Pattern::Present, Pattern::Present) | (Pattern::Absent, Pattern::Absent) => Some(one.clone()),
        _ => None,
    }
}
