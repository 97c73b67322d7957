//! Decodes a request, and the kernel's facts, straight into values.
//!
//! The schema says what may stand where; the entry of the action says what its rules read. What they don't read is
//! checked all the same and then forgotten. Members may come in any order. Nothing is allocated once the buffers have
//! grown, except to say what is wrong.
//!
//! It never runs a rule, never reads a clock, and never lets a request speak for the kernel or for the registry.

pub mod entity;
pub mod names;
pub mod trace;
pub mod value;

use crate::base::limits::{REQUEST_BYTES_MAX, STRING_DEFAULT_BYTES_MAX};
use crate::bytecode::program::Input;
use crate::data::similar::best_match;
use crate::vm::canonical::push_string;
use crate::vm::decode::entity::{Extra, Parts};
use crate::vm::decode::names::{Fields, Plan};
use crate::vm::decode::trace::Trace;
use crate::vm::decode::value::{Buffers, Decoder, Sink, Want, duplicate_key, internal, missing};
use crate::vm::entities::Entities as _;
use crate::vm::image::Image;
use crate::vm::input::{Document, Fail, InputErrorKind, fail, locate, too_large};
use crate::vm::json::{KnownKey, Reader, Text};
use crate::vm::memory::{Heap, Local, Memory, Override, Presented};
use crate::vm::store::Store;
use crate::vm::strings::hash;
use crate::vm::value::{EntityRef, Region, Row, StrRef, Value};

/// What becomes of members of a request, its subject, action or resource that nothing defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownMembers {
    /// They are input errors.
    Refused,
    /// They are ignored and named in [`Scratch::ignored`], as AuthZEN demands of a service.
    Ignored,
}

/// Where the attributes of registered types come from when no entities are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unregistered {
    /// From nowhere: an input error.
    Refused,
    /// From the request, as if the types were presented. The result says so.
    AssumePresented,
}

/// How much is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What rules read.
    Read,
    /// Everything, for digests.
    Everything,
    /// What rules read; and it is noted whether the documents are written as a log writes them, so that their digests can
    /// be had from their bytes.
    Traced,
}

/// How a request is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Members that nothing defines.
    pub unknown_members: UnknownMembers,
    /// Registered types without a registry.
    pub unregistered: Unregistered,
    /// How much is built.
    pub extent: Extent,
}

impl Options {
    /// As a kernel decides: strictly, and only what is read.
    pub const STRICT: Options =
        Options { unknown_members: UnknownMembers::Refused, unregistered: Unregistered::Refused, extent: Extent::Read };
}

/// What requests are decoded against.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The program.
    pub image: &'a Image,
    /// The plan for its schema.
    pub plan: &'a Plan,
    /// The entities.
    pub store: &'a Store,
}

/// Buffers and results of decoding, used again and again.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// The inputs of the entry, in its order.
    pub inputs: Vec<Value>,
    /// All fields of the context, in order; those that nothing reads are absent, unless everything was asked for.
    pub context: Vec<Value>,
    /// Members that were ignored.
    pub ignored: Vec<String>,
    buffers: Buffers,
}

impl Scratch {
    /// What was noted of the documents that were decoded last, if they were traced.
    pub(super) fn trace(&mut self) -> &mut Trace {
        &mut self.buffers.trace
    }
}

/// What a request is about. Its values lie in [`Scratch`] and [`Local`].
#[derive(Clone, Copy, Debug)]
pub struct Decoded {
    /// The action, and entry.
    pub action: u32,
    /// The subject.
    pub subject: EntityRef,
    /// The resource.
    pub resource: EntityRef,
    /// Whether attributes of a registered type came from the request for want of a registry.
    pub assumed_presented: bool,
}

/// Decodes a request and the kernel's facts (a JSON object of kernel fields, where there are any). Both have to be right.
pub fn decode(
    world: World<'_>,
    options: Options,
    request: &[u8],
    facts: Option<&[u8]>,
    scratch: &mut Scratch,
    local: &mut Local,
) -> Result<Decoded, Fail> {
    clear(scratch, local);
    scratch.buffers.trace.begin(options.extent == Extent::Traced);
    let (mut decoded, mark) = decode_request(world, options, request, scratch, local)
        .map_err(|error| locate(error, Document::Request, request))?;
    scratch.buffers.trace.begin_facts();
    decoded.assumed_presented |= decode_facts(world, options, facts, decoded.action, mark, scratch, local)
        .map_err(|error| locate(error, Document::Facts, facts.unwrap_or_default()))?;
    scratch.context.extend_from_slice(scratch.buffers.work.get(mark..).unwrap_or_default());
    if let Some(entry) = world.image.program.entries.get(decoded.action as usize) {
        scratch.inputs.extend(entry.inputs.iter().map(|input| match *input {
            Input::Subject => Value::Entity(decoded.subject),
            Input::Resource => Value::Entity(decoded.resource),
            Input::Context(at) => scratch.context.get(at as usize).copied().unwrap_or(Value::INTERNAL),
        }));
    }
    Ok(decoded)
}

/// Decodes a request without the kernel's facts: what the caller gave. Fields of the kernel are not to be read then, and
/// there are no inputs that a rule could run with.
pub fn decode_asked(
    world: World<'_>,
    options: Options,
    request: &[u8],
    scratch: &mut Scratch,
    local: &mut Local,
) -> Result<Decoded, Fail> {
    clear(scratch, local);
    let (decoded, mark) = decode_request(world, options, request, scratch, local)
        .map_err(|error| locate(error, Document::Request, request))?;
    scratch.context.extend_from_slice(scratch.buffers.work.get(mark..).unwrap_or_default());
    Ok(decoded)
}

/// What is written before the attributes of a record, to read them as an entity's.
const BEFORE: &str = "{\"properties\":";

/// Decodes a governed record that is stored: all of its attributes, as an entity that came with them.
pub(super) fn decode_record(
    world: World<'_>,
    ty: u32,
    id: &str,
    properties: &[u8],
    scratch: &mut Scratch,
    local: &mut Local,
) -> Result<EntityRef, Fail> {
    clear(scratch, local);
    if id.len() > STRING_DEFAULT_BYTES_MAX as usize || properties.len() > REQUEST_BYTES_MAX {
        return Err(too_large());
    }
    let bytes = properties;
    let text = Reader::new(bytes).map_err(|error| locate(error.into(), Document::Request, bytes))?.text();
    // Whatever stands in the text adds no member to it: all that an entity may have are there, and none may stand twice.
    let mut document = BEFORE.to_owned();
    document.push_str(text);
    document.push_str(",\"id\":");
    push_string(&mut document, id);
    document.push_str(",\"type\":\"\"}");
    let mut decode = || {
        let options = Options { extent: Extent::Everything, ..Options::STRICT };
        let sink = RequestSink { world, local, entry: u32::MAX, options, assumed: false };
        let reader = Reader::new(document.as_bytes())?;
        let buffers = &mut scratch.buffers;
        let mut decoder = Decoder { reader, schema: world.image.schema(), plan: world.plan, sink, buffers };
        let shape = decoder.reader.peek()?;
        decoder.expect_object(shape)?;
        let parts = decoder.parts(Extra::Refused, &mut Vec::new())?;
        decoder.reader.finish()?;
        let Some((id, _)) = parts.id else { return Err(internal(0)) };
        decoder.presented_entity(ty, id, &parts, Want::Built)
    };
    decode().map_err(|error| {
        let mut error = locate(error, Document::Request, document.as_bytes());
        error.offset = error.offset.saturating_sub(BEFORE.len());
        error
    })
}

fn clear(scratch: &mut Scratch, local: &mut Local) {
    local.clear();
    scratch.inputs.clear();
    scratch.context.clear();
    scratch.ignored.clear();
    scratch.buffers.work.clear();
    scratch.buffers.keys.clear();
    scratch.buffers.is_sorted = false;
    scratch.buffers.trace.begin(false);
}

/// The members of a request, as far as they are known before the action is.
#[derive(Default)]
struct Members<'d> {
    subject: Option<Parts<'d>>,
    resource: Option<Parts<'d>>,
    action: Option<ActionParts<'d>>,
    context: Option<usize>,
    /// The action, and where its context has been put, if that has been decoded.
    begun: Option<(u32, usize)>,
}

#[derive(Clone, Copy)]
struct ActionParts<'d> {
    offset: usize,
    name: Option<(Text<'d>, usize)>,
    properties: Option<usize>,
}

fn decode_request(
    world: World<'_>,
    options: Options,
    request: &[u8],
    scratch: &mut Scratch,
    local: &mut Local,
) -> Result<(Decoded, usize), Fail> {
    if request.len() > REQUEST_BYTES_MAX {
        return Err(too_large());
    }
    let sink = RequestSink { world, local, entry: u32::MAX, options, assumed: false };
    let Scratch { buffers, ignored, .. } = scratch;
    let reader = Reader::new(request)?;
    let mut decoder = Decoder { reader, schema: world.image.schema(), plan: world.plan, sink, buffers };
    let extra = match options.unknown_members {
        UnknownMembers::Refused => Extra::Refused,
        UnknownMembers::Ignored => Extra::Ignored,
    };
    let members = members(&mut decoder, extra, ignored)?;
    decoder.reader.finish()?;
    let Some(named) = members.action else { return Err(missing(0, "action")) };
    let Some(subject) = members.subject else { return Err(missing(0, "subject")) };
    let Some(resource) = members.resource else { return Err(missing(0, "resource")) };
    let (action, mark) = match members.begun {
        Some(begun) => begun,
        None => begin(&mut decoder, &named)?,
    };
    let types = &world.image.schema().actions[action as usize];
    let (subject_parts, resource_parts) = (subject, resource);
    let subject = party(&mut decoder, &subject_parts, &types.subject)?;
    let resource = party(&mut decoder, &resource_parts, &types.resource)?;
    if let (Some(first), Some(second)) = (subject_parts.properties, resource_parts.properties)
        && subject.row.stored_at().is_some()
        && subject.row == resource.row
    {
        presented_twice(&mut decoder, first, second)?;
    }

    let Some(fields) = world.plan.contexts.get(action as usize) else { return Err(internal(0)) };
    if let (None, Some(at)) = (members.begun, members.context) {
        decoder.reader.seek(at);
        context(&mut decoder, fields, mark, None)?;
    }
    if let Some(at) = named.properties {
        decoder.reader.seek(at);
        context(&mut decoder, fields, mark, members.context)?;
    }
    let place = members.context.unwrap_or(0);
    decoder
        .complete(fields, mark, place, |at| !fields.list.get(at).is_some_and(|field| field.kernel))
        .map_err(|error| in_context(error, members.context))?;
    let assumed_presented = decoder.sink.assumed;
    if decoder.buffers.trace.is_on {
        let is_one = subject.row.stored_at().is_some() && subject.row == resource.row;
        let is_odd = decoder.reader.is_odd()
            || !decoder.buffers.is_sorted
            || named.properties.is_some()
            || named.name.and_then(|(name, _)| name.plain()) != Some(&*types.name)
            || members.context.is_none_or(|at| members.begun.is_none() || resource_parts.offset < at)
            || subject_parts.offset < resource_parts.offset
            || is_one && (subject_parts.properties.is_some() || resource_parts.properties.is_some())
            || assumed_presented;
        decoder.buffers.trace.is_odd |= is_odd || !ignored.is_empty();
    }
    Ok((Decoded { action, subject, resource, assumed_presented }, mark))
}

/// Finds the action and makes room for its context.
fn begin(decoder: &mut Decoder<'_, '_, RequestSink<'_>>, named: &ActionParts<'_>) -> Result<(u32, usize), Fail> {
    let action = action(decoder.sink.world, named, &mut decoder.buffers.text)?;
    decoder.sink.entry = action;
    let count = decoder.plan.contexts.get(action as usize).map_or(0, |fields| fields.list.len());
    Ok((action, decoder.reserve(count)))
}

/// Where there is no context at all, a field is missing in a context that might be.
#[cold]
fn in_context(mut error: Fail, context: Option<usize>) -> Fail {
    if context.is_none() {
        error.message = format!("the context field `{}` is missing", error.path);
        error.path = "context".to_owned();
    }
    error
}

fn members<'d>(
    decoder: &mut Decoder<'d, '_, RequestSink<'_>>,
    extra: Extra,
    ignored: &mut Vec<String>,
) -> Result<Members<'d>, Fail> {
    let mut members = Members::default();
    let shape = decoder.reader.peek()?;
    decoder.expect_object(shape)?;
    decoder.buffers.is_sorted = false;
    let (mut is_first, mut probable) = (true, 0);
    loop {
        let (place, start) = match decoder.reader.key_of(is_first, probable, &MEMBERS)? {
            KnownKey::End => return Ok(members),
            KnownKey::At { place, start } => (place, start),
            KnownKey::Unknown(name) => {
                decoder.reader.peek()?;
                if extra != Extra::Ignored {
                    let names = ["subject", "action", "resource", "context"];
                    return Err(decoder.unknown_field(name, &names::Names::new(names.into_iter())));
                }
                ignored.push(name.characters().take(64).collect());
                decoder.reader.skip(&mut decoder.buffers.keys)?;
                (is_first, probable) = (false, MEMBERS.len());
                continue;
            }
        };
        // Only canonical documents are known to begin with the action.
        decoder.buffers.is_sorted |= is_first && place == 1;
        is_first = false;
        probable = match MEMBERS_SORTED.get(place) {
            Some(&next) if decoder.buffers.is_sorted => next,
            _ => place + 1,
        };
        let shape = decoder.reader.peek()?;
        let at = decoder.reader.offset();
        decoder.expect_object(shape)?;
        let twice = match place {
            0 => members.subject.replace(decoder.parts(extra, ignored)?).is_some(),
            1 => members.action.replace(action_parts(decoder, extra, ignored)?).is_some(),
            2 => members.resource.replace(decoder.parts(extra, ignored)?).is_some(),
            _ => {
                let twice = members.context.replace(at).is_some();
                match &members.action {
                    // The action is known already, as it mostly is: one reading will do.
                    Some(named) if !twice => {
                        let (action, mark) = begin(decoder, named)?;
                        members.begun = Some((action, mark));
                        let Some(fields) = decoder.plan.contexts.get(action as usize) else { return Err(internal(at)) };
                        context(decoder, fields, mark, None)?;
                    }
                    _ => decoder.reader.pass()?,
                }
                twice
            }
        };
        if twice {
            return Err(duplicate_key(start));
        }
    }
}

/// The members of a request, as keys.
const MEMBERS: [&str; 4] = ["\"subject\":", "\"action\":", "\"resource\":", "\"context\":"];
/// Which of them follows each in a canonical document.
const MEMBERS_SORTED: [usize; 4] = [usize::MAX, 3, 0, 2];

/// The members of an action, as keys.
const ACTION_MEMBERS: [&str; 2] = ["\"name\":", "\"properties\":"];

fn action_parts<'d>(
    decoder: &mut Decoder<'d, '_, RequestSink<'_>>,
    extra: Extra,
    ignored: &mut Vec<String>,
) -> Result<ActionParts<'d>, Fail> {
    let mut parts = ActionParts { offset: decoder.reader.offset(), name: None, properties: None };
    let (mut is_first, mut probable) = (true, 0);
    loop {
        let (place, start) = match decoder.reader.key_of(is_first, probable, &ACTION_MEMBERS)? {
            KnownKey::End => return Ok(parts),
            KnownKey::At { place, start } => (place, start),
            KnownKey::Unknown(name) => {
                decoder.reader.peek()?;
                decoder.other_member(name, extra, ignored)?;
                (is_first, probable) = (false, ACTION_MEMBERS.len());
                continue;
            }
        };
        (is_first, probable) = (false, place + 1);
        let shape = decoder.reader.peek()?;
        let at = decoder.reader.offset();
        let twice = if place == 0 {
            parts.name.replace((decoder.expect_text(shape)?, at)).is_some()
        } else {
            decoder.expect_object(shape)?;
            decoder.reader.pass()?;
            parts.properties.replace(at).is_some()
        };
        if twice {
            return Err(duplicate_key(start));
        }
    }
}

fn action(world: World<'_>, parts: &ActionParts<'_>, buffer: &mut String) -> Result<u32, Fail> {
    let Some((name, at)) = parts.name else { return Err(missing(parts.offset, "name")) };
    match world.image.action(name.read(buffer)) {
        Some(action) if (action as usize) < world.image.entries.len() => Ok(action),
        _ => Err(unknown_action(world, name, at)),
    }
}

#[cold]
fn unknown_action(world: World<'_>, name: Text<'_>, offset: usize) -> Fail {
    let name: String = name.characters().take(64).collect();
    let help = best_match(&name, world.image.schema().actions.iter().map(|action| &*action.name));
    let help = help.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
    let message = format!("there is no action `{}`{help}", name.escape_debug());
    fail(InputErrorKind::UnknownAction, offset, None, message)
}

/// The subject or the resource.
fn party<'d>(
    decoder: &mut Decoder<'d, '_, RequestSink<'_>>,
    parts: &Parts<'d>,
    types: &[u32],
) -> Result<EntityRef, Fail> {
    let (ty, id) = decoder.identity(parts)?;
    if !types.contains(&ty) {
        return Err(decoder.not_allowed(parts, types));
    }
    if decoder.sink.presents(ty) {
        decoder.trace_entity(ty, parts, true);
        return decoder.presented_entity(ty, id, parts, Want::Built);
    }
    let entity = decoder.registered_entity(ty, id, parts)?;
    decoder.trace_entity(ty, parts, parts.properties.is_some());
    if let (Some(at), Some(row)) = (parts.properties, entity.row.stored_at()) {
        overrides(decoder, ty, row, at)?;
    }
    Ok(entity)
}

/// Where one registered entity is both subject and resource, an attribute of it is given in one place. Else rules would
/// read one of two values, and who approves would be shown both.
#[cold]
fn presented_twice(decoder: &mut Decoder<'_, '_, RequestSink<'_>>, first: usize, second: usize) -> Result<(), Fail> {
    let end = decoder.reader.offset();
    decoder.reader.seek(second);
    let mut key = decoder.reader.first_key()?;
    while let Some(name) = key {
        let start = decoder.reader.key_start(name).saturating_sub(1);
        decoder.reader.pass()?;
        let next = decoder.reader.offset();
        if has_key(decoder, first, name)? {
            let message = "the subject and the resource are one entity, and both give this attribute".to_owned();
            return Err(fail(InputErrorKind::GivenTwice, start, None, message));
        }
        decoder.reader.seek(next);
        key = decoder.reader.next_key()?;
    }
    decoder.reader.seek(end);
    Ok(())
}

/// Whether the object at a place, which has been read before, has a key.
fn has_key(decoder: &mut Decoder<'_, '_, RequestSink<'_>>, object: usize, name: Text<'_>) -> Result<bool, Fail> {
    decoder.reader.seek(object);
    let mut key = decoder.reader.first_key()?;
    while let Some(other) = key {
        if other.characters().eq(name.characters()) {
            return Ok(true);
        }
        decoder.reader.pass()?;
        key = decoder.reader.next_key()?;
    }
    Ok(false)
}

/// Takes the attributes that the request may give of a registered entity.
fn overrides(decoder: &mut Decoder<'_, '_, RequestSink<'_>>, ty: u32, row: u32, properties: usize) -> Result<(), Fail> {
    let Some(fields) = decoder.plan.attributes.get(ty as usize) else { return Err(internal(properties)) };
    let mark = decoder.reserve(fields.list.len());
    let end = decoder.reader.offset();
    decoder.reader.seek(properties);
    decoder.fill(fields, mark, |decoder, at| {
        if !fields.list.get(at).is_some_and(|field| field.presented) {
            let message = "this attribute comes from the registry, a request may not give it".to_owned();
            return Err(fail(InputErrorKind::RegistryAttribute, 0, None, message));
        }
        Ok(if decoder.sink.reads(ty, at) { Want::Built } else { Want::Checked })
    })?;
    decoder.reader.seek(end);
    let mut given = false;
    for at in 0..fields.list.len() {
        let Some(&value) = decoder.buffers.work.get(mark + at) else { break };
        given |= !value.is_error();
        if !value.is_error() && !matches!(value, Value::Absent) {
            decoder.sink.local.overrides.push(Override { row, attribute: at as u32, value });
        }
    }
    // None are not written as none.
    decoder.buffers.trace.is_odd |= !given;
    decoder.buffers.work.truncate(mark);
    Ok(())
}

/// Decodes context fields, from the context or from the properties of the action; `other` is where the first of the two
/// stands, if this is the second.
fn context(
    decoder: &mut Decoder<'_, '_, RequestSink<'_>>,
    fields: &Fields,
    mark: usize,
    other: Option<usize>,
) -> Result<(), Fail> {
    let action = decoder.sink.entry as usize;
    let filled = decoder.fill_with(
        fields,
        mark,
        |decoder, at| {
            if fields.list.get(at).is_some_and(|field| field.kernel) {
                let message = "only the kernel says this, a request may not give it".to_owned();
                return Err(fail(InputErrorKind::KernelField, 0, None, message));
            }
            let entry = decoder.sink.world.image.entries.get(action);
            let read = entry.and_then(|entry| entry.context_read.get(at)).copied().unwrap_or(false);
            Ok(if read || decoder.sink.options.extent == Extent::Everything { Want::Built } else { Want::Checked })
        },
        |decoder, at, start| {
            if fields.list.get(at).is_some_and(|field| field.advisory) {
                decoder.buffers.trace.advisory(start, decoder.reader.offset());
            }
        },
    );
    filled.map_err(|error| match other {
        Some(first) if error.kind == InputErrorKind::DuplicateKey => given_twice(decoder, error, first),
        _ => error,
    })
}

/// A key that has a value already stands twice in this object, or in both of the two.
#[cold]
fn given_twice(decoder: &mut Decoder<'_, '_, RequestSink<'_>>, mut error: Fail, first: usize) -> Fail {
    decoder.reader.seek(error.offset);
    let Ok(name) = decoder.reader.string() else { return error };
    if has_key(decoder, first, name) == Ok(true) {
        error.kind = InputErrorKind::GivenTwice;
        error.message = "this field stands in the context and in the properties of the action".to_owned();
    }
    error
}

/// Decodes the kernel's fields to their places. Facts that only other actions declare are passed over: one document
/// serves all of them. Whether attributes of a registered type were assumed to be in them.
fn decode_facts(
    world: World<'_>,
    options: Options,
    facts: Option<&[u8]>,
    action: u32,
    mark: usize,
    scratch: &mut Scratch,
    local: &mut Local,
) -> Result<bool, Fail> {
    let Some(fields) = world.plan.contexts.get(action as usize) else { return Err(internal(0)) };
    let bytes = facts.unwrap_or(b"{}");
    if !fields.any_kernel && facts.is_none() {
        return Ok(false);
    }
    if bytes.len() > REQUEST_BYTES_MAX {
        return Err(too_large());
    }
    let sink = RequestSink { world, local, entry: action, options, assumed: false };
    let reader = Reader::new(bytes)?;
    let buffers = &mut scratch.buffers;
    let mut decoder = Decoder { reader, schema: world.image.schema(), plan: world.plan, sink, buffers };
    let shape = decoder.reader.peek()?;
    decoder.expect_object(shape)?;
    let key_mark = decoder.buffers.keys.mark();
    let mut probable = 0;
    let (mut step, is_sorted) = (0, decoder.buffers.is_sorted);
    let mut key = decoder.reader.first_key()?;
    while let Some(name) = key {
        let start = decoder.reader.key_start(name);
        decoder.buffers.keys.push(start, name);
        match fields.names.find(probable, name) {
            Some(at) => {
                decoder.buffers.trace.is_odd |= fields.step_of(at, is_sorted) < step;
                step = fields.step_of(at, is_sorted);
                fact(&mut decoder, fields, at, mark, start)?;
                probable = at + 1;
            }
            None if world.plan.is_kernel_field(name) => {
                decoder.buffers.trace.is_odd = true;
                decoder.reader.skip(&mut decoder.buffers.keys)?;
            }
            None => return Err(decoder.unknown_field(name, &fields.names)),
        }
        key = decoder.reader.next_key()?;
    }
    if let Some(start) = decoder.buffers.keys.close(key_mark, decoder.reader.text()) {
        return Err(duplicate_key(start.saturating_sub(1)));
    }
    decoder.reader.finish()?;
    decoder.buffers.trace.is_odd |= decoder.reader.is_odd();
    decoder.complete(fields, mark, 0, |_| true).map_err(|mut error| {
        error.message = "the kernel has to give this fact".to_owned();
        error
    })?;
    Ok(decoder.sink.assumed)
}

fn fact(
    decoder: &mut Decoder<'_, '_, RequestSink<'_>>,
    fields: &Fields,
    at: usize,
    mark: usize,
    start: usize,
) -> Result<(), Fail> {
    let Some(field) = fields.list.get(at) else { return Err(internal(start)) };
    if !field.kernel {
        let message = "only the caller says this, it is no fact of the kernel".to_owned();
        return Err(fail(InputErrorKind::CallerField, start.saturating_sub(1), None, message));
    }
    let entry = decoder.sink.world.image.entries.get(decoder.sink.entry as usize);
    let read = entry.and_then(|entry| entry.context_read.get(at)).copied().unwrap_or(false);
    let everything = decoder.sink.options.extent == Extent::Everything;
    decoder.value_to(field.ty, if read || everything { Want::Built } else { Want::Checked }, mark + at)
}

/// The heap of a decision, with all that requests may name.
struct RequestSink<'a> {
    world: World<'a>,
    local: &'a mut Local,
    entry: u32,
    options: Options,
    assumed: bool,
}

impl Sink for RequestSink<'_> {
    const REGION: Region = Region::Local;

    #[inline]
    fn heap(&mut self) -> &mut Heap {
        &mut self.local.heap
    }

    #[inline]
    fn memory(&self) -> Memory<'_> {
        Memory { program: &self.world.image.heap, store: self.world.store.heap(), local: &self.local.heap }
    }

    #[inline]
    fn known(&self, text: &str) -> Option<StrRef> {
        if text.len() > self.world.store.longest_string() {
            return None;
        }
        let hash = hash(text.as_bytes());
        let World { image, store, .. } = self.world;
        image.find_string_hashed(hash, text).or_else(|| store.find_string_hashed(hash, text))
    }

    #[inline]
    fn added(&mut self, at: u32) -> StrRef {
        StrRef::local(at)
    }

    fn presents(&self, ty: u32) -> bool {
        let declared = self.world.image.schema().entity_types[ty as usize].presented;
        declared || !self.world.store.is_loaded() && self.options.unregistered == Unregistered::AssumePresented
    }

    fn registered(&mut self, ty: u32, id: Text<'_>) -> Result<EntityRef, String> {
        let store = self.world.store;
        if !store.is_loaded() {
            if self.options.unregistered == Unregistered::Refused {
                return Err("no entities are loaded, so that no entity of a registered type is known".to_owned());
            }
            self.assumed = true;
            let id = self.string(id);
            let row = store.row(ty, id).map_or(Row::NONE, Row::stored);
            return Ok(EntityRef { ty: ty as u16, id, row });
        }
        let known = self.known_text(id);
        let row = known.and_then(|id| store.row(ty, id)).filter(|&row| store.is_registered(row));
        match (known, row) {
            (Some(id), Some(row)) => Ok(EntityRef { ty: ty as u16, id, row: Row::stored(row) }),
            _ => Err(unknown_entity(self.world.image, ty, id)),
        }
    }

    fn present(&mut self, ty: u32, id: Text<'_>, attributes: Option<&[Value]>) -> EntityRef {
        self.assumed |= !self.world.image.schema().entity_types[ty as usize].presented;
        let id = self.string(id);
        let entity = EntityRef { ty: ty as u16, id, row: Row::presented(self.local.presented.len() as u32) };
        let attributes = self.local.heap.add_values(Region::Local, attributes.unwrap_or_default());
        self.local.presented.push(Presented { entity, attributes });
        entity
    }

    fn reads(&self, ty: u32, attribute: usize) -> bool {
        if self.options.extent == Extent::Everything {
            return true;
        }
        let entry = self.world.image.entries.get(self.entry as usize);
        let attributes = entry.and_then(|entry| entry.attributes_read.get(ty as usize));
        attributes.and_then(|attributes| attributes.get(attribute)).copied().unwrap_or(false)
    }
}

#[cold]
fn unknown_entity(image: &Image, ty: u32, id: Text<'_>) -> String {
    let id: String = id.characters().take(64).collect();
    format!("the registry knows no {} \"{}\"", image.schema().entity_types[ty as usize].name, id.escape_debug())
}
