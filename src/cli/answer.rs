//! A decision for people.
//!
//! ```text
//! DENY (denied): Agent::"coder" push Repository::"shop"
//!   deny agents.too_large [CHANGE_TOO_LARGE] at agents.pdl:48:5
//!     2001 lines are more than Agent::"coder" may push at once
//! ```

use std::fmt::Write as _;

use super::output::{DIM, GREEN, RED, YELLOW, paint};
use crate::bytecode::program::Effect;
use crate::data::duration::{Duration, Shown};
use crate::diagnostic::render::clean;
use crate::vm::decide::{Answer, Kind};
use crate::vm::decision::{Decision, ErrorReport, GateReport, RuleReport};
use crate::vm::input::Document;

/// The text: the answer and its kind, what was asked where that is known, and every reason.
#[must_use]
pub fn text(decision: &Decision, asked: Option<&str>, color: bool) -> String {
    let answer = decision.answer();
    let sequence = match answer {
        Answer::Allow => GREEN,
        Answer::RequireApproval => YELLOW,
        Answer::Deny => RED,
    };
    let mut out = paint(color, sequence, answer.name());
    let _ = write!(out, " ({})", decision.kind.name());
    if let Some(asked) = asked {
        let _ = write!(out, ": {}", clean(asked));
    }
    out.push('\n');
    if let Some(error) = &decision.error {
        write_error(&mut out, error);
    }
    for told in &decision.rules {
        write_rule(&mut out, told, "", color);
    }
    if decision.kind == Kind::NotPermitted {
        out.push_str("  no rule allows it\n");
    }
    for gate in &decision.gates {
        write_gate(&mut out, gate);
    }
    for obligation in &decision.obligations {
        let argument = |(name, value): &(String, crate::vm::decision::Datum)| format!("{name}: {}", value.to_json());
        let arguments: Vec<String> = obligation.arguments.iter().map(argument).collect();
        let call = clean(&format!("{}({})", obligation.name, arguments.join(", ")));
        let _ = writeln!(out, "  oblige {call} by {}", obligation.rule);
    }
    for told in &decision.shadow {
        write_rule(&mut out, told, "shadow ", color);
    }
    if decision.assumed_presented {
        out.push_str("  attributes were taken from the request: there are no entities\n");
    }
    out
}

/// The line of a denial that no policy made.
#[must_use]
pub fn denied(color: bool) -> String {
    format!("{}\n", paint(color, RED, Answer::Deny.name()))
}

/// What a rule does, as it is written in a policy.
#[must_use]
pub fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
        Effect::Violation => "invariant",
        Effect::RequireApproval => "require approval",
    }
}

fn write_rule(out: &mut String, told: &RuleReport, mark: &str, color: bool) {
    let _ = write!(out, "  {mark}{} {}", effect(told.effect), told.id);
    if let Some(code) = &told.code {
        let _ = write!(out, " [{code}]");
    }
    if let Some(at) = &told.at {
        let _ = write!(out, " {}", paint(color, DIM, &format!("at {}", clean(at))));
    }
    out.push('\n');
    if let Some(message) = &told.message {
        let _ = writeln!(out, "    {}", clean(message));
    }
    if let Some(error) = told.error {
        let _ = writeln!(out, "    failed: {}", error.sentence());
    }
}

fn write_gate(out: &mut String, gate: &GateReport) {
    let _ = write!(out, "  gate {}: {} of {}", gate.id, gate.quorum, clean(&gate.from.to_string()));
    if let Some(within) = gate.within_ms {
        let _ = write!(out, " within {}", Shown(Duration(within)));
    }
    for (group, after) in &gate.escalations {
        let _ = write!(out, ", then {} after {}", clean(&group.to_string()), Shown(Duration(*after)));
    }
    if gate.distinct {
        out.push_str(", who voted on no other gate");
    }
    out.push('\n');
}

fn write_error(out: &mut String, error: &ErrorReport) {
    match error {
        ErrorReport::Input { code, document, path, message } => {
            let _ = write!(out, "  error {code}");
            let whole = match document {
                Document::Request => "the request",
                Document::Facts => "the facts",
            };
            let _ = match (path.as_str(), document) {
                ("", _) => write!(out, " in {whole}"),
                (path, Document::Request) => write!(out, " at {}", clean(path)),
                (path, Document::Facts) => write!(out, " at {} of the facts", clean(path)),
            };
            let _ = writeln!(out, ": {}", clean(message));
        }
        ErrorReport::Evaluation { kind, rule, at, .. } => {
            let _ = write!(out, "  error {} in {rule}", kind.name());
            if let Some(at) = at {
                let _ = write!(out, " at {}", clean(at));
            }
            let _ = writeln!(out, ": {}", kind.sentence());
        }
    }
}
