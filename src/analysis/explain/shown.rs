//! Values as people read them: as PDL has its literals, without the marks of their types.

use crate::analysis::display::quoted;
use crate::analysis::encode::{word_address, word_net};
use crate::analysis::request::Value;
use crate::data::decimal::Decimal;
use crate::data::duration::{Duration, Shown};
use crate::data::timestamp::Timestamp;
use crate::types::ty::Type;

/// So many elements of a collection are shown.
const ELEMENTS_MAX: usize = 20;

/// A value of a type.
#[must_use]
pub fn value(ty: &Type, of: &Value) -> String {
    let long = |number: &i128| i64::try_from(*number).unwrap_or_default();
    match (ty, of) {
        (_, Value::Absent) => "absent".to_owned(),
        (Type::Optional(inner), of) => value(inner, of),
        (_, Value::Bool(truth)) => truth.to_string(),
        (Type::Decimal, Value::Number(number)) => Decimal(long(number)).to_string(),
        (Type::Duration, Value::Number(number)) => Shown(Duration(long(number))).to_string(),
        (Type::Timestamp, Value::Number(number)) => {
            Timestamp::from_millis(long(number)).unwrap_or(Timestamp::EPOCH).to_string()
        }
        (_, Value::Number(number)) => number.to_string(),
        (Type::IpAddr, Value::Word(word)) => word_address(word).map(|ip| ip.to_string()).unwrap_or_default(),
        (Type::IpNet, Value::Word(word)) => word_net(word).map(|net| net.to_string()).unwrap_or_default(),
        (_, Value::Word(word)) => quoted(word),
        (_, Value::Name(name)) => name.to_string(),
        (_, Value::Entity(ty, id, _)) => format!("{ty}::{}", quoted(id)),
        (_, Value::Record(_)) => "a record".to_owned(),
        (Type::Set(inner, _) | Type::List(inner, _), Value::List(items)) => {
            let mut shown: Vec<String> = items.iter().take(ELEMENTS_MAX).map(|item| value(inner, item)).collect();
            if items.len() > ELEMENTS_MAX {
                shown.push("…".to_owned());
            }
            match ty {
                Type::Set(..) => format!("{{{}}}", shown.join(", ")),
                _ => format!("[{}]", shown.join(", ")),
            }
        }
        (Type::Map(inner, _), Value::Map(entries)) => {
            let mut shown: Vec<String> = (entries.iter().take(ELEMENTS_MAX))
                .map(|(key, of)| format!("{}: {}", quoted(key), value(inner, of)))
                .collect();
            if entries.len() > ELEMENTS_MAX {
                shown.push("…".to_owned());
            }
            format!("{{{}}}", shown.join(", "))
        }
        (_, Value::List(_) | Value::Map(_)) => "a collection".to_owned(),
        (_, Value::More) => "…".to_owned(),
    }
}
