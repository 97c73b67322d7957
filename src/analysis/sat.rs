//! The one door to the SAT solver: formulas go in as clauses, an assignment or a core of the assumptions comes out.
//!
//! Of a formula the nodes that are needed get a variable each, when they are first needed, and clauses in both
//! directions, so that a node means the same wherever it stands and in whatever sign. Nothing is ever taken back: what
//! holds only now is an assumption. Atoms are mere variables here; what they mean is the business of `solver`.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use batsat::{Callbacks, ClauseKind, Lit, SolverInterface, SolverOpts, Var, lbool};

use crate::analysis::budget::{Budget, Exhausted};
use crate::analysis::formula::{F, Formulas, Node};

/// Clauses, and the variables of nodes.
pub struct Sat {
    solver: batsat::Solver<Meter>,
    variables: HashMap<usize, Var>,
    new_atoms: Vec<F>,
}

/// What a search ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All clauses can hold together with the assumptions: [`Sat::value`] says how.
    Yes,
    /// They can't together with these of the assumptions.
    No(Vec<F>),
    /// The budget ended first.
    Unknown,
}

/// Counts what the search does, and stops it. (The solver has a budget of its own that nobody outside can set.)
#[derive(Debug, Default)]
struct Meter {
    steps: Cell<u64>,
    steps_max: u64,
}

impl Callbacks for Meter {
    fn on_new_clause(&mut self, clause: &[Lit], kind: ClauseKind) {
        if !matches!(kind, ClauseKind::Axiom) {
            let size = u64::try_from(clause.len()).unwrap_or(u64::MAX);
            self.steps.set(self.steps.get().saturating_add(size));
        }
    }

    // Asked before each decision.
    fn stop(&self) -> bool {
        self.steps.set(self.steps.get().saturating_add(1));
        self.steps.get() > self.steps_max
    }
}

impl fmt::Debug for Sat {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Sat").field("variables", &self.variables.len()).finish_non_exhaustive()
    }
}

impl Default for Sat {
    fn default() -> Sat {
        let solver = batsat::Solver::new(SolverOpts::default(), Meter::default());
        Sat { solver, variables: HashMap::new(), new_atoms: Vec::new() }
    }
}

impl Sat {
    /// How many variables there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.variables.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// At least one of these holds, from now on.
    ///
    /// # Errors
    /// The formulas are too large for the budget. Nothing holds then that did not before.
    pub fn add(&mut self, formulas: &Formulas, clause: &[F], budget: &mut Budget) -> Result<(), Exhausted> {
        let mut literals = Vec::with_capacity(clause.len());
        for part in clause {
            literals.push(self.literal(formulas, *part, budget)?);
        }
        self.solver.add_clause_reuse(&mut literals);
        Ok(())
    }

    /// Make the formula known, so that it has a value.
    ///
    /// # Errors
    /// It is too large for the budget.
    pub fn know(&mut self, formulas: &Formulas, formula: F, budget: &mut Budget) -> Result<(), Exhausted> {
        self.literal(formulas, formula, budget).map(|_| ())
    }

    /// Make an atom known, or the negation of one, and try first that it is true, unless it was known before.
    ///
    /// # Errors
    /// There is no budget for it.
    pub fn prefer(&mut self, formulas: &Formulas, atom: F, budget: &mut Budget) -> Result<(), Exhausted> {
        budget.spend(1)?;
        if !self.variables.contains_key(&atom.node()) && matches!(formulas.node(atom), Node::Atom(_)) {
            let variable = self.solver.new_var(lbool::new(!atom.is_negated()), true);
            self.variables.insert(atom.node(), variable);
            self.new_atoms.push(atom.positive());
        }
        self.know(formulas, atom, budget)
    }

    /// The atoms that have become known since this was last asked, in the order in which they did.
    pub fn take_new_atoms(&mut self) -> Vec<F> {
        std::mem::take(&mut self.new_atoms)
    }

    /// Whether all clauses can hold together with the assumptions.
    pub fn solve(&mut self, formulas: &Formulas, assumptions: &[F], budget: &mut Budget) -> Answer {
        let mut literals = Vec::with_capacity(assumptions.len());
        for assumption in assumptions {
            match self.literal(formulas, *assumption, budget) {
                Ok(literal) => literals.push(literal),
                Err(Exhausted) => return Answer::Unknown,
            }
        }
        if budget.steps_left == 0 {
            return Answer::Unknown;
        }
        let propagated = self.solver.num_propagations();
        *self.solver.cb_mut() = Meter { steps: Cell::new(0), steps_max: budget.steps_left };
        let result = self.solver.solve_limited(&literals);
        let propagated = self.solver.num_propagations().saturating_sub(propagated);
        // An answer is one, whatever it cost; who goes on asking finds the budget empty.
        let _ = budget.spend(self.solver.cb().steps.get().saturating_add(propagated / 64));
        if result == lbool::TRUE {
            Answer::Yes
        } else if result == lbool::FALSE {
            let core: BTreeSet<Var> = self.solver.unsat_core().iter().map(|literal| literal.var()).collect();
            let in_core = |literal: &Lit| core.contains(&literal.var());
            let pairs = assumptions.iter().zip(&literals);
            Answer::No(pairs.filter(|(_, literal)| in_core(literal)).map(|(assumption, _)| *assumption).collect())
        } else {
            Answer::Unknown
        }
    }

    /// What a formula was under the last assignment; nothing if it is not known or there is no assignment.
    #[must_use]
    pub fn value(&self, formula: F) -> Option<bool> {
        let value = self.solver.value_var(*self.variables.get(&formula.node())?);
        if value == lbool::TRUE {
            Some(!formula.is_negated())
        } else if value == lbool::FALSE {
            Some(formula.is_negated())
        } else {
            None
        }
    }

    /// The literal of a formula, with variables and clauses for what below it has none yet.
    fn literal(&mut self, formulas: &Formulas, formula: F, budget: &mut Budget) -> Result<Lit, Exhausted> {
        let mut open = vec![formula.positive()];
        while let Some(&next) = open.last() {
            if self.variables.contains_key(&next.node()) {
                open.pop();
                continue;
            }
            match formulas.node(next) {
                Node::True => {
                    let variable = self.variable(next);
                    self.solver.add_clause_reuse(&mut vec![Lit::new(variable, true)]);
                }
                Node::Atom(_) => {
                    self.variable(next);
                    self.new_atoms.push(next);
                }
                Node::And(parts) => {
                    budget.spend(1)?;
                    let before = open.len();
                    open.extend(
                        parts
                            .iter()
                            .map(|part| part.positive())
                            .filter(|part| !self.variables.contains_key(&part.node())),
                    );
                    if open.len() > before {
                        continue;
                    }
                    budget.spend(u64::try_from(parts.len()).unwrap_or(u64::MAX))?;
                    let all: Vec<Lit> = parts.iter().filter_map(|part| self.known(*part)).collect();
                    let whole = Lit::new(self.variable(next), true);
                    for part in &all {
                        self.solver.add_clause_reuse(&mut vec![!whole, *part]);
                    }
                    let mut back: Vec<Lit> = all.iter().map(|part| !*part).collect();
                    back.push(whole);
                    self.solver.add_clause_reuse(&mut back);
                }
            }
            open.pop();
        }
        Ok(self.known(formula).expect("it was made known above"))
    }

    fn variable(&mut self, formula: F) -> Var {
        let variable = self.solver.new_var_default();
        self.variables.insert(formula.node(), variable);
        variable
    }

    fn known(&self, formula: F) -> Option<Lit> {
        self.variables.get(&formula.node()).map(|variable| Lit::new(*variable, !formula.is_negated()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ample() -> Budget {
        Budget::new(1_000_000)
    }

    #[test]
    fn cores_are_of_assumptions() {
        let (mut all, mut sat) = (Formulas::default(), Sat::default());
        let [a, b, c, d] = [(); 4].map(|()| all.free());
        let both = all.both(a, b);
        sat.add(&all, &[!both, c], &mut ample()).expect("the budget is ample");
        assert_eq!(sat.solve(&all, &[a, b, d], &mut ample()), Answer::Yes);
        assert_eq!([a, !b, c, both].map(|part| sat.value(part)), [Some(true), Some(false), Some(true), Some(true)]);
        assert_eq!(sat.solve(&all, &[d, a, !c, b], &mut ample()), Answer::No(vec![a, !c, b]));
        // What was an assumption is none any more.
        assert_eq!(sat.solve(&all, &[a, !c], &mut ample()), Answer::Yes);
        assert_eq!(sat.solve(&all, &[d, a, !a], &mut ample()), Answer::No(vec![a, !a]));
        assert_eq!(sat.solve(&all, &[d, F::FALSE], &mut ample()), Answer::No(vec![F::FALSE]));
        assert_eq!(sat.solve(&all, &[d, F::TRUE], &mut ample()), Answer::Yes);
        sat.add(&all, &[], &mut ample()).expect("the budget is ample");
        assert_eq!(sat.solve(&all, &[d], &mut ample()), Answer::No(vec![]));
    }

    #[test]
    fn what_nobody_asks_for_is_false() {
        let (mut all, mut sat) = (Formulas::default(), Sat::default());
        let [a, b, c] = [(); 3].map(|()| all.free());
        sat.know(&all, c, &mut ample()).expect("the budget is ample");
        let either = all.either(a, b);
        assert_eq!(sat.solve(&all, &[either], &mut ample()), Answer::Yes);
        assert_eq!(sat.value(c), Some(false));
        assert_eq!(sat.take_new_atoms(), [c, b, a]);
        let d = all.free();
        sat.prefer(&all, d, &mut ample()).expect("the budget is ample");
        assert_eq!(sat.solve(&all, &[either], &mut ample()), Answer::Yes);
        assert_eq!(sat.value(d), Some(true));
        assert_eq!(sat.take_new_atoms(), [d]);
        assert_eq!(sat.take_new_atoms(), []);
    }

    /// So many pigeons, one hole fewer.
    fn pigeons(all: &mut Formulas, count: usize) -> F {
        let sits: Vec<Vec<F>> = (0..count).map(|_| (1..count).map(|_| all.free()).collect()).collect();
        let mut parts: Vec<F> = sits.iter().map(|holes| all.or(holes.iter().copied())).collect();
        for (at, one) in sits.iter().enumerate() {
            for other in &sits[..at] {
                for (here, there) in one.iter().zip(other) {
                    let both = all.both(*here, *there);
                    parts.push(!both);
                }
            }
        }
        all.and(parts)
    }

    #[test]
    fn the_budget_stops_a_search() {
        let mut all = Formulas::default();
        let hard = pigeons(&mut all, 7);
        let ask = |steps: u64| {
            let (mut sat, mut budget) = (Sat::default(), Budget::new(steps));
            (sat.solve(&all, &[hard], &mut budget), budget.steps_left)
        };
        let mut sat = Sat::default();
        assert_eq!(sat.solve(&all, &[hard], &mut Budget::new(200)), Answer::Unknown);
        assert_eq!(sat.solve(&all, &[hard], &mut Budget::new(0)), Answer::Unknown);
        assert_eq!(ask(0), (Answer::Unknown, 0));
        assert_eq!(ask(200), (Answer::Unknown, 0));
        let (answer, left) = ask(1_000_000);
        assert_eq!(answer, Answer::No(vec![hard]));
        assert_eq!(ask(1_000_000).1, left, "the same question takes the same steps");
        // The search is interrupted, it does not forget: it can go on.
        assert_eq!(sat.solve(&all, &[hard], &mut ample()), Answer::No(vec![hard]));
    }
}
