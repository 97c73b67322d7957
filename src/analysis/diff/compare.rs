//! When the answers of two versions differ, direction by direction.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Direction, messages};
use crate::analysis::decision::{Argument, Decided, Does, Rule, at_least_as_strict};
use crate::analysis::encode::Leaf;
use crate::analysis::formula::F;
use crate::analysis::value::Sym;
use crate::analysis::world::World;
use crate::types::typed::Answer;

/// When a request's answer changes in each direction, in the order of [`Direction::ALL`].
///
/// Beside them what is compared there and stands in no condition of either version.
pub(super) fn directions(world: &mut World<'_>, old: &Decided, new: &Decided) -> (Vec<(Direction, F)>, Vec<Leaf>) {
    let mut said = Vec::new();
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
    let of_allow = obligations_differ(world, old, new, Does::Allow, &mut said);
    let of_approval = obligations_differ(world, old, new, Does::RequireApproval, &mut said);
    let formulas = &mut world.cx.formulas;
    let obligations = {
        let one = formulas.both(allowed, of_allow);
        let other = formulas.both(asked, of_approval);
        formulas.either(one, other)
    };
    let reasons = reasons_differ(world, old, new, [denied, asked, allowed], &mut said);
    // What is told once is not told again.
    let formulas = &mut world.cx.formulas;
    let reasons = formulas.and([reasons, !weaker, !gates, !obligations]);
    let mut all: Vec<(Direction, F)> = steps.into();
    all.push((Direction::WeakerApproval, weaker));
    all.push((Direction::Gates, gates));
    all.push((Direction::Obligations, obligations));
    all.push((Direction::Reasons, reasons));
    all.sort_by_key(|(direction, _)| *direction);
    (all, said)
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
fn obligations_differ(world: &mut World<'_>, old: &Decided, new: &Decided, does: Does, said: &mut Vec<Leaf>) -> F {
    let forth = obliges_alone(world, old, new, does, said);
    let back = obliges_alone(world, new, old, does, said);
    world.cx.formulas.either(forth, back)
}

fn obliges_alone(world: &mut World<'_>, of: &Decided, by: &Decided, does: Does, said: &mut Vec<Leaf>) -> F {
    let counting = |rule: &&Rule| !rule.shadow && rule.does == does && !rule.obligations.is_empty();
    let mut cases = Vec::new();
    for rule in of.rules.iter().filter(counting) {
        for obliged in &rule.obligations {
            let mut found = Vec::new();
            for other in by.rules.iter().filter(counting) {
                for theirs in other.obligations.iter().filter(|theirs| theirs.name == obliged.name) {
                    let same = F::constant(theirs.arguments.len() == obliged.arguments.len());
                    let mut equal = vec![other.condition.yes, same];
                    for (one, two) in obliged.arguments.iter().zip(&theirs.arguments) {
                        equal.push(sayable(world, one, two, said));
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

/// When two values are equal, and that as a condition which regions can be told in.
pub(super) fn sayable(world: &mut World<'_>, one: &Argument, other: &Argument, said: &mut Vec<Leaf>) -> F {
    let equal = world.equal(&one.sym, &other.sym);
    let plain = |sym: &Sym| !matches!(sym, Sym::Optional(..) | Sym::Bool(_));
    if !matches!(equal, F::TRUE | F::FALSE) && plain(&one.sym) && plain(&other.sym) {
        // What is of the request stands on the left.
        let is_read = |text: &str| ["context.", "subject", "resource"].iter().any(|word| text.starts_with(word));
        let turned = !is_read(&one.text) && is_read(&other.text);
        let [left, right] = if turned { [&other.text, &one.text] } else { [&one.text, &other.text] };
        let text = |sign: &str| format!("{left} {sign} {right}");
        let (text, negated) = (text("=="), text("!="));
        said.push(Leaf { text, negated, yes: equal, no: !equal, presumes: Vec::new(), bound: None });
    }
    equal
}

/// When an answer that stays rests on other rules, or is told in other words.
fn reasons_differ(world: &mut World<'_>, old: &Decided, new: &Decided, same: [F; 3], said: &mut Vec<Leaf>) -> F {
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
                decided.rules.iter().find(|rule| rule.id == *id && rule.does == does && !rule.shadow).cloned()
            };
            let (one, other) = (find(old), find(new));
            let holds = |rule: &Option<Rule>| rule.as_ref().map_or(F::FALSE, |rule| rule.condition.yes);
            let other_words = match (&one, &other) {
                (Some(one), Some(other)) if one.code != other.code => F::TRUE,
                (Some(one), Some(other)) => messages::differ(world, one, other, said),
                _ => F::FALSE,
            };
            let formulas = &mut world.cx.formulas;
            let one_alone = !formulas.iff(holds(&one), holds(&other));
            let both_otherwise = formulas.and([holds(&one), holds(&other), other_words]);
            let differs = formulas.either(one_alone, both_otherwise);
            cases.push(formulas.both(when, differs));
        }
    }
    world.cx.formulas.or(cases)
}
