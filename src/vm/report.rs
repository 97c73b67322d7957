//! From an outcome to a decision that can be read: rules, messages, gates, obligations, shadow reports.
//!
//! This allocates, and happens only when somebody asks.

use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::bytecode::program::{Effect, Entry, MessagePart, Rule, StringId};
use crate::vm::decide::{Extent, Kind, Outcome, Sets, decide, look_at_shadow};
use crate::vm::decision::{Decision, Digests, EntityName, ErrorReport, GateReport, ObligationReport, RuleReport};
use crate::vm::entities::Entities;
use crate::vm::image::Image;
use crate::vm::plan::states::{StatePlan, has_message_of_state};
use crate::vm::run::{Meter, Run};
use crate::vm::show::Show;
use crate::vm::value::{Fault, Value};

/// Decides once more with all reasons, and tells them. The extent is `Rules` or `Approved`.
pub fn report<E: Entities, M: Meter>(
    run: &mut Run<'_, E, M>,
    sets: &mut Sets,
    action: u32,
    extent: Extent,
) -> Decision {
    let outcome = decide(run, sets, action, extent);
    tell(run, sets, action, outcome)
}

/// Tells the reasons of an outcome that [`decide`] has just given, with the extent `Rules` or `Approved`.
pub fn tell<E: Entities, M: Meter>(
    run: &mut Run<'_, E, M>,
    sets: &mut Sets,
    action: u32,
    outcome: Outcome,
) -> Decision {
    let image: &Image = run.image;
    let mut decision = Decision {
        kind: outcome.kind,
        rules: Vec::new(),
        codes: Vec::new(),
        gates: Vec::new(),
        obligations: Vec::new(),
        shadow: Vec::new(),
        error: None,
        digests: Digests::default(),
        assumed_presented: false,
    };
    let Some(entry) = image.program.entries.get(action as usize) else { return decision };
    for place in determining(entry, sets, outcome) {
        let Some(rule) = entry.rules.get(place as usize) else { continue };
        let message = if outcome.kind == Kind::Error { None } else { message(run, rule) };
        let told = rule_report(image, rule, message);
        if let Some(code) = &told.code
            && !decision.codes.contains(code)
        {
            decision.codes.push(code.clone());
        }
        if outcome.kind == Kind::Approval {
            decision.gates.extend(gate(run, rule, &told.id));
        }
        if matches!(outcome.kind, Kind::Approval | Kind::Allowed) {
            obligations(run, rule, &told.id, &mut decision.obligations);
        }
        decision.rules.push(told);
    }
    decision.error = outcome.error.map(|(fault, place)| ErrorReport::Evaluation {
        kind: fault.kind,
        rule: entry.rules.get(place as usize).map_or(String::new(), |rule| string(image, rule.id)),
        site: fault.site,
        at: None,
    });
    look_at_shadow(run, sets, action, |run, place, result| {
        let Some(rule) = entry.rules.get(place as usize) else { return };
        let message = if result.is_ok() { message(run, rule) } else { None };
        let error = result.err().map(|fault: Fault| fault.kind);
        decision.shadow.push(RuleReport { error, ..rule_report(image, rule, message) });
    });
    decision
}

/// Puts the rules into `rules` that determine an outcome of [`decide`] with the extent `Rules`. Whether they say the same
/// whenever it is they: nothing that is told of them is a value, and no shadow rule has anything to say.
pub fn is_constant<E: Entities, M: Meter>(
    run: &mut Run<'_, E, M>,
    sets: &Sets,
    action: u32,
    outcome: Outcome,
    rules: &mut Vec<u32>,
) -> bool {
    let image: &Image = run.image;
    let Some(entry) = image.program.entries.get(action as usize) else { return false };
    rules.clear();
    if outcome.error.is_some() || outcome.kind == Kind::Approval {
        return false;
    }
    rules.extend(determined(entry, sets, outcome.kind));
    let mut is_constant = rules.iter().all(|&place| {
        entry.rules.get(place as usize).is_some_and(|rule| {
            let is_text = |part: &MessagePart| matches!(part, MessagePart::Text(_));
            rule.message.iter().all(is_text) && (outcome.kind != Kind::Allowed || rule.obligations.is_empty())
        })
    });
    if is_constant {
        look_at_shadow(run, sets, action, |_, _, _| is_constant = false);
    }
    is_constant
}

/// The invariants of a record that don't hold for what lies in `run.inputs`, in source order: those that are violated, and
/// those that are an error.
pub fn state_report<E: Entities, M: Meter>(run: &mut Run<'_, E, M>, action: u32, plan: &StatePlan) -> Vec<RuleReport> {
    let image: &Image = run.image;
    let Some(entry) = image.program.entries.get(action as usize) else { return Vec::new() };
    let mut violations = Vec::new();
    for rule in plan.rules.iter().filter_map(|&place| entry.rules.get(place as usize)) {
        let error = match run.value(rule.condition) {
            Value::Bool(false) => continue,
            Value::Bool(true) => None,
            other => Some(other.fault().unwrap_or(Fault::INTERNAL).kind),
        };
        let can_be_told = error.is_none() && has_message_of_state(&image.program, action, rule);
        let message = if can_be_told { message(run, rule) } else { None };
        violations.push(RuleReport { error, ..rule_report(image, rule, message) });
    }
    violations
}

/// The rules that determine an outcome, in source order.
fn determining(entry: &Entry, sets: &Sets, outcome: Outcome) -> Vec<u32> {
    match outcome.error {
        Some((_, rule)) => vec![rule],
        None => determined(entry, sets, outcome.kind).collect(),
    }
}

/// The same of one that is no error.
fn determined<'s>(entry: &'s Entry, sets: &'s Sets, kind: Kind) -> impl Iterator<Item = u32> + 's {
    let counts = move |effect: Effect| match kind {
        Kind::Error | Kind::NotPermitted => false,
        Kind::Violated => matches!(effect, Effect::Violation | Effect::Deny),
        Kind::Denied => effect == Effect::Deny,
        Kind::Approval => effect == Effect::RequireApproval,
        // Approval rules match only where their gates are met.
        Kind::Allowed => matches!(effect, Effect::Allow | Effect::RequireApproval),
    };
    let effect = |place: u32| entry.rules.get(place as usize).map(|rule| rule.effect);
    sets.matched.iter().filter(move |&place| effect(place).is_some_and(counts))
}

fn string(image: &Image, id: StringId) -> String {
    image.program.strings.get(id.0 as usize).map_or(String::new(), |text| text.to_string())
}

fn rule_report(image: &Image, rule: &Rule, message: Option<String>) -> RuleReport {
    RuleReport {
        id: string(image, rule.id),
        effect: rule.effect,
        message,
        code: rule.code.map(|code| string(image, code)),
        site: rule.site,
        at: None,
        error: None,
    }
}

/// The message of a rule, cut at the limit.
fn message<E: Entities, M: Meter>(run: &mut Run<'_, E, M>, rule: &Rule) -> Option<String> {
    if rule.message.is_empty() {
        return None;
    }
    let mut text = String::new();
    for part in &rule.message {
        match part {
            MessagePart::Text(id) => {
                text.push_str(run.image.program.strings.get(id.0 as usize).map_or("", |text| text))
            }
            MessagePart::Value(function) => {
                let value = run.value(*function);
                Show { schema: run.image.schema(), memory: run.memory() }.write(value, &mut text);
            }
        }
        if text.len() > MESSAGE_BYTES_MAX {
            text.truncate(text.floor_char_boundary(MESSAGE_BYTES_MAX));
            text.push('…');
            break;
        }
    }
    Some(text)
}

fn gate<E: Entities, M: Meter>(run: &mut Run<'_, E, M>, rule: &Rule, id: &str) -> Option<GateReport> {
    let gate = rule.gate.as_ref()?;
    let from = run.value(gate.from);
    let Value::Int(quorum) = run.value(gate.quorum) else { return None };
    let mut escalations = Vec::with_capacity(gate.escalations.len());
    for &(group, after) in &gate.escalations {
        let group = run.value(group);
        escalations.push((entity(run, group)?, after));
    }
    Some(GateReport {
        id: id.to_owned(),
        from: entity(run, from)?,
        quorum,
        within_ms: gate.within_ms,
        escalations,
        distinct: gate.distinct,
    })
}

fn entity<E: Entities, M: Meter>(run: &Run<'_, E, M>, value: Value) -> Option<EntityName> {
    match value {
        Value::Entity(entity) => Some(Show { schema: run.image.schema(), memory: run.memory() }.entity(entity)),
        _ => None,
    }
}

fn obligations<E: Entities, M: Meter>(run: &mut Run<'_, E, M>, rule: &Rule, id: &str, out: &mut Vec<ObligationReport>) {
    let image: &Image = run.image;
    for (obligation, arguments) in &rule.obligations {
        let Some(obligation) = image.schema().obligations.get(*obligation as usize) else { continue };
        let mut told = Vec::with_capacity(arguments.len());
        for (&argument, (name, ty)) in arguments.iter().zip(&obligation.parameters) {
            let value = run.value(argument);
            let show = Show { schema: image.schema(), memory: run.memory() };
            told.push((name.to_string(), show.datum(*ty, value)));
        }
        out.push(ObligationReport { name: obligation.name.to_string(), rule: id.to_owned(), arguments: told });
    }
}
