//! Values as JSON, as the type of a field has them.

use std::fmt;
use std::sync::Arc;

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
            (Type::Set(inner, _) | Type::List(inner, _), Value::List(items)) => {
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
