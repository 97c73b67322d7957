//! Typed values as canonical JSON: the layout of RFC 8785, with numbers and times as strings.
//!
//! | value | is written as |
//! | --- | --- |
//! | Int, Decimal | a string: the canonical decimal number, so that numbers beyond 2⁵³ stay apart |
//! | Duration, Timestamp, IpAddr, IpNet, Url, Path | a string: the canonical text |
//! | enum | a string: the variant |
//! | set | an array, its elements' texts in the order of their bytes |
//! | entity | `{"id":…,"type":…}`, and `"properties"` where its attributes came with the request |
//! | record, map | an object, its keys in the order of their UTF-16 units |
//! | an absent optional | nothing: its key is left out |
//!
//! Equal values have equal texts, whatever document they came in. Nothing here is on the path of a decision.

use std::cmp::Ordering;
use std::fmt::Write as _;

use crate::bytecode::schema::{Field, Schema, Type, TypeId};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;
use crate::vm::memory::{Memory, Presented};
use crate::vm::value::{EntityRef, Value};

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As strings, for digests.
    Digest,
    /// As requests and entities have them: as numbers.
    Wire,
}

/// The order of keys: by UTF-16 units, which differs from that of code points beyond U+FFFF.
#[must_use]
pub fn key_order(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

/// Appends a string with the escapes of RFC 8785, section 3.2.2.2.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Appends an object: members as keys and canonical texts, in any order.
pub fn push_object(out: &mut String, mut members: Vec<(String, String)>) {
    members.sort_by(|(left, _), (right, _)| key_order(left, right));
    out.push('{');
    for (at, (key, text)) in members.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_string(out, key);
        out.push(':');
        out.push_str(text);
    }
    out.push('}');
}

fn push_array(out: &mut String, elements: &[String]) {
    out.push('[');
    out.push_str(&elements.join(","));
    out.push(']');
}

/// What a writer has to know of the world.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// The types.
    pub schema: &'a Schema,
    /// The heaps.
    pub memory: Memory<'a>,
    /// Entities that came with their attributes.
    pub presented: &'a [Presented],
    /// How numbers are written.
    pub form: Form,
}

impl Writer<'_> {
    /// Appends a value of a type.
    pub fn push(&self, out: &mut String, ty: TypeId, value: Value) {
        let memory = self.memory;
        match (self.schema.ty(ty), value) {
            (Type::Optional(inner), value) => self.push(out, *inner, value),
            (_, Value::Bool(value)) => out.push_str(if value { "true" } else { "false" }),
            (_, Value::Int(value)) => self.push_number(out, &value.to_string()),
            (_, Value::Decimal(value)) => self.push_number(out, &Decimal(value).to_string()),
            (_, Value::Duration(value)) => push_string(out, &Duration(value).to_string()),
            (_, Value::Timestamp(value)) => {
                let text = Timestamp::from_millis(value).map_or_else(String::new, |value| value.to_string());
                push_string(out, &text);
            }
            (_, Value::Enum(value)) => {
                let of = self.schema.enums.get(value.of as usize);
                push_string(out, of.and_then(|of| of.variants.get(value.at as usize)).map_or("", |name| name));
            }
            (_, Value::String(value) | Value::Path(value)) => push_string(out, memory.text(value)),
            (_, Value::Url(value)) => push_string(out, memory.text(memory.url(value).text)),
            (_, Value::Ip(value)) => push_string(out, &memory.ip(value).to_string()),
            (_, Value::Net(value)) => push_string(out, &memory.net(value).to_string()),
            (_, Value::Entity(entity)) => push_object(out, self.entity(entity)),
            (&Type::Set(element, _), Value::Set(seq)) => {
                let mut elements = self.elements(element, memory.values(seq));
                elements.sort();
                push_array(out, &elements);
            }
            (&Type::List(element, _), Value::List(seq)) => push_array(out, &self.elements(element, memory.values(seq))),
            (&Type::Map(element, _), Value::Map(seq)) => {
                let (entries, _) = memory.values(seq).as_chunks::<2>();
                let text_of = |key: Value| if let Value::String(key) = key { memory.text(key) } else { "" };
                let member = |&[key, value]: &[Value; 2]| (text_of(key).to_owned(), self.text(element, value));
                push_object(out, entries.iter().map(member).collect());
            }
            (&Type::Record(at), Value::Record(seq)) => {
                let fields = self.schema.records.get(at as usize).map_or(&[][..], |record| &record.fields);
                push_object(out, self.members(fields, memory.values(seq)));
            }
            _ => out.push_str("null"),
        }
    }

    fn push_number(&self, out: &mut String, text: &str) {
        match self.form {
            Form::Digest => push_string(out, text),
            Form::Wire => out.push_str(text),
        }
    }

    /// The text of a value.
    #[must_use]
    pub fn text(&self, ty: TypeId, value: Value) -> String {
        let mut out = String::new();
        self.push(&mut out, ty, value);
        out
    }

    fn elements(&self, ty: TypeId, values: &[Value]) -> Vec<String> {
        values.iter().map(|&value| self.text(ty, value)).collect()
    }

    /// The members of an object with these fields; what is absent is left out.
    #[must_use]
    pub fn members(&self, fields: &[Field], values: &[Value]) -> Vec<(String, String)> {
        let present = fields.iter().zip(values).filter(|(_, value)| !matches!(value, Value::Absent));
        present.map(|(field, &value)| (field.name.to_string(), self.text(field.ty, value))).collect()
    }

    /// The members of an entity, with its attributes if they came with the request.
    #[must_use]
    pub fn entity(&self, entity: EntityRef) -> Vec<(String, String)> {
        let ty = self.schema.entity_types.get(usize::from(entity.ty));
        let string = |text: &str| {
            let mut out = String::new();
            push_string(&mut out, text);
            out
        };
        let mut members = vec![
            ("id".to_owned(), string(self.memory.text(entity.id))),
            ("type".to_owned(), string(ty.map_or("", |ty| &ty.name))),
        ];
        let presented = entity.row.presented_at().and_then(|at| self.presented.get(at as usize));
        if let (Some(presented), Some(ty)) = (presented, ty) {
            let mut out = String::new();
            push_object(&mut out, self.members(&ty.attributes, self.memory.values(presented.attributes)));
            members.push(("properties".to_owned(), out));
        }
        members
    }
}
