//! One question about all requests of one kind: a world, what is encoded in it, and a solver that was told of both.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::budget::Budget;
use crate::analysis::demand::Demand;
use crate::analysis::formula::F;
use crate::analysis::smt::{self, Answer, Program};
use crate::analysis::solver::{Model, Outcome, Solver};
use crate::analysis::world::{WITNESSES_MAX, World};
use crate::types::typed::{ActionId, TypedPolicy};

/// A kind of request: an action, and the types of subject and resource, by their names on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// The action.
    pub action: Arc<str>,
    /// The type of the subject.
    pub subject: Arc<str>,
    /// The type of the resource.
    pub resource: Arc<str>,
}

/// All kinds of requests that a package knows.
#[must_use]
pub fn kinds(policy: &TypedPolicy) -> Vec<Kind> {
    let mut all = Vec::new();
    for action in &policy.actions {
        for subject in &action.subject {
            for resource in &action.resource {
                let name = |id: &crate::types::typed::EntityTypeId| policy.entity_types[id.index()].wire.clone();
                all.push(Kind { action: action.wire.clone(), subject: name(subject), resource: name(resource) });
            }
        }
    }
    all
}

/// The action of a name.
#[must_use]
pub fn action(policy: &TypedPolicy, name: &str) -> Option<ActionId> {
    let at = policy.actions.iter().position(|action| *action.wire == *name)?;
    Some(ActionId(u32::try_from(at).ok()?))
}

/// What there is to be found.
#[derive(Clone, Debug)]
pub enum Found {
    /// A request, as the encoding has it; the machine has not seen it.
    Some(Model),
    /// There is none: proved, and by whom if it was not this solver.
    None(Option<Program>),
    /// It is not known, and why.
    Undecided(String),
}

/// What a search may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Steps of this solver.
    pub steps: u64,
    /// Who is asked where it finds no answer.
    pub second: Option<Second>,
}

/// Another solver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Second {
    /// Which.
    pub program: Program,
    /// How many seconds a question may take it, about.
    pub seconds: u32,
}

impl From<u64> for Effort {
    fn from(steps: u64) -> Effort {
        Effort { steps, second: None }
    }
}

/// A world and a solver for it.
#[derive(Debug)]
pub struct Question<'a> {
    /// The world.
    pub world: World<'a>,
    solver: Solver,
    told: usize,
    /// What one search may take.
    effort: Effort,
}

/// After so many rounds collections are as spelt out as they get.
const ROUNDS_MAX: usize = 6;

impl<'a> Question<'a> {
    /// Encodes what is asked in a world of this kind. It is encoded again until as much of each collection is spelt out as
    /// is asked for, so `encode` has to do the same each time.
    pub fn new<T>(
        sides: &[&'a TypedPolicy],
        kind: &Kind,
        effort: impl Into<Effort>,
        encode: impl FnMut(&mut World<'a>) -> T,
    ) -> (Question<'a>, T) {
        Question::within(sides, kind, effort, WITNESSES_MAX, encode)
    }

    /// As [`Question::new`], with no more elements of each collection spelt out than these. What is a proof there is one;
    /// a request that there is may have more elements than can be shown, as its world says of what is `beyond`.
    pub fn within<T>(
        sides: &[&'a TypedPolicy],
        kind: &Kind,
        effort: impl Into<Effort>,
        witnesses_max: usize,
        mut encode: impl FnMut(&mut World<'a>) -> T,
    ) -> (Question<'a>, T) {
        let effort = effort.into();
        let mut assumed: BTreeMap<Arc<str>, Demand> = BTreeMap::new();
        let mut round = 0;
        loop {
            let actions = sides.iter().map(|side| action(side, &kind.action).map(ActionId::index)).collect();
            let world = World::new(sides.to_vec(), actions, &kind.subject, &kind.resource, assumed.clone());
            let world = world.limited(witnesses_max);
            let mut world = if round < ROUNDS_MAX { world } else { world.loosened() };
            let encoded = encode(&mut world);
            match world.wants() {
                Some(more) if round < ROUNDS_MAX => assumed = more,
                _ => return (Question { world, solver: Solver::new(), told: 0, effort }, encoded),
            }
            round += 1;
        }
    }

    /// A question about a world that is whole.
    #[must_use]
    pub fn of(world: World<'a>, effort: impl Into<Effort>) -> Question<'a> {
        Question { world, solver: Solver::new(), told: 0, effort: effort.into() }
    }

    /// Looks for a request of which all of these hold.
    pub fn find(&mut self, all: &[F]) -> Found {
        let mut budget = Budget::new(self.effort.steps);
        loop {
            self.tell();
            match self.solver.check(&mut self.world.cx, all, &mut budget) {
                Outcome::Sat(model) => {
                    let laws = self.world.refine(&model);
                    if laws.is_empty() {
                        return Found::Some(model);
                    }
                    self.world.axioms.extend(laws);
                }
                Outcome::Unsat(_) => return Found::None(None),
                Outcome::Undecided(reason) => match self.effort.second {
                    Some(second) => return self.find_by(second, all, &reason.to_string()),
                    None => return Found::Undecided(reason.to_string()),
                },
            }
        }
    }

    /// What another solver finds, where this one did not for some reason.
    pub fn find_by(&mut self, Second { program, seconds }: Second, all: &[F], reason: &str) -> Found {
        loop {
            let mut asked = self.world.axioms.clone();
            asked.extend(all);
            match smt::check(program, seconds, &self.world.cx, &asked) {
                Answer::Unsat => return Found::None(Some(program)),
                Answer::Unknown(why) => return Found::Undecided(format!("{reason}; {why}")),
                Answer::Sat(model) => {
                    let laws = self.world.refine(&model);
                    if laws.is_empty() {
                        return Found::Some(model);
                    }
                    self.world.axioms.extend(laws);
                }
            }
        }
    }

    /// As [`Question::find`], and of what is found something small.
    pub fn find_small(&mut self, all: &[F], preferences: &[F]) -> Found {
        let first = self.find(all);
        let Found::Some(model) = first else { return first };
        let mut budget = Budget::new(self.effort.steps);
        let smaller = self.solver.smallest(&mut self.world.cx, all, preferences, &mut budget);
        match smaller {
            Outcome::Sat(smaller) if self.world.refine(&smaller).is_empty() => Found::Some(smaller),
            _ => Found::Some(model),
        }
    }

    /// The least of a cube of conditions that still implies a goal.
    pub fn generalise(&mut self, cube: &[F], goal: F) -> Vec<F> {
        self.tell();
        let mut budget = Budget::new(self.effort.steps);
        self.solver.generalise(&mut self.world.cx, cube, goal, &mut budget)
    }

    /// Whether a condition implies another. `None` where that is not known.
    pub fn implies(&mut self, all: &[F], goal: F) -> Option<bool> {
        let mut asked = all.to_vec();
        asked.push(!goal);
        match self.find(&asked) {
            Found::Some(_) => Some(false),
            Found::None(_) => Some(true),
            Found::Undecided(_) => None,
        }
    }

    fn tell(&mut self) {
        for axiom in self.world.axioms.get(self.told..).unwrap_or_default() {
            self.solver.assert(*axiom);
        }
        self.told = self.world.axioms.len();
    }

    /// Why what was found may not exist.
    #[must_use]
    pub fn doubts(&self) -> String {
        let doubts: Vec<&str> =
            self.world.blurred.iter().map(String::as_str).filter(|doubt| !doubt.is_empty()).collect();
        if doubts.is_empty() { "the request does not behave as computed".to_owned() } else { doubts.join("; ") }
    }
}
