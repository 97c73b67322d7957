//! The simplest value of a type, for what no rule reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Value, Writer};
use crate::types::ty::Type;

impl Writer<'_, '_> {
    pub(super) fn simple(&mut self, ty: &Type) -> Value {
        match ty {
            Type::Bool => Value::Bool(false),
            Type::Int(interval) => Value::Number(0_i128.clamp(interval.low.into(), interval.high.into())),
            Type::Decimal | Type::Duration | Type::Timestamp => Value::Number(0),
            Type::String(_) => Value::Word("".into()),
            Type::IpAddr => Value::Word("400000000".into()),
            Type::IpNet => Value::Word("400000000/20".into()),
            Type::Url => Value::Word("https://a.example/".into()),
            Type::Path => Value::Word("/".into()),
            Type::Enum(of) => Value::Name(self.policy.enums[of.index()].variants.first().cloned().unwrap_or_default()),
            Type::Record(of) => {
                let fields = &self.policy.records[of.index()].fields;
                Value::Record(fields.iter().map(|field| (field.name.clone(), self.simple(&field.ty))).collect())
            }
            Type::Entity(types) => {
                let first = types.first().map_or(0, |ty| ty.index());
                let Some(def) = self.policy.entity_types.get(first) else { return Value::Absent };
                let ty = def.wire.clone();
                // Somebody who is there already, if there is anybody.
                let known = self.named.iter().find(|(known, _)| *known == ty).map(|(_, id)| id.clone());
                let free = |id: &Arc<str>| !self.unknown.contains(&(ty.clone(), id.clone()));
                let mut ids = (0_u32..).map(|number| match number {
                    0 => Arc::from("a"),
                    number => Arc::from(format!("a{number}")),
                });
                let id: Arc<str> = known.or_else(|| ids.find(free)).unwrap_or_else(|| "a".into());
                self.name(&ty, &id);
                Value::Entity(ty, id, None)
            }
            Type::Set(..) | Type::List(..) => Value::List(Vec::new()),
            Type::Map(..) => Value::Map(Vec::new()),
            Type::Optional(_) | Type::Unknown => Value::Absent,
        }
    }

    /// One of many values of a type, each number another one; nothing where there are not so many.
    pub(super) fn another(&mut self, ty: &Type, number: u32) -> Option<Value> {
        let many = i128::from(number);
        Some(match ty {
            Type::Bool => Value::Bool(match number {
                0 => false,
                1 => true,
                _ => return None,
            }),
            Type::Int(interval) => {
                // From the middle outwards, so that all that fits comes once.
                let (low, high) = (i128::from(interval.low), i128::from(interval.high));
                let value = 0_i128.clamp(low, high) + many;
                let value = if value <= high { value } else { low + (value - high - 1) };
                if many > high - low || value > high {
                    return None;
                }
                Value::Number(value)
            }
            Type::Decimal | Type::Duration | Type::Timestamp => Value::Number(many),
            Type::String(max) => {
                let word = in_letters(number);
                if word.len() > *max as usize {
                    return None;
                }
                Value::Word(word.into())
            }
            Type::IpAddr => Value::Word(format!("4{number:08x}").into()),
            Type::IpNet => Value::Word(format!("4{number:08x}/20").into()),
            Type::Url => Value::Word(format!("https://a.example/{number}").into()),
            Type::Path => Value::Word(format!("/{number}").into()),
            Type::Enum(of) => Value::Name(self.policy.enums[of.index()].variants.get(number as usize)?.clone()),
            Type::Record(of) => {
                let fields = &self.policy.records[of.index()].fields;
                let mut values: BTreeMap<Arc<str>, Value> =
                    fields.iter().map(|field| (field.name.clone(), self.simple(&field.ty))).collect();
                let other =
                    fields.iter().find_map(|field| Some((field.name.clone(), self.another(&field.ty, number)?)));
                match other {
                    Some((name, value)) => values.insert(name, value),
                    None if number == 0 => None,
                    None => return None,
                };
                Value::Record(values)
            }
            Type::Entity(types) => {
                let def = self.policy.entity_types.get(types.first().map_or(0, |ty| ty.index()))?;
                let (ty, id): (_, Arc<str>) = (def.wire.clone(), format!("more-{number}").into());
                self.name(&ty, &id);
                Value::Entity(ty, id, None)
            }
            Type::Optional(inner) => return self.another(inner, number),
            Type::Set(..) | Type::List(..) | Type::Map(..) | Type::Unknown if number == 0 => self.simple(ty),
            Type::Set(..) | Type::List(..) | Type::Map(..) | Type::Unknown => return None,
        })
    }
}

/// A number as a short word: `a`, `b`, …, `z`, `aa`, ….
fn in_letters(number: u32) -> String {
    let mut word = Vec::new();
    let mut rest = u64::from(number) + 1;
    while rest > 0 {
        rest -= 1;
        word.push(b'a' + (rest % 26) as u8);
        rest /= 26;
    }
    word.iter().rev().map(|letter| char::from(*letter)).collect()
}
