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

/// The largest region around a model in which the goal holds.
pub fn around(question: &mut Question<'_>, leaves: &[Leaf], model: &Model, goal: F) -> Region {
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
    let mut conditions = Vec::new();
    let mut presumed = Vec::new();
    let mut bounds: BTreeMap<String, Bounds> = BTreeMap::new();
    for literal in &least {
        let Some((at, what)) = said.get(literal) else { continue };
        let Some(leaf) = leaves.get(*at) else { continue };
        if *what != Said::Error {
            presumed.extend(leaf.presumes.iter().cloned());
        }
        match (&leaf.bound, what) {
            (Some(bound), Said::Yes | Said::No) => {
                bounds.entry(bound.term.clone()).or_default().narrow(bound, *what == Said::Yes);
            }
            (_, Said::Yes) => conditions.push(leaf.text.clone()),
            (_, Said::No) => conditions.push(leaf.negated.clone()),
            (_, Said::Error) => conditions.push(format!("({}) is an error", leaf.text)),
        }
    }
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
    Region { conditions, exact, formula }
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
