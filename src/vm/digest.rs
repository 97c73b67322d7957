//! The digests of what a decision was made from: request, facts, binding; that of the registry is
//! [`Store::digest`](crate::vm::store::Store::digest).
//!
//! They are of typed values in canonical JSON (see [`canonical`](crate::vm::canonical)), not of bytes: two documents that
//! mean the same have one digest. A decision computes none of them; whoever reads or logs one has the request decoded
//! once more, everything in it this time.

use crate::base::hash::Digest;
use crate::bytecode::schema::{Action, Field};
use crate::vm::canonical::{Form, Writer, push_object, push_string};
use crate::vm::decode::{Decoded, Extent, Options, Scratch, World, decode, decode_asked};
use crate::vm::entities::Entities as _;
use crate::vm::input::Fail;
use crate::vm::memory::{Local, Memory};
use crate::vm::value::{EntityRef, Value};

/// The canonical texts of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// All that the caller gave.
    pub request: String,
    /// All that the kernel gave of what the action declares.
    pub facts: String,
    /// What people agree to when they approve: subject, action, resource, attributes that came with the request, and the
    /// caller's context without advisory fields; nothing of the kernel's.
    pub binding: String,
}

/// The digests of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Of [`Canonical::request`].
    pub request: Digest,
    /// Of [`Canonical::facts`].
    pub facts: Digest,
    /// Of [`Canonical::binding`].
    pub binding: Digest,
}

impl Canonical {
    /// The digests of the texts.
    #[must_use]
    pub fn digests(&self) -> Digests {
        Digests {
            request: Digest::of(self.request.as_bytes()),
            facts: Digest::of(self.facts.as_bytes()),
            binding: Digest::of(self.binding.as_bytes()),
        }
    }
}

/// The canonical texts of a request and its facts. Costs a full decoding and allocates.
pub fn canonical(world: World<'_>, options: Options, request: &[u8], facts: Option<&[u8]>) -> Result<Canonical, Fail> {
    canonical_in(world, options, Form::Digest, request, facts)
}

/// The same in either form; [`Form::Wire`] gives documents that can be decoded again.
pub fn canonical_in(
    world: World<'_>,
    options: Options,
    form: Form,
    request: &[u8],
    facts: Option<&[u8]>,
) -> Result<Canonical, Fail> {
    let (mut scratch, mut local) = (Scratch::default(), Local::default());
    let options = Options { extent: Extent::Everything, ..options };
    let decoded = decode(world, options, request, facts, &mut scratch, &mut local)?;
    let schema = world.image.schema();
    let memory = Memory { program: &world.image.heap, store: world.store.heap(), local: &local.heap };
    let writer = Writer { schema, memory, presented: &local.presented, form };
    let action = &schema.actions[decoded.action as usize];
    let context = |counts: &dyn Fn(&Field) -> bool| context(writer, action, &scratch.context, counts);
    let facts = context(&|field| field.kernel);
    let request = envelope(writer, &decoded, &local, action, context(&|field| !field.kernel));
    let binding = envelope(writer, &decoded, &local, action, context(&|field| !field.kernel && !field.advisory));
    Ok(Canonical { request, facts, binding })
}

/// The digest that an approval of a request is bound to, without the kernel's facts: they are no part of it.
pub fn binding(world: World<'_>, options: Options, request: &[u8]) -> Result<Digest, Fail> {
    let (mut scratch, mut local) = (Scratch::default(), Local::default());
    let options = Options { extent: Extent::Everything, ..options };
    let decoded = decode_asked(world, options, request, &mut scratch, &mut local)?;
    let schema = world.image.schema();
    let memory = Memory { program: &world.image.heap, store: world.store.heap(), local: &local.heap };
    let writer = Writer { schema, memory, presented: &local.presented, form: Form::Digest };
    let action = &schema.actions[decoded.action as usize];
    let context = context(writer, action, &scratch.context, &|field| !field.kernel && !field.advisory);
    Ok(Digest::of(envelope(writer, &decoded, &local, action, context).as_bytes()))
}

fn context(writer: Writer<'_>, action: &Action, values: &[Value], counts: &dyn Fn(&Field) -> bool) -> String {
    let values: Vec<Value> = (action.context.iter().zip(values))
        .map(|(field, &value)| if counts(field) { value } else { Value::Absent })
        .collect();
    object(writer.members(&action.context, &values))
}

fn envelope(writer: Writer<'_>, decoded: &Decoded, local: &Local, action: &Action, context: String) -> String {
    let mut name = String::new();
    push_string(&mut name, &action.name);
    object(vec![
        ("action".to_owned(), object(vec![("name".to_owned(), name)])),
        ("context".to_owned(), context),
        ("resource".to_owned(), object(party(writer, local, decoded.resource))),
        ("subject".to_owned(), object(party(writer, local, decoded.subject))),
    ])
}

/// An entity with the attributes that the request gave: all of a presented type, single ones of a registered one.
fn party(writer: Writer<'_>, local: &Local, entity: EntityRef) -> Vec<(String, String)> {
    let mut members = writer.entity(entity);
    let Some(row) = entity.row.stored_at() else { return members };
    let fields = &writer.schema.entity_types[usize::from(entity.ty)].attributes;
    let mut values = vec![Value::Absent; fields.len()];
    for given in local.overrides.iter().filter(|given| given.row == row) {
        values[given.attribute as usize] = given.value;
    }
    if values.iter().any(|value| !matches!(value, Value::Absent)) {
        members.push(("properties".to_owned(), object(writer.members(fields, &values))));
    }
    members
}

fn object(members: Vec<(String, String)>) -> String {
    let mut out = String::new();
    push_object(&mut out, members);
    out
}
