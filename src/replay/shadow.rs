//! Shadow policies over rows: what each of their rules would have done.

use super::row;
use super::tally::{Shadowed, Tally};
use crate::bytecode::program::{Effect, Program};
use crate::bytecode::verify::{Limits, VerifiedProgram, VerifyError, certify_costs, verify};
use crate::vm::decide::Kind;
use crate::vm::decision::{Decision, RuleReport, effect_name};

/// The shadow policies of a program.
#[derive(Clone, Copy, Debug)]
pub struct Shadow<'p> {
    program: &'p Program,
}

impl<'p> Shadow<'p> {
    /// Those of a program.
    #[must_use]
    pub fn of(program: &'p Program) -> Shadow<'p> {
        Shadow { program }
    }

    /// The rules, by id and effect: those too that never match.
    pub fn rules(&self) -> impl Iterator<Item = (&'p str, &'static str)> {
        let rules = self.program.entries.iter().flat_map(|entry| &entry.rules).filter(|rule| rule.shadow);
        rules.filter_map(|rule| {
            let id = self.program.strings.get(usize::try_from(rule.id.0).ok()?)?;
            Some((&**id, effect_name(rule.effect)))
        })
    }

    /// Whether there is one on the action of a request.
    pub(super) fn watches(&self, request: &[u8]) -> bool {
        let Some(name) = row::action(request) else { return false };
        let actions = self.program.schema.actions.iter().zip(&self.program.entries);
        actions.filter(|(action, _)| *action.name == *name).any(|(_, entry)| entry.rules.iter().any(|rule| rule.shadow))
    }

    /// Counts what is reported of shadow rules in a decision.
    pub(super) fn count(&self, decision: &Decision, tally: &mut Tally) {
        for rule in &decision.shadow {
            tally.shadowed(&rule.id, effect_name(rule.effect), alone(decision.kind, rule));
        }
    }
}

/// What a rule would do to a decision if it counted.
fn alone(kind: Kind, rule: &RuleReport) -> Shadowed {
    let is_open = matches!(kind, Kind::Allowed | Kind::Approval);
    let mut seen = Shadowed::default();
    if rule.error.is_some() {
        seen.failed = 1;
        seen.denies = u64::from(is_open);
        return seen;
    }
    seen.matched = 1;
    match rule.effect {
        Effect::Deny | Effect::Violation => seen.denies = u64::from(is_open),
        Effect::RequireApproval => seen.asks = u64::from(kind == Kind::Allowed),
        Effect::Allow => seen.permits = u64::from(kind == Kind::NotPermitted),
    }
    seen
}

/// The same program in which shadow policies count.
///
/// # Errors
/// It costs more than a program may.
pub fn live(program: &Program) -> Result<VerifiedProgram, VerifyError> {
    let mut program = program.clone();
    for rule in program.entries.iter_mut().flat_map(|entry| &mut entry.rules) {
        rule.shadow = false;
    }
    certify_costs(&mut program)?;
    verify(program, &Limits::STANDARD)
}
