//! What the log keeps of a decision: enough to make it again, and nothing readable that a policy calls sensitive.
//!
//! | member | what |
//! | --- | --- |
//! | `principal` | who asked, as the embedder authenticated them |
//! | `answer`, `kind`, `rules`, `codes`, `gates`, `obligations`, `shadow`, `error` | the decision; arguments of obligations as a text of JSON |
//! | `bundle`, `registry`, `digests` | what decided: the bundle, the version of the registry, the digests of everything |
//! | `request`, `facts` | canonical texts in the form of the wire, under `text`; what is sensitive is left out of it and stands under `secret`, each value a text |
//! | `given` | of a request that could not be read: the request and the facts, as they were |
//! | `trouble` | why the kernel itself denied |
//!
//! Every value under `secret` is a commitment. So is `given`, for nobody knows what is in it; and if anything in the schema
//! is sensitive, so are the texts that rules and errors were rendered to, and digests of documents that have secrets: they
//! have no salt, and could be guessed at. A field is sensitive if the policy says so, or if anything within its type is.
//! What would make an entry too long is a commitment too.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub(super) mod plain;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::entry::Kind;
use super::json::object::Object;
use super::json::{bytes_at_most, canonical, push_members};
use super::log::append::Event;
use crate::base::hash::Digest;
use crate::base::limits::{ENTRY_BYTES_MAX, PRINCIPAL_BYTES_MAX, REQUEST_BYTES_MAX, TROUBLE_CHARACTERS_MAX};
use crate::base::text::Pieces;
use crate::bytecode::schema::{Field, Schema, Type, TypeId};
use crate::kernel::json::scan::NUMBER_MAX;
use crate::vm::asked::{self as vm, Part};
use crate::vm::canonical::push_object;
use crate::vm::decision::{
    Datum, Decision, EntityName, ErrorReport, GateReport, ObligationReport, RuleReport, effect_name,
};
use crate::vm::input::Document;

/// Room in an entry for all that is not its body, and for the commitments that take the place of what is too long.
const ENVELOPE_BYTES: usize = 4_096;
/// What is kept apart if a body is too long, the largest first.
const LARGE: [&str; 8] = ["attributes", "request", "facts", "rules", "obligations", "shadow", "gates", "codes"];

/// What a commitment takes in an entry.
const COMMITMENT_BYTES: usize = 100;

/// Which fields of a schema are sensitive.
#[derive(Debug)]
pub struct Secrets {
    /// For each action, by its name on the wire, its context's fields.
    contexts: BTreeMap<String, Vec<String>>,
    /// For each entity type, by its name on the wire, its attributes.
    attributes: BTreeMap<String, Vec<String>>,
    /// Whether there is any at all.
    any: bool,
}

impl Secrets {
    /// Those of a schema.
    #[must_use]
    pub fn of(schema: &Schema) -> Secrets {
        // A record or an entity type is secret once a field of it is: again, until nothing new is.
        let mut records = vec![false; schema.records.len()];
        let mut entities = vec![false; schema.entity_types.len()];
        loop {
            let is_secret = |field: &Field| field.sensitive || within(schema, field.ty, &records, &entities);
            let next: Vec<bool> = schema.records.iter().map(|record| record.fields.iter().any(is_secret)).collect();
            let types: Vec<bool> = schema.entity_types.iter().map(|ty| ty.attributes.iter().any(is_secret)).collect();
            if next == records && types == entities {
                break;
            }
            (records, entities) = (next, types);
        }
        let names = |fields: &[Field]| -> Vec<String> {
            let fields = fields.iter().filter(|field| field.sensitive || within(schema, field.ty, &records, &entities));
            fields.map(|field| field.name.to_string()).collect()
        };
        let contexts = schema.actions.iter().map(|action| (action.name.to_string(), names(&action.context)));
        let attributes = schema.entity_types.iter().map(|ty| (ty.name.to_string(), names(&ty.attributes)));
        let (contexts, attributes): (BTreeMap<_, _>, BTreeMap<_, _>) = (contexts.collect(), attributes.collect());
        let any = contexts.values().chain(attributes.values()).any(|names| !names.is_empty());
        Secrets { contexts, attributes, any }
    }
}

impl Secrets {
    /// Whether nothing at all is kept apart.
    pub(super) fn are_none(&self) -> bool {
        !self.any
    }

    /// Whether an attribute of an entity type, by the type's name on the wire, is kept apart.
    pub(super) fn hides(&self, ty: &str, attribute: &Field) -> bool {
        is_hidden(self.attributes.get(ty), attribute)
    }
}

fn within(schema: &Schema, ty: TypeId, records: &[bool], entities: &[bool]) -> bool {
    let is = |list: &[bool], at: u32| usize::try_from(at).ok().and_then(|at| list.get(at)).copied().unwrap_or(true);
    match schema.ty(ty) {
        Type::Record(at) => is(records, *at),
        // Any type may stand where none is named.
        Type::Entity(types) if types.is_empty() => entities.contains(&true),
        Type::Entity(types) => types.iter().any(|&at| is(entities, at)),
        Type::Set(inner, _) | Type::List(inner, _) | Type::Map(inner, _) | Type::Optional(inner) => {
            within(schema, *inner, records, entities)
        }
        _ => false,
    }
}

/// Who asked, as the embedder authenticated them: never what a request says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    ty: Arc<str>,
    id: Arc<str>,
}

impl Principal {
    /// `None` if the type or the id has more than [`PRINCIPAL_BYTES_MAX`] bytes.
    #[must_use]
    pub fn new(ty: &str, id: &str) -> Option<Principal> {
        let fits = ty.len() <= PRINCIPAL_BYTES_MAX && id.len() <= PRINCIPAL_BYTES_MAX;
        fits.then(|| Principal { ty: ty.into(), id: id.into() })
    }

    /// Its type.
    #[must_use]
    pub fn ty(&self) -> &str {
        &self.ty
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name by which gates know it.
    #[must_use]
    pub fn name(&self) -> EntityName {
        EntityName { ty: self.ty.to_string(), id: self.id.to_string() }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "type": &*self.ty, "id": &*self.id })
    }

    /// Appends the same as text.
    pub(super) fn push(&self, out: &mut impl Pieces) {
        let mut members = Object::new(out);
        members.text("id", &self.id);
        members.text("type", &self.ty);
        members.end();
    }

    pub(super) fn from_json(value: &Value) -> Option<Principal> {
        Principal::new(value.get("type")?.as_str()?, value.get("id")?.as_str()?)
    }
}

/// What was asked, in the form of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The request.
    pub request: String,
    /// The kernel's facts.
    pub facts: String,
}

/// Where an entry has the digest of what is agreed to.
pub(super) const BINDING_PLACE: &str = "/digests/binding";

/// The event of a decision on a request that could be read, and an id for each thing that decided.
pub(super) fn decided(
    principal: &Principal,
    registry: u64,
    secrets: &Secrets,
    asked: &vm::Asked<'_>,
    decision: &Decision,
) -> Event {
    let (request, facts) = (split_request(secrets, asked), split_facts(secrets, asked));
    decided_of(principal, registry, secrets.any, (request, facts), decision)
}

fn decided_of(
    principal: &Principal,
    registry: u64,
    hides_texts: bool,
    ((request, hidden), (facts, hidden_facts)): ((String, Hidden), (String, Hidden)),
    decision: &Decision,
) -> Event {
    let mut event = Event::new(Kind::Decision, Map::new());
    let (has_secrets, has_secret_facts) = (!hidden.is_empty(), !hidden_facts.is_empty());
    add_document(&mut event, "request", request, hidden);
    add_document(&mut event, "facts", facts, hidden_facts);
    add_decision(&mut event, principal, Some(registry), hides_texts, decision);
    for (digest, is_secret) in [("request", has_secrets), ("binding", has_secrets), ("facts", has_secret_facts)] {
        let is_there = event.body.get("digests").is_some_and(|digests| digests.get(digest).is_some());
        if is_secret && is_there {
            event.sensitive.push(format!("/digests/{digest}"));
        }
    }
    shortened(event)
}

/// The event of a decision on a request, or facts, that could not be read.
pub(super) fn refused(
    principal: &Principal,
    registry: Option<u64>,
    request: &[u8],
    facts: Option<&[u8]>,
    decision: &Decision,
) -> Event {
    let mut event = Event::new(Kind::Decision, Map::new());
    let mut given = Map::new();
    given.insert("request".to_owned(), raw(request));
    if let Some(facts) = facts {
        given.insert("facts".to_owned(), raw(facts));
    }
    event.body.insert("given".to_owned(), given.into());
    event.sensitive.push("/given".to_owned());
    add_decision(&mut event, principal, registry, true, decision);
    shortened(event)
}

/// The event of a denial that is the kernel's own.
pub(super) fn trouble(principal: &Principal, why: &str) -> Event {
    let body = json!({
        "principal": principal.to_json(), "answer": "DENY", "kind": "error",
        "trouble": why.chars().take(TROUBLE_CHARACTERS_MAX).collect::<String>(),
    });
    let Value::Object(body) = body else { return Event::new(Kind::Decision, Map::new()) };
    Event::new(Kind::Decision, body)
}

/// What was asked, from the body of an entry whose secrets were put back ([`reveal`](super::log::commitment::reveal)).
/// `None` if it could not be read then, or can't now because something was erased.
#[must_use]
pub fn asked(body: &Map<String, Value>) -> Option<Asked> {
    let document = |name: &str| -> Option<(String, Map<String, Value>)> {
        let document = body.get(name)?.as_object()?;
        let secret = document.get("secret").map_or(Some(Map::new()), |secret| secret.as_object().cloned())?;
        Some((document.get("text")?.as_str()?.to_owned(), secret))
    };
    let (request, secret) = document("request")?;
    let mut parts = members(&request)?;
    for (part, values) in &secret {
        let text = parts.get(part)?;
        let merged = if part == "context" {
            merge(text, values)?
        } else {
            let mut party = members(text)?;
            let properties = party.get("properties").map_or("{}", String::as_str);
            let properties = merge(properties, values)?;
            party.insert("properties".to_owned(), properties);
            object(party)
        };
        parts.insert(part.clone(), merged);
    }
    let (facts, secret) = document("facts")?;
    let facts = secret.get("facts").map_or(Some(facts.clone()), |values| merge(&facts, values))?;
    Some(Asked { request: object(parts), facts })
}

fn merge(text: &str, values: &Value) -> Option<String> {
    let mut parts = members(text)?;
    for (name, value) in values.as_object()? {
        parts.insert(name.clone(), value.as_str()?.to_owned());
    }
    Some(object(parts))
}

/// The members of a canonical object, as texts.
fn members(text: &str) -> Option<BTreeMap<String, String>> {
    let parts: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).ok()?;
    Some(parts.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect())
}

fn object(parts: BTreeMap<String, String>) -> String {
    let mut out = String::new();
    push_object(&mut out, parts.into_iter().collect());
    out
}

/// Values that are kept apart: the part of the document, the name in it, the text.
type Hidden = Vec<(&'static str, String, String)>;

/// Whether a field of a type or an action is kept apart. What is not known is.
fn is_hidden(names: Option<&Vec<String>>, field: &Field) -> bool {
    names.is_none_or(|names| names.iter().any(|name| **name == *field.name))
}

fn split_request(secrets: &Secrets, asked: &vm::Asked<'_>) -> (String, Hidden) {
    let hides = |part: Part, field: &Field| {
        let names = match part {
            Part::Context => secrets.contexts.get(&*asked.action.name),
            Part::Resource => secrets.attributes.get(asked.resource.ty),
            Part::Subject => secrets.attributes.get(asked.subject.ty),
        };
        is_hidden(names, field)
    };
    let mut hidden = Hidden::new();
    for (part, members) in asked.parts() {
        let secret = members.iter().filter(|(field, _)| hides(part, field));
        hidden.extend(secret.map(|(field, text)| (part.name(), field.name.to_string(), text.to_owned())));
    }
    (asked.request_without(hides), hidden)
}

fn split_facts(secrets: &Secrets, asked: &vm::Asked<'_>) -> (String, Hidden) {
    let names = secrets.contexts.get(&*asked.action.name);
    let secret = asked.facts.iter().filter(|(field, _)| is_hidden(names, field));
    let hidden = secret.map(|(field, text)| ("facts", field.name.to_string(), text.to_owned())).collect();
    (asked.facts.without(|field| is_hidden(names, field)), hidden)
}

/// A part of a JSON Pointer.
pub(super) fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn add_document(event: &mut Event, name: &str, text: String, hidden: Hidden) {
    let mut document = Map::new();
    document.insert("text".to_owned(), text.into());
    let mut secret: Map<String, Value> = Map::new();
    for (part, member, value) in hidden {
        event.sensitive.push(format!("/{name}/secret/{part}/{}", pointer(&member)));
        if let Value::Object(values) = secret.entry(part).or_insert_with(|| Map::new().into()) {
            values.insert(member, value.into());
        }
    }
    if !secret.is_empty() {
        document.insert("secret".to_owned(), secret.into());
    }
    event.body.insert(name.to_owned(), document.into());
}

/// What was given, as it was, as far as anybody may give.
fn raw(bytes: &[u8]) -> Value {
    if bytes.len() > REQUEST_BYTES_MAX {
        return json!({ "bytes": bytes.len().to_string() });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
    }
}

fn add_decision(event: &mut Event, who: &Principal, registry: Option<u64>, hides_texts: bool, decision: &Decision) {
    let body = &mut event.body;
    let mut add = |name: &str, value: Value| _ = body.insert(name.to_owned(), value);
    add("principal", who.to_json());
    add("answer", decision.answer().name().into());
    add("kind", decision.kind.name().into());
    add("rules", decision.rules.iter().map(rule).collect());
    add("codes", decision.codes.iter().map(|code| Value::String(code.clone())).collect());
    add("gates", decision.gates.iter().map(gate).collect());
    add("obligations", decision.obligations.iter().map(obligation).collect());
    add("shadow", decision.shadow.iter().map(rule).collect());
    if let Some(fault) = &decision.error {
        add("error", error(fault));
    }
    let digests = &decision.digests;
    if let Some(bundle) = digests.bundle {
        add("bundle", bundle.to_string().into());
    }
    if let Some(registry) = registry {
        add("registry", number(registry));
    }
    let named = [
        ("bundle", digests.bundle),
        ("registry", digests.registry),
        ("facts", digests.facts),
        ("request", digests.request),
        ("binding", digests.binding),
    ];
    let named = named.into_iter().filter_map(|(name, digest): (&str, Option<Digest>)| {
        digest.map(|digest| (name.to_owned(), Value::String(digest.to_string())))
    });
    add("digests", Value::Object(named.collect()));
    if hides_texts {
        hide_texts(event);
    }
}

/// What an entry says of a decision alone: neither who asked nor what.
pub(super) fn told(decision: &Decision) -> Map<String, Value> {
    let mut event = Event::new(Kind::Decision, Map::new());
    add_decision(&mut event, &Principal { ty: "".into(), id: "".into() }, None, false, decision);
    event.body.remove("principal");
    event.body
}

/// Texts that were rendered of values.
fn hide_texts(event: &mut Event) {
    for (list, member) in [("rules", "message"), ("shadow", "message"), ("obligations", "arguments")] {
        let Some(Value::Array(items)) = event.body.get(list) else { continue };
        let places = items.iter().enumerate().filter(|(_, item)| item.get(member).is_some());
        event.sensitive.extend(places.map(|(at, _)| format!("/{list}/{at}/{member}")));
    }
    for member in ["message", "path"] {
        if event.body.get("error").is_some_and(|error| error.get(member).is_some()) {
            event.sensitive.push(format!("/error/{member}"));
        }
    }
}

/// Keeps apart what would make the entry too long.
pub(super) fn shortened(mut event: Event) -> Event {
    // What a commitment takes in place of a value, and its line in the list of them.
    let places = event.sensitive.iter().chain(event.sealed.iter().map(|(place, _)| place));
    let of_commitments: usize = places.map(|place| place.len().saturating_add(COMMITMENT_BYTES)).sum();
    let max = ENTRY_BYTES_MAX.saturating_sub(ENVELOPE_BYTES);
    // Nearly all bodies are far from it, and need not be written to be measured.
    let about = event.body.iter().fold(of_commitments.saturating_add(2), |sum, (name, value)| {
        sum.saturating_add(name.len()).saturating_add(bytes_at_most(value)).saturating_add(4)
    });
    if about <= max {
        return event;
    }
    let mut body = String::new();
    push_members(&mut body, &event.body);
    let mut bytes = body.len().saturating_add(of_commitments);
    let mut sizes: Vec<(usize, &str)> =
        LARGE.iter().filter_map(|&name| event.body.get(name).map(|value| (canonical(value).len(), name))).collect();
    sizes.sort_unstable();
    while bytes > max
        && let Some((size, name)) = sizes.pop()
    {
        let place = format!("/{name}");
        let inside = format!("{place}/");
        event.sensitive.retain(|other| !other.starts_with(&inside));
        event.sensitive.push(place);
        bytes = bytes.saturating_sub(size);
    }
    event
}

fn number(number: u64) -> Value {
    if number <= NUMBER_MAX { number.into() } else { number.to_string().into() }
}

fn signed(number: i64) -> Value {
    if number.unsigned_abs() <= NUMBER_MAX { number.into() } else { number.to_string().into() }
}

fn entity(entity: &EntityName) -> Value {
    json!({ "type": entity.ty, "id": entity.id })
}

fn rule(rule: &RuleReport) -> Value {
    let mut members = Map::new();
    let texts = [
        ("id", Some(rule.id.as_str())),
        ("effect", Some(effect_name(rule.effect))),
        ("message", rule.message.as_deref()),
        ("code", rule.code.as_deref()),
        ("at", rule.at.as_deref()),
        ("error", rule.error.map(|error| error.name())),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            members.insert(name.to_owned(), text.into());
        }
    }
    members.into()
}

fn gate(gate: &GateReport) -> Value {
    let escalations: Vec<Value> =
        (gate.escalations.iter()).map(|(to, after)| json!({ "to": entity(to), "after_ms": signed(*after) })).collect();
    json!({
        "id": gate.id,
        "from": entity(&gate.from),
        "quorum": signed(gate.quorum),
        "within_ms": gate.within_ms.map(signed),
        "escalations": escalations,
        "distinct": gate.distinct,
    })
}

fn obligation(obligation: &ObligationReport) -> Value {
    let arguments = Datum::Object(obligation.arguments.clone()).to_json();
    json!({ "name": obligation.name, "rule": obligation.rule, "arguments": arguments })
}

fn error(error: &ErrorReport) -> Value {
    match error {
        ErrorReport::Input { code, document, path, message } => json!({
            "code": code, "path": path, "message": message,
            "in": if *document == Document::Facts { "facts" } else { "request" },
        }),
        ErrorReport::Evaluation { kind, rule, at, .. } => json!({ "code": kind.name(), "rule": rule, "at": at }),
    }
}
