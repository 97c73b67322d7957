//! Which atoms matter: those that make what is asked for true, under an assignment of the SAT solver.
//!
//! The assignment speaks of every atom that was ever known. Only what is needed from the top down is a literal that a
//! theory has to agree with: all parts of what is true, and one part of what is false because of it.

use std::collections::HashSet;

use crate::analysis::budget::{Budget, Exhausted};
use crate::analysis::formula::{Atom, F, Formulas, Node};
use crate::analysis::sat::Sat;
use crate::analysis::solver::axioms::Axioms;

/// The literals that matter for the roots, which are true, in the order in which they were met.
pub(super) fn relevant(
    formulas: &Formulas,
    sat: &Sat,
    axioms: &Axioms,
    roots: impl DoubleEndedIterator<Item = F>,
    budget: &mut Budget,
) -> Result<Vec<F>, Exhausted> {
    let mut literals = Vec::new();
    let mut seen: HashSet<F> = HashSet::new();
    let mut open: Vec<F> = roots.rev().collect();
    // Where there is a choice it is made late, when it may have been made already.
    let mut choices: Vec<F> = Vec::new();
    loop {
        let Some(next) = open.pop() else {
            let Some(choice) = choices.pop() else { return Ok(literals) };
            let Node::And(parts) = formulas.node(choice) else { continue };
            budget.spend(u64::try_from(parts.len()).unwrap_or(u64::MAX) / 8)?;
            let reasons = parts.iter().map(|part| !*part).filter(|part| sat.value(*part) == Some(true));
            open.extend(
                reasons.min_by_key(|reason| if seen.contains(reason) { 0 } else { 1 + burden(formulas, *reason) }),
            );
            continue;
        };
        if !seen.insert(next) {
            continue;
        }
        budget.spend(1)?;
        match formulas.node(next) {
            Node::True => {}
            Node::And(_) if next.is_negated() => choices.push(next),
            Node::And(parts) => open.extend(parts.iter().rev().copied()),
            Node::Atom(atom) => {
                literals.push(next);
                let (facts, either) = axioms.beside(next, atom);
                open.extend(facts);
                open.extend(either.into_iter().filter_map(|formula| match sat.value(formula)? {
                    true => Some(formula),
                    false => Some(!formula),
                }));
            }
        }
    }
}

/// How hard a reason makes it for the theories, roughly.
fn burden(formulas: &Formulas, reason: F) -> u8 {
    match (formulas.node(reason), reason.is_negated()) {
        (Node::True | Node::Atom(Atom::Free(_)), _) => 0,
        (Node::Atom(Atom::AtMost(sum, _)), _) if sum.terms.len() == 1 => 1,
        (Node::Atom(Atom::In(..)), true) => 2,
        (Node::Atom(Atom::AtMost(..)), _) => 3,
        (Node::Atom(Atom::In(..)), false) => 4,
        (Node::And(_), _) => 5,
        (Node::Atom(Atom::Same(..) | Atom::Before(..)), _) => 6,
    }
}
