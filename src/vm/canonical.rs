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

pub mod order;

use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::ops::Range;

use crate::base::text::Pieces;
use crate::bytecode::schema::{Field, Type, TypeId};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;
use crate::vm::canonical::order::Object;
use crate::vm::image::Image;
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
    let first = left.bytes().zip(right.bytes()).find(|(left, right)| left != right);
    match first {
        None => left.len().cmp(&right.len()),
        // Below U+E000 the order of bytes is the same, and nearly all keys are.
        Some((left, right)) if left < 0xee && right < 0xee => left.cmp(&right),
        Some(_) => left.encode_utf16().cmp(right.encode_utf16()),
    }
}

/// Appends a string with the escapes of RFC 8785, section 3.2.2.2.
pub fn push_string(out: &mut impl Pieces, text: &str) {
    out.push('"');
    if is_plain(text) {
        out.push_str(text);
    } else {
        push_escaped(out, text);
    }
    out.push('"');
}

/// Appends a whole number.
pub fn push_number(out: &mut impl Pieces, number: u64) {
    if number < 10 {
        return out.push_ascii(&[b'0' + number as u8]);
    }
    let (mut digits, mut rest, mut begin) = ([b'0'; 20], number, 20);
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (rest % 10) as u8;
        (rest, begin) = (rest / 10, at);
        if rest == 0 {
            break;
        }
    }
    out.push_ascii(&digits[begin..]);
}

/// The same of one that may be below zero.
fn push_signed(out: &mut String, number: i64) {
    if number < 0 {
        out.push('-');
    }
    push_number(out, number.unsigned_abs());
}

/// How each byte is escaped: 0 if it is not, else the character behind the backslash; `u` stands for its code.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        escapes[byte] = b'u';
        byte += 1;
    }
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes[0x8] = b'b';
    escapes[0xc] = b'f';
    escapes[b'\n' as usize] = b'n';
    escapes[b'\r' as usize] = b'r';
    escapes[b'\t' as usize] = b't';
    escapes
};

/// The same as it is written: two bytes, how many of them count, and whether there is a code to be written instead.
const WRITTEN: [u32; 256] = {
    let mut written = [0; 256];
    let mut byte = 0;
    while byte < written.len() {
        written[byte] = u32::from_le_bytes(match ESCAPES[byte] {
            0 => [byte as u8, 0, 1, 0],
            b'u' => [0, 0, 0, 1],
            short => [b'\\', short, 2, 0],
        });
        byte += 1;
    }
    written
};

/// Whether nothing in a text is escaped. Many bytes at once, without a look at each before the next.
fn is_plain(text: &str) -> bool {
    let is_escaped = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    let (parts, rest) = text.as_bytes().as_chunks::<16>();
    let has = |part: &[u8]| part.iter().fold(false, |has, &byte| has | is_escaped(byte));
    // What is behind the last whole part is looked at with some of that part, as many bytes at once.
    let has_behind = |last: Option<&[u8; 16]>| last.map_or_else(|| has(rest), |last| has(last));
    !parts.iter().any(|part| has(part)) && (rest.is_empty() || !has_behind(text.as_bytes().last_chunk()))
}

/// Texts of JSON have a quote every few bytes: what is between is gathered, and appended many bytes at once. Whether a byte
/// is a quote nobody can guess, so nothing branches on it.
fn push_escaped(out: &mut impl Pieces, text: &str) {
    // As many as fit into the room when all of them are escaped; then a place in it is a byte, and never outside.
    const PART: usize = 127;
    let mut rest = text;
    while !rest.is_empty() {
        // Never within a character.
        let (part, behind) = rest.split_at(rest.floor_char_boundary(PART));
        rest = behind;
        let (mut room, mut used, mut seen) = ([0_u8; 257], 0_u8, 0);
        for byte in part.bytes() {
            let written = WRITTEN[usize::from(byte)];
            seen |= written;
            let [first, second, count, _] = written.to_le_bytes();
            room[usize::from(used)] = first;
            room[usize::from(used) + 1] = second;
            used += count;
        }
        if seen >> 24 != 0 {
            push_codes(out, part);
        } else {
            // Whole characters, and escapes between.
            match std::str::from_utf8(&room[..usize::from(used)]) {
                Ok(escaped) => out.push_str(escaped),
                Err(_) => push_codes(out, part),
            }
        }
    }
}

/// The same of a text in which something is escaped by its code.
#[cold]
fn push_codes(out: &mut impl Pieces, text: &str) {
    for character in text.chars() {
        let escape = u8::try_from(character).map_or(0, |byte| ESCAPES[usize::from(byte)]);
        match escape {
            0 => out.push(character),
            b'u' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            short => {
                out.push('\\');
                out.push(char::from(short));
            }
        }
    }
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

/// What a writer has to know of the world.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// The program, with its types.
    pub image: &'a Image,
    /// The heaps.
    pub memory: Memory<'a>,
    /// Entities that came with their attributes.
    pub presented: &'a [Presented],
    /// How numbers are written.
    pub form: Form,
}

impl<'a> Writer<'a> {
    /// Appends a value of a type.
    pub fn push(&self, out: &mut String, ty: TypeId, value: Value) {
        let memory = self.memory;
        match (self.image.schema().ty(ty), value) {
            (Type::Optional(inner), value) => self.push(out, *inner, value),
            (_, Value::Bool(value)) => out.push_str(if value { "true" } else { "false" }),
            (_, Value::Int(value)) => self.push_quoted(out, |out| push_signed(out, value)),
            (_, Value::Decimal(value)) => self.push_quoted(out, |out| Decimal(value).push(out)),
            (_, Value::Duration(value)) => push_plain(out, format_args!("{}", Duration(value))),
            (_, Value::Timestamp(value)) => match Timestamp::from_millis(value) {
                Some(value) => {
                    out.push('"');
                    value.push(out);
                    out.push('"');
                }
                None => out.push_str("\"\""),
            },
            (_, Value::Enum(value)) => {
                let of = self.image.schema().enums.get(value.of as usize);
                push_string(out, of.and_then(|of| of.variants.get(value.at as usize)).map_or("", |name| name));
            }
            (_, Value::String(value) | Value::Path(value)) => push_string(out, memory.text(value)),
            (_, Value::Url(value)) => push_string(out, memory.text(memory.url(value).text)),
            (_, Value::Ip(value)) => push_plain(out, format_args!("{}", memory.ip(value))),
            (_, Value::Net(value)) => push_plain(out, format_args!("{}", memory.net(value))),
            (_, Value::Entity(entity)) => self.push_entity(out, entity),
            (&Type::Set(element, _), Value::Set(seq)) => self.push_set(out, element, memory.values(seq)),
            (&Type::List(element, _), Value::List(seq)) => {
                out.push('[');
                for (at, &value) in memory.values(seq).iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.push(out, element, value);
                }
                out.push(']');
            }
            (&Type::Map(element, _), Value::Map(seq)) => {
                let (entries, _) = memory.values(seq).as_chunks::<2>();
                let text_of = |key: Value| if let Value::String(key) = key { memory.text(key) } else { "" };
                let mut entries: Vec<(&str, Value)> =
                    entries.iter().map(|&[key, value]| (text_of(key), value)).collect();
                entries.sort_by(|(left, _), (right, _)| key_order(left, right));
                out.push('{');
                for (at, (key, value)) in entries.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    push_string(out, key);
                    out.push(':');
                    self.push(out, element, value);
                }
                out.push('}');
            }
            (&Type::Record(at), Value::Record(seq)) => {
                self.push_object(out, self.image.record(at), memory.values(seq), |_| true);
            }
            _ => out.push_str("null"),
        }
    }

    /// A number: in quotes where it is for digests.
    fn push_quoted(&self, out: &mut String, push: impl FnOnce(&mut String)) {
        let quote = if self.form == Form::Digest { "\"" } else { "" };
        out.push_str(quote);
        push(out);
        out.push_str(quote);
    }

    /// A set: its elements' texts in their order. Most stand so already, and are written where they belong.
    fn push_set(&self, out: &mut String, element: TypeId, values: &[Value]) {
        out.push('[');
        let start = out.len();
        let mut before = start..start;
        for (at, &value) in values.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            let next = out.len();
            self.push(out, element, value);
            if at > 0 && out.get(before) > out.get(next..) {
                let mut texts: Vec<String> = values.iter().map(|&value| self.text(element, value)).collect();
                texts.sort();
                out.truncate(start);
                out.push_str(&texts.join(","));
                break;
            }
            before = next..out.len();
        }
        out.push(']');
    }

    /// The text of a value.
    #[must_use]
    pub fn text(&self, ty: TypeId, value: Value) -> String {
        let mut out = String::new();
        self.push(&mut out, ty, value);
        out
    }

    /// Appends an object with those of these fields that count; what is absent is left out.
    pub fn push_object(&self, out: &mut String, object: Object<'_>, values: &[Value], counts: impl Fn(&Field) -> bool) {
        self.push_fields(out, object, values, counts, |_, _, _| {});
    }

    /// The same. `placed` is called for each field that is written, with where its key begins and where its value does; it
    /// ends where `out` does then.
    pub fn push_fields<'f>(
        &self,
        out: &mut String,
        object: Object<'f>,
        values: &[Value],
        counts: impl Fn(&Field) -> bool,
        mut placed: impl FnMut(&'f Field, Range<usize>, &str),
    ) {
        out.push('{');
        let mut is_first = true;
        for (at, key) in object.order.iter() {
            let (Some(field), Some(&value)) = (object.fields.get(at), values.get(at)) else { continue };
            if matches!(value, Value::Absent) || !counts(field) {
                continue;
            }
            if !is_first {
                out.push(',');
            }
            is_first = false;
            let start = out.len();
            out.push_str(key);
            let behind = out.len();
            self.push(out, field.ty, value);
            placed(field, start..behind, out);
        }
        out.push('}');
    }

    /// The attributes of an entity that came with them, with its fields.
    #[must_use]
    pub fn presented(&self, entity: EntityRef) -> Option<(Object<'a>, &'a [Value])> {
        let presented = entity.row.presented_at().and_then(|at| self.presented.get(at as usize))?;
        Some((self.image.attributes(entity.ty.into()), self.memory.values(presented.attributes)))
    }

    /// The name of an entity's type.
    #[must_use]
    pub fn type_name(&self, entity: EntityRef) -> &'a str {
        self.image.schema().entity_types.get(usize::from(entity.ty)).map_or("", |ty| &ty.name)
    }

    /// Appends an entity, with its attributes if they came with the request.
    pub fn push_entity(&self, out: &mut String, entity: EntityRef) {
        out.push_str("{\"id\":");
        push_string(out, self.memory.text(entity.id));
        if let Some((object, values)) = self.presented(entity) {
            out.push_str(",\"properties\":");
            self.push_object(out, object, values, |_| true);
        }
        out.push_str(",\"type\":");
        push_string(out, self.type_name(entity));
        out.push('}');
    }
}

/// Appends a string in which nothing is escaped.
fn push_plain(out: &mut String, text: fmt::Arguments<'_>) {
    out.push('"');
    let _ = out.write_fmt(text);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        push_string(&mut out, text);
        out
    }

    #[test]
    fn numbers_are_as_the_formatter_has_them() {
        for number in [0, 1, 9, 10, 99, 100, 12_345_678_901_234_567, u64::MAX - 1, u64::MAX] {
            let mut out = "x".to_owned();
            push_number(&mut out, number);
            assert_eq!(out, format!("x{number}"));
        }
        for number in [0, 1, -1, 10, -10, i64::MIN, i64::MAX] {
            let (mut out, mut decimal) = (String::new(), String::new());
            push_signed(&mut out, number);
            assert_eq!(out, number.to_string());
            Decimal(number).push(&mut decimal);
            assert_eq!(decimal, Decimal(number).to_string());
        }
    }

    #[test]
    fn strings_are_escaped_as_by_others() {
        let all: String = (0..=0x7ff).chain(0xfff0..=0x1_0010).filter_map(char::from_u32).collect();
        for text in ["", "\"", "\\", "a\u{1f}\u{20}\u{7f}b", "plain and not short at all", &all] {
            assert_eq!(escaped(text), serde_json::to_string(text).expect("it is text"), "{text:?}");
        }
    }

    #[test]
    fn characters_stay_whole_wherever_they_stand() {
        // What is appended many bytes at once ends at each place of a character, and of an escape.
        for character in ["\"", "é", "€", "😀", "\u{1}"] {
            for before in 0..150 {
                let text = format!("\"{}{character}{character}\"{}", "x".repeat(before), "é".repeat(200));
                assert_eq!(escaped(&text), serde_json::to_string(&text).expect("it is text"), "{before} {character:?}");
            }
        }
    }
}
