//! What of the kernel's own state a request touches, by the schema of a bundle alone: scopes, and governed records.
//!
//! An action is *scoped* if its context has a fact of the type `std.scopes.Scope`: the kernel gives it, found by the
//! caller's `scope_id`, and nobody else does. An action *presents records* if a governed record can stand anywhere in its
//! request or its facts: whoever asks names it by type and id, and the kernel gives its attributes, as they are stored.
//!
//! Most actions touch nothing, and then are decided without looking into the store.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::{BTreeMap, BTreeSet};

use crate::bytecode::schema::{Field, Schema, Type, TypeId};

/// The fact that is the time.
pub(super) const NOW: &str = "now";
/// The record that is a scope, by its qualified name.
const SCOPE: &str = "std.scopes.Scope";

/// What the actions of a bundle touch.
#[derive(Debug, Default)]
pub(super) struct Touches {
    /// By every name that the wire takes.
    actions: BTreeMap<String, Touched>,
    /// Entity types, by number, in which a governed record can be found.
    presenting: BTreeSet<u32>,
    /// Records, by number, in which one can be found.
    holding: BTreeSet<u32>,
    uniform: Option<bool>,
}

/// What one action touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Touched {
    /// Its index.
    pub(super) action: u32,
    /// The fact that is its scope, if it is scoped.
    pub(super) scope: Option<String>,
    /// Whether governed records can stand in it.
    pub(super) records: bool,
    /// Whether it asks what time it is.
    pub(super) clock: bool,
}

impl Touched {
    /// Whether nothing that is kept is touched.
    pub(super) fn is_plain(&self) -> bool {
        self.scope.is_none() && !self.records
    }
}

impl Touches {
    /// Of a schema.
    pub(super) fn of(schema: &Schema) -> Touches {
        let mut touches = Touches::default();
        touches.find_governed(schema);
        for (at, action) in (0_u32..).zip(&schema.actions) {
            let reaches = |field: &Field| touches.reaches(schema, field.ty);
            let parties = || action.subject.iter().chain(&action.resource);
            let records = action.context.iter().any(reaches) || parties().any(|ty| touches.presenting.contains(ty));
            let scope = action.context.iter().find(|field| field.kernel && is_scope(schema, field.ty));
            let scope = scope.map(|field| field.name.to_string());
            let clock = action.context.iter().any(|field| field.kernel && *field.name == *NOW);
            let touched = Touched { action: at, scope, records, clock };
            for name in [&action.name, &action.qualified] {
                touches.actions.insert(name.to_string(), touched.clone());
            }
        }
        touches.uniform = touches.find_uniform();
        touches
    }

    /// A type holds governed records once a part of it does: again, until nothing new is found.
    fn find_governed(&mut self, schema: &Schema) {
        loop {
            let (types, records) = (self.presenting.len(), self.holding.len());
            for (at, ty) in (0_u32..).zip(&schema.entity_types) {
                // Of a registered type only what the request gives can be a record that it names.
                let is_given = |field: &&Field| ty.presented || field.presented;
                let reaches = ty.attributes.iter().filter(is_given).any(|field| self.reaches(schema, field.ty));
                if ty.governed_by.is_some() || reaches {
                    self.presenting.insert(at);
                }
            }
            for (at, record) in (0_u32..).zip(&schema.records) {
                if record.fields.iter().any(|field| self.reaches(schema, field.ty)) {
                    self.holding.insert(at);
                }
            }
            if (types, records) == (self.presenting.len(), self.holding.len()) {
                return;
            }
        }
    }

    /// Whether a governed record can be found in values of a type.
    pub(super) fn reaches(&self, schema: &Schema, ty: TypeId) -> bool {
        match schema.ty(ty) {
            Type::Entity(types) if types.is_empty() => !self.presenting.is_empty(),
            Type::Entity(types) => types.iter().any(|ty| self.presenting.contains(ty)),
            Type::Record(at) => self.holding.contains(at),
            Type::Set(inner, _) | Type::List(inner, _) | Type::Map(inner, _) | Type::Optional(inner) => {
                self.reaches(schema, *inner)
            }
            _ => false,
        }
    }

    /// Whether there is nothing to choose by action: all touch nothing, and either all or none ask what time it is. Then it
    /// is said which.
    pub(super) fn uniform(&self) -> Option<bool> {
        self.uniform
    }

    fn find_uniform(&self) -> Option<bool> {
        let mut actions = self.actions.values();
        let clock = actions.next().is_some_and(|touched| touched.clock);
        let is_same = |touched: &Touched| touched.is_plain() && touched.clock == clock;
        self.actions.values().all(is_same).then_some(clock)
    }

    /// What an action touches; nothing is said of one that the bundle does not have.
    pub(super) fn action(&self, name: &str) -> Option<&Touched> {
        self.actions.get(name)
    }
}

fn is_scope(schema: &Schema, ty: TypeId) -> bool {
    match schema.ty(ty) {
        Type::Optional(inner) => is_scope(schema, *inner),
        Type::Record(at) => {
            let record = usize::try_from(*at).ok().and_then(|at| schema.records.get(at));
            record.is_some_and(|record| *record.name == *SCOPE)
        }
        _ => false,
    }
}
