//! Why a decision is what it is, and what would have to be otherwise.
//!
//! The machine decides; this says of the same request what every condition of every rule comes to, with the values that
//! make it so, and looks for the requests nearest to it that would be answered otherwise. Nothing that is found is told
//! before the machine has answered it.

mod nearest;
pub mod shown;
pub mod who;

use std::sync::Arc;

use crate::analysis::decision::{Decided, Does, Rule, decide};
use crate::analysis::encode::{Encoder, Joint, Tree};
use crate::analysis::formula::F;
use crate::analysis::pin::{self, Asked, Pins, Registry};
use crate::analysis::question::{Found, Kind, Question};
use crate::analysis::request::{Json, value};
use crate::analysis::solver::Model;
use crate::analysis::world::World;
use crate::base::span::Span;
use crate::types::typed::{Answer, TypedPolicy};

/// What a condition comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// True.
    Yes,
    /// False.
    No,
    /// An error.
    Error,
    /// It is not known: it rests on what is not encoded exactly.
    Unknown,
}

/// A condition of a rule, of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// How it is made of its parts.
    pub joint: Joint,
    /// As PDL; of what has a name, the name.
    pub text: String,
    /// What it comes to.
    pub holds: Holds,
    /// Its parts.
    pub parts: Vec<Node>,
    /// What it reads, as PDL, with the values.
    pub reads: Vec<(String, String)>,
}

impl Node {
    /// How many leaves would have to be otherwise, at least, for it to come to this.
    #[must_use]
    pub fn misses(&self, wanted: bool) -> usize {
        let all = |wanted: bool| self.parts.iter().map(|part| part.misses(wanted)).sum();
        let any = |wanted: bool| self.parts.iter().map(|part| part.misses(wanted)).min().unwrap_or(0);
        match (&self.joint, wanted) {
            (Joint::Leaf, _) => usize::from(self.holds != if wanted { Holds::Yes } else { Holds::No }),
            (Joint::All | Joint::Named, true) | (Joint::Any | Joint::Named, false) => all(wanted),
            (Joint::Any, true) | (Joint::All, false) => any(wanted),
            (Joint::Not, _) => all(!wanted),
            (Joint::Implies, _) => {
                let mut ways = self.parts.iter().enumerate().map(|(at, part)| part.misses(wanted == (at == 1)));
                if wanted { ways.min().unwrap_or(0) } else { ways.by_ref().sum() }
            }
        }
    }
}

/// A rule, of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTree {
    /// Its id in decisions.
    pub id: Arc<str>,
    /// What it does.
    pub does: Does,
    /// It is reported and does not count.
    pub shadow: bool,
    /// Where.
    pub span: Span,
    /// Its condition.
    pub condition: Node,
}

/// A field that is otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// As rules speak of it.
    pub path: String,
    /// What it is, as it is sent; nothing if it is left out.
    pub before: Option<Json>,
    /// What it would be.
    pub after: Option<Json>,
}

/// A request near the one that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// What is otherwise.
    pub changes: Vec<Changed>,
    /// The request.
    pub request: Json,
}

/// What is known of the requests that would be answered otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nearest {
    /// These, with as few changes as can be; the machine has answered them so.
    Found(Vec<Near>),
    /// Whatever the caller says otherwise, this is not the answer: proved.
    Never,
    /// It is not known, and why.
    Undecided(String),
}

/// An explanation.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// All rules for the action, in source order.
    pub rules: Vec<RuleTree>,
    /// What an explanation rests on that is not known for certain.
    pub doubts: Vec<String>,
    /// For each answer that was looked for: how near it is.
    pub nearest: Vec<(Answer, Nearest)>,
}

/// What the machine said of the request.
#[derive(Clone, Debug)]
pub struct Given {
    /// The answer.
    pub answer: Answer,
    /// Rules that hold.
    pub matched: Vec<Arc<str>>,
    /// The rule whose condition is an error.
    pub failed: Option<Arc<str>>,
}

/// Asks the machine, with the entities and facts that were given: what it answers to a request.
pub type Machine<'m> = &'m mut dyn FnMut(&Json) -> Answer;

struct Encoded {
    decided: Decided,
    trees: Vec<Tree>,
    pins: Pins,
}

/// Explains what the machine answers to a request, which it takes.
///
/// # Errors
/// The request could not be followed, and why.
pub fn explain(
    policy: &TypedPolicy,
    kind: &Kind,
    (asked, registry): (&Asked, &Registry),
    given: &Given,
    steps: u64,
    machine: Machine<'_>,
) -> Result<Explanation, String> {
    let (mut question, encoded) = Question::new(&[policy], kind, steps, |world| {
        let decided = decide(world, 0);
        let trees = decided.rules.iter().map(|rule| tree(world, rule)).collect();
        let pins = pin::request(world, 0, asked, registry);
        Encoded { decided, trees, pins }
    });
    let goal = encoded.decided.answers(&mut question.world, given.answer);
    let mut all = encoded.pins.all();
    all.push(goal);
    // What is not encoded exactly is as the machine has it.
    for (rule, tree) in encoded.decided.rules.iter().zip(&encoded.trees) {
        if given.matched.contains(&rule.id) && !rule.shadow {
            all.extend([rule.condition.yes, tree.truth.yes]);
        }
        if given.failed.as_ref() == Some(&rule.id) && rule.consequence == F::FALSE {
            all.extend([rule.condition.error, tree.truth.error]);
        }
    }
    let model = match question.find(&all) {
        Found::Some(model) => model,
        Found::None(_) => return Err("the analysis comes to another answer than the machine".to_owned()),
        Found::Undecided(reason) => return Err(reason),
    };
    let vague = !question.world.blurred.is_empty() || !encoded.pins.doubts.is_empty();
    let mut rules = Vec::with_capacity(encoded.trees.len());
    for (rule, tree) in encoded.decided.rules.iter().zip(&encoded.trees) {
        rules.push(RuleTree {
            id: rule.id.clone(),
            does: rule.does,
            shadow: rule.shadow,
            span: rule.span,
            condition: node(&mut question, &model, tree, vague.then_some(&all)),
        });
    }
    let blurred = question.world.blurred.iter().filter(|doubt| !doubt.is_empty());
    let mut doubts: Vec<String> = encoded.pins.doubts.iter().chain(blurred).cloned().collect();
    let mut nearest = Vec::new();
    let wanted: &[Answer] = match given.answer {
        Answer::Allow => &[],
        Answer::RequireApproval => &[Answer::Allow],
        Answer::Deny => &[Answer::Allow, Answer::RequireApproval],
    };
    for wanted in wanted {
        let (found, doubt) = nearest::nearest(&mut question, &encoded, &model, asked, *wanted, machine);
        doubts.extend(doubt);
        let enough = matches!(found, Nearest::Found(_));
        nearest.push((*wanted, found));
        if enough {
            break;
        }
    }
    Ok(Explanation { rules, doubts, nearest })
}

fn tree(world: &mut World<'_>, rule: &Rule) -> Tree {
    let policy = world.sides[0];
    let (at, place) = rule.place;
    let (lets, condition) = match rule.does {
        Does::Violation => (&policy.invariants[at].lets, &policy.invariants[at].violated),
        _ => (&policy.policies[at].lets, &policy.policies[at].rules[place].condition),
    };
    Encoder::new(world, 0, rule.instance, lets).tree(condition)
}

/// What a tree comes to in a request. `given` says which request; where not all is encoded exactly it may leave something
/// open, which is then told as unknown.
fn node(question: &mut Question<'_>, model: &Model, tree: &Tree, given: Option<&[F]>) -> Node {
    let world = &mut question.world;
    let (error, yes) = (model.holds(&world.cx, tree.truth.error), model.holds(&world.cx, tree.truth.yes));
    let (holds, formula) = match (error, yes) {
        (true, _) => (Holds::Error, tree.truth.error),
        (_, true) => (Holds::Yes, tree.truth.yes),
        _ => (Holds::No, tree.truth.no),
    };
    let holds = match given {
        Some(given) if question.implies(given, formula) != Some(true) => Holds::Unknown,
        _ => holds,
    };
    let world = &question.world;
    let reads = (tree.reads.iter())
        .filter(|read| !(read.computed && given.is_some()))
        .map(|read| {
            let told = match model.holds(&world.cx, read.value.error) {
                true => "an error".to_owned(),
                false => shown::value(&read.ty, &value(world, model, 0, &read.value.sym)),
            };
            (read.text.clone(), told)
        })
        .collect();
    Node {
        joint: tree.joint.clone(),
        text: tree.text.clone(),
        holds,
        parts: tree.parts.iter().map(|part| node(question, model, part, given)).collect(),
        reads,
    }
}
