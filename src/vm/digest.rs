//! The digests of what a decision was made from: request, facts, binding; that of the registry is
//! [`Store::digest`](crate::vm::store::Store::digest).
//!
//! They are of typed values in canonical JSON (see [`canonical`](crate::vm::canonical)), not of bytes: two documents that
//! mean the same have one digest. A decision computes none of them; whoever logs it has everything in the request decoded
//! from the start ([`Machine::recorded`](crate::vm::machine::Machine::recorded)), whoever reads one of a decision that was
//! made has the request decoded once more.

use std::ops::Range;

use crate::base::hash::Digest;
use crate::vm::asked::{Asked, Members, Part, Party};
use crate::vm::canonical::{Form, Writer, push_string};
use crate::vm::decode::{Decoded, Extent, Options, Scratch, World, decode, decode_asked};
use crate::vm::entities::Entities as _;
use crate::vm::image::Image;
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
    let asked = asked(world, &decoded, &scratch, &local, form);
    let (request, binding) = (asked.request(), bound(&asked));
    Ok(Canonical { request, facts: asked.facts.text().to_owned(), binding })
}

/// The digest that an approval of a request is bound to, without the kernel's facts: they are no part of it.
pub fn binding(world: World<'_>, options: Options, request: &[u8]) -> Result<Digest, Fail> {
    let (mut scratch, mut local) = (Scratch::default(), Local::default());
    let options = Options { extent: Extent::Everything, ..options };
    let decoded = decode_asked(world, options, request, &mut scratch, &mut local)?;
    Ok(Digest::of(bound(&asked(world, &decoded, &scratch, &local, Form::Digest)).as_bytes()))
}

/// What an approval covers of what was asked.
fn bound(asked: &Asked<'_>) -> String {
    asked.request_without(|part, field| part == Part::Context && field.advisory)
}

/// The digests of what was decoded, everything of it. `text` is room for the texts that they are of.
pub(super) fn digests(
    world: World<'_>,
    decoded: &Decoded,
    scratch: &Scratch,
    local: &Local,
    text: &mut String,
) -> Digests {
    let image = world.image;
    let writer = writer(world, local, Form::Digest);
    let object = image.context(decoded.action);
    let values = &scratch.context;
    let name = image.schema().actions.get(decoded.action as usize).map_or("", |action| &action.name);
    text.clear();
    text.push_str("{\"action\":{\"name\":");
    push_string(text, name);
    text.push_str("},\"context\":");
    let context = text.len();
    writer.push_object(text, object, values, |field| !field.kernel);
    let parties = text.len();
    for (part, entity) in [(Part::Resource, decoded.resource), (Part::Subject, decoded.subject)] {
        text.push_str(",\"");
        text.push_str(part.name());
        text.push_str("\":");
        push_party(text, writer, local, entity);
    }
    text.push('}');
    let end = text.len();
    let part = |text: &str, of: Range<usize>| Digest::of(text.get(of).unwrap_or_default().as_bytes());
    let request = part(text, 0..end);
    let is_advised =
        object.fields.iter().zip(values).any(|(field, value)| field.advisory && !matches!(value, Value::Absent));
    let binding = if is_advised {
        writer.push_object(text, object, values, |field| !field.kernel && !field.advisory);
        let parts = [0..context, end..text.len(), parties..end];
        Digest::of_parts(&parts.map(|part| text.get(part).unwrap_or_default().as_bytes()))
    } else {
        request
    };
    let facts = text.len();
    writer.push_object(text, object, values, |field| field.kernel);
    Digests { request, facts: part(text, facts..text.len()), binding }
}

fn writer<'a>(world: World<'a>, local: &'a Local, form: Form) -> Writer<'a> {
    let memory = Memory { program: &world.image.heap, store: world.store.heap(), local: &local.heap };
    Writer { image: world.image, memory, presented: &local.presented, form }
}

/// What was decoded, everything of it, as texts.
pub(super) fn asked<'s>(
    world: World<'s>,
    decoded: &Decoded,
    scratch: &Scratch,
    local: &Local,
    form: Form,
) -> Asked<'s> {
    let writer = Writer { image: world.image, ..writer(world, local, form) };
    let object = world.image.context(decoded.action);
    let mut subject = party(world.image, writer, local, decoded.subject);
    let row = decoded.subject.row;
    if form == Form::Wire && row.stored_at().is_some() && row == decoded.resource.row {
        // Of one entity a request may give attributes in one place.
        subject.properties = None;
    }
    Asked {
        action: &world.image.schema().actions[decoded.action as usize],
        subject,
        resource: party(world.image, writer, local, decoded.resource),
        context: Members::write(writer, object, &scratch.context, |field| !field.kernel),
        facts: Members::write(writer, object, &scratch.context, |field| field.kernel),
    }
}

/// The attributes that the request gave of an entity: all of a presented type, single ones of a registered one.
fn given<T>(writer: Writer<'_>, local: &Local, entity: EntityRef, write: impl FnOnce(&[Value]) -> T) -> Option<T> {
    let Some(row) = entity.row.stored_at() else {
        return writer.presented(entity).map(|(_, values)| write(values));
    };
    let count = writer.image.attributes(entity.ty.into()).fields.len();
    let mut values = Vec::new();
    for given in local.overrides.iter().filter(|given| given.row == row) {
        values.resize(count, Value::Absent);
        values[given.attribute as usize] = given.value;
    }
    values.iter().any(|value| !matches!(value, Value::Absent)).then(|| write(&values))
}

fn party<'s>(image: &'s Image, writer: Writer<'_>, local: &Local, entity: EntityRef) -> Party<'s> {
    let object = image.attributes(entity.ty.into());
    let properties = given(writer, local, entity, |values| Members::write(writer, object, values, |_| true));
    let ty = &image.schema().entity_types[usize::from(entity.ty)].name;
    Party { ty, id: writer.memory.text(entity.id).to_owned(), properties }
}

/// The same as a text.
fn push_party(out: &mut String, writer: Writer<'_>, local: &Local, entity: EntityRef) {
    out.push_str("{\"id\":");
    push_string(out, writer.memory.text(entity.id));
    let before = out.len();
    out.push_str(",\"properties\":");
    let object = writer.image.attributes(entity.ty.into());
    let is_given = given(writer, local, entity, |values| writer.push_object(out, object, values, |_| true));
    if is_given.is_none() {
        out.truncate(before);
    }
    out.push_str(",\"type\":");
    push_string(out, writer.type_name(entity));
    out.push('}');
}
