//! Entities and lifecycles.

use crate::bytecode::program::SiteId;
use crate::vm::compare::same_entity;
use crate::vm::entities::Entities;
use crate::vm::image::Image;
use crate::vm::memory::{Local, Memory};
use crate::vm::ops::{Outcome, failed};
use crate::vm::value::{EntityRef, Fault, FaultKind, Value};

/// An attribute of an entity that the program names and nobody registered has no site: any other error comes first.
const UNKNOWN_ENTITY: Value = Value::Error(Fault { site: SiteId(u32::MAX - 1), kind: FaultKind::UnknownEntity });

/// The attribute that a selector finds.
#[inline]
pub fn attribute<E: Entities>(image: &Image, entities: &E, local: &Local, operand: Value, selector: u32) -> Value {
    let Value::Entity(entity) = operand else { return failed(&[operand]) };
    let Some(selector) = image.program.selectors.get(selector as usize) else { return Value::INTERNAL };
    let Some(&(_, attribute)) = selector.columns.iter().find(|&&(ty, _)| ty == u32::from(entity.ty)) else {
        return Value::INTERNAL;
    };
    if let Some(row) = entity.row.stored_at() {
        // Few requests override anything, and those that do override few attributes.
        let given = local.overrides.iter().find(|given| given.row == row && given.attribute == attribute);
        return match given {
            Some(given) => given.value,
            None => entities.attribute(row, attribute).unwrap_or(UNKNOWN_ENTITY),
        };
    }
    let Some(presented) = entity.row.presented_at().and_then(|at| local.presented.get(at as usize)) else {
        return UNKNOWN_ENTITY;
    };
    let seq = presented.attributes;
    if attribute >= seq.len {
        return Value::INTERNAL;
    }
    local.heap.values.get((seq.start + attribute) as usize).copied().unwrap_or(Value::INTERNAL)
}

/// The id.
#[inline]
pub fn id(operand: Value) -> Value {
    match operand {
        Value::Entity(entity) => Value::String(entity.id),
        _ => failed(&[operand]),
    }
}

#[inline]
fn lies_in<E: Entities>(entities: &E, memory: Memory<'_>, entity: EntityRef, ancestor: EntityRef) -> bool {
    if let (Some(row), Some(above)) = (entity.row.stored_at(), ancestor.row.stored_at()) {
        return entities.is_in(row, above);
    }
    same_entity(memory, entity, ancestor)
}

/// Whether an entity is another or lies below it.
#[inline]
pub fn is_in<E: Entities>(entities: &E, memory: Memory<'_>, entity: Value, ancestor: Value) -> Value {
    match (entity, ancestor) {
        (Value::Entity(one), Value::Entity(above)) => Value::Bool(lies_in(entities, memory, one, above)),
        _ => failed(&[entity, ancestor]),
    }
}

/// Whether an entity is, or lies below, one of a set.
pub fn is_in_any<E: Entities>(entities: &E, memory: Memory<'_>, entity: Value, ancestors: Value) -> Value {
    let (Value::Entity(one), Value::Set(seq)) = (entity, ancestors) else { return failed(&[entity, ancestors]) };
    Value::Bool(memory.values(seq).iter().any(|above| match above {
        Value::Entity(above) => lies_in(entities, memory, one, *above),
        _ => false,
    }))
}

/// Whether an entity is of one of some types.
#[inline]
pub fn is_type(image: &Image, operand: Value, type_set: u32) -> Value {
    match (operand, image.program.type_sets.get(type_set as usize)) {
        (Value::Entity(entity), Some(types)) => Value::Bool(types.contains(&u32::from(entity.ty))),
        _ => failed(&[operand]),
    }
}

/// An entity that is of one of some types.
#[inline]
pub fn narrow(image: &Image, operand: Value, type_set: u32) -> Outcome {
    match is_type(image, operand, type_set) {
        Value::Bool(true) => Ok(operand),
        Value::Bool(false) => Err(FaultKind::WrongType),
        other => Ok(other),
    }
}

/// Whether a lifecycle lets one state step to another.
#[inline]
pub fn steps_to(image: &Image, from: Value, to: Value) -> Value {
    let (Value::Enum(one), Value::Enum(other)) = (from, to) else { return failed(&[from, to]) };
    let lifecycle = image.program.schema.enums.get(one.of as usize).and_then(|of| of.lifecycle.as_ref());
    match lifecycle.and_then(|lifecycle| lifecycle.steps.get(one.at as usize)) {
        Some(steps) => Value::Bool(steps.binary_search(&other.at).is_ok()),
        None => Value::INTERNAL,
    }
}
