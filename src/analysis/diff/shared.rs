//! What two versions share by name and not by meaning: fields that they declare differently, and functions and lifecycles
//! that say something else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::analysis::encode::{Leaf, Otherwise, negated};
use crate::analysis::key;
use crate::analysis::world::World;
use crate::base::span::Span;
use crate::types::ty::Type;
use crate::types::typed::{EnumId, FieldDef, FunctionId, RecordId, TypedPolicy};

/// Reads the fields that the versions declare differently, whether or not a rule does: one version may refuse what the
/// other takes.
pub(super) fn read(world: &mut World<'_>) {
    for term in [world.subject, world.resource] {
        let ty = world.term(term).ty.clone();
        let sides = [0, 1].map(|side| world.entity_type(side, &ty).map(|def| &def.attributes[..]));
        for name in differing(world, sides) {
            let _ = world.attribute(1, term, &name);
        }
    }
    let sides = [0, 1].map(|side| {
        let policy: &TypedPolicy = world.sides[side];
        world.action[side].map(|action| &policy.actions[action].context[..])
    });
    for name in differing(world, sides) {
        let _ = world.context(1, &name);
    }
}

/// The fields that both declare, and not alike.
fn differing(world: &World<'_>, fields: [Option<&[FieldDef]>; 2]) -> Vec<Arc<str>> {
    let [Some(old), Some(new)] = fields else { return Vec::new() };
    let shown = |side: usize, field: &FieldDef| super::schema::shown(world.sides[side], &field.ty);
    let mut all = Vec::new();
    for field in new {
        let before = old.iter().find(|other| other.name == field.name);
        let differs = before.is_some_and(|before| shown(0, before) != shown(1, field));
        if differs || before.is_some_and(|before| named_differently(world, [&before.ty, &field.ty])) {
            all.push(field.name.clone());
        }
    }
    all
}

/// Whether an enum or record, or what a collection has of them, is declared differently.
fn named_differently(world: &World<'_>, types: [&Type; 2]) -> bool {
    let record = |side: usize, id: RecordId| {
        let fields = &world.sides[side].records[id.index()].fields;
        fields.iter().map(move |field| (field.name.clone(), super::schema::shown(world.sides[side], &field.ty)))
    };
    match types {
        [Type::Enum(old), Type::Enum(new)] => {
            world.sides[0].enums[old.index()].variants != world.sides[1].enums[new.index()].variants
        }
        [Type::Record(old), Type::Record(new)] => {
            !record(0, *old).eq(record(1, *new)) || {
                let fields = |side: usize, id: RecordId| &world.sides[side].records[id.index()].fields;
                let both = fields(0, *old).iter().zip(fields(1, *new));
                both.into_iter().any(|(one, other)| named_differently(world, [&one.ty, &other.ty]))
            }
        }
        [
            Type::Optional(old) | Type::Set(old, _) | Type::List(old, _) | Type::Map(old, _),
            Type::Optional(new) | Type::Set(new, _) | Type::List(new, _) | Type::Map(new, _),
        ] => named_differently(world, [old, new]),
        _ => false,
    }
}

/// What each version's names mean that mean something else in the other version.
pub(super) fn otherwise(old: &TypedPolicy, new: &TypedPolicy) -> Vec<Otherwise> {
    let functions = changed_functions(old, new);
    let [before, after] = [old, new].map(super::schema::declared);
    let of = |side: &TypedPolicy| {
        let named = side.functions.iter().zip(0..).filter(|(def, _)| functions.contains(&def.name));
        let lifecycles = side.enums.iter().zip(0..).filter(|(def, _)| {
            let name = format!("enum {}", def.qualified);
            let text = |all: &BTreeMap<String, (String, Span)>| all.get(&name).map(|(text, _)| text.clone());
            def.lifecycle.is_some() && text(&before) != text(&after)
        });
        Otherwise {
            functions: named.map(|(_, id)| FunctionId(id)).collect(),
            lifecycles: lifecycles.map(|(_, id)| EnumId(id)).collect(),
        }
    };
    vec![of(old), of(new)]
}

/// The conditions of both versions, where what reads alike means the same: what means something else in the old version
/// and could not be spelt out is written `before(…)`.
pub(super) fn tell_apart(old: &TypedPolicy, otherwise: &[Otherwise], leaves: [&[Leaf]; 2]) -> Vec<Leaf> {
    let changed = otherwise.first().cloned().unwrap_or_default();
    let calls: Vec<String> =
        changed.functions.iter().map(|id| format!("{}(", old.functions[id.index()].name)).collect();
    let steps = !changed.lifecycles.is_empty();
    let mut all: Vec<Leaf> = Vec::new();
    for leaf in leaves[0] {
        let otherwise = |other: &Leaf| other.text == leaf.text && (other.yes, other.no) != (leaf.yes, leaf.no);
        let apart = calls.iter().any(|call| leaf.text.contains(call.as_str()))
            || steps && leaf.text.contains(" -> ")
            || leaves[1].iter().any(otherwise);
        let mut leaf = leaf.clone();
        if apart {
            leaf.text = format!("before({})", leaf.text);
            leaf.negated = negated(&leaf.text);
            if let Some(bound) = &mut leaf.bound {
                bound.term = format!("before({})", bound.term);
            }
        }
        all.push(leaf);
    }
    all.extend(leaves[1].iter().cloned());
    all
}

/// Functions of both that say something else, by themselves or by what they call.
fn changed_functions(old: &TypedPolicy, new: &TypedPolicy) -> BTreeSet<Arc<str>> {
    let (old, new) = (key::functions(old), key::functions(new));
    let mut changed: BTreeSet<Arc<str>> = BTreeSet::new();
    loop {
        let before = changed.len();
        for (name, text) in &new {
            let calls = changed.iter().any(|called| text.contains(&format!("{called}#")));
            let differs = old.iter().any(|(other, theirs)| other == name && (theirs != text || calls));
            if differs {
                changed.insert(name.clone());
            }
        }
        if changed.len() == before {
            return changed;
        }
    }
}
