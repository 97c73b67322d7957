//! How values are shown: in messages, and in obligations.

use pdl::types::typed::TypedPolicy;

use crate::reference::json::Json;
use crate::reference::value::{Entity, Value};

/// A scalar in a message.
pub fn show(policy: &TypedPolicy, value: &Value) -> String {
    match value {
        Value::Absent => "absent".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::String(value) => value.to_string(),
        Value::Duration(value) => value.to_string(),
        Value::Timestamp(value) => value.to_string(),
        Value::Ip(value) => value.to_string(),
        Value::Net(value) => value.to_string(),
        Value::Url(value) => value.as_str().to_owned(),
        Value::Path(value) => value.as_str().to_owned(),
        Value::Enum(of, variant) => policy.enums[of.index()].variants[*variant as usize].to_string(),
        Value::Entity(entity) => {
            let id = entity.id.replace('\\', "\\\\").replace('"', "\\\"");
            format!("{}::\"{id}\"", policy.entity_types[entity.ty.index()].wire)
        }
        Value::Record(_) | Value::Set(_) | Value::List(_) | Value::Map(_) => "…".to_owned(),
    }
}

/// An entity as `{"type", "id"}`.
pub fn name(policy: &TypedPolicy, entity: &Entity) -> Json {
    let ty = &policy.entity_types[entity.ty.index()].wire;
    Json::object([("type", Json::text(ty)), ("id", Json::text(&entity.id))])
}

/// A value of an argument of an obligation. Records are told by their type, which the value does not know.
pub fn datum(policy: &TypedPolicy, ty: &pdl::types::ty::Type, value: &Value) -> Json {
    use pdl::types::ty::Type;

    match (ty, value) {
        (_, Value::Absent) => Json::Null,
        (Type::Optional(inner), value) => datum(policy, inner, value),
        (Type::Set(inner, _), Value::Set(items)) => {
            let mut items: Vec<&Value> = items.iter().collect();
            let by_value = |value: &Value| {
                matches!(
                    value,
                    Value::Int(_) | Value::Decimal(_) | Value::Duration(_) | Value::Timestamp(_) | Value::Enum(..)
                )
            };
            items.sort_by_cached_key(|item| if by_value(item) { String::new() } else { show(policy, item) });
            Json::Array(items.into_iter().map(|item| datum(policy, inner, item)).collect())
        }
        (Type::List(inner, _), Value::List(items)) => {
            Json::Array(items.iter().map(|item| datum(policy, inner, item)).collect())
        }
        (Type::Map(inner, _), Value::Map(items)) => {
            Json::Object(items.iter().map(|(key, item)| (key.to_string(), datum(policy, inner, item))).collect())
        }
        (Type::Record(record), Value::Record(fields)) => {
            let defs = &policy.records[record.index()].fields;
            let present = defs.iter().zip(fields).filter(|(_, value)| **value != Value::Absent);
            Json::Object(present.map(|(def, value)| (def.name.to_string(), datum(policy, &def.ty, value))).collect())
        }
        (_, Value::Bool(value)) => Json::Bool(*value),
        (_, Value::Int(value)) => Json::Number(value.to_string()),
        (_, Value::Decimal(value)) => Json::Number(value.to_string()),
        (_, Value::Entity(entity)) => name(policy, entity),
        (_, value) => Json::Text(show(policy, value)),
    }
}
