//! Models: a value for everything that formulas can name.
//!
//! What was constrained has the value that was found; everything else has the least or simplest, and what is a function
//! of something else is computed from that. The truth of a formula is computed from these values, not remembered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::analysis::context::Context;
use crate::analysis::formula::{Atom, F, Node};
use crate::analysis::linear::nearest_to_zero;
use crate::analysis::numbers::{Linear, NumVar, Source};
use crate::analysis::solver::calendar;
use crate::analysis::text::{Domain, TextVar, part_of};
use crate::data::path;
use crate::data::url::Url;

/// Values that make all true that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// The independent Booleans that are true.
    pub(super) free: BTreeSet<u32>,
    /// The numbers that were constrained, but for functions of something else.
    pub(super) numbers: BTreeMap<NumVar, i128>,
    /// The texts that were constrained.
    pub(super) words: BTreeMap<TextVar, Arc<str>>,
}

impl Model {
    /// These independent Booleans are true, and numbers and texts have these values.
    #[must_use]
    pub fn of(
        free: impl IntoIterator<Item = u32>,
        numbers: BTreeMap<NumVar, i128>,
        words: BTreeMap<TextVar, Arc<str>>,
    ) -> Model {
        Model { free: free.into_iter().collect(), numbers, words }
    }

    /// Whether a formula is true.
    #[must_use]
    pub fn holds(&self, context: &Context, formula: F) -> bool {
        self.evaluate(context, formula, &mut HashMap::new())
    }

    /// Of each formula whether it is true; what they have in common is looked at once.
    #[must_use]
    pub fn hold(&self, context: &Context, formulas: &[F]) -> Vec<bool> {
        let mut known = HashMap::new();
        formulas.iter().map(|formula| self.evaluate(context, *formula, &mut known)).collect()
    }

    fn evaluate(&self, context: &Context, formula: F, known: &mut HashMap<usize, bool>) -> bool {
        let mut open = vec![formula];
        while let Some(&next) = open.last() {
            let value = match context.formulas.node(next) {
                _ if known.contains_key(&next.node()) => None,
                Node::True => Some(true),
                Node::Atom(atom) => Some(self.atom_holds(context, atom)),
                Node::And(parts) => {
                    let value = |part: F| known.get(&part.node()).map(|value| *value != part.is_negated());
                    if parts.iter().any(|part| value(*part) == Some(false)) {
                        Some(false)
                    } else if let Some(unknown) = parts.iter().find(|part| value(**part).is_none()) {
                        open.push(*unknown);
                        continue;
                    } else {
                        Some(true)
                    }
                }
            };
            if let Some(value) = value {
                known.insert(next.node(), value);
            }
            open.pop();
        }
        known.get(&formula.node()).is_some_and(|value| *value != formula.is_negated())
    }

    /// The value of a number.
    #[must_use]
    pub fn number(&self, context: &Context, variable: NumVar) -> i128 {
        let (low, high) = context.numbers.bounds(variable);
        match context.numbers.source(variable) {
            // What has no such size has less than any, and bounds hold whatever the source is.
            Some(source) => self.function(context, source).unwrap_or(low).clamp(low, high.max(low)),
            None => self.numbers.get(&variable).copied().unwrap_or_else(|| nearest_to_zero(low, high)),
        }
    }

    /// The value of a sum; nothing past 128 bits.
    #[must_use]
    pub fn sum(&self, context: &Context, sum: &Linear) -> Option<i128> {
        sum.value(|variable| self.number(context, variable))
    }

    /// The word that a text is; empty for a part that the other's word does not have.
    #[must_use]
    pub fn word(&self, context: &Context, variable: TextVar) -> Arc<str> {
        self.word_if_any(context, variable).unwrap_or_default()
    }

    /// The word that a text is, unless it is a part that the other's word does not have.
    #[must_use]
    pub fn word_if_any(&self, context: &Context, variable: TextVar) -> Option<Arc<str>> {
        if let Some((whole, view)) = context.texts.whole(variable) {
            let whole = self.word_if_any(context, whole)?;
            return part_of(view, &whole).map(Arc::from);
        }
        let simplest = || context.texts.domain(variable).map(|domain| Arc::from(simplest(domain)));
        self.words.get(&variable).cloned().or_else(simplest)
    }

    fn function(&self, context: &Context, source: Source) -> Option<i128> {
        let word = |text| self.word_if_any(context, text);
        let date = |instant| calendar::date(self.number(context, instant));
        match source {
            Source::Characters(text) => i128::try_from(word(text)?.chars().count()).ok(),
            Source::Depth(text) => i128::try_from(path::components(&word(text)?).count()).ok(),
            Source::Port(text) => Url::parse(&word(text)?).ok()?.view().effective_port().map(i128::from),
            Source::Year(instant) => Some(calendar::year(self.number(context, instant))),
            Source::Month(instant) => date(instant).map(|date| date.month),
            Source::Day(instant) => date(instant).map(|date| date.day),
        }
    }

    /// Whether an atom is true. An atom about a part that is not there is not, whatever it says.
    #[must_use]
    pub fn atom_holds(&self, context: &Context, atom: &Atom) -> bool {
        let word = |variable| self.word_if_any(context, variable);
        let both = |one, other| Some((word(one)?, word(other)?));
        match atom {
            Atom::Free(number) => self.free.contains(number),
            Atom::AtMost(sum, bound) => self.sum(context, sum).is_some_and(|value| value <= *bound),
            Atom::In(variable, language) => word(*variable).is_some_and(|word| context.texts.holds(*language, &word)),
            Atom::Same(one, other) => both(*one, *other).is_some_and(|(one, other)| one == other),
            Atom::Before(one, other) => both(*one, *other).is_some_and(|(one, other)| one < other),
        }
    }
}

/// A word of a domain, for variables of which nothing is asked.
fn simplest(domain: Domain) -> &'static str {
    match domain {
        Domain::Any(_) => "",
        Domain::Path => "/",
        Domain::Url => "a://a",
        Domain::Address => "400000000",
        Domain::Net => "400000000/00",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::text::is_of;

    #[test]
    fn what_nobody_asks_of_is_of_its_domain() {
        for domain in [Domain::Any(0), Domain::Path, Domain::Url, Domain::Address, Domain::Net] {
            assert!(is_of(domain, simplest(domain)), "{domain:?}");
        }
    }
}
