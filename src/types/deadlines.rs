//! Until when an approval is asked for, and whether anybody is asked in vain: every deadline lies in the future, and
//! every escalation lies before the end and after the one before it.
//!
//! What is a constant is known where it stands, and what is a parameter of the module where the module is included.

use crate::data::duration::Duration;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::types::typed::{Const, Effect, Expr, ExprKind, Gate, Instance, RuleDef};
use crate::types::world::World;

/// What is wrong with a deadline of a gate.
struct Fault<'a> {
    message: String,
    help: &'static str,
    /// The deadline, and perhaps the other one that it does not go with.
    at: &'a Expr,
    other: Option<(&'a Expr, &'static str)>,
}

impl Fault<'_> {
    fn names_a_parameter(&self) -> bool {
        is_parameter(self.at) || self.other.is_some_and(|(other, _)| is_parameter(other))
    }
}

/// Reports the deadlines of all rules, and those that the arguments of an `include` make.
pub fn check(world: &World, instances: &[Instance], sink: &mut Diagnostics) {
    for gate in world.policies.iter().flat_map(|policy| &policy.rules).filter_map(gate_of) {
        for fault in faults(gate, &[]) {
            let diagnostic = Diagnostic::error(Code::BadDeadline, fault.at.span, fault.message).label("asked in vain");
            let diagnostic = match fault.other {
                Some((other, label)) => diagnostic.secondary(other.span, label),
                None => diagnostic,
            };
            sink.push(diagnostic.help(fault.help));
        }
    }
    for instance in instances.iter().filter(|instance| !instance.arguments.is_empty()) {
        let policies = world.policies.iter().filter(|policy| policy.module == instance.module);
        let mut known: Vec<String> = Vec::new();
        for gate in policies.flat_map(|policy| &policy.rules).filter_map(gate_of) {
            for fault in faults(gate, &instance.arguments).iter().filter(|fault| fault.names_a_parameter()) {
                // Several rules of a module may ask for the same.
                if !known.contains(&fault.message) {
                    known.push(fault.message.clone());
                    sink.push(
                        Diagnostic::error(Code::BadDeadline, instance.span, &*fault.message)
                            .label("with the values that it has here")
                            .secondary(fault.at.span, "this deadline")
                            .help(fault.help),
                    );
                }
            }
        }
    }
}

fn gate_of(rule: &RuleDef) -> Option<&Gate> {
    match &rule.effect {
        Effect::RequireApproval(gate) => Some(gate),
        Effect::Allow | Effect::Deny => None,
    }
}

fn faults<'a>(gate: &'a Gate, arguments: &[Const]) -> Vec<Fault<'a>> {
    let mut faults = Vec::new();
    let afters = gate.escalations.iter().map(|(_, after)| after);
    for at in gate.within.iter().chain(afters.clone()).filter(|at| is_parameter(at)) {
        if let Some(value) = value(at, arguments).filter(|value| value.0 <= 0) {
            let message = format!("a deadline lies in the future: `{value}` is not positive");
            faults.push(Fault { message, help: "give it a duration such as `4h`", at, other: None });
        }
    }
    if !faults.is_empty() {
        return faults;
    }
    let end = gate.within.as_ref().and_then(|within| Some((within, value(within, arguments)?)));
    let mut before: Option<(&Expr, Duration)> = None;
    for at in afters {
        let Some(after) = value(at, arguments) else { continue };
        if let Some((within, end)) = end.filter(|(_, end)| *end <= after) {
            let message = format!("after `{after}` nobody is asked any more: the approval ends after `{end}`");
            faults.push(Fault {
                message,
                help: "let it go on before it ends",
                at,
                other: Some((within, "it ends here")),
            });
        }
        if let Some((other, before)) = before.filter(|(_, before)| *before >= after) {
            let message =
                format!("this comes after `{after}`, no later than the escalation before it, after `{before}`");
            faults.push(Fault {
                message,
                help: "write escalations in the order of time",
                at,
                other: Some((other, "the one before")),
            });
        }
        before = Some((at, after));
    }
    faults
}

fn is_parameter(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Parameter(_))
}

fn value(expr: &Expr, arguments: &[Const]) -> Option<Duration> {
    let value = match &expr.kind {
        ExprKind::Const(value) => value,
        ExprKind::Parameter(parameter) => arguments.get(parameter.index())?,
        _ => return None,
    };
    match value {
        Const::Duration(value) => Some(*value),
        _ => None,
    }
}
