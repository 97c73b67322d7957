//! Values as JSON, as the type of a field has them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Value, Writer};
use crate::analysis::encode::{word_address, word_net};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;
use crate::types::ty::Type;

/// A JSON document, with numbers as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a document. What is `null` is left out, as if it were not there.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn parse(text: &[u8]) -> Result<Json, serde_json::Error> {
        let raw: &RawValue = serde_json::from_slice(text)?;
        Ok(Json::of(raw)?.unwrap_or(Json::Object(Vec::new())))
    }

    fn of(raw: &RawValue) -> Result<Option<Json>, serde_json::Error> {
        let text = raw.get();
        Ok(Some(match text.as_bytes().first() {
            Some(b'{') => {
                let members: Members<'_> = serde_json::from_str(text)?;
                let mut all = Vec::with_capacity(members.0.len());
                for (name, raw) in members.0 {
                    all.extend(Json::of(raw)?.map(|value| (name, value)));
                }
                Json::Object(all)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                let mut all = Vec::with_capacity(items.len());
                for raw in items {
                    all.extend(Json::of(raw)?);
                }
                Json::Array(all)
            }
            Some(b'"') => Json::Text(serde_json::from_str(text)?),
            Some(b't' | b'f') => Json::Bool(serde_json::from_str(text)?),
            Some(b'n') => return Ok(None),
            _ => Json::Number(text.to_owned()),
        }))
    }

    /// A member of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    /// Gives another value to what stands at a place; nothing takes it away. Objects on the way are made.
    pub fn set(&mut self, place: &[String], value: Option<Json>) {
        let Some((name, rest)) = place.split_first() else { return };
        let Json::Object(members) = self else { return };
        let at = members.iter().position(|(known, _)| known == name);
        match (rest.is_empty(), at, value) {
            (true, Some(at), None) => {
                members.remove(at);
            }
            (true, Some(at), Some(value)) => {
                if let Some(member) = members.get_mut(at) {
                    member.1 = value;
                }
            }
            (true, None, Some(value)) => members.push((name.clone(), value)),
            (true, None, None) => {}
            (false, Some(at), value) => {
                if let Some(member) = members.get_mut(at) {
                    member.1.set(rest, value);
                }
            }
            (false, None, Some(value)) => {
                let mut inner = Json::Object(Vec::new());
                inner.set(rest, Some(value));
                members.push((name.clone(), inner));
            }
            (false, None, None) => {}
        }
    }
}

/// The members of an object, as they are written.
struct Members<'d>(Vec<(String, &'d RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'de>, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }

        deserializer.deserialize_map(All)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |f: &mut fmt::Formatter<'_>, text: &str| {
            let quoted = serde_json::to_string(text).map_err(|_| fmt::Error)?;
            f.write_str(&quoted)
        };
        match self {
            Json::Bool(value) => write!(f, "{value}"),
            Json::Number(value) => f.write_str(value),
            Json::Text(value) => text(f, value),
            Json::Array(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { ", " })?;
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Json::Object(members) if members.is_empty() => f.write_str("{}"),
            Json::Object(members) => {
                f.write_str("{ ")?;
                for (at, (name, value)) in members.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { ", " })?;
                    text(f, name)?;
                    f.write_str(": ")?;
                    value.fmt(f)?;
                }
                f.write_str(" }")
            }
        }
    }
}

impl Writer<'_, '_> {
    /// A value as it is sent; nothing for what is absent.
    pub(super) fn json(&mut self, ty: &Type, value: &Value) -> Option<Json> {
        let long = |number: &i128| i64::try_from(*number).unwrap_or_default();
        Some(match (ty, value) {
            (_, Value::Absent) => return None,
            (ty, Value::More) => {
                let simple = self.simple(ty);
                return self.json(ty, &simple);
            }
            (Type::Optional(inner), value) => return self.json(inner, value),
            (_, Value::Bool(value)) => Json::Bool(*value),
            (Type::Decimal, Value::Number(value)) => Json::Number(Decimal(long(value)).to_string()),
            (Type::Duration, Value::Number(value)) => Json::Text(Duration(long(value)).to_string()),
            (Type::Timestamp, Value::Number(value)) => {
                Json::Text(Timestamp::from_millis(long(value)).unwrap_or(Timestamp::EPOCH).to_string())
            }
            (_, Value::Number(value)) => Json::Number(value.to_string()),
            (Type::IpAddr, Value::Word(word)) => {
                Json::Text(word_address(word).map(|ip| ip.to_string()).unwrap_or_default())
            }
            (Type::IpNet, Value::Word(word)) => {
                Json::Text(word_net(word).map(|net| net.to_string()).unwrap_or_default())
            }
            (_, Value::Word(word) | Value::Name(word)) => Json::Text(word.to_string()),
            (Type::Record(of), Value::Record(values)) => {
                let policy = self.policy;
                let mut members = Vec::with_capacity(values.len());
                for field in &policy.records[of.index()].fields {
                    let value = match values.get(&field.name) {
                        Some(value) => value.clone(),
                        None => self.simple(&field.ty),
                    };
                    if let Some(told) = self.json(&field.ty, &value) {
                        members.push((field.name.to_string(), told));
                    }
                }
                Json::Object(members)
            }
            (_, Value::Record(_)) => Json::Object(Vec::new()),
            (_, Value::Entity(ty, id, term)) => {
                self.name(ty, id);
                let mut members = vec![
                    ("type".to_owned(), Json::Text(ty.to_string())),
                    ("id".to_owned(), Json::Text(id.to_string())),
                ];
                if self.world.entity_type(self.side, ty).is_some_and(|def| def.presented) {
                    let terms: Vec<_> = term.iter().copied().collect();
                    let properties = self.properties(ty, &terms);
                    members.push(("properties".to_owned(), Json::Object(properties)));
                }
                Json::Object(members)
            }
            (Type::Set(inner, _), Value::List(items)) => {
                let mut all: Vec<Value> = items.iter().filter(|item| **item != Value::More).cloned().collect();
                let known: BTreeSet<Value> = all.iter().cloned().collect();
                for number in 0_u32.. {
                    if all.len() == items.len() {
                        break;
                    }
                    match self.another(inner, number) {
                        Some(other) if !known.contains(&other) => all.push(other),
                        Some(_) => {}
                        None => break,
                    }
                }
                Json::Array(all.iter().filter_map(|item| self.json(inner, item)).collect())
            }
            (Type::List(inner, _), Value::List(items)) => {
                Json::Array(items.iter().filter_map(|item| self.json(inner, item)).collect())
            }
            (_, Value::List(_)) => Json::Array(Vec::new()),
            (Type::Map(inner, _), Value::Map(entries)) => {
                let entry = |(key, value): &(Arc<str>, Value)| Some((key.to_string(), self.json(inner, value)?));
                Json::Object(entries.iter().filter_map(entry).collect())
            }
            (_, Value::Map(_)) => Json::Object(Vec::new()),
        })
    }
}
