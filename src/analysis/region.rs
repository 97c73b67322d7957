//! Regions: sets of requests, said as conditions that people can read.
//!
//! A region is a conjunction of conditions that the policy itself is made of. It is found from one request: what holds of
//! it is left out piece by piece, as long as what remains still implies that the answer changes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::analysis::encode::{Bound, Leaf};
use crate::analysis::formula::F;
use crate::analysis::question::Question;
use crate::analysis::solver::Model;

/// A region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The conditions, as PDL; none: all requests of the kind.
    pub conditions: Vec<String>,
    /// Every request of which the conditions hold is meant; otherwise they hold of the witness, but say too little.
    pub exact: bool,
    /// The region as a formula.
    pub formula: F,
}

impl Region {
    /// The conditions as one.
    #[must_use]
    pub fn condition(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" and "))
    }
}

/// What a leaf says of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Yes,
    No,
    Error,
}

/// The largest region around a model in which the goal holds. Said first is what these formulas are made of.
pub fn around(question: &mut Question<'_>, leaves: &[Leaf], model: &Model, goal: F, first: &[F]) -> Region {
    let mut cube = Vec::with_capacity(leaves.len());
    let mut said: BTreeMap<F, (usize, Said)> = BTreeMap::new();
    for (at, leaf) in leaves.iter().enumerate() {
        let cx = &mut question.world.cx;
        let (literal, what) = if model.holds(cx, leaf.yes) {
            (leaf.yes, Said::Yes)
        } else if model.holds(cx, leaf.no) {
            (leaf.no, Said::No)
        } else {
            (cx.formulas.both(!leaf.yes, !leaf.no), Said::Error)
        };
        if literal != F::TRUE && said.insert(literal, (at, what)).is_none() {
            cube.push(literal);
        }
    }
    let exact = question.implies(&cube, goal) == Some(true);
    let least = if exact { question.generalise(&cube, goal) } else { cube };
    let formula = question.world.cx.formulas.and(least.iter().copied());
    let formulas = &question.world.cx.formulas;
    let first = formulas.atoms(first);
    let told = least.iter().filter_map(|literal| {
        let (at, what) = said.get(literal)?;
        let leaf = leaves.get(*at)?;
        Some((formulas.atoms(&[leaf.yes, leaf.no]).is_subset(&first), leaf, *what))
    });
    let (firsts, others): (Vec<_>, Vec<_>) = told.partition(|(is_first, ..)| *is_first);
    let (mut near, mut far) = (Part::default(), Part::default());
    firsts.into_iter().for_each(|(_, leaf, what)| near.say(leaf, what));
    for (_, leaf, what) in others {
        // The bounds of one number stand together.
        let is_bounded = leaf.bound.as_ref().is_some_and(|bound| near.bounds.contains_key(&bound.term));
        if is_bounded { &mut near } else { &mut far }.say(leaf, what);
    }
    let mut conditions = near.conditions();
    for condition in far.conditions() {
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    Region { conditions, exact, formula }
}

/// Some of the conditions of a region.
#[derive(Debug, Default)]
struct Part {
    conditions: Vec<String>,
    presumed: Vec<String>,
    bounds: BTreeMap<String, Bounds>,
}

impl Part {
    fn say(&mut self, leaf: &Leaf, what: Said) {
        if what != Said::Error {
            self.presumed.extend(leaf.presumes.iter().cloned());
        }
        match (&leaf.bound, what) {
            (Some(bound), Said::Yes | Said::No) => {
                self.bounds.entry(bound.term.clone()).or_default().narrow(bound, what == Said::Yes);
            }
            (_, Said::Yes) => self.conditions.push(leaf.text.clone()),
            (_, Said::No) => self.conditions.push(leaf.negated.clone()),
            (_, Said::Error) => self.conditions.push(format!("({}) is an error", leaf.text)),
        }
    }

    fn conditions(self) -> Vec<String> {
        let Part { mut conditions, mut presumed, bounds } = self;
        for (term, bounds) in bounds {
            conditions.extend(bounds.shown(&term));
        }
        conditions.sort();
        conditions.dedup();
        // What has to be there stands before what reads it.
        presumed.sort();
        presumed.dedup();
        conditions.retain(|condition| !presumed.contains(condition));
        conditions.splice(0..0, presumed);
        conditions
    }
}

/// What comparisons with constants leave of a number: from, to, and what it is not; each with how it is written.
#[derive(Clone, Debug, Default)]
struct Bounds {
    low: Option<End>,
    high: Option<End>,
    not: Vec<(i128, String)>,
}

/// One end: the last value that is within, as it is written, and the comparison with it.
#[derive(Clone, Debug)]
struct End {
    value: i128,
    plain: String,
    shown: String,
}

fn sign(sign: char, strict: bool, bound: &Bound) -> String {
    format!("{sign}{} {}", if strict { "" } else { "=" }, bound.show(bound.value))
}

impl Bounds {
    fn narrow(&mut self, bound: &Bound, holds: bool) {
        match (bound.order, holds) {
            (Ordering::Less, true) => self.at_most(bound, bound.strict),
            (Ordering::Less, false) => self.at_least(bound, !bound.strict),
            (Ordering::Greater, true) => self.at_least(bound, bound.strict),
            (Ordering::Greater, false) => self.at_most(bound, !bound.strict),
            (Ordering::Equal, true) => {
                self.at_most(bound, false);
                self.at_least(bound, false);
            }
            (Ordering::Equal, false) => self.not.push((bound.value, bound.show(bound.value))),
        }
    }

    fn at_most(&mut self, bound: &Bound, strict: bool) {
        let value = if strict { bound.value.saturating_sub(1) } else { bound.value };
        if self.high.as_ref().is_none_or(|high| value < high.value) {
            self.high = Some(End { value, plain: bound.show(value), shown: sign('<', strict, bound) });
        }
    }

    fn at_least(&mut self, bound: &Bound, strict: bool) {
        let value = if strict { bound.value.saturating_add(1) } else { bound.value };
        if self.low.as_ref().is_none_or(|low| value > low.value) {
            self.low = Some(End { value, plain: bound.show(value), shown: sign('>', strict, bound) });
        }
    }

    fn shown(self, term: &str) -> Vec<String> {
        let mut all: Vec<String> = match (self.low, self.high) {
            (Some(low), Some(high)) if low.value == high.value => vec![format!("{term} == {}", low.plain)],
            (low, high) => low.into_iter().chain(high).map(|end| format!("{term} {}", end.shown)).collect(),
        };
        all.extend(self.not.into_iter().map(|(_, shown)| format!("{term} != {shown}")));
        all
    }
}
