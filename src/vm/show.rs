//! Values for readers: in messages, and as plain data.
//!
//! The types of values guide it, since a value does not say whether it is of a record or of which.

use std::fmt::Write as _;

use crate::bytecode::schema::{Schema, Type, TypeId};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;
use crate::vm::decision::{Datum, EntityName};
use crate::vm::memory::Memory;
use crate::vm::value::{EntityRef, Value};

/// What a reader of values needs.
#[derive(Clone, Copy, Debug)]
pub struct Show<'a> {
    /// The names.
    pub schema: &'a Schema,
    /// The values.
    pub memory: Memory<'a>,
}

impl Show<'_> {
    /// The name of an entity.
    #[must_use]
    pub fn entity(self, entity: EntityRef) -> EntityName {
        let ty = self.schema.entity_types.get(usize::from(entity.ty)).map_or("", |ty| &ty.name);
        EntityName { ty: ty.to_owned(), id: self.memory.text(entity.id).to_owned() }
    }

    /// Appends a scalar as messages show it: strings as they are, an entity as `Type::"id"`, all else in its canonical
    /// form; `absent` where nothing is. Collections and records, which messages never hold, are `…`.
    pub fn write(self, value: Value, out: &mut String) {
        match value {
            Value::String(text) | Value::Path(text) => out.push_str(self.memory.text(text)),
            Value::Url(at) => out.push_str(self.memory.text(self.memory.url(at).text)),
            Value::Absent => out.push_str("absent"),
            Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Value::Enum(variant) => {
                let of = self.schema.enums.get(variant.of as usize);
                out.push_str(of.and_then(|of| of.variants.get(variant.at as usize)).map_or("", |name| name));
            }
            Value::Set(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Record(_)
            | Value::Iterator(_)
            | Value::Graph(_)
            | Value::Error(_) => out.push('…'),
            // Writing to a string cannot fail.
            Value::Int(value) => drop(write!(out, "{value}")),
            Value::Decimal(value) => drop(write!(out, "{}", Decimal(value))),
            Value::Duration(value) => drop(write!(out, "{}", Duration(value))),
            Value::Timestamp(value) => match Timestamp::from_millis(value) {
                Some(timestamp) => drop(write!(out, "{timestamp}")),
                None => out.push('…'),
            },
            Value::Entity(entity) => drop(write!(out, "{}", self.entity(entity))),
            Value::Ip(at) => drop(write!(out, "{}", self.memory.ip(at))),
            Value::Net(at) => drop(write!(out, "{}", self.memory.net(at))),
        }
    }

    /// A value of a type as plain data. Sets are in the order of what is shown, numbers by value.
    #[must_use]
    pub fn datum(self, ty: TypeId, value: Value) -> Datum {
        match (self.schema.types.get(ty.0 as usize), value) {
            (Some(Type::Optional(inner)), value) if !matches!(value, Value::Absent) => self.datum(*inner, value),
            (Some(Type::Set(inner, _)), Value::Set(seq)) => {
                let mut elements: Vec<Value> = self.memory.values(seq).to_vec();
                // Elements are scalars: numbers stand in order already, texts in that of numbers of strings.
                elements.sort_by_cached_key(|&element| match element {
                    Value::Int(_) | Value::Decimal(_) | Value::Duration(_) | Value::Timestamp(_) | Value::Enum(_) => {
                        String::new()
                    }
                    _ => {
                        let mut text = String::new();
                        self.write(element, &mut text);
                        text
                    }
                });
                Datum::Array(elements.into_iter().map(|element| self.datum(*inner, element)).collect())
            }
            (Some(Type::List(inner, _)), Value::List(seq)) => {
                Datum::Array(self.memory.values(seq).iter().map(|&element| self.datum(*inner, element)).collect())
            }
            (Some(Type::Map(inner, _)), Value::Map(seq)) => {
                let entry = |entry: &[Value]| match *entry {
                    [Value::String(key), value] => Some((self.memory.text(key).to_owned(), self.datum(*inner, value))),
                    _ => None,
                };
                let mut entries: Vec<_> = self.memory.values(seq).chunks(2).filter_map(entry).collect();
                entries.sort_by(|(left, _), (right, _)| left.cmp(right));
                Datum::Object(entries)
            }
            (Some(Type::Record(record)), Value::Record(seq)) => {
                let fields = self.schema.records.get(*record as usize).map_or(&[][..], |record| &record.fields);
                let values = self.memory.values(seq);
                // Absent fields are left out, as in requests.
                let present = fields.iter().zip(values).filter(|(_, value)| !matches!(value, Value::Absent));
                Datum::Object(
                    present.map(|(field, &value)| (field.name.to_string(), self.datum(field.ty, value))).collect(),
                )
            }
            (_, Value::Absent) => Datum::Null,
            (_, Value::Bool(value)) => Datum::Bool(value),
            (_, Value::Int(value)) => Datum::Number(value.to_string()),
            (_, Value::Decimal(value)) => Datum::Number(Decimal(value).to_string()),
            (_, Value::Entity(entity)) => {
                let EntityName { ty, id } = self.entity(entity);
                Datum::Object(vec![("type".to_owned(), Datum::Text(ty)), ("id".to_owned(), Datum::Text(id))])
            }
            (_, value) => {
                let mut text = String::new();
                self.write(value, &mut text);
                Datum::Text(text)
            }
        }
    }
}
