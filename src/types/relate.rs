//! How types relate: which fits where, what two have in common, and how they are written in messages.

use crate::base::limits::{COLLECTION_DEFAULT_MAX, STRING_DEFAULT_BYTES_MAX};
use crate::types::interval;
use crate::types::ty::{Interval, Type};
use crate::types::world::World;

/// Whether every value of `found` is one of `expected`.
#[must_use]
pub fn fits(found: &Type, expected: &Type) -> bool {
    match (found, expected) {
        (Type::Unknown, _) | (_, Type::Unknown) => true,
        (Type::Int(found), Type::Int(expected)) => interval::fits(*found, *expected),
        (Type::String(found), Type::String(expected)) => found <= expected,
        (Type::Entity(found), Type::Entity(expected)) => {
            expected.is_empty() || (!found.is_empty() && found.iter().all(|ty| expected.contains(ty)))
        }
        (Type::Set(found, found_max), Type::Set(expected, expected_max))
        | (Type::List(found, found_max), Type::List(expected, expected_max))
        | (Type::Map(found, found_max), Type::Map(expected, expected_max)) => {
            found_max <= expected_max && fits(found, expected)
        }
        (Type::Optional(found), Type::Optional(expected)) => fits(found, expected),
        (found, Type::Optional(expected)) => fits(found, expected),
        (found, expected) => found == expected,
    }
}

/// Whether both are the same but for intervals, bounds and the kinds of entities.
#[must_use]
pub fn alike(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Unknown, _)
        | (_, Type::Unknown)
        | (Type::Int(_), Type::Int(_))
        | (Type::String(_), Type::String(_))
        | (Type::Entity(_), Type::Entity(_)) => true,
        (Type::Set(left, _), Type::Set(right, _))
        | (Type::List(left, _), Type::List(right, _))
        | (Type::Map(left, _), Type::Map(right, _))
        | (Type::Optional(left), Type::Optional(right)) => alike(left, right),
        (left, right) => left == right,
    }
}

/// Whether two types of entities have a type in common; true of everything else.
#[must_use]
pub fn overlap(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Entity(left), Type::Entity(right)) => {
            left.is_empty() || right.is_empty() || left.iter().any(|ty| right.contains(ty))
        }
        _ => true,
    }
}

/// The least type that both fit.
#[must_use]
pub fn join(left: &Type, right: &Type) -> Option<Type> {
    Some(match (left, right) {
        (Type::Unknown, other) | (other, Type::Unknown) => other.clone(),
        (Type::Int(left), Type::Int(right)) => Type::Int(interval::hull(*left, *right)),
        (Type::String(left), Type::String(right)) => Type::String(*left.max(right)),
        (Type::Entity(left), Type::Entity(right)) => {
            if left.is_empty() || right.is_empty() {
                return Some(Type::Entity(Vec::new()));
            }
            let mut all: Vec<_> = left.iter().chain(right).copied().collect();
            all.sort_unstable();
            all.dedup();
            Type::Entity(all)
        }
        (Type::Set(left, left_max), Type::Set(right, right_max)) => {
            Type::Set(Box::new(join(left, right)?), *left_max.max(right_max))
        }
        (Type::List(left, left_max), Type::List(right, right_max)) => {
            Type::List(Box::new(join(left, right)?), *left_max.max(right_max))
        }
        (Type::Map(left, left_max), Type::Map(right, right_max)) => {
            Type::Map(Box::new(join(left, right)?), *left_max.max(right_max))
        }
        (Type::Optional(_), _) | (_, Type::Optional(_)) => Type::Optional(Box::new(join(inner(left), inner(right))?)),
        (left, right) => return (left == right).then(|| left.clone()),
    })
}

/// The type without `?`.
#[must_use]
pub fn inner(ty: &Type) -> &Type {
    match ty {
        Type::Optional(inner) => inner,
        other => other,
    }
}

impl World {
    /// The type as a source would write it.
    #[must_use]
    pub fn show(&self, ty: &Type) -> String {
        match ty {
            Type::Bool => "Bool".to_owned(),
            Type::Int(Interval::FULL) => "Int".to_owned(),
            Type::Int(interval) => format!("Int in {}", show_interval(*interval)),
            Type::Decimal => "Decimal".to_owned(),
            Type::String(max) if *max >= STRING_DEFAULT_BYTES_MAX => "String".to_owned(),
            Type::String(max) => format!("String max {max}"),
            Type::Duration => "Duration".to_owned(),
            Type::Timestamp => "Timestamp".to_owned(),
            Type::IpAddr => "IpAddr".to_owned(),
            Type::IpNet => "IpNet".to_owned(),
            Type::Url => "Url".to_owned(),
            Type::Path => "Path".to_owned(),
            Type::Enum(id) => self.enums[id.index()].name.to_string(),
            Type::Record(id) => self.records[id.index()].name.to_string(),
            Type::Entity(types) if types.is_empty() => "Entity".to_owned(),
            Type::Entity(types) => {
                let names: Vec<&str> = types.iter().map(|ty| &*self.entity_types[ty.index()].name).collect();
                names.join(" | ")
            }
            Type::Set(element, max) => bounded(format!("Set<{}>", self.show(element)), *max),
            Type::List(element, max) => bounded(format!("List<{}>", self.show(element)), *max),
            Type::Map(value, max) => bounded(format!("Map<String, {}>", self.show(value)), *max),
            Type::Optional(inner) => format!("{}?", self.show(inner)),
            Type::Unknown => "_".to_owned(),
        }
    }

    /// The type without intervals and bounds: what it is called where they don't matter.
    #[must_use]
    pub fn show_plain(&self, ty: &Type) -> String {
        match ty {
            Type::Int(_) => "Int".to_owned(),
            Type::String(_) => "String".to_owned(),
            Type::Set(element, _) => format!("Set<{}>", self.show_plain(element)),
            Type::List(element, _) => format!("List<{}>", self.show_plain(element)),
            Type::Map(value, _) => format!("Map<String, {}>", self.show_plain(value)),
            Type::Optional(inner) => format!("{}?", self.show_plain(inner)),
            other => self.show(other),
        }
    }
}

/// `3`, `0..=10`, `..=-1`, as a range is written.
#[must_use]
pub fn show_interval(interval: Interval) -> String {
    let Interval { low, high } = interval;
    if low == high {
        return format!("{low}..={low}");
    }
    match (low == i64::MIN, high == i64::MAX) {
        (true, true) => "..".to_owned(),
        (true, false) => format!("..={high}"),
        (false, true) => format!("{low}.."),
        (false, false) => format!("{low}..={high}"),
    }
}

fn bounded(name: String, max: u32) -> String {
    if max >= COLLECTION_DEFAULT_MAX { name } else { format!("{name} max {max}") }
}
