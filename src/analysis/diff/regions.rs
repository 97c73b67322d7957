//! Goes through all kinds of requests and finds the regions in which answers change.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compare::directions;
use super::{Change, Decide, Diff, Direction, Responsible, Told, Undecided, schema, shared};
use crate::analysis::decision::{Decided, Rule, accepts, decide};
use crate::analysis::encode::{Leaf, Otherwise};
use crate::analysis::formula::F;
use crate::analysis::key;
use crate::analysis::question::{Effort, Found, Kind, Question, Second, action, kinds};
use crate::analysis::region;
use crate::analysis::request::{Request, request};
use crate::analysis::solver::Model;
use crate::types::typed::{Answer, TypedPolicy};

/// How far is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Steps for each question.
    pub steps: u64,
    /// Regions that are listed for each kind and direction.
    pub regions: usize,
    /// Who is asked where a question stays undecided.
    pub second: Option<Second>,
}

impl Default for Options {
    fn default() -> Options {
        Options { steps: 5_000_000, regions: 3, second: None }
    }
}

/// Compares two versions.
pub fn diff(old: &TypedPolicy, new: &TypedPolicy, options: Options, machine: &mut dyn Decide) -> Diff {
    let mut all: Vec<Kind> = kinds(old);
    all.extend(kinds(new));
    all.sort();
    all.dedup();
    let mut result = Diff { schema: schema::changes(old, new), kinds: all.len(), ..Diff::default() };
    let otherwise = shared::otherwise(old, new);
    let common = [key::common(old), key::common(new)];
    let mut equal: BTreeMap<Arc<str>, bool> = BTreeMap::new();
    for kind in all {
        let unchanged = *equal.entry(kind.action.clone()).or_insert_with(|| {
            let text = |side: &TypedPolicy| action(side, &kind.action).map(|action| key::of_action(side, action));
            common[0] == common[1] && text(old) == text(new)
        });
        if unchanged {
            result.same += 1;
            continue;
        }
        of_kind(old, new, &otherwise, &kind, options, machine, &mut result);
    }
    result.changes.sort_by(|one, other| (one.direction, &one.kind).cmp(&(other.direction, &other.kind)));
    result.undecided.sort();
    result
}

struct Encoded {
    sides: [Decided; 2],
    directions: Vec<(Direction, F)>,
    leaves: Vec<Leaf>,
}

fn of_kind(
    old: &TypedPolicy,
    new: &TypedPolicy,
    otherwise: &[Otherwise],
    kind: &Kind,
    options: Options,
    machine: &mut dyn Decide,
    result: &mut Diff,
) {
    let effort = Effort { steps: options.steps, second: options.second };
    let (mut question, encoded) = Question::new(&[old, new], kind, effort, |world| {
        shared::read(world);
        world.otherwise = otherwise.to_vec();
        let mut sides = [decide(world, 0), decide(world, 1)];
        for (side, decided) in sides.iter_mut().enumerate() {
            // What the other one read may be refused by this one.
            decided.valid = accepts(world, side);
        }
        let (directions, said) = directions(world, &sides[0], &sides[1]);
        let mut leaves: Vec<Leaf> = Vec::new();
        let accepted = std::mem::take(&mut world.accepted);
        let told = shared::tell_apart(old, otherwise, [&sides[0].leaves, &sides[1].leaves]);
        for leaf in told.iter().chain(&accepted).chain(&said) {
            let known = |other: &Leaf| {
                (other.yes == leaf.yes && other.no == leaf.no) || (other.yes == leaf.no && other.no == leaf.yes)
            };
            if !leaves.iter().any(known) {
                leaves.push(leaf.clone());
            }
        }
        Encoded { sides, directions, leaves }
    });
    let before = (result.changes.len(), result.undecided.len());
    for (direction, goal) in encoded.directions.clone() {
        if goal != F::FALSE {
            of_direction(&mut question, &encoded, kind, direction, goal, options, machine, result);
        }
    }
    if before == (result.changes.len(), result.undecided.len()) {
        result.same += 1;
    }
}

#[expect(clippy::too_many_arguments, reason = "one loop of one search")]
fn of_direction(
    question: &mut Question<'_>,
    encoded: &Encoded,
    kind: &Kind,
    direction: Direction,
    goal: F,
    options: Options,
    machine: &mut dyn Decide,
    result: &mut Diff,
) {
    let undecided = |reason: String| Undecided { kind: kind.clone(), direction, reason };
    let mut asked = vec![goal];
    for number in 0.. {
        let model = match question.find(&asked) {
            Found::None(by) => {
                result.second = result.second.or(by);
                return;
            }
            Found::Undecided(reason) => return result.undecided.push(undecided(reason)),
            Found::Some(model) => model,
        };
        if number >= options.regions {
            return result.cut.push((kind.clone(), direction));
        }
        let changed = changed(question, encoded, &model);
        let region = region::around(question, &encoded.leaves, &model, goal, &changed);
        // A small request within the region, not just any.
        let (model, witness) = smallest(question, &asked, region.formula, model);
        let told = [machine.decide(0, &witness[0]), machine.decide(1, &witness[1])];
        if !shows(direction, &told) {
            return result.undecided.push(undecided(question.doubts()));
        }
        asked.push(!region.formula);
        let again = !region.exact;
        result.changes.push(Change {
            direction,
            kind: kind.clone(),
            responsible: responsible(question, encoded, direction, &model),
            region,
            witness,
            told,
        });
        if again {
            // What is left can't be told from what was said.
            return result.cut.push((kind.clone(), direction));
        }
    }
}

fn smallest(question: &mut Question<'_>, asked: &[F], region: F, model: Model) -> (Model, [Request; 2]) {
    let mut all = asked.to_vec();
    all.push(region);
    let preferences = question.world.simplicity();
    let model = match question.find_small(&all, &preferences) {
        Found::Some(small) => small,
        Found::None(_) | Found::Undecided(_) => model,
    };
    let witness = [request(&question.world, &model, 0), request(&question.world, &model, 1)];
    (model, witness)
}

/// Whether what the machines say is a change of this direction.
fn shows(direction: Direction, told: &[Told; 2]) -> bool {
    use Answer::{Allow, Deny, RequireApproval};
    let answers = (told[0].answer, told[1].answer);
    match direction {
        Direction::DenyToAllow => answers == (Deny, Allow),
        Direction::DenyToApproval => answers == (Deny, RequireApproval),
        Direction::ApprovalToAllow => answers == (RequireApproval, Allow),
        Direction::AllowToApproval => answers == (Allow, RequireApproval),
        Direction::AllowToDeny => answers == (Allow, Deny),
        Direction::ApprovalToDeny => answers == (RequireApproval, Deny),
        Direction::WeakerApproval | Direction::Gates => {
            answers == (RequireApproval, RequireApproval) && told[0].gates != told[1].gates
        }
        Direction::Obligations => answers.0 == answers.1 && told[0].obligations != told[1].obligations,
        Direction::Reasons => answers.0 == answers.1 && told[0].reasons != told[1].reasons,
    }
}

/// The conditions of rules that come to something else of a request in one version than in the other, in both versions.
fn changed(question: &Question<'_>, encoded: &Encoded, model: &Model) -> Vec<F> {
    let rules = responsible(question, encoded, Direction::DenyToAllow, model);
    let of_these = |rule: &&Rule| rules.iter().any(|told| told.id == rule.id);
    let all = encoded.sides.iter().flat_map(|side| side.rules.iter().filter(of_these));
    all.flat_map(|rule| [rule.condition.yes, rule.condition.error]).collect()
}

/// The rules whose conditions hold of a request in one version alone; where the answer stays, those too from which something
/// else follows.
fn responsible(question: &Question<'_>, encoded: &Encoded, direction: Direction, model: &Model) -> Vec<Responsible> {
    let mut all = Vec::new();
    for (side, other) in [(0, 1), (1, 0)] {
        for rule in encoded.sides[side].rules.iter().filter(|rule| !rule.shadow) {
            let holds = |yes: F| model.holds(&question.world.cx, yes);
            let same = |known: &&Rule| !known.shadow && known.id == rule.id && known.does == rule.does;
            let there = encoded.sides[other].rules.iter().find(same);
            let differs = match there {
                Some(there) => {
                    holds(rule.condition.yes) != holds(there.condition.yes)
                        || holds(rule.condition.error) != holds(there.condition.error)
                        || (direction.stays() && holds(rule.condition.yes) && rule.follows != there.follows)
                }
                None => holds(rule.condition.yes) || holds(rule.condition.error),
            };
            if differs {
                all.push(Responsible { id: rule.id.clone(), side, span: rule.span });
            }
        }
    }
    all.sort();
    all
}
