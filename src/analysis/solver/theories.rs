//! The literals that matter, put before those who understand them: numbers and texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::budget::{Budget, Reason};
use crate::analysis::context::Context;
use crate::analysis::formula::{Atom, F, Node};
use crate::analysis::linear::{self, Constraint, Verdict};
use crate::analysis::numbers::{NumVar, Source};
use crate::analysis::solver::axioms::{Axioms, Refined, moved};
use crate::analysis::solver::model::Model;
use crate::analysis::text::{Lang, TextAtom, TextVerdict};

/// What became of literals.
#[derive(Debug)]
pub(super) enum Finding {
    /// They hold in this model.
    Holds(Model),
    /// They can't: these clauses always hold.
    Learnt(Vec<Vec<F>>),
    /// It takes more: what always holds, and what has to be decided, best so that it is true.
    Refined(Vec<Refined>),
    /// Nobody knows.
    Doubt(Reason),
}

/// Whether the literals can hold together.
pub(super) fn consult(context: &mut Context, axioms: &mut Axioms, literals: &[F], budget: &mut Budget) -> Finding {
    let mut sums: Vec<(F, Constraint)> = Vec::new();
    let mut words: Vec<(F, (TextAtom, bool))> = Vec::new();
    let mut model = Model::default();
    for literal in literals {
        let Node::Atom(atom) = context.formulas.node(*literal) else { continue };
        let holds = !literal.is_negated();
        match atom {
            Atom::Free(number) => {
                if holds {
                    model.free.insert(*number);
                }
            }
            Atom::AtMost(sum, bound) if holds => sums.push((*literal, Constraint::at_most(sum.clone(), *bound))),
            Atom::AtMost(sum, bound) => {
                let Some(bound) = bound.checked_add(1) else { return Finding::Doubt(Reason::Numbers) };
                sums.push((*literal, Constraint::at_least(sum.clone(), bound)));
            }
            Atom::In(variable, language) => words.push((*literal, (TextAtom::In(*variable, *language), holds))),
            Atom::Same(one, other) => words.push((*literal, (TextAtom::Same(*one, *other), holds))),
            Atom::Before(one, other) => words.push((*literal, (TextAtom::Before(*one, *other), holds))),
        }
    }

    let constraints: Vec<Constraint> = sums.iter().map(|(_, constraint)| constraint.clone()).collect();
    let numbers = part_of(budget, |budget| linear::decide(&context.numbers, &constraints, budget));
    let numbers = match numbers {
        Verdict::Values(values) => values,
        Verdict::Conflict(core) => {
            return conflict(core.iter().filter_map(|place| Some(sums.get(*place)?.0)), Reason::Numbers);
        }
        Verdict::Undecided(reason) => return Finding::Doubt(reason),
    };
    if !words.is_empty() {
        let atoms: Vec<(TextAtom, bool)> = words.iter().map(|(_, atom)| *atom).collect();
        match part_of(budget, |budget| context.texts.solve(&atoms, budget)) {
            TextVerdict::Words(found) => {
                model.words = found.into_iter().map(|(variable, word)| (variable, Arc::from(word))).collect();
            }
            TextVerdict::Conflict(core) => {
                return conflict(core.iter().filter_map(|place| Some(words.get(*place)?.0)), Reason::Texts);
            }
            TextVerdict::Undecided(reason) => return Finding::Doubt(reason),
        }
    }
    model.numbers = numbers.clone();
    if words.iter().any(|(literal, _)| !is_seen(context, &model, *literal)) {
        return Finding::Doubt(Reason::Texts);
    }
    settle(context, axioms, model, &sums, &numbers)
}

/// These literals can't all hold. That none of them were needed is nothing that a theory may say.
fn conflict(core: impl Iterator<Item = F>, doubt: Reason) -> Finding {
    let clause: Vec<F> = core.map(|literal| !literal).collect();
    if clause.is_empty() { Finding::Doubt(doubt) } else { Finding::Learnt(vec![clause]) }
}

/// Whether a literal about texts is true by the functions of the machine. (Patterns are those functions themselves.)
fn is_seen(context: &Context, model: &Model, literal: F) -> bool {
    let Node::Atom(atom) = context.formulas.node(literal) else { return false };
    if let Atom::In(_, language) = atom
        && matches!(context.texts.described(*language), Lang::Glob(_) | Lang::Regex(_))
    {
        return true;
    }
    model.atom_holds(context, atom) != literal.is_negated()
}

/// Numbers that are functions of something else get the value of it. Where that breaks a sum, the search goes on with
/// more that matters.
fn settle(
    context: &mut Context,
    axioms: &mut Axioms,
    model: Model,
    sums: &[(F, Constraint)],
    found: &BTreeMap<NumVar, i128>,
) -> Finding {
    let broken = |context: &Context, model: &Model| -> Vec<usize> {
        let holds =
            |constraint: &Constraint| constraint.holds(|variable| model.number(context, variable)) == Some(true);
        (0..sums.len()).filter(|place| !sums.get(*place).is_some_and(|(_, constraint)| holds(constraint))).collect()
    };
    let places = broken(context, &model);
    if places.is_empty() {
        return Finding::Holds(model);
    }
    let mut numbers: Vec<NumVar> = places
        .iter()
        .filter_map(|place| sums.get(*place))
        .flat_map(|(_, constraint)| constraint.sum.terms.iter().map(|(variable, _)| *variable))
        .filter(|variable| context.numbers.source(*variable).is_some())
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let wanted = |number: Option<NumVar>| number.and_then(|number| found.get(&number).copied());

    // Other instants often do.
    let functions: BTreeMap<Source, NumVar> = context.numbers.functions().collect();
    let mut other = model.clone();
    for number in &numbers {
        let Some(instant) = instant_of(context, *number) else { continue };
        let year = wanted(functions.get(&Source::Year(instant)).copied());
        let month = wanted(functions.get(&Source::Month(instant)).copied());
        let day = wanted(functions.get(&Source::Day(instant)).copied());
        let (low, high) = context.numbers.bounds(instant);
        let candidates = moved(other.number(context, instant), year, month, day);
        let best =
            candidates.into_iter().filter(|candidate| (low..=high).contains(candidate)).min_by_key(|candidate| {
                other.numbers.insert(instant, *candidate);
                broken(context, &other).len()
            });
        let before = model.number(context, instant);
        other.numbers.insert(instant, best.unwrap_or(before));
    }
    if broken(context, &other).is_empty() {
        return Finding::Holds(other);
    }

    let mut refined = Vec::new();
    for number in numbers {
        let Some(value) = found.get(&number).copied() else { continue };
        if value != model.number(context, number) {
            let instant = instant_of(context, number).map(|instant| model.number(context, instant));
            refined.extend(axioms.refine(context, number, value, instant));
        }
    }
    if refined.is_empty() { Finding::Doubt(Reason::Numbers) } else { Finding::Refined(refined) }
}

/// The instant that a number is the year, month or day of.
fn instant_of(context: &Context, number: NumVar) -> Option<NumVar> {
    match context.numbers.source(number)? {
        Source::Year(instant) | Source::Month(instant) | Source::Day(instant) => Some(instant),
        Source::Characters(_) | Source::Depth(_) | Source::Port(_) => None,
    }
}

/// Lets a search spend a part of what is left, so that one hard question does not use up everything.
fn part_of<T>(budget: &mut Budget, search: impl FnOnce(&mut Budget) -> T) -> T {
    let before = budget.steps_left / 4;
    let mut part = Budget::new(before);
    let result = search(&mut part);
    budget.steps_left -= before.saturating_sub(part.steps_left).min(budget.steps_left);
    result
}
