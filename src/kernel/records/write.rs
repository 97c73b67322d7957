//! Writing a record: what policy can't allow is refused here, by the schema alone.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::change::{Change, Move};
use super::refused::RecordRefused;
use super::{EVIDENCE, EVIDENCE_PLACE, Record, TYPES, find, kind};
use crate::base::hash::Digest;
use crate::kernel::admit::Allowed;
use crate::kernel::engine::{Shared, put};
use crate::kernel::entry::Kind;
use crate::kernel::error::KernelError;
use crate::kernel::log::append::Event;
use crate::kernel::log::commitment::Sealed;
use crate::kernel::members::{self, object, one};
use crate::kernel::outbox;
use crate::kernel::record::{self, Principal};
use crate::kernel::scope::Ended;
use crate::kernel::scopes;
use crate::kernel::store::Tx;
use crate::vm::machine::Scratch;
use crate::vm::records::{RecordType, STATUS, State};

/// Writes what an ALLOW makes of a record. Gives it as it is then, and the numbers of its events.
pub(super) fn write(
    tx: &mut dyn Tx,
    shared: &Shared,
    allowed: &Allowed<'_>,
    who: &Principal,
    (one, sealed): (&Move, Option<&Sealed>),
) -> Result<(Record, Vec<u64>), KernelError> {
    let (active, said) = (allowed.active, allowed.said);
    let ty = active.machine.record_type(&said.resource.ty);
    let ty = ty.ok_or_else(|| RecordRefused::NotGoverned(said.resource.ty.clone()))?;
    let schema = active.machine.image().schema();
    let holds = |field: &&crate::bytecode::schema::Field| active.touches.reaches(schema, field.ty);
    if let Some(attribute) = ty.entity_type().attributes.iter().find(holds) {
        let (ty, attribute) = (said.resource.ty.clone(), attribute.name.to_string());
        return Err(RecordRefused::Holds { ty, attribute }.into());
    }
    let (name, id) = (&*ty.entity_type().qualified, &*said.resource.id);
    let before = find(tx, name, id)?;
    let proposed = match (&one.change, &before) {
        (Change::Create, None) => proposed(&said.request)?,
        (Change::Step { set, .. }, Some(before)) => merged(before, said.to.as_deref(), set)?,
        (Change::Create, Some(_)) => return Err(RecordRefused::Exists(id.to_owned()).into()),
        (Change::Step { .. }, None) => return Err(RecordRefused::Unknown(id.to_owned()).into()),
    };
    let now = shared.environment.now();
    let state = ty.state(&active.store, id, proposed.as_bytes(), now, &mut Scratch::default());
    let state = state.map_err(|fault| RecordRefused::Attributes(fault.to_string()))?;
    legal(&ty, &state, before.as_ref(), said.to.as_deref())?;
    if !state.violations.is_empty() {
        let rules = state.violations.iter().map(|violation| violation.id.clone()).collect();
        return Err(RecordRefused::Violated(rules).into());
    }
    // What runs in a scope uses it up, and has ended already.
    if let Some(reserved) = scopes::reserve(tx, shared, allowed)? {
        scopes::settle(tx, shared, &reserved, Ended::Spent(reserved.cost), allowed.entry)?;
    }
    let events = outbox::numbered(tx, shared, &one.events, (name, id))?;
    let event = event(allowed, who, &ty, &state, before.as_ref());
    let event = announcing(with_evidence(event, sealed), &events);
    let entry = shared.log.append(tx, &*shared.environment, record::shortened(event))?.id;
    if let Some(sealed) = sealed {
        let body = json!({ "entry": entry, "time": now.to_string() });
        put(tx, EVIDENCE, &sealed.commitment.to_string(), 0, "", None, &body)?;
    }
    let record = Record {
        ty: name.to_owned(),
        id: id.to_owned(),
        status: state.status.to_owned(),
        is_final: ty.lifecycle().is_final(state.status),
        version: version_after(before.as_ref())?,
        properties: state.properties.text().to_owned(),
        entry,
    };
    store(tx, &record, before.as_ref())?;
    let numbers = events.iter().map(|event| event.number).collect();
    for mut event in events {
        event.entry.clone_from(&record.entry);
        outbox::write(tx, &event)?;
    }
    Ok((record, numbers))
}

fn version_after(before: Option<&Record>) -> Result<u64, KernelError> {
    let version = before.map_or(0, |before| before.version);
    version.checked_add(1).ok_or_else(|| KernelError::Damaged("the version of a record".to_owned()))
}

/// What a request that can be decided proposes: the attributes of its resource.
fn proposed(request: &str) -> Result<String, KernelError> {
    let found = || {
        let parts = members::read(request.as_bytes()).ok()?;
        let resource = members::read(one(&parts, "resource")?.get().as_bytes()).ok()?;
        Some(one(&resource, "properties")?.get().to_owned())
    };
    // Without attributes there is no status.
    Ok(found().ok_or_else(|| RecordRefused::Attributes("none are proposed".to_owned()))?)
}

/// The attributes of a record after a step.
fn merged(before: &Record, to: Option<&str>, set: &str) -> Result<String, KernelError> {
    let refused = |why: String| RecordRefused::Attributes(why);
    let damaged = || KernelError::Damaged(format!("the {} {}", before.ty, before.id));
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in members::read(before.properties.as_bytes()).map_err(|_| damaged())? {
        parts.insert(name, value.get().to_owned());
    }
    let set = members::read(set.as_bytes()).map_err(|why| refused(format!("what is set is no JSON object: {why}")))?;
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in &set {
        if name == STATUS {
            return Err(refused("the status is stepped to, and not set".to_owned()).into());
        }
        if names.contains(&name.as_str()) {
            return Err(refused(format!("`{name}` is set twice")).into());
        }
        names.push(name);
        // A name that no record has is for the type to refuse.
        parts.insert(name.clone(), value.get().to_owned());
    }
    if let Some(to) = to {
        parts.insert(STATUS.to_owned(), Value::String(to.to_owned()).to_string());
    }
    Ok(object(parts))
}

/// Whether the lifecycle leads there.
fn legal(
    ty: &RecordType<'_>,
    state: &State<'_>,
    before: Option<&Record>,
    to: Option<&str>,
) -> Result<(), RecordRefused> {
    let lifecycle = ty.lifecycle();
    let Some(before) = before else {
        return match to {
            Some(to) if to != state.status => {
                Err(RecordRefused::OtherState { asked: to.to_owned(), proposed: state.status.to_owned() })
            }
            _ if !lifecycle.is_initial(state.status) => Err(RecordRefused::NotInitial(state.status.to_owned())),
            _ => Ok(()),
        };
    };
    if lifecycle.is_final(&before.status) {
        return Err(RecordRefused::Final(before.status.clone()));
    }
    let is_legal = match to {
        Some(to) => to == state.status && lifecycle.may_step(&before.status, to),
        None => state.status == before.status,
    };
    if is_legal {
        Ok(())
    } else {
        Err(RecordRefused::Illegal { from: before.status.clone(), to: state.status.to_owned() })
    }
}

/// What the log has to say: what became what. Attributes that a policy calls sensitive are hidden, and so is the digest of
/// a record that has any.
fn event(
    allowed: &Allowed<'_>,
    who: &Principal,
    ty: &RecordType<'_>,
    state: &State<'_>,
    before: Option<&Record>,
) -> Event {
    let entity = ty.entity_type();
    let hides = |field| allowed.active.secrets.hides(&entity.name, field);
    let old = before.map_or("{}", |before| &before.properties);
    let old: BTreeMap<String, String> = members::read(old.as_bytes()).map_or_else(
        |_| BTreeMap::new(),
        |members| members.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect(),
    );
    let (mut open, mut secret, mut places) = (BTreeMap::new(), Map::new(), Vec::new());
    let mut has_secrets = false;
    for field in entity.attributes.iter().filter(|field| *field.name != *STATUS) {
        let new = state.properties.iter().find(|(other, _)| other.name == field.name).map(|(_, text)| text);
        let is_hidden = hides(field);
        has_secrets |= is_hidden && new.is_some();
        if new == old.get(&*field.name).map(String::as_str) {
            continue;
        }
        // What is absent from now on is null.
        let new = new.unwrap_or("null").to_owned();
        if is_hidden {
            places.push(format!("/attributes/secret/{}", record::pointer(&field.name)));
            secret.insert(field.name.to_string(), new.into());
        } else {
            open.insert(field.name.to_string(), new);
        }
    }
    let mut attributes = Map::new();
    attributes.insert("text".to_owned(), object(open).into());
    if !secret.is_empty() {
        attributes.insert("secret".to_owned(), secret.into());
    }
    let digest = Digest::of(state.properties.text().as_bytes());
    if has_secrets {
        places.push("/digest".to_owned());
    }
    let mut body = Map::new();
    let mut add = |name: &str, value: Value| _ = body.insert(name.to_owned(), value);
    add("type", (*entity.qualified).into());
    add("id", (*allowed.said.resource.id).into());
    add("to", state.status.into());
    add("version", before.map_or(0, |before| before.version).saturating_add(1).into());
    add("digest", digest.to_string().into());
    add("attributes", attributes.into());
    add("principal", who.to_json());
    let kind = match before {
        Some(before) => {
            add("from", before.status.clone().into());
            Kind::RecordStepped
        }
        None => Kind::RecordCreated,
    };
    let mut event = Event::new(kind, body).link("decision", allowed.entry);
    event.sensitive = places;
    if let Some(before) = before { event.link("before", &before.entry) } else { event }
}

fn with_evidence(mut event: Event, sealed: Option<&Sealed>) -> Event {
    if let Some(sealed) = sealed {
        // Its commitment takes the place.
        event.body.insert("evidence".to_owned(), Value::Null);
        event.sealed.push((EVIDENCE_PLACE.to_owned(), sealed.clone()));
    }
    event
}

fn announcing(mut event: Event, events: &[outbox::OutboxEvent]) -> Event {
    if !events.is_empty() {
        let events = events.iter().map(|event| json!({ "name": event.name, "number": event.number })).collect();
        event.body.insert("events".to_owned(), Value::Array(events));
    }
    event
}

fn store(tx: &mut dyn Tx, record: &Record, before: Option<&Record>) -> Result<(), KernelError> {
    if before.is_none() && tx.get(TYPES, &record.ty)?.is_none() {
        put(tx, TYPES, &record.ty, 0, "", None, &json!({}))?;
    }
    let body = json!({ "properties": record.properties, "entry": record.entry, "final": record.is_final });
    let version = before.map_or(0, |before| before.version);
    put(tx, &kind(&record.ty), &record.id, version, &record.status, None, &body)
}
