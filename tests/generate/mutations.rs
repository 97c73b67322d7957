//! Faulty requests: one thing is made wrong, and it is known which.

use pdl::types::ty::{Interval, Type};
use pdl::types::typed::{FieldDef, TypedPolicy};

use crate::generate::random::Random;
use crate::generate::worlds::Documents;
use crate::reference::json::Json;
use crate::reference::world::Request;

/// A fault: the name of its kind, and the documents that have it, as text.
#[derive(Clone, Debug)]
pub struct Faulty {
    pub kind: &'static str,
    pub request: String,
    pub facts: String,
}

/// The kinds that mutations make.
pub const KINDS: &[&str] = &[
    "malformed",
    "too_large",
    "too_deep",
    "duplicate_key",
    "unknown_field",
    "missing_field",
    "wrong_type",
    "number_unfit",
    "out_of_range",
    "too_long",
    "too_many_elements",
    "duplicate_element",
    "unknown_variant",
    "unreadable_text",
    "given_twice",
    "kernel_field",
    "caller_field",
    "registry_attribute",
    "unknown_action",
    "unknown_entity_type",
    "entity_type_not_allowed",
    "unknown_entity",
];

/// A way down into a document.
type Way = Vec<Step>;

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    At(usize),
}

/// A value in the documents, with its type.
#[derive(Clone, Debug)]
struct Spot {
    way: Way,
    ty: Type,
}

fn at<'j>(json: &'j mut Json, way: &[Step]) -> &'j mut Json {
    way.iter().fold(json, |json, step| match (step, json) {
        (Step::Key(key), json) => json.get_mut(key).expect("the way was found before"),
        (Step::At(place), Json::Array(items)) => &mut items[*place],
        (Step::At(_), other) => panic!("{other} is no array"),
    })
}

/// All values of a document that fields describe.
fn spots(policy: &TypedPolicy, request: &Request, document: &Json) -> Vec<Spot> {
    let mut found = Vec::new();
    let action = &policy.actions[request.action.index()];
    let key = |names: &[&str]| names.iter().map(|name| Step::Key((*name).to_owned())).collect::<Way>();
    let mut places = vec![
        (key(&["context"]), document.get("context"), &action.context),
        (
            key(&["action", "properties"]),
            document.get("action").and_then(|action| action.get("properties")),
            &action.context,
        ),
    ];
    for (name, given) in [("subject", &request.subject), ("resource", &request.resource)] {
        let attributes = &policy.entity_types[given.entity.ty.index()].attributes;
        let properties = document.get(name).and_then(|given| given.get("properties"));
        places.push((key(&[name, "properties"]), properties, attributes));
    }
    for (way, object, fields) in places {
        if let Some(object) = object {
            walk_fields(policy, way, object, fields, &mut found);
        }
    }
    found
}

fn walk_fields(policy: &TypedPolicy, way: Way, object: &Json, fields: &[FieldDef], found: &mut Vec<Spot>) {
    for field in fields {
        if let Some(value) = object.get(&field.name) {
            let mut way = way.clone();
            way.push(Step::Key(field.name.to_string()));
            walk(policy, way, value, &field.ty, found);
        }
    }
}

fn walk(policy: &TypedPolicy, way: Way, json: &Json, ty: &Type, found: &mut Vec<Spot>) {
    found.push(Spot { way: way.clone(), ty: ty.clone() });
    let ty = if let Type::Optional(inner) = ty { inner } else { ty };
    match (ty, json) {
        (Type::Record(record), json) => walk_fields(policy, way, json, &policy.records[record.index()].fields, found),
        (Type::Set(element, _) | Type::List(element, _), Json::Array(items)) => {
            for (place, item) in items.iter().enumerate() {
                let mut way = way.clone();
                way.push(Step::At(place));
                walk(policy, way, item, element, found);
            }
        }
        (Type::Map(value, _), Json::Object(members)) => {
            for (name, item) in members {
                let mut way = way.clone();
                way.push(Step::Key(name.clone()));
                walk(policy, way, item, value, found);
            }
        }
        _ => {}
    }
}

/// Makes one thing wrong; nothing where these documents have no place for that fault.
pub fn mutate(
    random: &mut Random,
    policy: &TypedPolicy,
    request: &Request,
    documents: &Documents,
    kind: &'static str,
) -> Option<Faulty> {
    let Documents { request: mut document, mut facts } = documents.clone();
    let mut text = None;
    match kind {
        "malformed" => {
            let whole = document.to_string();
            let cuts: Vec<usize> = whole.char_indices().map(|(at, _)| at).skip(1).collect();
            text = Some(whole[..*random.pick(&cuts)].to_owned());
        }
        "too_large" => text = Some(format!("{}{document}", " ".repeat(pdl::base::limits::REQUEST_BYTES_MAX))),
        "too_deep" => {
            let deep = format!("{{\"x\":{}{}}}", "[".repeat(70), "]".repeat(70));
            document.members().push(("context".to_owned(), Json::Number(deep)));
            // Of two contexts the deep one is met first.
            document.members().rotate_right(1);
            let mut seen = false;
            document.members().retain(|(name, _)| name != "context" || !std::mem::replace(&mut seen, true));
        }
        "unknown_action" => *document.get_mut("action")?.get_mut("name")? = Json::text("no_such_action"),
        "kernel_field" | "caller_field" | "given_twice" => {
            let fields = &policy.actions[request.action.index()].context;
            let kernel = kind == "kernel_field";
            let all: Vec<&FieldDef> = fields.iter().filter(|field| field.kernel == kernel).collect();
            if all.is_empty() {
                return None;
            }
            let name = random.pick(&all).name.to_string();
            if kind == "given_twice" {
                let value = document.get("context")?.get(&name)?.clone();
                let action = document.get_mut("action")?;
                if action.get("properties").is_none() {
                    action.members().push(("properties".to_owned(), Json::Object(Vec::new())));
                }
                action.get_mut("properties")?.members().push((name, value));
            } else if kernel {
                let value = facts.get(&name).cloned().unwrap_or(Json::Null);
                document.get_mut("context")?.members().push((name, value));
            } else {
                facts.members().push((name, Json::Null));
            }
        }
        "duplicate_key" | "unknown_field" | "missing_field" => object(random, policy, request, &mut document, kind)?,
        _ => value(random, policy, request, &mut document, kind)?,
    }
    let request = text.unwrap_or_else(|| document.to_string());
    Some(Faulty { kind, request, facts: facts.to_string() })
}

/// Faults of objects.
fn object(random: &mut Random, policy: &TypedPolicy, request: &Request, document: &mut Json, kind: &str) -> Option<()> {
    let key = |names: &[&str]| names.iter().map(|name| Step::Key((*name).to_owned())).collect::<Way>();
    let mut ways = vec![key(&[]), key(&["subject"]), key(&["action"]), key(&["resource"])];
    for names in [&["context"][..], &["subject", "properties"], &["resource", "properties"], &["action", "properties"]]
    {
        if names.iter().try_fold(&*document, |json, name| json.get(name)).is_some() {
            ways.push(key(names));
        }
    }
    let records = spots(policy, request, document);
    ways.extend(records.into_iter().filter(|spot| matches!(spot.ty, Type::Record(_))).map(|spot| spot.way));
    let way = random.pick(&ways).clone();
    let members = at(document, &way).members();
    match kind {
        "unknown_field" => members.push(("no_such_field".to_owned(), Json::Null)),
        "duplicate_key" => {
            let twice = members.get(random.below(members.len()))?.clone();
            members.push(twice);
        }
        _ => {
            // What has to be there: of fields those that are not optional.
            let optional = |name: &str| optional_somewhere(policy, name);
            let all: Vec<usize> = (0..members.len()).filter(|&at| !optional(&members[at].0)).collect();
            if all.is_empty() {
                return None;
            }
            let gone = *random.pick(&all);
            if matches!(members[gone].0.as_str(), "context" | "properties") {
                return None;
            }
            // Of a registered entity no attribute has to be given.
            if let [Step::Key(role), Step::Key(_)] = &way[..] {
                let given = match role.as_str() {
                    "subject" => Some(&request.subject),
                    "resource" => Some(&request.resource),
                    _ => None,
                };
                if given.is_some_and(|given| given.entity.attributes.is_none()) {
                    return None;
                }
            }
            members.remove(gone);
        }
    }
    Some(())
}

fn optional_somewhere(policy: &TypedPolicy, name: &str) -> bool {
    let fields = (policy.records.iter().flat_map(|def| &def.fields))
        .chain(policy.actions.iter().flat_map(|def| &def.context))
        .chain(policy.entity_types.iter().flat_map(|def| &def.attributes));
    fields.into_iter().any(|field| *field.name == *name && matches!(field.ty, Type::Optional(_)))
}

/// Faults of values.
fn value(random: &mut Random, policy: &TypedPolicy, request: &Request, document: &mut Json, kind: &str) -> Option<()> {
    if random.chance(40) && party(random, policy, request, document, kind).is_some() {
        return Some(());
    }
    let mut all = spots(policy, request, document);
    random.shuffle(&mut all);
    for spot in all {
        let place = at(document, &spot.way);
        let (ty, optional) =
            if let Type::Optional(inner) = &spot.ty { ((**inner).clone(), true) } else { (spot.ty.clone(), false) };
        let registered = |types: &[pdl::types::typed::EntityTypeId]| {
            types.iter().all(|ty| !policy.entity_types[ty.index()].presented)
        };
        let new = match (kind, &ty) {
            ("wrong_type", _) if !optional && random.chance(20) => Json::Null,
            ("wrong_type", Type::Int(_) | Type::Decimal | Type::Bool | Type::Record(_)) => Json::text("1"),
            ("wrong_type", Type::Map(..)) => Json::Array(Vec::new()),
            ("wrong_type", Type::Set(..) | Type::List(..)) => Json::Object(Vec::new()),
            ("wrong_type", _) => Json::Number("1".to_owned()),
            ("number_unfit", Type::Int(_)) => {
                Json::Number((random.text(&["1.0", "1e2", "9223372036854775808"])).to_owned())
            }
            ("number_unfit", Type::Decimal) => {
                Json::Number((random.text(&["0.0000001", "9223372036854.775808", "1e30"])).to_owned())
            }
            ("out_of_range", Type::Int(interval)) if *interval != Interval::FULL => {
                let outside = [interval.low.checked_sub(1), interval.high.checked_add(1)];
                let outside: Vec<i64> = outside.into_iter().flatten().collect();
                Json::Number(random.pick(&outside).to_string())
            }
            ("too_long", Type::String(max)) if *max < 1000 => Json::Text("x".repeat(*max as usize + 1)),
            ("too_many_elements", Type::List(_, max)) if *max < 100 => match place {
                Json::Array(items) if !items.is_empty() => Json::Array(vec![items[0].clone(); *max as usize + 1]),
                _ => continue,
            },
            ("too_many_elements", Type::Set(element, max)) if *max < 10 && matches!(**element, Type::String(10..)) => {
                Json::Array((0..=*max).map(|number| Json::Text(format!("t{number}"))).collect())
            }
            ("too_many_elements", Type::Map(_, max)) if *max < 100 => match place {
                Json::Object(members) if !members.is_empty() => {
                    let value = members[0].1.clone();
                    Json::Object((0..=*max).map(|number| (format!("t{number}"), value.clone())).collect())
                }
                _ => continue,
            },
            ("duplicate_element", Type::Set(_, max)) => match place {
                Json::Array(items) if !items.is_empty() && items.len() < *max as usize => {
                    let mut items = items.clone();
                    items.push(random.pick(&items).clone());
                    Json::Array(items)
                }
                _ => continue,
            },
            ("unknown_variant", Type::Enum(_)) => Json::text("no_such_variant"),
            (
                "unreadable_text",
                Type::Duration | Type::Timestamp | Type::IpAddr | Type::IpNet | Type::Url | Type::Path,
            ) => Json::text("not one"),
            ("unknown_entity", Type::Entity(types)) if registered(types) => {
                let ty = &policy.entity_types[types[0].index()].wire;
                Json::object([("type", Json::text(ty)), ("id", Json::text("nobody"))])
            }
            ("registry_attribute", Type::Entity(types)) if registered(types) => {
                let ty = &policy.entity_types[types[0].index()].wire;
                Json::object([
                    ("type", Json::text(ty)),
                    ("id", Json::text("a")),
                    ("properties", Json::Object(Vec::new())),
                ])
            }
            ("unknown_entity_type", Type::Entity(_)) => {
                Json::object([("type", Json::text("Nowhere")), ("id", Json::text("a"))])
            }
            ("entity_type_not_allowed", Type::Entity(types)) => {
                let other = (0..policy.entity_types.len() as u32).find(|ty| types.iter().all(|own| own.0 != *ty))?;
                let ty = &policy.entity_types[other as usize].wire;
                Json::object([("type", Json::text(ty)), ("id", Json::text("a"))])
            }
            _ => continue,
        };
        *place = new;
        return Some(());
    }
    None
}

/// Faults of the subject or the resource as a whole.
fn party(random: &mut Random, policy: &TypedPolicy, request: &Request, document: &mut Json, kind: &str) -> Option<()> {
    let action = &policy.actions[request.action.index()];
    let (role, given, types) = if random.chance(50) {
        ("subject", &request.subject, &action.subject)
    } else {
        ("resource", &request.resource, &action.resource)
    };
    let def = &policy.entity_types[given.entity.ty.index()];
    let place = document.get_mut(role)?;
    match kind {
        "unknown_entity" if !def.presented => *place.get_mut("id")? = Json::text("nobody"),
        "unknown_entity_type" => *place.get_mut("type")? = Json::text("Nowhere"),
        "entity_type_not_allowed" => {
            let other = (0..policy.entity_types.len() as u32).find(|ty| types.iter().all(|own| own.0 != *ty))?;
            *place.get_mut("type")? = Json::text(&policy.entity_types[other as usize].wire);
        }
        "registry_attribute" if !def.presented => {
            let field = def.attributes.iter().find(|field| !field.presented)?;
            if place.get("properties").is_none() {
                place.members().push(("properties".to_owned(), Json::Object(Vec::new())));
            }
            place.get_mut("properties")?.members().push((field.name.to_string(), Json::Null));
        }
        "wrong_type" => *place.get_mut("id")? = Json::Number("1".to_owned()),
        _ => return None,
    }
    Some(())
}
