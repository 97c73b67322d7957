//! Whether rows of patterns cover every case, and which rows can never be reached.
//!
//! Each column is cut into *atoms*: sets of values that no pattern of the column tells apart (a variant, a stretch of
//! numbers between two bounds, a text, "any other text"). A pattern is then a set of atoms, and one walk over the columns,
//! keeping the rows that still match, finds both the cases that no row takes and the rows that take no case. States of
//! the walk are remembered, so that its work follows the number of different states and not the number of cases; past
//! a bound the walk gives up and says so.
//!
//! This module knows no spans and reports nothing.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::base::limits::EXHAUSTIVE_STEPS_MAX;
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;
use crate::types::ty::Interval;
use crate::types::typed::{Const, Pattern};

/// The most missing cases that are shown.
const MISSING_SHOWN_MAX: usize = 3;

/// What a column ranges over.
#[derive(Clone, Debug)]
pub enum Column<'a> {
    /// `false` and `true`.
    Bool,
    /// Variants, by name.
    Enum(&'a [Arc<str>]),
    /// Integers within bounds.
    Int(Interval),
    /// Decimals.
    Decimal,
    /// Durations.
    Duration,
    /// Timestamps.
    Timestamp,
    /// Present or absent.
    Optional,
    /// Too many values to list: text, URLs, entities and so on.
    Open,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Cases that no row takes, one text for each column; not all of them.
    pub missing: Vec<Vec<String>>,
    /// Rows that can't be reached, each with the rows above that hide it.
    pub hidden: Vec<(usize, Vec<usize>)>,
    /// The table is too entangled to be looked at in bounded time.
    pub gave_up: bool,
}

/// Looks at all rows; each has one pattern for each column.
#[must_use]
pub fn check(columns: &[Column<'_>], rows: &[Vec<Pattern>]) -> Report {
    check_within(columns, rows, EXHAUSTIVE_STEPS_MAX)
}

fn check_within(columns: &[Column<'_>], rows: &[Vec<Pattern>], steps_max: usize) -> Report {
    let atoms: Vec<Atoms> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| Atoms::of(column, rows.iter().filter_map(|row| row.get(at))))
        .collect();
    let sets: Vec<Vec<Set>> =
        rows.iter().map(|row| row.iter().zip(&atoms).map(|(pattern, atoms)| atoms.set(pattern)).collect()).collect();
    let mut walk = Walk {
        atoms: &atoms,
        sets: &sets,
        reached: vec![false; rows.len()],
        seen: HashSet::new(),
        prefix: Vec::new(),
        missing: Vec::new(),
        steps: 0,
        steps_max,
    };
    walk.visit((0..rows.len() as u32).collect());
    let gave_up = walk.steps > steps_max;
    if gave_up {
        return Report { gave_up, ..Report::default() };
    }
    let show = |case: &Vec<Option<usize>>| {
        let text = |(at, atom): (usize, &Option<usize>)| {
            atom.map_or("_".to_owned(), |atom| atoms[at].show(&columns[at], atom))
        };
        let mut texts: Vec<String> = case.iter().enumerate().map(text).collect();
        texts.resize(columns.len(), "_".to_owned());
        texts
    };
    let missing = walk.missing.iter().map(show).collect();
    let hidden = (0..rows.len()).filter(|row| !walk.reached[*row]).map(|row| (row, hiders(&sets, row))).collect();
    Report { missing, hidden, gave_up }
}

// The rows above that take cases of this one; only the one where one row takes them all.
fn hiders(sets: &[Vec<Set>], row: usize) -> Vec<usize> {
    let overlaps = |above: &usize| sets[*above].iter().zip(&sets[row]).all(|(above, row)| above.overlaps(row));
    let covers = |above: &usize| sets[*above].iter().zip(&sets[row]).all(|(above, row)| above.covers(row));
    if let Some(one) = (0..row).find(covers) {
        return vec![one];
    }
    (0..row).filter(overlaps).collect()
}

/// A set of atoms of one column.
#[derive(Clone, Debug)]
struct Set {
    words: Vec<u64>,
    all: bool,
}

impl Set {
    fn none(count: usize) -> Set {
        Set { words: vec![0; count.div_ceil(64)], all: false }
    }

    fn insert(&mut self, atom: usize) {
        if let Some(word) = self.words.get_mut(atom / 64) {
            *word |= 1 << (atom % 64);
        }
    }

    fn atoms(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                // The lowest bit goes; of nothing left there is none.
                left &= left.checked_sub(1)?;
                Some(at * 64 + bit as usize)
            })
        })
    }

    fn overlaps(&self, other: &Set) -> bool {
        self.words.iter().zip(&other.words).any(|(left, right)| left & right != 0)
    }

    fn covers(&self, other: &Set) -> bool {
        self.words.iter().zip(&other.words).all(|(left, right)| right & !left == 0)
    }
}

/// The atoms of one column.
#[derive(Clone, Debug)]
enum Atoms {
    /// Bool, enums, optionals: by number.
    Listed(usize),
    /// Stretches of numbers, in order: first and last.
    Stretches(Vec<(i64, i64)>),
    /// These values, and one more atom for all others.
    Values(Vec<Const>),
}

impl Atoms {
    fn of<'p>(column: &Column<'_>, patterns: impl Iterator<Item = &'p Pattern>) -> Atoms {
        let (low, high) = match column {
            Column::Bool | Column::Optional => return Atoms::Listed(2),
            Column::Enum(variants) => return Atoms::Listed(variants.len()),
            Column::Open => {
                let mut values = BTreeSet::new();
                patterns.for_each(|pattern| constants(pattern, &mut values));
                return Atoms::Values(values.into_iter().cloned().collect());
            }
            Column::Int(interval) => (interval.low, interval.high),
            Column::Decimal | Column::Duration => (i64::MIN, i64::MAX),
            Column::Timestamp => (Timestamp::MIN.millis(), Timestamp::MAX.millis()),
        };
        // Each bound begins a stretch: the first value of a range, and the one after its last.
        let mut starts = BTreeSet::from([low]);
        patterns.for_each(|pattern| bounds(pattern, &mut starts));
        let starts: Vec<i64> = starts.into_iter().filter(|start| (low..=high).contains(start)).collect();
        let end = |at: usize| starts.get(at + 1).map_or(high, |next| next - 1);
        Atoms::Stretches(starts.iter().enumerate().map(|(at, start)| (*start, end(at))).collect())
    }

    fn len(&self) -> usize {
        match self {
            Atoms::Listed(count) => *count,
            Atoms::Stretches(stretches) => stretches.len(),
            Atoms::Values(values) => values.len() + 1,
        }
    }

    fn set(&self, pattern: &Pattern) -> Set {
        let mut set = Set::none(self.len());
        self.insert(pattern, &mut set);
        let count: u32 = set.words.iter().map(|word| word.count_ones()).sum();
        set.all = count as usize == self.len();
        set
    }

    fn insert(&self, pattern: &Pattern, set: &mut Set) {
        match (pattern, self) {
            (Pattern::Any, _) => (0..self.len()).for_each(|atom| set.insert(atom)),
            (Pattern::Or(patterns), _) => patterns.iter().for_each(|pattern| self.insert(pattern, set)),
            (Pattern::Present, _) => set.insert(1),
            (Pattern::Absent, _) => set.insert(0),
            (Pattern::Const(value), Atoms::Listed(_)) => listed(value).into_iter().for_each(|atom| set.insert(atom)),
            (Pattern::Const(value), Atoms::Values(values)) => {
                values.binary_search(value).into_iter().for_each(|atom| set.insert(atom));
            }
            (Pattern::Const(value), Atoms::Stretches(stretches)) => {
                if let Some(value) = number(value) {
                    insert_between(stretches, value, value, set);
                }
            }
            (Pattern::Range(from, to), Atoms::Stretches(stretches)) => {
                let from = from.as_ref().map_or(Some(i64::MIN), number);
                let to = to.as_ref().map_or(Some(i64::MAX), number);
                if let (Some(from), Some(to)) = (from, to) {
                    insert_between(stretches, from, to, set);
                }
            }
            (Pattern::Range(..), _) => (),
        }
    }

    fn show(&self, column: &Column<'_>, atom: usize) -> String {
        match (self, column) {
            (Atoms::Listed(_), Column::Enum(variants)) => {
                variants.get(atom).map(ToString::to_string).unwrap_or_default()
            }
            (Atoms::Listed(_), Column::Optional) => ["absent", "present"][atom.min(1)].to_owned(),
            (Atoms::Listed(_), _) => ["false", "true"][atom.min(1)].to_owned(),
            (Atoms::Values(_), _) => "_".to_owned(),
            (Atoms::Stretches(stretches), _) => {
                let (first, last) = stretches[atom];
                let (least, greatest) = (atom == 0, atom + 1 == stretches.len());
                match (first == last, least, greatest) {
                    (true, ..) => show_number(column, first),
                    (false, true, true) => "_".to_owned(),
                    (false, true, false) => format!("..={}", show_number(column, last)),
                    (false, false, true) => format!("{}..", show_number(column, first)),
                    (false, false, false) => format!("{}..={}", show_number(column, first), show_number(column, last)),
                }
            }
        }
    }
}

// The stretches that lie within the bounds; each bound of a pattern begins or ends one.
fn insert_between(stretches: &[(i64, i64)], from: i64, to: i64, set: &mut Set) {
    let first = stretches.partition_point(|stretch| stretch.0 < from);
    stretches
        .iter()
        .enumerate()
        .skip(first)
        .take_while(|(_, stretch)| stretch.1 <= to)
        .for_each(|(at, _)| set.insert(at));
}

fn listed(value: &Const) -> Option<usize> {
    match value {
        Const::Bool(value) => Some(usize::from(*value)),
        Const::Enum(_, variant) => Some(*variant as usize),
        Const::Absent => Some(0),
        _ => None,
    }
}

fn number(value: &Const) -> Option<i64> {
    match value {
        Const::Int(value) => Some(*value),
        Const::Decimal(Decimal(value)) | Const::Duration(Duration(value)) => Some(*value),
        Const::Timestamp(value) => Some(value.millis()),
        _ => None,
    }
}

fn show_number(column: &Column<'_>, value: i64) -> String {
    match column {
        Column::Decimal => Decimal(value).to_string(),
        Column::Duration => Duration(value).to_string(),
        Column::Timestamp => {
            Timestamp::from_millis(value).map_or(String::new(), |moment| format!("timestamp\"{moment}\""))
        }
        _ => value.to_string(),
    }
}

fn constants<'p>(pattern: &'p Pattern, into: &mut BTreeSet<&'p Const>) {
    match pattern {
        Pattern::Const(value) => _ = into.insert(value),
        Pattern::Or(patterns) => patterns.iter().for_each(|pattern| constants(pattern, into)),
        Pattern::Any | Pattern::Range(..) | Pattern::Present | Pattern::Absent => (),
    }
}

fn bounds(pattern: &Pattern, starts: &mut BTreeSet<i64>) {
    let mut range = |from: Option<i64>, to: Option<i64>| {
        starts.extend(from);
        starts.extend(to.and_then(|to| to.checked_add(1)));
    };
    match pattern {
        Pattern::Const(value) => range(number(value), number(value)),
        Pattern::Range(from, to) => range(from.as_ref().and_then(number), to.as_ref().and_then(number)),
        Pattern::Or(patterns) => patterns.iter().for_each(|pattern| bounds(pattern, starts)),
        Pattern::Any | Pattern::Present | Pattern::Absent => (),
    }
}

struct Walk<'a> {
    atoms: &'a [Atoms],
    sets: &'a [Vec<Set>],
    reached: Vec<bool>,
    seen: HashSet<(usize, Vec<u32>)>,
    prefix: Vec<Option<usize>>,
    missing: Vec<Vec<Option<usize>>>,
    steps: usize,
    steps_max: usize,
}

impl Walk<'_> {
    // `active`: the rows that match so far, in order.
    fn visit(&mut self, mut active: Vec<u32>) {
        let column = self.prefix.len();
        self.steps += active.len() + 1;
        if self.steps > self.steps_max {
            return;
        }
        // Rows below one that takes everything that is left don't matter here.
        let sets = self.sets;
        let takes_all = |row: &u32| sets[*row as usize][column..].iter().all(|set| set.all);
        if let Some(last) = active.iter().position(takes_all) {
            active.truncate(last + 1);
        }
        match active.first() {
            None => {
                if self.missing.len() < MISSING_SHOWN_MAX {
                    self.missing.push(self.prefix.clone());
                }
                return;
            }
            Some(first) if active.len() == 1 && takes_all(first) => {
                self.reached[*first as usize] = true;
                return;
            }
            Some(_) => (),
        }
        if !self.seen.insert((column, active.clone())) {
            return;
        }
        if active.iter().all(|row| self.sets[*row as usize][column].all) {
            self.step(None, active);
            return;
        }
        // Most rows are about few atoms: atoms that only rows about all of them match are alike.
        let mut about: HashMap<usize, Vec<u32>> = HashMap::new();
        let mut everywhere = Vec::new();
        for row in &active {
            let set = &sets[*row as usize][column];
            if set.all {
                everywhere.push(*row);
                continue;
            }
            for atom in set.atoms() {
                self.steps += 1;
                about.entry(atom).or_default().push(*row);
            }
        }
        let mut alike_seen = false;
        for atom in 0..self.atoms[column].len() {
            let matching = match about.remove(&atom) {
                Some(mut rows) => {
                    rows.extend(&everywhere);
                    rows.sort_unstable();
                    rows
                }
                // Missing cases are shown one by one; else one look is enough.
                None if alike_seen && !everywhere.is_empty() => continue,
                None => {
                    alike_seen = true;
                    everywhere.clone()
                }
            };
            self.step(Some(atom), matching);
        }
    }

    fn step(&mut self, atom: Option<usize>, active: Vec<u32>) {
        self.prefix.push(atom);
        self.visit(active);
        self.prefix.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: i64) -> Pattern {
        Pattern::Const(Const::Int(value))
    }

    fn range(from: i64, to: i64) -> Pattern {
        Pattern::Range(Some(Const::Int(from)), Some(Const::Int(to)))
    }

    fn small() -> Column<'static> {
        Column::Int(Interval { low: 0, high: 9 })
    }

    #[test]
    fn a_missing_case_is_named() {
        let rows = vec![vec![int(3), Pattern::Any], vec![range(5, 9), Pattern::Const(Const::Bool(true))]];
        let report = check(&[small(), Column::Bool], &rows);
        assert_eq!(report.missing, [["..=2", "_"], ["4", "_"], ["5..", "false"]]);
        assert!(report.hidden.is_empty());
    }

    #[test]
    fn rows_hidden_by_one_or_by_several() {
        let rows = vec![vec![range(0, 4)], vec![range(5, 9)], vec![int(7)], vec![range(3, 6)]];
        let report = check(&[small()], &rows);
        assert!(report.missing.is_empty());
        assert_eq!(report.hidden, [(2, vec![1]), (3, vec![0, 1])]);
    }

    #[test]
    fn open_columns_need_a_wildcard() {
        let text = |text: &str| Pattern::Const(Const::String(text.into()));
        let mut rows = vec![vec![text("a")], vec![Pattern::Or(vec![text("b"), text("c")])]];
        assert_eq!(check(&[Column::Open], &rows).missing, [["_"]]);
        rows.push(vec![Pattern::Any]);
        assert!(check(&[Column::Open], &rows).missing.is_empty());
        rows.push(vec![text("d")]);
        assert_eq!(check(&[Column::Open], &rows).hidden, [(3, vec![2])]);
    }

    #[test]
    fn optional_and_bool() {
        let report = check(&[Column::Optional, Column::Bool], &[vec![Pattern::Present, Pattern::Any]]);
        assert_eq!(report.missing, [["absent", "_"]]);
    }

    #[test]
    fn what_is_too_entangled_is_given_up() {
        // Each row is about two columns that no other row is about together: the active rows of no two ways are alike.
        let one = || Pattern::Const(Const::Bool(true));
        let count = 16;
        let pairs = (0..count).flat_map(|left| (left + 1..count).map(move |right| (left, right)));
        let row =
            |(left, right)| (0..count).map(|at| if at == left || at == right { one() } else { Pattern::Any }).collect();
        let rows: Vec<Vec<Pattern>> = pairs.map(row).collect();
        let report = check_within(&vec![Column::Bool; count], &rows, 1_000);
        assert!(report.gave_up);
        assert!(report.missing.is_empty() && report.hidden.is_empty());
    }

    #[test]
    fn long_tables_stay_cheap() {
        let mut rows: Vec<Vec<Pattern>> = (0..20_000).map(|value| vec![int(value), Pattern::Any]).collect();
        rows.push(vec![Pattern::Any, Pattern::Any]);
        let report = check(&[Column::Int(Interval::FULL), Column::Bool], &rows);
        assert!(!report.gave_up && report.missing.is_empty() && report.hidden.is_empty());
    }

    #[test]
    fn wide_tables_stay_cheap() {
        let names: Vec<Arc<str>> = (0..20).map(|at| format!("v{at}").into()).collect();
        let columns = vec![Column::Enum(&names); 5];
        let pattern = |seed: u32| match seed % 5 {
            0 | 1 => Pattern::Any,
            _ => Pattern::Const(Const::Enum(crate::types::typed::EnumId(0), seed / 5 % 20)),
        };
        let mut seed = 1_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            pattern(seed >> 8)
        };
        let mut rows: Vec<Vec<Pattern>> = (0..200).map(|_| (0..5).map(|_| next()).collect()).collect();
        rows.push(vec![Pattern::Any; 5]);
        let report = check(&columns, &rows);
        assert!(!report.gave_up);
        assert!(report.missing.is_empty());
    }
}
