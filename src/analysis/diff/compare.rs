//! When the answers of two versions differ, direction by direction.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Direction;
use crate::analysis::decision::{Decided, Does, Rule, at_least_as_strict};
use crate::analysis::formula::F;
use crate::analysis::world::World;
use crate::types::typed::Answer;

/// When a request's answer changes in each direction, in the order of [`Direction::ALL`].
pub(super) fn directions(world: &mut World<'_>, old: &Decided, new: &Decided) -> Vec<(Direction, F)> {
    let answers = [Answer::Deny, Answer::RequireApproval, Answer::Allow];
    let before = answers.map(|answer| old.answers(world, answer));
    let after = answers.map(|answer| new.answers(world, answer));
    let [deny, approval, allow] = [0, 1, 2];
    let mut step = |from: usize, to: usize| world.cx.formulas.both(before[from], after[to]);
    let steps = [
        (Direction::DenyToAllow, step(deny, allow)),
        (Direction::DenyToApproval, step(deny, approval)),
        (Direction::ApprovalToAllow, step(approval, allow)),
        (Direction::AllowToApproval, step(allow, approval)),
        (Direction::AllowToDeny, step(allow, deny)),
        (Direction::ApprovalToDeny, step(approval, deny)),
    ];
    let asked = step(approval, approval);
    let allowed = step(allow, allow);
    let denied = step(deny, deny);
    let kept = uncovered(world, old, new);
    let added = uncovered(world, new, old);
    let weaker = world.cx.formulas.both(asked, kept);
    let gates = world.cx.formulas.and([asked, !kept, added]);
    let of_allow = obligations_differ(world, old, new, Does::Allow);
    let of_approval = obligations_differ(world, old, new, Does::RequireApproval);
    let formulas = &mut world.cx.formulas;
    let obligations = {
        let one = formulas.both(allowed, of_allow);
        let other = formulas.both(asked, of_approval);
        formulas.either(one, other)
    };
    let reasons = reasons_differ(world, old, new, [denied, asked, allowed]);
    // What is told once is not told again.
    let formulas = &mut world.cx.formulas;
    let reasons = formulas.and([reasons, !weaker, !gates, !obligations]);
    let mut all: Vec<(Direction, F)> = steps.into();
    all.push((Direction::WeakerApproval, weaker));
    all.push((Direction::Gates, gates));
    all.push((Direction::Obligations, obligations));
    all.push((Direction::Reasons, reasons));
    all.sort_by_key(|(direction, _)| *direction);
    all
}

/// When one side asks for an approval for which the other asks for none that is as strict.
fn uncovered(world: &mut World<'_>, of: &Decided, by: &Decided) -> F {
    let mut cases = Vec::new();
    for rule in asking(of) {
        let Some(gate) = &rule.gate else { continue };
        let mut covered = Vec::new();
        for other in asking(by) {
            let Some(theirs) = &other.gate else { continue };
            if rule.condition.yes == other.condition.yes && same_gate(rule, other) {
                covered = vec![F::TRUE];
                break;
            }
            let strict = at_least_as_strict(world, theirs, gate);
            covered.push(world.cx.formulas.both(other.condition.yes, strict));
        }
        let covered = world.cx.formulas.or(covered);
        cases.push(world.cx.formulas.both(rule.condition.yes, !covered));
    }
    world.cx.formulas.or(cases)
}

fn same_gate(one: &Rule, other: &Rule) -> bool {
    match (&one.gate, &other.gate) {
        (Some(one), Some(other)) => {
            one.from == other.from
                && one.quorum == other.quorum
                && one.within == other.within
                && one.escalations == other.escalations
                && one.distinct == other.distinct
        }
        _ => false,
    }
}

fn asking(decided: &Decided) -> impl Iterator<Item = &Rule> {
    decided.rules.iter().filter(|rule| !rule.shadow && rule.does == Does::RequireApproval)
}

/// When an answer that rests on rules of this kind brings other obligations.
fn obligations_differ(world: &mut World<'_>, old: &Decided, new: &Decided, does: Does) -> F {
    let forth = obliges_alone(world, old, new, does);
    let back = obliges_alone(world, new, old, does);
    world.cx.formulas.either(forth, back)
}

fn obliges_alone(world: &mut World<'_>, of: &Decided, by: &Decided, does: Does) -> F {
    let counting = |rule: &&Rule| !rule.shadow && rule.does == does && !rule.obligations.is_empty();
    let mut cases = Vec::new();
    for rule in of.rules.iter().filter(counting) {
        for (name, arguments) in &rule.obligations {
            let mut found = Vec::new();
            for other in by.rules.iter().filter(counting) {
                for (theirs, values) in other.obligations.iter().filter(|(theirs, _)| theirs == name) {
                    let _ = theirs;
                    let mut equal = vec![other.condition.yes, F::constant(values.len() == arguments.len())];
                    for (one, two) in arguments.iter().zip(values) {
                        equal.push(world.equal(one, two));
                    }
                    found.push(world.cx.formulas.and(equal));
                }
            }
            let found = world.cx.formulas.or(found);
            cases.push(world.cx.formulas.both(rule.condition.yes, !found));
        }
    }
    world.cx.formulas.or(cases)
}

/// When an answer that stays rests on other rules.
fn reasons_differ(world: &mut World<'_>, old: &Decided, new: &Decided, same: [F; 3]) -> F {
    let [denied, asked, allowed] = same;
    let both_valid = world.cx.formulas.both(old.valid, new.valid);
    let mut cases = Vec::new();
    // Of a denial: its kind, and the rules that deny.
    let formulas = &mut world.cx.formulas;
    let kind = |decided: &Decided| [decided.error, decided.violated, decided.denied, decided.allowed];
    for (one, other) in kind(old).into_iter().zip(kind(new)).take(3) {
        let differs = !formulas.iff(one, other);
        cases.push(formulas.and([denied, both_valid, differs]));
    }
    let both_sound = formulas.and([both_valid, !old.error, !new.error]);
    let denying = formulas.both(denied, both_sound);
    let asking = formulas.both(asked, both_sound);
    let allowing = formulas.both(allowed, both_sound);
    for (does, when) in
        [(Does::Deny, denying), (Does::Violation, denying), (Does::RequireApproval, asking), (Does::Allow, allowing)]
    {
        let ids: BTreeSet<&Arc<str>> = (old.rules.iter().chain(&new.rules))
            .filter(|rule| rule.does == does && !rule.shadow)
            .map(|rule| &rule.id)
            .collect();
        for id in ids {
            let find = |decided: &Decided| {
                let rule = decided.rules.iter().find(|rule| rule.id == *id && rule.does == does && !rule.shadow);
                rule.map_or((F::FALSE, None), |rule| (rule.condition.yes, rule.code.clone()))
            };
            let ((one, code), (other, new_code)) = (find(old), find(new));
            let formulas = &mut world.cx.formulas;
            let differs = if code == new_code { !formulas.iff(one, other) } else { formulas.either(one, other) };
            cases.push(formulas.both(when, differs));
        }
    }
    world.cx.formulas.or(cases)
}
