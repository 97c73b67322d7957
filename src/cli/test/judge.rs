//! Whether a decision is what a test expects, and if not, why.

use std::sync::Arc;

use crate::base::span::Span;
use crate::bytecode::program::SiteId;
use crate::data::duration::{Duration, Shown};
use crate::diagnostic::{Code, Diagnostic};
use crate::types::typed::{self, ExpectDef, GateExpect, GroupExpect, TestDef};
use crate::vm::decide::{Answer, Kind};
use crate::vm::decision::{Decision, EntityName, ErrorReport, GateReport};
use crate::vm::input::Document;

/// How an expectation is not met: sentences, none if it is.
#[must_use]
pub fn misses(expected: &ExpectDef, decision: &Decision) -> Vec<String> {
    let mut misses = Vec::new();
    let wanted = match expected.answer {
        typed::Answer::Allow => Answer::Allow,
        typed::Answer::Deny => Answer::Deny,
        typed::Answer::RequireApproval => Answer::RequireApproval,
    };
    let got = format!("{} ({})", decision.answer().name(), decision.kind.name());
    if wanted != decision.answer() {
        misses.push(format!("expected {}, got {got}", wanted.name()));
    } else if expected.error && decision.kind != Kind::Error {
        misses.push(format!("expected an error, got {got}"));
    } else if !expected.error && decision.kind == Kind::Error {
        // A denial that comes from a mistake in the test or in the policy is not what was meant.
        misses.push(format!("expected DENY by a rule, got {got}"));
    }
    for id in &expected.by {
        if !decision.rules.iter().any(|rule| *rule.id == **id) {
            misses.push(format!("`{id}` is not among the rules that determine the answer"));
        }
    }
    for code in &expected.codes {
        if !decision.codes.iter().any(|other| **other == **code) {
            misses.push(format!("the code {code} is not among those of the decision"));
        }
    }
    for obligation in &expected.obligations {
        if !decision.obligations.iter().any(|other| *other.name == **obligation) {
            misses.push(format!("the obligation `{obligation}` is not among those of the decision"));
        }
    }
    let is_about_a_gate = expected.quorum.is_some() || expected.gate != GateExpect::default();
    if is_about_a_gate && decision.answer() == Answer::RequireApproval {
        match gate(expected, decision) {
            Some(gate) => misses.extend(gate_misses(expected, gate)),
            None => misses.push("there is no one gate that is meant: name its rule first after `by`".to_owned()),
        }
    }
    misses
}

/// How a gate is not what is expected of it.
fn gate_misses(expected: &ExpectDef, gate: &GateReport) -> Vec<String> {
    let mut misses = Vec::new();
    let mut compare = |what: &str, wanted: String, got: String| {
        if wanted != got {
            misses.push(format!("expected {what} {wanted}, got {got} at `{}`", gate.id));
        }
    };
    if let Some(quorum) = expected.quorum {
        compare("a quorum of", quorum.to_string(), gate.quorum.to_string());
    }
    let GateExpect { from, within, escalations, distinct } = &expected.gate;
    if let Some(from) = from {
        compare("votes from", group(from).to_string(), gate.from.to_string());
    }
    if let Some(within) = within {
        compare("votes within", within.to_string(), gate.within_ms.map_or("no limit".to_owned(), shown));
    }
    if !escalations.is_empty() {
        let wanted = escalations.iter().map(|(to, after)| format!("{} after {after}", group(to)));
        let got = gate.escalations.iter().map(|(to, after)| format!("{to} after {}", shown(*after)));
        compare("escalation to", wanted.collect::<Vec<_>>().join(", "), got.collect::<Vec<_>>().join(", "));
    }
    if *distinct {
        compare(
            "votes to be",
            "distinct".to_owned(),
            if gate.distinct { "distinct" } else { "not distinct" }.to_owned(),
        );
    }
    misses
}

fn group(GroupExpect { ty, id }: &GroupExpect) -> EntityName {
    EntityName { ty: ty.to_string(), id: id.to_string() }
}

fn shown(millis: i64) -> String {
    Shown(Duration(millis)).to_string()
}

/// The gate of the first rule after `by`, or the only one.
fn gate<'a>(expected: &ExpectDef, decision: &'a Decision) -> Option<&'a GateReport> {
    match (expected.by.first(), decision.gates.as_slice()) {
        (Some(id), gates) => gates.iter().find(|gate| *gate.id == **id),
        (None, [gate]) => Some(gate),
        (None, _) => None,
    }
}

/// The misses as a diagnostic: at what was expected, with the rules that determined the answer.
#[must_use]
pub fn diagnostic(
    test: &TestDef,
    expected: &ExpectDef,
    misses: &[String],
    decision: &Decision,
    place: impl Fn(SiteId) -> Option<Span>,
) -> Diagnostic {
    let (first, others) = misses.split_first().map_or(("", &[][..]), |(first, others)| (first.as_str(), others));
    let message = format!("the test {:?} failed: {first}", test.name);
    let mut fault = Diagnostic::error(Code::TestFailed, expected.span, message).label("expected here");
    for rule in &decision.rules {
        let Some(span) = place(rule.site) else { continue };
        let told = rule.message.as_deref().map_or(String::new(), |message| format!(": {message}"));
        fault = fault.secondary(span, format!("determines the answer{told}"));
    }
    for other in others {
        fault = fault.help(format!("also: {other}"));
    }
    match &decision.error {
        Some(ErrorReport::Input { document, path, message, .. }) => {
            let document = if *document == Document::Facts { "the facts are" } else { "the request is" };
            fault = fault.help(format!("{document} refused at `{path}`: {message}"));
        }
        Some(ErrorReport::Evaluation { kind, rule, site, .. }) => {
            fault = fault.help(format!("`{rule}` failed: {}", kind.sentence()));
            if let Some(span) = place(*site) {
                fault = fault.secondary(span, "failed here");
            }
        }
        None => {}
    }
    if decision.kind == Kind::NotPermitted {
        fault = fault.help("no `allow` rule matches this request");
    }
    fault
}

/// What is expected, in one line: `require_approval by acme.release.release_managers quorum 2`.
#[must_use]
pub fn expectation(expected: &ExpectDef) -> String {
    let mut text = match (expected.answer, expected.error) {
        (_, true) => "error",
        (typed::Answer::Allow, _) => "allow",
        (typed::Answer::Deny, _) => "deny",
        (typed::Answer::RequireApproval, _) => "require_approval",
    }
    .to_owned();
    let mut add = |word: &str, list: &[Arc<str>]| {
        if !list.is_empty() {
            text.push_str(&format!(" {word} {}", list.join(", ")));
        }
    };
    add("by", &expected.by);
    add("code", &expected.codes);
    add("oblige", &expected.obligations);
    if let Some(quorum) = expected.quorum {
        text.push_str(&format!(" quorum {quorum}"));
    }
    let GateExpect { from, within, escalations, distinct } = &expected.gate;
    if let Some(from) = from {
        text.push_str(&format!(" from {}", group(from)));
    }
    if let Some(within) = within {
        text.push_str(&format!(" within {within}"));
    }
    for (to, after) in escalations {
        text.push_str(&format!(" escalate to {} after {after}", group(to)));
    }
    if *distinct {
        text.push_str(" distinct");
    }
    text
}
