//! Which invariants hold for a governed record by itself: those that every action on it has and that read nothing else.
//!
//! An invariant of a record is compiled into the entry of every action on it. One that reads the subject or the caller's
//! context says something of a step and is its guard; one that reads the resource alone, and the time perhaps, says
//! something of what is stored, and can be asked of it whenever it is written. Which is which is found in the code: what
//! the code does not read can't change what it gives.

use std::collections::BTreeSet;

use crate::bytecode::op::Op;
use crate::bytecode::program::{Effect, Entry, FunctionId, Input, MessagePart, Program, Rule};
use crate::bytecode::schema::{Field, Type};

/// The kernel's fact that an invariant of a state may read.
pub const NOW: &str = "now";

/// The invariants of a governed record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatePlan {
    /// An action on it, in whose entry they are looked up; none if there is no action on it.
    pub entry: Option<u32>,
    /// Their places among the entry's rules, ascending.
    pub rules: Vec<u32>,
}

/// For each entity type, in order, its plan; empty for what is not governed.
pub(in crate::vm) fn state_plans(program: &Program) -> Vec<StatePlan> {
    let types = program.schema.entity_types.iter().enumerate();
    types
        .map(|(at, ty)| if ty.governed_by.is_some() { plan(program, at as u32) } else { StatePlan::default() })
        .collect()
}

fn plan(program: &Program, ty: u32) -> StatePlan {
    let actions = program.schema.actions.iter().enumerate();
    let on_it: Vec<usize> = actions.filter(|(_, action)| action.resource.contains(&ty)).map(|(at, _)| at).collect();
    let Some(&first) = on_it.first() else { return StatePlan::default() };
    let Some(entry) = program.entries.get(first) else { return StatePlan::default() };
    let rules = entry.rules.iter().enumerate().filter(|(_, rule)| {
        on_it.iter().all(|&action| {
            let same = |other: &&Rule| other.id == rule.id && is_invariant(other);
            let Some(entry) = program.entries.get(action) else { return false };
            entry.rules.iter().find(same).is_some_and(|rule| is_of_state(program, action, entry, rule.condition))
        })
    });
    StatePlan { entry: Some(first as u32), rules: rules.map(|(at, _)| at as u32).collect() }
}

fn is_invariant(rule: &Rule) -> bool {
    rule.effect == Effect::Violation && !rule.shadow
}

/// Whether a function of an entry reads nothing but the resource and the time.
fn is_of_state(program: &Program, action: usize, entry: &Entry, function: FunctionId) -> bool {
    let context = program.schema.actions.get(action).map_or(&[][..], |action| &action.context);
    inputs(program, function).into_iter().all(|at| match entry.inputs.get(at as usize) {
        Some(Input::Resource) => true,
        Some(Input::Context(field)) => context.get(*field as usize).is_some_and(|field| is_now(program, field)),
        Some(Input::Subject) | None => false,
    })
}

/// Whether a field is the time, which the kernel says.
#[must_use]
pub fn is_now(program: &Program, field: &Field) -> bool {
    field.kernel && *field.name == *NOW && *program.schema.ty(field.ty) == Type::Timestamp
}

/// Whether the message of an invariant of a state can be made of the state.
#[must_use]
pub fn has_message_of_state(program: &Program, action: u32, rule: &Rule) -> bool {
    let Some(entry) = program.entries.get(action as usize) else { return false };
    rule.message.iter().all(|part| match part {
        MessagePart::Text(_) => true,
        MessagePart::Value(function) => is_of_state(program, action as usize, entry, *function),
    })
}

/// The inputs that a function, or anything that it calls, may read.
fn inputs(program: &Program, function: FunctionId) -> BTreeSet<u32> {
    let (mut seen, mut read) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![function.0];
    while let Some(id) = open.pop() {
        let Some(function) = program.functions.get(id as usize).filter(|_| seen.insert(id)) else { continue };
        let code = program.code.get(function.code_start as usize..function.code_end as usize).unwrap_or(&[]);
        for op in code {
            match op {
                Op::Call { f, .. } => open.push(f.get()),
                Op::Force { f, .. } => open.push(*f),
                Op::Read { i, .. } => _ = read.insert(*i),
                _ => {}
            }
        }
    }
    read
}
