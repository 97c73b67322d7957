//! The digests of what a decision was made from: request, facts, binding; that of the registry is
//! [`Store::digest`](crate::vm::store::Store::digest).
//!
//! They are of typed values in canonical JSON (see [`canonical`](crate::vm::canonical)), not of bytes: two documents that
//! mean the same have one digest. A decision computes none of them; whoever logs it has everything in the request decoded
//! from the start ([`Machine::recorded`](crate::vm::machine::Machine::recorded)), whoever reads one of a decision that was
//! made has the request decoded once more.

use crate::base::hash::Digest;
use crate::bytecode::schema::{Field, Schema};
use crate::vm::asked::{Asked, Members, Part, Party};
use crate::vm::canonical::{Form, Writer};
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

/// The digests of what was decoded, everything of it.
pub(super) fn digests(world: World<'_>, decoded: &Decoded, scratch: &Scratch, local: &Local) -> Digests {
    let asked = asked(world, decoded, scratch, local, Form::Digest);
    let request = Digest::of(asked.request().as_bytes());
    let is_advised = asked.context.iter().any(|(field, _)| field.advisory);
    let binding = if is_advised { Digest::of(bound(&asked).as_bytes()) } else { request };
    Digests { request, facts: Digest::of(asked.facts.text().as_bytes()), binding }
}

/// What was decoded, everything of it, as texts.
pub(super) fn asked<'s>(
    world: World<'s>,
    decoded: &Decoded,
    scratch: &Scratch,
    local: &Local,
    form: Form,
) -> Asked<'s> {
    let schema = world.image.schema();
    let memory = Memory { program: &world.image.heap, store: world.store.heap(), local: &local.heap };
    let writer = Writer { schema, memory, presented: &local.presented, form };
    let action = &schema.actions[decoded.action as usize];
    let context = |counts: &dyn Fn(&Field) -> bool| {
        let of = |(field, &value): (&Field, &Value)| if counts(field) { value } else { Value::Absent };
        let values: Vec<Value> = action.context.iter().zip(&scratch.context).map(of).collect();
        Members::write(writer, &action.context, &values)
    };
    Asked {
        action,
        subject: party(writer, schema, local, decoded.subject),
        resource: party(writer, schema, local, decoded.resource),
        context: context(&|field| !field.kernel),
        facts: context(&|field| field.kernel),
    }
}

/// An entity with the attributes that the request gave: all of a presented type, single ones of a registered one.
fn party<'s>(writer: Writer<'_>, schema: &'s Schema, local: &Local, entity: EntityRef) -> Party<'s> {
    let ty = &schema.entity_types[usize::from(entity.ty)];
    let properties = match entity.row.stored_at() {
        None => {
            let presented = writer.presented(entity);
            presented.map(|(_, values)| Members::write(writer, &ty.attributes, values))
        }
        Some(row) => {
            let given = local.overrides.iter().filter(|given| given.row == row);
            let mut values = Vec::new();
            for given in given {
                values.resize(ty.attributes.len(), Value::Absent);
                values[given.attribute as usize] = given.value;
            }
            let is_any = values.iter().any(|value| !matches!(value, Value::Absent));
            is_any.then(|| Members::write(writer, &ty.attributes, &values))
        }
    };
    Party { ty: &ty.name, id: writer.memory.text(entity.id).to_owned(), properties }
}
