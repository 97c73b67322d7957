//! What changed of the vocabulary: actions, entity types, fields, enums.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::span::Span;
use crate::types::ty::Type;
use crate::types::typed::{FieldDef, TypedPolicy};

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
}

impl How {
    /// Its name in data.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            How::Added => "added",
            How::Removed => "removed",
            How::Changed => "changed",
        }
    }
}

/// A change of the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaChange {
    /// What it is about: `action deploy`, `deploy.context.cost`, `enum Kind`.
    pub what: String,
    /// How.
    pub how: How,
    /// More of it: what was and what is.
    pub detail: String,
    /// Where: in the new version, or of what is gone in the old one.
    pub span: Span,
}

/// Compares the vocabularies.
#[must_use]
pub fn changes(old: &TypedPolicy, new: &TypedPolicy) -> Vec<SchemaChange> {
    let mut all = Vec::new();
    let sides = [old, new].map(declared);
    for (name, (before, span)) in &sides[0] {
        match sides[1].get(name) {
            None => {
                all.push(SchemaChange { what: name.clone(), how: How::Removed, detail: before.clone(), span: *span })
            }
            Some((after, at)) if after != before => all.push(SchemaChange {
                what: name.clone(),
                how: How::Changed,
                detail: format!("{before} → {after}"),
                span: *at,
            }),
            Some(_) => {}
        }
    }
    for (name, (after, span)) in &sides[1] {
        if !sides[0].contains_key(name) {
            all.push(SchemaChange { what: name.clone(), how: How::Added, detail: after.clone(), span: *span });
        }
    }
    all.sort();
    all
}

/// Everything that is declared, by name, as text.
pub(crate) fn declared(policy: &TypedPolicy) -> BTreeMap<String, (String, Span)> {
    let mut all = BTreeMap::new();
    let names = |ids: &[crate::types::typed::EntityTypeId]| {
        let names: Vec<&str> = ids.iter().map(|id| &*policy.entity_types[id.index()].wire).collect();
        names.join(" | ")
    };
    let fields = |all: &mut BTreeMap<String, (String, Span)>, of: &str, fields: &[FieldDef]| {
        for field in fields {
            let mut text = shown(policy, &field.ty);
            for (marked, mark) in [
                (field.kernel, "@kernel"),
                (field.advisory, "@advisory"),
                (field.presented, "@presented"),
                (field.owner, "@owner"),
                (field.sensitive, "@sensitive"),
            ] {
                if marked {
                    text.push(' ');
                    text.push_str(mark);
                }
            }
            all.insert(format!("{of}.{}", field.name), (text, field.span));
        }
    };
    for action in &policy.actions {
        let what = format!("action {}", action.wire);
        let text = format!("subject {}, resource {}", names(&action.subject), names(&action.resource));
        fields(&mut all, &what, &action.context);
        all.insert(what, (text, action.span));
    }
    for entity in &policy.entity_types {
        let what = format!("entity {}", entity.wire);
        let mut text = if entity.presented { "presented".to_owned() } else { "registered".to_owned() };
        if entity.approver {
            text.push_str(", approver");
        }
        if !entity.parents.is_empty() {
            text.push_str(", in ");
            text.push_str(&names(&entity.parents));
        }
        fields(&mut all, &what, &entity.attributes);
        all.insert(what, (text, entity.span));
    }
    for def in &policy.enums {
        let mut text = list(&def.variants);
        if let Some(lifecycle) = &def.lifecycle {
            for (from, steps) in lifecycle.steps.iter().enumerate().filter(|(_, steps)| !steps.is_empty()) {
                let to: Vec<Arc<str>> = steps.iter().map(|to| def.variants[*to as usize].clone()).collect();
                text.push_str(&format!("; {} -> {}", def.variants[from], list(&to)));
            }
        }
        all.insert(format!("enum {}", def.qualified), (text, def.span));
    }
    for record in &policy.records {
        let what = format!("record {}", record.qualified);
        fields(&mut all, &what, &record.fields);
        all.insert(what, (String::new(), record.span));
    }
    all
}

fn list(names: &[Arc<str>]) -> String {
    names.iter().map(|name| &**name).collect::<Vec<_>>().join(" | ")
}

/// A simple name, or the qualified one where two share the simple one: equal texts have to mean equal types.
fn told_apart<'n>(name: &Arc<str>, qualified: &Arc<str>, all: impl Iterator<Item = &'n Arc<str>>) -> String {
    let is_shared = all.filter(|other| *other == name).count() > 1;
    if is_shared { qualified.to_string() } else { name.to_string() }
}

/// A type as PDL.
#[must_use]
pub fn shown(policy: &TypedPolicy, ty: &Type) -> String {
    match ty {
        Type::Bool => "Bool".to_owned(),
        Type::Int(interval) if interval.low == i64::MIN && interval.high == i64::MAX => "Int".to_owned(),
        Type::Int(interval) => format!("Int in {}..={}", interval.low, interval.high),
        Type::Decimal => "Decimal".to_owned(),
        Type::String(max) if *max == crate::base::limits::STRING_DEFAULT_BYTES_MAX => "String".to_owned(),
        Type::String(max) => format!("String max {max}"),
        Type::Duration => "Duration".to_owned(),
        Type::Timestamp => "Timestamp".to_owned(),
        Type::IpAddr => "IpAddr".to_owned(),
        Type::IpNet => "IpNet".to_owned(),
        Type::Url => "Url".to_owned(),
        Type::Path => "Path".to_owned(),
        Type::Enum(id) => {
            let def = &policy.enums[id.index()];
            told_apart(&def.name, &def.qualified, policy.enums.iter().map(|other| &other.name))
        }
        Type::Record(id) => {
            let def = &policy.records[id.index()];
            told_apart(&def.name, &def.qualified, policy.records.iter().map(|other| &other.name))
        }
        Type::Entity(ids) => {
            let names: Vec<&str> = ids.iter().map(|id| &*policy.entity_types[id.index()].wire).collect();
            names.join(" | ")
        }
        Type::Set(inner, max) => bounded("Set<", policy, inner, *max),
        Type::List(inner, max) => bounded("List<", policy, inner, *max),
        Type::Map(inner, max) => bounded("Map<String, ", policy, inner, *max),
        Type::Optional(inner) => format!("{}?", shown(policy, inner)),
        Type::Unknown => "?".to_owned(),
    }
}

fn bounded(name: &str, policy: &TypedPolicy, inner: &Type, max: u32) -> String {
    let inner = shown(policy, inner);
    let text = format!("{name}{inner}>");
    if max == crate::base::limits::COLLECTION_DEFAULT_MAX { text } else { format!("{text} max {max}") }
}
