//! Whether formulas can hold together: the SAT solver proposes, the theories of numbers and texts dispose.
//!
//! A [`Solver`] is asked many questions one after another. What is [asserted](Solver::assert) holds in all of them; what
//! a question assumes holds in that question alone. Three ends are possible: a [`Model`], which makes everything true; a
//! proof that there is none, with those of the assumptions that it took; or neither, with the reason.
//!
//! The loop: the SAT solver assigns truth to atoms; of those that matter (`relevant`) the theories say whether they can
//! be so together (`theories`). If not, the few that can't become a clause, and the SAT solver tries again. A set of
//! literals that no theory could decide is set aside: if nothing else remains, the question is undecided.
//!
//! *Unsatisfiable* is a proof as far as formulas go: every clause added is true of all requests.

mod axioms;
mod calendar;
mod model;
mod relevant;
mod theories;

#[cfg(test)]
mod tests;

use crate::analysis::budget::{Budget, Exhausted, Reason};
use crate::analysis::context::Context;
use crate::analysis::formula::F;
use crate::analysis::sat::{Answer, Sat};
use crate::analysis::solver::axioms::{Axioms, Refined};
pub use crate::analysis::solver::model::Model;
use crate::analysis::solver::relevant::relevant;
use crate::analysis::solver::theories::{Finding, consult};

/// How many sets of literals are set aside before a question is given up.
const DOUBTS_MAX: usize = 32;

/// What was asserted, and what was learnt from it. For one [`Context`].
#[derive(Debug, Default)]
pub struct Solver {
    sat: Sat,
    axioms: Axioms,
    asserted: Vec<F>,
    /// How many of those the SAT solver knows.
    known: usize,
}

/// What a question ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In this model all is true.
    Sat(Model),
    /// What is asserted and these of the assumptions can't hold together.
    Unsat(Vec<F>),
    /// It could not be found out.
    Undecided(Reason),
}

impl Solver {
    /// Nothing asserted.
    #[must_use]
    pub fn new() -> Solver {
        Solver::default()
    }

    /// From now on this holds.
    pub fn assert(&mut self, formula: F) {
        self.asserted.push(formula);
    }

    /// Whether all that is asserted can hold together with the assumptions.
    pub fn check(&mut self, context: &mut Context, assumptions: &[F], budget: &mut Budget) -> Outcome {
        match self.search(context, assumptions, budget) {
            Ok(outcome) => outcome,
            Err(Exhausted) => Outcome::Undecided(Reason::Steps),
        }
    }

    fn search(&mut self, context: &mut Context, assumptions: &[F], budget: &mut Budget) -> Result<Outcome, Exhausted> {
        budget.spend(1)?;
        while let Some(formula) = self.asserted.get(self.known) {
            self.sat.add(&context.formulas, &[*formula], budget)?;
            self.known += 1;
        }
        for assumption in assumptions {
            self.sat.know(&context.formulas, *assumption, budget)?;
        }
        // What was set aside, as long as this is assumed.
        let mut aside: Option<(F, Reason)> = None;
        let mut doubts = 0;
        loop {
            self.learn_of_atoms(context, budget)?;
            let assumed: Vec<F> = assumptions.iter().copied().chain(aside.map(|(aside, _)| aside)).collect();
            match (self.sat.solve(&context.formulas, &assumed, budget), aside) {
                (Answer::Yes, _) => {}
                (Answer::No(core), Some((aside, reason))) if core.contains(&aside) => {
                    return Ok(Outcome::Undecided(reason));
                }
                (Answer::No(core), _) => return Ok(Outcome::Unsat(core)),
                (Answer::Unknown, _) => return Err(Exhausted),
            }
            let roots = self.asserted.iter().chain(assumptions).copied();
            let literals = relevant(&context.formulas, &self.sat, &self.axioms, roots, budget)?;
            match consult(context, &mut self.axioms, &literals, budget) {
                Finding::Holds(model) => return Ok(Outcome::Sat(model)),
                Finding::Learnt(clauses) => {
                    for clause in clauses {
                        self.sat.add(&context.formulas, &clause, budget)?;
                    }
                }
                Finding::Refined(all) => {
                    for refined in all {
                        match refined {
                            Refined::Fact(fact) => self.sat.add(&context.formulas, &[fact], budget)?,
                            Refined::Split(parts) => {
                                for part in parts {
                                    self.sat.prefer(&context.formulas, part, budget)?;
                                }
                            }
                        }
                    }
                }
                Finding::Doubt(reason) => {
                    budget.spend(1)?;
                    doubts += 1;
                    if doubts > DOUBTS_MAX {
                        return Ok(Outcome::Undecided(reason));
                    }
                    let (aside, _) = *aside.get_or_insert_with(|| (context.formulas.free(), reason));
                    let clause: Vec<F> = literals.iter().copied().chain([aside]).map(|literal| !literal).collect();
                    self.sat.add(&context.formulas, &clause, budget)?;
                }
            }
        }
    }

    /// Tells the SAT solver what always holds of the atoms that it has come to know.
    fn learn_of_atoms(&mut self, context: &mut Context, budget: &mut Budget) -> Result<(), Exhausted> {
        loop {
            let atoms = self.sat.take_new_atoms();
            if atoms.is_empty() {
                return Ok(());
            }
            for atom in atoms {
                for clause in self.axioms.of_atom(context, atom) {
                    self.sat.add(&context.formulas, &clause, budget)?;
                }
            }
            for clause in self.axioms.of_languages(context) {
                self.sat.add(&context.formulas, &clause, budget)?;
            }
        }
    }

    /// A model of what is asserted and the assumptions that makes as many of the preferences true as go together, the
    /// first ones first. What can't be found out about a preference speaks against it.
    pub fn smallest(
        &mut self,
        context: &mut Context,
        assumptions: &[F],
        preferences: &[F],
        budget: &mut Budget,
    ) -> Outcome {
        let mut model = match self.check(context, assumptions, budget) {
            Outcome::Sat(model) => model,
            other => return other,
        };
        let mut wanted = assumptions.to_vec();
        for preference in preferences {
            wanted.push(*preference);
            if model.holds(context, *preference) {
                continue;
            }
            match self.check(context, &wanted, budget) {
                Outcome::Sat(better) => model = better,
                Outcome::Unsat(_) | Outcome::Undecided(_) => {
                    wanted.pop();
                }
            }
        }
        Outcome::Sat(model)
    }

    /// The least of the cube that still implies the goal, as far as that is cheap: what the proof took, and of that
    /// whatever can be left out, tried in the order given. All of the cube if it is not known to imply the goal.
    pub fn generalise(&mut self, context: &mut Context, cube: &[F], goal: F, budget: &mut Budget) -> Vec<F> {
        let mut ask = |part: &[F], budget: &mut Budget| {
            let assumptions: Vec<F> = part.iter().copied().chain([!goal]).collect();
            match self.check(context, &assumptions, budget) {
                Outcome::Unsat(core) => Some(part.iter().copied().filter(|literal| core.contains(literal)).collect()),
                Outcome::Sat(_) | Outcome::Undecided(_) => None,
            }
        };
        let Some(mut least): Option<Vec<F>> = ask(cube, budget) else { return cube.to_vec() };
        let mut at = 0;
        while let Some(literal) = least.get(at).copied() {
            let without: Vec<F> = least.iter().copied().filter(|other| *other != literal).collect();
            match ask(&without, budget) {
                // What comes before was needed for more than this, so that it still is.
                Some(smaller) => least = smaller,
                None => at += 1,
            }
        }
        least
    }
}
