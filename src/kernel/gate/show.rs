//! What people are shown: the request as the kernel has it and the messages of the rules, in words that nobody else chose.
//!
//! Whoever asks chooses the values. So every text is shown between quotes, on one line, and every character that can't be
//! seen, or that moves others about, is shown by its number. Nothing is cut: what is agreed to is there as a whole.
//! What is advisory is shown last and apart, since no approval covers it.

use std::fmt::Write as _;

use super::{Effects, Gate, later};
use crate::vm::canonical::{key_order, push_object, push_string};
use crate::vm::decision::{Datum, EntityName};
use crate::vm::json::{JsonError, Reader, Shape};
use crate::vm::store::directory::Directory;

/// An entity of a request, with the attributes that came with it.
pub(super) struct Party {
    pub name: EntityName,
    pub properties: Vec<(String, Datum)>,
}

/// The entity that a value is.
pub(super) fn party(value: &Datum) -> Option<Party> {
    let (Datum::Text(ty), Datum::Text(id)) = (member(value, "type")?, member(value, "id")?) else { return None };
    let properties = match member(value, "properties") {
        None => Vec::new(),
        Some(Datum::Object(members)) => members.clone(),
        Some(_) => return None,
    };
    Some(Party { name: EntityName { ty: ty.clone(), id: id.clone() }, properties })
}

/// Subject and resource of a request.
pub(super) fn parties(request: &str) -> Option<[Party; 2]> {
    let request = read(request)?;
    Some([party(member(&request, "subject")?)?, party(member(&request, "resource")?)?])
}

/// A request in words, with what else it is for; none if it is not in canonical wire form, or its action is not known.
pub(super) fn describe(request: &str, effects: Option<&Effects>, directory: Directory<'_>) -> Option<String> {
    let value = read(request)?;
    if canonical(&value)? != request {
        return None;
    }
    let [subject, resource] = [party(member(&value, "subject")?)?, party(member(&value, "resource")?)?];
    let Datum::Text(name) = member(member(&value, "action")?, "name")? else { return None };
    let action = directory.action(name)?;
    let Datum::Object(context) = member(&value, "context")? else { return None };
    let mut out = String::new();
    push_party(&mut out, "subject", &subject);
    push_line(&mut out, "action", |out| push_visible(out, name));
    push_party(&mut out, "resource", &resource);
    let is_advisory = |name: &str| action.context.iter().any(|field| *field.name == *name && field.advisory);
    let (advisory, bound): (Vec<_>, Vec<_>) = context.iter().partition(|(name, _)| is_advisory(name));
    push_members(&mut out, "context", bound);
    out.push_str(effects.map_or("", Effects::described));
    if !advisory.is_empty() {
        out.push_str("said beside it, and no part of what is agreed to:\n");
        push_members(&mut out, "context", advisory);
    }
    Some(out)
}

impl Gate {
    /// What people are shown.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut out = String::new();
        push_line(&mut out, "asked by", |out| push_entity(out, &self.requester));
        out.push_str(&self.described);
        for asked in &self.asked {
            push_line(&mut out, "needed", |out| {
                // Writing to a string cannot fail.
                let _ = write!(out, "{} of ", asked.quorum);
                push_entity(out, &asked.from);
                for (group, after) in &asked.escalations {
                    let _ = write!(out, ", from {} on also ", later(self.opened, *after));
                    push_entity(out, group);
                }
                out.push_str(", for ");
                push_visible(out, &asked.rule);
                if asked.distinct {
                    out.push_str(", who vote on nothing else here");
                }
            });
            if let Some(message) = &asked.message {
                push_line(&mut out, "because", |out| push_quoted(out, message));
            }
        }
        push_line(&mut out, "until", |out| _ = write!(out, "{}", self.expires));
        push_line(&mut out, "binding", |out| _ = write!(out, "{}", self.binding));
        out
    }
}

pub(super) fn push_line(out: &mut String, name: &str, value: impl FnOnce(&mut String)) {
    push_visible(out, name);
    out.push_str(": ");
    value(out);
    out.push('\n');
}

fn push_party(out: &mut String, what: &str, party: &Party) {
    push_line(out, what, |out| push_entity(out, &party.name));
    push_members(out, what, party.properties.iter());
}

fn push_members<'a>(out: &mut String, of: &str, members: impl IntoIterator<Item = &'a (String, Datum)>) {
    for (name, value) in members {
        push_line(out, &format!("{of}.{name}"), |out| push_value(out, value));
    }
}

fn push_entity(out: &mut String, name: &EntityName) {
    push_visible(out, &name.ty);
    out.push_str("::");
    push_quoted(out, &name.id);
}

/// As JSON has it, but for what can't be seen.
pub(super) fn push_value(out: &mut String, value: &Datum) {
    match value {
        Datum::Null => out.push_str("null"),
        Datum::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Datum::Number(text) => out.push_str(text),
        Datum::Text(text) => push_quoted(out, text),
        Datum::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                push_value(out, element);
            }
            out.push(']');
        }
        Datum::Object(members) => {
            out.push('{');
            for (at, (key, value)) in members.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                push_quoted(out, key);
                out.push_str(": ");
                push_value(out, value);
            }
            out.push('}');
        }
    }
}

pub(super) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            other => push_character(out, other),
        }
    }
    out.push('"');
}

fn push_visible(out: &mut String, text: &str) {
    text.chars().for_each(|character| push_character(out, character));
}

fn push_character(out: &mut String, character: char) {
    match character {
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        character if is_deceptive(character) => _ = write!(out, "\\u{{{:x}}}", u32::from(character)),
        character => out.push(character),
    }
}

/// Whether a character is not seen, looks like a space, or changes where others stand.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || character != ' ' && character.is_whitespace()
        || matches!(u32::from(character),
            0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
            | 0x202a..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
            | 0xfff0..=0xfffb | 0xe000..=0xf8ff | 0x1d173..=0x1d17a | 0xe0000..)
}

fn member<'a>(value: &'a Datum, name: &str) -> Option<&'a Datum> {
    match value {
        Datum::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
        _ => None,
    }
}

/// A document with its numbers as they stand.
pub(super) fn read(text: &str) -> Option<Datum> {
    let mut reader = Reader::new(text.as_bytes()).ok()?;
    let value = read_value(&mut reader).ok()?;
    reader.finish().ok()?;
    Some(value)
}

/// The reader bounds how deep it goes.
fn read_value(reader: &mut Reader<'_>) -> Result<Datum, JsonError> {
    Ok(match reader.peek()? {
        Shape::Null => reader.null().map(|()| Datum::Null)?,
        Shape::Bool => Datum::Bool(reader.bool()?),
        Shape::Number => Datum::Number(reader.number()?.to_owned()),
        Shape::String => Datum::Text(reader.string()?.characters().collect()),
        Shape::Array => {
            let mut elements = Vec::new();
            let mut more = reader.first_element()?;
            while more {
                elements.push(read_value(reader)?);
                more = reader.next_element()?;
            }
            Datum::Array(elements)
        }
        Shape::Object => {
            let mut members = Vec::new();
            let mut key = reader.first_key()?;
            while let Some(name) = key {
                members.push((name.characters().collect(), read_value(reader)?));
                key = reader.next_key()?;
            }
            Datum::Object(members)
        }
    })
}

/// The canonical text of a document; none if a key stands twice.
pub(super) fn canonical(value: &Datum) -> Option<String> {
    let mut out = String::new();
    match value {
        Datum::Text(text) => push_string(&mut out, text),
        Datum::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(canonical).collect::<Option<_>>()?;
            out = format!("[{}]", elements.join(","));
        }
        Datum::Object(members) => {
            let mut keys: Vec<&String> = members.iter().map(|(key, _)| key).collect();
            keys.sort_by(|one, other| key_order(one, other));
            keys.dedup();
            if keys.len() != members.len() {
                return None;
            }
            let text = |(key, value): &(String, Datum)| Some((key.clone(), canonical(value)?));
            push_object(&mut out, members.iter().map(text).collect::<Option<_>>()?);
        }
        Datum::Null | Datum::Bool(_) | Datum::Number(_) => push_value(&mut out, value),
    }
    Some(out)
}
