//! What two versions share by name and not by meaning: fields that they declare differently, and functions and lifecycles
//! that say something else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::analysis::encode::{Leaf, Otherwise, negated};
use crate::analysis::key;
use crate::analysis::world::{World, differ};
use crate::base::span::Span;
use crate::types::typed::{EnumId, FieldDef, FunctionId, TypedPolicy};

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
    let is_other = |field: &&FieldDef| {
        let before = old.iter().find(|other| other.name == field.name);
        before.is_some_and(|before| differ(&world.sides, &[Some(&before.ty), Some(&field.ty)]))
    };
    new.iter().filter(is_other).map(|field| field.name.clone()).collect()
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
