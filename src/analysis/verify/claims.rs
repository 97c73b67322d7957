//! `prove` blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asked::{Asked, Encoded};
use super::memory::Kept;
use super::{About, Example, Finding, Verdict, Witness};
use crate::analysis::decision::{Decided, Does, Rule};
use crate::analysis::encode::Encoder;
use crate::analysis::formula::F;
use crate::analysis::question::{Kind, Second};
use crate::analysis::request::Request;
use crate::analysis::smt::Program;
use crate::analysis::world::World;
use crate::types::typed::{ActionId, Claim, ModuleId, PolicyId, TypedPolicy};

/// A claim's block and its place there.
type Place = (usize, usize);

/// When a claim is refuted, for one kind of request.
pub(super) type Said = Vec<(Place, F)>;

/// Encodes the claims on an action: each as the condition under which a request refutes it.
pub(super) fn encode(world: &mut World<'_>, policy: &TypedPolicy, action: ActionId, decided: &Decided) -> Said {
    let mut all: BTreeMap<Place, Vec<F>> = BTreeMap::new();
    // The world lends out the tree for as long as it lives.
    let tree = world.sides[0];
    for (number, instance) in policy.instances.iter().enumerate() {
        for (at, prove) in tree.proves.iter().enumerate() {
            if prove.module != instance.module || !prove.actions.contains(&action) {
                continue;
            }
            for (place, (claim, _)) in prove.claims.iter().enumerate() {
                let refuted = match claim {
                    Claim::Never(answer, condition) => {
                        let holds = Encoder::new(world, 0, number, &prove.lets).condition(condition).yes;
                        let answered = decided.answers(world, *answer);
                        world.cx.formulas.both(holds, answered)
                    }
                    Claim::Always(answer, condition) => {
                        let holds = Encoder::new(world, 0, number, &prove.lets).condition(condition).yes;
                        let answered = decided.answers(world, *answer);
                        world.cx.formulas.both(holds, !answered)
                    }
                    Claim::PolicyImplies(one, other) => {
                        let of = [*one, *other];
                        in_some_instance(world, policy, decided, &of, |world, rules| {
                            let first = permits(world, rules, *one);
                            let second = permits(world, rules, *other);
                            world.cx.formulas.both(first, !second)
                        })
                    }
                    Claim::AtMostOne(named) => {
                        let of: Vec<PolicyId> = named.iter().map(|(policy, _)| *policy).collect();
                        in_some_instance(world, policy, decided, &of, |world, rules| {
                            let each: Vec<F> = named.iter().map(|rule| matches(world, rules, *rule)).collect();
                            let mut pairs = Vec::new();
                            for (at, one) in each.iter().enumerate() {
                                for other in each.iter().skip(at + 1) {
                                    pairs.push(world.cx.formulas.both(*one, *other));
                                }
                            }
                            world.cx.formulas.or(pairs)
                        })
                    }
                    Claim::RuleImplies(one, other) => {
                        in_some_instance(world, policy, decided, &[one.0, other.0], |world, rules| {
                            let (first, second) = (matches(world, rules, *one), matches(world, rules, *other));
                            world.cx.formulas.both(first, !second)
                        })
                    }
                };
                all.entry((at, place)).or_default().push(refuted);
            }
        }
    }
    let valid = decided.valid;
    all.into_iter()
        .map(|(place, cases)| {
            let any = world.cx.formulas.or(cases);
            (place, world.cx.formulas.both(valid, any))
        })
        .collect()
}

/// Rules of one module are compared within each of its instances, those of several over all instances.
fn in_some_instance(
    world: &mut World<'_>,
    policy: &TypedPolicy,
    decided: &Decided,
    of: &[PolicyId],
    mut holds: impl FnMut(&mut World<'_>, &[&Rule]) -> F,
) -> F {
    let mut modules: Vec<ModuleId> = of.iter().map(|id| policy.policies[id.index()].module).collect();
    modules.dedup();
    let rules = |instance: Option<usize>| -> Vec<&Rule> {
        let within = |rule: &&Rule| instance.is_none_or(|instance| rule.instance == instance);
        decided.rules.iter().filter(within).filter(|rule| rule.does != Does::Violation).collect()
    };
    if modules.len() > 1 {
        return holds(world, &rules(None));
    }
    let mut cases = Vec::new();
    for (number, instance) in policy.instances.iter().enumerate() {
        if modules.contains(&instance.module) {
            cases.push(holds(world, &rules(Some(number))));
        }
    }
    world.cx.formulas.or(cases)
}

/// Whether the rules of a policy alone would answer ALLOW.
fn permits(world: &mut World<'_>, rules: &[&Rule], policy: PolicyId) -> F {
    let of = |does: Does| -> Vec<F> {
        let own = rules.iter().filter(|rule| rule.place.0 == policy.index() && rule.does == does);
        own.map(|rule| rule.condition.yes).collect()
    };
    let (allow, deny, asked) = (of(Does::Allow), of(Does::Deny), of(Does::RequireApproval));
    let formulas = &mut world.cx.formulas;
    let (allow, deny, asked) = (formulas.or(allow), formulas.or(deny), formulas.or(asked));
    formulas.and([allow, !deny, !asked])
}

fn matches(world: &mut World<'_>, rules: &[&Rule], (policy, place): (PolicyId, u32)) -> F {
    let own = rules.iter().filter(|rule| rule.place == (policy.index(), place as usize));
    let each: Vec<F> = own.map(|rule| rule.condition.yes).collect();
    world.cx.formulas.or(each)
}

/// What was found out about each claim.
pub(super) struct Claims<'a> {
    policy: &'a TypedPolicy,
    verdicts: BTreeMap<Place, Verdict>,
    /// Who proved some of it, where it was not this solver.
    second: BTreeMap<Place, Program>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(policy: &'a TypedPolicy) -> Claims<'a> {
        let active = |module: ModuleId| policy.instances.iter().any(|instance| instance.module == module);
        let mut verdicts = BTreeMap::new();
        for (at, prove) in policy.proves.iter().enumerate().filter(|(_, prove)| active(prove.module)) {
            for place in 0..prove.claims.len() {
                verdicts.insert((at, place), Verdict::Proved);
            }
        }
        Claims { policy, verdicts, second: BTreeMap::new() }
    }

    pub(super) fn of_kind(&mut self, asked: &mut Asked<'_, '_>, second: Option<Second>, machine: &mut dyn Witness) {
        for (place, name) in claimed(self.policy, asked.action) {
            if matches!(self.verdicts.get(&place), Some(Verdict::Refuted(_)) | None) {
                continue;
            }
            let recalled = asked.recall(&name).and_then(|kept| verdict(&asked.kind, machine, place, kept));
            let verdict = match recalled {
                Some(verdict) => verdict,
                None => {
                    let refuted = |encoded: &mut Encoded<'_>| {
                        encoded.said.iter().find(|(of, _)| *of == place).map_or(F::FALSE, |(_, refuted)| *refuted)
                    };
                    let mut is_shown = |request: &Request| machine.refutes(place.0, place.1, request);
                    let kept = match (asked.find(&refuted, &mut is_shown), second) {
                        // What another says is not kept.
                        (Kept::Unknown(reason), Some(second)) => {
                            let (kept, by) = asked.find_by(second, &reason, &refuted, &mut is_shown);
                            self.second.extend(by.map(|program| (place, program)));
                            kept
                        }
                        (kept, _) => {
                            asked.keep(&name, &kept);
                            kept
                        }
                    };
                    let doubts = || Verdict::Undecided("the machine does not answer twice alike".to_owned());
                    verdict(&asked.kind, machine, place, kept).unwrap_or_else(doubts)
                }
            };
            if !matches!(verdict, Verdict::Proved) {
                self.verdicts.insert(place, verdict);
            }
        }
    }

    pub(super) fn findings(self) -> Vec<Finding> {
        let (policy, second) = (self.policy, self.second);
        let finding = |((at, place), verdict): (Place, Verdict)| {
            let prove = &policy.proves[at];
            let (_, span) = prove.claims[place];
            let module = &policy.modules[prove.module.index()].name;
            Finding {
                about: About::Claim,
                name: Arc::from(format!("{module}.{}", prove.name)),
                text: policy.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" "),
                span,
                second: second.get(&(at, place)).copied().filter(|_| matches!(verdict, Verdict::Proved)),
                verdict,
            }
        };
        self.verdicts.into_iter().map(finding).collect()
    }
}

/// The claims on an action, each with a name that says which of those on the action it is, wherever else there are some.
fn claimed(policy: &TypedPolicy, action: ActionId) -> Vec<(Place, String)> {
    let mut alike: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut all = Vec::new();
    for (at, prove) in policy.proves.iter().enumerate().filter(|(_, prove)| prove.actions.contains(&action)) {
        let module = &*policy.modules[prove.module.index()].name;
        let number = alike.entry((module, &prove.name)).or_default();
        for place in 0..prove.claims.len() {
            all.push(((at, place), format!("claim {module}.{} {number} {place}", prove.name)));
        }
        *number += 1;
    }
    all
}

/// What an answer says of a claim; nothing if it has a request that the machine answers otherwise.
fn verdict(kind: &Kind, machine: &mut dyn Witness, place: Place, kept: Kept) -> Option<Verdict> {
    Some(match kept {
        Kept::Nothing => Verdict::Proved,
        Kept::Unknown(reason) => Verdict::Undecided(reason),
        Kept::Something(None) => return None,
        Kept::Something(Some(request)) => {
            if !machine.refutes(place.0, place.1, &request) {
                return None;
            }
            let told = machine.decide(0, &request);
            Verdict::Refuted(Some(Box::new(Example { kind: kind.clone(), request, told })))
        }
    })
}
