//! What each rule can do: fail, match, change an answer. A rule is judged over all kinds of requests together: it is
//! enough that it does its work for one of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{About, Asked, Example, Finding, Verdict, Witness};
use crate::analysis::decision::{Does, Rule};
use crate::analysis::formula::F;
use crate::analysis::question::Found;
use crate::base::span::Span;
use crate::types::typed::{Answer, TypedPolicy};

/// Whether something exists, over the kinds that were looked at.
#[derive(Clone, Debug)]
enum Exists {
    No,
    Yes,
    Unknown(String),
}

struct State {
    name: Arc<str>,
    span: Span,
    does: Does,
    /// A request of which the rule matches; one where that matters; one that the rule alone decides.
    matches: Exists,
    works: Exists,
    decides: Exists,
    /// Of an invariant: a request that the rules would let through against it. Of all rules: one that fails.
    breaks: Verdict,
    fails: Verdict,
}

pub(super) struct Rules<'a> {
    policy: &'a TypedPolicy,
    everything: bool,
    states: BTreeMap<(bool, (usize, usize), usize), State>,
}

impl<'a> Rules<'a> {
    pub(super) fn new(policy: &'a TypedPolicy, everything: bool) -> Rules<'a> {
        Rules { policy, everything, states: BTreeMap::new() }
    }

    fn is_own(&self, rule: &Rule) -> bool {
        self.everything || self.policy.modules[self.policy.instances[rule.instance].module.index()].own
    }

    pub(super) fn of_kind(&mut self, asked: &mut Asked<'_, '_>, machine: &mut dyn Witness) {
        let decided = asked.decided;
        let all_known: Vec<F> = asked.question.world.terms().map(|(_, def)| def.known).collect();
        for (at, rule) in decided.rules.iter().enumerate() {
            if rule.shadow || !self.is_own(rule) {
                continue;
            }
            let key = (rule.does == Does::Violation, rule.place, rule.instance);
            let mut state = self.states.remove(&key).unwrap_or_else(|| State {
                name: rule.id.clone(),
                span: rule.span,
                does: rule.does,
                matches: Exists::No,
                works: Exists::No,
                decides: Exists::No,
                breaks: Verdict::Proved,
                fails: Verdict::Proved,
            });
            let formulas = &mut asked.question.world.cx.formulas;
            let sound = formulas.and([decided.valid, !decided.error]);
            let matches = formulas.both(decided.valid, rule.condition.yes);
            let others = |does: Does| {
                let others = decided.rules.iter().enumerate();
                others.filter(move |(place, other)| *place != at && other.does == does && !other.shadow)
            };
            let other = |does: Does| -> Vec<F> { others(does).map(|(_, other)| other.condition.yes).collect() };
            let (other_denies, other_violations) = (other(Does::Deny), other(Does::Violation));
            let (other_allows, other_gates) = (other(Does::Allow), other(Does::RequireApproval));
            let denied = formulas.or(other_denies.into_iter().chain(other_violations));
            let (works, decides) = match rule.does {
                Does::Allow => {
                    let works = formulas.and([sound, rule.condition.yes, !denied]);
                    let alone = formulas.or(other_allows);
                    (works, formulas.both(works, !alone))
                }
                Does::Deny | Does::Violation => {
                    let works = formulas.and([sound, rule.condition.yes, decided.allowed]);
                    (works, formulas.both(works, !denied))
                }
                Does::RequireApproval => {
                    let works = formulas.and([sound, rule.condition.yes, decided.allowed, !denied]);
                    let alone = formulas.or(other_gates);
                    (works, formulas.both(works, !alone))
                }
            };
            exists(asked, &mut state.matches, matches);
            exists(asked, &mut state.works, works);
            exists(asked, &mut state.decides, decides);
            if rule.does == Does::Violation {
                // What would be let through if nothing guarded it.
                let breaks = asked.question.world.cx.formulas.both(works, !denied);
                shows(asked, machine, &mut state.breaks, breaks, |told| told.kind == "violated");
            }
            if rule.condition.error != F::FALSE {
                let formulas = &mut asked.question.world.cx.formulas;
                let known = formulas.and(all_known.iter().copied());
                let fails = formulas.and([decided.valid, known, rule.condition.error]);
                shows(asked, machine, &mut state.fails, fails, |told| {
                    told.kind == "error" && told.answer == Answer::Deny
                });
            }
            self.states.insert(key, state);
        }
    }

    pub(super) fn findings(self) -> Vec<Finding> {
        let mut all = Vec::new();
        for state in self.states.into_values() {
            let finding = |about: About, text: String, verdict: Verdict| Finding {
                about,
                name: state.name.clone(),
                text,
                span: state.span,
                verdict,
            };
            let name = &state.name;
            if state.does == Does::Violation {
                let text = format!("the rules imply `{name}` without its guard");
                all.push(finding(About::Invariant, text, state.breaks.clone()));
            }
            if !matches!(state.fails, Verdict::Proved) {
                all.push(finding(About::Error, format!("`{name}` never fails"), state.fails.clone()));
            }
            let (about, text, exists) = match (&state.matches, &state.works, &state.decides) {
                (Exists::Yes, Exists::Yes, Exists::Yes) => continue,
                (Exists::Yes, Exists::Yes, decides) => (About::Redundant, "changes some answer", decides),
                (Exists::Yes, works, _) => match state.does {
                    Does::Allow => (About::Shadowed, "allows something that nothing denies", works),
                    Does::RequireApproval => (About::Gate, "asks for an approval that is not denied anyway", works),
                    Does::Deny | Does::Violation => (About::Redundant, "denies something that is allowed", works),
                },
                (matches, ..) => (About::Vacuous, "matches some request", matches),
            };
            // An invariant that never has to guard is what is wanted of it.
            if state.does == Does::Violation {
                continue;
            }
            let verdict = match exists {
                Exists::No => Verdict::Refuted(None),
                Exists::Unknown(reason) => Verdict::Undecided(reason.clone()),
                Exists::Yes => continue,
            };
            all.push(finding(about, format!("`{name}` {text}"), verdict));
        }
        all
    }
}

fn exists(asked: &mut Asked<'_, '_>, state: &mut Exists, goal: F) {
    if matches!(state, Exists::Yes) || goal == F::FALSE {
        return;
    }
    match asked.question.find(&[goal]) {
        Found::None => {}
        Found::Undecided(reason) => *state = Exists::Unknown(reason),
        // Where the encoding is too wide it may not exist; but nothing is claimed of the rule then.
        Found::Some(_) => *state = Exists::Yes,
    }
}

fn shows(
    asked: &mut Asked<'_, '_>,
    machine: &mut dyn Witness,
    state: &mut Verdict,
    goal: F,
    is_shown: impl Fn(&crate::analysis::diff::Told) -> bool,
) {
    if matches!(state, Verdict::Refuted(_)) || goal == F::FALSE {
        return;
    }
    match asked.find(&[goal]) {
        Found::None => {}
        Found::Undecided(reason) => *state = Verdict::Undecided(reason),
        Found::Some(model) => {
            let request = asked.request(&model);
            let told = machine.decide(0, &request);
            *state = if is_shown(&told) {
                Verdict::Refuted(Some(Box::new(Example { kind: asked.kind.clone(), request, told })))
            } else {
                Verdict::Undecided(asked.question.doubts())
            };
        }
    }
}
