//! A schema in words: what requests and entities have to look like.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::base::limits::{COLLECTION_DEFAULT_MAX, STRING_DEFAULT_BYTES_MAX};
use crate::bytecode::schema::{Field, Schema, Type, TypeId};

/// For people: declarations as they are written in a policy.
pub fn text(schema: &Schema) -> String {
    let mut out = String::from("schema\n");
    for of in &schema.enums {
        let word = if of.lifecycle.is_some() { "lifecycle" } else { "enum" };
        let _ = writeln!(out, "  {word} {} {{ {} }}", of.name, of.variants.join(", "));
    }
    for record in &schema.records {
        let _ = writeln!(out, "  record {}{}", record.name, fields(schema, &record.fields));
    }
    for ty in &schema.entity_types {
        let presented = if ty.presented { "presented " } else { "" };
        let approver = if ty.approver { "approver " } else { "" };
        let parents = match ty.parents.as_slice() {
            [] => String::new(),
            parents => format!(" in {}", entity_names(schema, parents)),
        };
        let _ = writeln!(out, "  {presented}{approver}entity {}{parents}{}", ty.name, fields(schema, &ty.attributes));
    }
    for action in &schema.actions {
        let (subject, resource) = (entity_names(schema, &action.subject), entity_names(schema, &action.resource));
        let _ = writeln!(out, "  action {}: {subject} on {resource}{}", action.name, fields(schema, &action.context));
    }
    for obligation in &schema.obligations {
        let parameters = obligation.parameters.iter().map(|(name, ty)| format!("{name}: {}", type_name(schema, *ty)));
        let _ = writeln!(out, "  obligation {}({})", obligation.name, parameters.collect::<Vec<_>>().join(", "));
    }
    out
}

/// For programs.
pub fn document(schema: &Schema) -> Value {
    let fields = |fields: &[Field]| -> Vec<Value> { fields.iter().map(|field| member(schema, field)).collect() };
    let names = |types: &[u32]| -> Vec<String> { types.iter().map(|&ty| entity_name(schema, ty)).collect() };
    let enums = schema.enums.iter().map(|of| {
        let variants: Vec<&str> = of.variants.iter().map(|name| &**name).collect();
        json!({ "name": &*of.name, "variants": variants, "lifecycle": of.lifecycle.is_some() })
    });
    let records = schema.records.iter().map(|of| json!({ "name": &*of.name, "fields": fields(&of.fields) }));
    let entity_types = schema.entity_types.iter().map(|of| {
        json!({
            "name": &*of.name,
            "presented": of.presented,
            "approver": of.approver,
            "in": names(&of.parents),
            "attributes": fields(&of.attributes),
        })
    });
    let actions = schema.actions.iter().map(|of| {
        json!({
            "name": &*of.name,
            "subject": names(&of.subject),
            "resource": names(&of.resource),
            "context": fields(&of.context),
        })
    });
    let obligations = schema.obligations.iter().map(|of| {
        let parameters =
            of.parameters.iter().map(|(name, ty)| json!({ "name": &**name, "type": type_name(schema, *ty) }));
        json!({ "name": &*of.name, "parameters": parameters.collect::<Vec<_>>() })
    });
    json!({
        "enums": enums.collect::<Vec<_>>(),
        "records": records.collect::<Vec<_>>(),
        "entity_types": entity_types.collect::<Vec<_>>(),
        "actions": actions.collect::<Vec<_>>(),
        "obligations": obligations.collect::<Vec<_>>(),
    })
}

fn fields(schema: &Schema, fields: &[Field]) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let field = |field: &Field| {
        let marks: String = marks(field).map(|mark| format!(" @{mark}")).collect();
        format!("{}: {}{marks}", field.name, type_name(schema, field.ty))
    };
    format!(" {{ {} }}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
}

fn member(schema: &Schema, field: &Field) -> Value {
    let marks: Vec<&str> = marks(field).collect();
    json!({ "name": &*field.name, "type": type_name(schema, field.ty), "marks": marks })
}

fn marks(field: &Field) -> impl Iterator<Item = &'static str> {
    let all = [
        (field.kernel, "kernel"),
        (field.advisory, "advisory"),
        (field.presented, "presented"),
        (field.owner, "owner"),
        (field.sensitive, "sensitive"),
    ];
    all.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name)
}

fn entity_names(schema: &Schema, types: &[u32]) -> String {
    types.iter().map(|&ty| entity_name(schema, ty)).collect::<Vec<_>>().join(" | ")
}

fn entity_name(schema: &Schema, ty: u32) -> String {
    schema.entity_types.get(ty as usize).map_or_else(String::new, |ty| ty.name.to_string())
}

/// A type as it is written in a policy.
fn type_name(schema: &Schema, ty: TypeId) -> String {
    let of = |ty: &TypeId| type_name(schema, *ty);
    match schema.ty(ty) {
        Type::Bool => "Bool".to_owned(),
        Type::Int { low: i64::MIN, high: i64::MAX } => "Int".to_owned(),
        Type::Int { low, high } => format!("Int in {low}..={high}"),
        Type::Decimal => "Decimal".to_owned(),
        Type::String { bytes_max: STRING_DEFAULT_BYTES_MAX } => "String".to_owned(),
        Type::String { bytes_max } => format!("String max {bytes_max}"),
        Type::Duration => "Duration".to_owned(),
        Type::Timestamp => "Timestamp".to_owned(),
        Type::Ip => "IpAddr".to_owned(),
        Type::Net => "IpNet".to_owned(),
        Type::Url => "Url".to_owned(),
        Type::Path => "Path".to_owned(),
        Type::Enum(at) => schema.enums.get(*at as usize).map_or_else(String::new, |of| of.name.to_string()),
        Type::Record(at) => schema.records.get(*at as usize).map_or_else(String::new, |of| of.name.to_string()),
        Type::Entity(types) => entity_names(schema, types),
        Type::Set(element, max) => bounded(format!("Set<{}>", of(element)), *max),
        Type::List(element, max) => bounded(format!("List<{}>", of(element)), *max),
        Type::Map(element, max) => bounded(format!("Map<String, {}>", of(element)), *max),
        Type::Optional(inner) => format!("{}?", of(inner)),
    }
}

fn bounded(name: String, max: u32) -> String {
    if max == COLLECTION_DEFAULT_MAX { name } else { format!("{name} max {max}") }
}
