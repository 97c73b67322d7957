//! Entities as requests and documents write them: references, and those that come with their attributes.

use crate::base::limits::STRING_DEFAULT_BYTES_MAX;
use crate::bytecode::schema::TypeId;
use crate::data::similar::best_match;
use crate::vm::decode::names::Names;
use crate::vm::decode::value::{Decoder, Sink, Want, check_length, duplicate_key, internal, missing, shape_name};
use crate::vm::input::{Fail, InputErrorKind, fail};
use crate::vm::json::{KnownKey, Shape, Text};
use crate::vm::value::{EntityRef, Value};

/// The parts of an entity as documents write it, any of them perhaps missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts<'d> {
    /// Where the entity stands.
    pub offset: usize,
    /// The name of its type, and where that stands.
    pub ty: Option<(Text<'d>, usize)>,
    /// Its id, and where that stands.
    pub id: Option<(Text<'d>, usize)>,
    /// Where its attributes stand.
    pub properties: Option<usize>,
    /// Where its parents stand.
    pub parents: Option<usize>,
}

/// The members of an entity, as keys.
const PARTS: [&str; 4] = ["\"type\":", "\"id\":", "\"properties\":", "\"in\":"];
/// Which of them is expected first in a canonical document, and which behind each: registered entities have no properties
/// in requests, and few others have.
const PARTS_SORTED: (usize, [usize; 4]) = (1, [usize::MAX, 0, 0, 2]);

/// What else an object for an entity may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Nothing.
    Refused,
    /// Parents.
    Parents,
    /// Anything, which is handed back by name.
    Ignored,
}

impl<'d, S: Sink> Decoder<'d, '_, S> {
    /// A reference to an entity of one of these types, which all are registered.
    pub fn reference(&mut self, types: &[u32]) -> Result<EntityRef, Fail> {
        let shape = self.reader.peek()?;
        let offset = self.reader.offset();
        if let (Shape::String, &[only]) = (shape, types) {
            let id = self.reader.string()?;
            return self.registered_entity(only, id, &Parts { offset, id: Some((id, offset)), ..Parts::default() });
        }
        self.expect_object(shape)?;
        let parts = self.parts(Extra::Refused, &mut Vec::new())?;
        let (ty, id) = self.identity(&parts)?;
        if !types.contains(&ty) {
            return Err(self.not_allowed(&parts, types));
        }
        match parts.properties {
            None => self.registered_entity(ty, id, &parts),
            Some(at) => Err(attributes_of_registry(at)),
        }
    }

    /// A reference to an entity, as a value.
    pub(super) fn entity(&mut self, types: &[u32], ty: TypeId, shape: Shape, want: Want) -> Result<Value, Fail> {
        let offset = self.reader.offset();
        if let (Shape::String, &[only]) = (shape, types)
            && !self.schema.entity_types[only as usize].presented
        {
            let id = self.reader.string()?;
            let parts = Parts { offset, id: Some((id, offset)), ..Parts::default() };
            return self.known_entity(only, id, &parts, want).map(Value::Entity);
        }
        self.expect(shape, Shape::Object, ty)?;
        let parts = self.parts(Extra::Refused, &mut Vec::new())?;
        let (ty, id) = self.identity(&parts)?;
        if !types.contains(&ty) && !types.is_empty() {
            return Err(self.not_allowed(&parts, types));
        }
        self.known_entity(ty, id, &parts, want).map(Value::Entity)
    }

    /// That an entity of this type may not stand here.
    #[cold]
    pub fn not_allowed(&self, parts: &Parts<'_>, types: &[u32]) -> Fail {
        let mut message = "an entity of this type may not stand here".to_owned();
        let names: Vec<&str> = types.iter().take(5).map(|&ty| &*self.schema.entity_types[ty as usize].name).collect();
        if !names.is_empty() {
            message.push_str(&format!("; it may be of {}", names.join(", ")));
        }
        fail(InputErrorKind::EntityTypeNotAllowed, parts.ty.map_or(parts.offset, |(_, at)| at), None, message)
    }

    /// Reads an object `{"type", "id", "properties"}` without looking into its properties.
    pub fn parts(&mut self, extra: Extra, ignored: &mut Vec<String>) -> Result<Parts<'d>, Fail> {
        self.reader.peek()?;
        let mut parts = Parts { offset: self.reader.offset(), ..Parts::default() };
        let keys = if extra == Extra::Parents { &PARTS[..] } else { &PARTS[..3] };
        let is_sorted = self.buffers.is_sorted;
        let mut probable = if is_sorted { PARTS_SORTED.0 } else { 0 };
        let mut is_first = true;
        loop {
            let (place, start) = match self.reader.key_of(is_first, probable, keys)? {
                KnownKey::End => return Ok(parts),
                KnownKey::At { place, start } => (place, start),
                KnownKey::Unknown(name) => {
                    self.reader.peek()?;
                    self.other_member(name, extra, ignored)?;
                    (is_first, probable) = (false, keys.len());
                    continue;
                }
            };
            is_first = false;
            probable = match PARTS_SORTED.1.get(place) {
                Some(&next) if is_sorted => next,
                _ => place + 1,
            };
            let shape = self.reader.peek()?;
            let at = self.reader.offset();
            let twice = match place {
                0 => parts.ty.replace((self.expect_text(shape)?, at)).is_some(),
                1 => parts.id.replace((self.expect_text(shape)?, at)).is_some(),
                2 => {
                    self.expect_object(shape)?;
                    self.reader.pass()?;
                    parts.properties.replace(at).is_some()
                }
                _ => {
                    self.reader.pass()?;
                    parts.parents.replace(at).is_some()
                }
            };
            if twice {
                return Err(duplicate_key(start));
            }
        }
    }

    /// A member that nothing defines.
    #[cold]
    pub fn other_member(&mut self, name: Text<'d>, extra: Extra, ignored: &mut Vec<String>) -> Result<(), Fail> {
        if extra != Extra::Ignored {
            let names = Names::new(["type", "id", "properties", "name"].into_iter());
            return Err(self.unknown_field(name, &names));
        }
        ignored.push(name.characters().take(64).collect());
        self.reader.skip(&mut self.buffers.keys)?;
        Ok(())
    }

    /// Takes a string.
    pub fn expect_text(&mut self, shape: Shape) -> Result<Text<'d>, Fail> {
        if shape != Shape::String {
            return Err(self.wrong_shape("a string", shape));
        }
        let offset = self.reader.offset();
        let text = self.reader.string()?;
        check_length(text, STRING_DEFAULT_BYTES_MAX, offset)?;
        Ok(text)
    }

    /// Makes sure that an object stands next.
    pub fn expect_object(&self, shape: Shape) -> Result<(), Fail> {
        if shape == Shape::Object { Ok(()) } else { Err(self.wrong_shape("an object", shape)) }
    }

    #[cold]
    fn wrong_shape(&self, wanted: &str, found: Shape) -> Fail {
        let message = format!("{wanted} should stand here, not {}", shape_name(found));
        fail(InputErrorKind::WrongType, self.reader.offset(), None, message)
    }

    /// The type and id of an entity.
    pub fn identity(&self, parts: &Parts<'d>) -> Result<(u32, Text<'d>), Fail> {
        let Some((name, at)) = parts.ty else { return Err(missing(parts.offset, "type")) };
        let Some((id, _)) = parts.id else { return Err(missing(parts.offset, "id")) };
        match self.plan.entity_type(name) {
            Some(ty) => Ok((ty, id)),
            None => Err(self.unknown_type(name, at)),
        }
    }

    #[cold]
    fn unknown_type(&self, name: Text<'_>, offset: usize) -> Fail {
        let name: String = name.characters().take(64).collect();
        let help = best_match(&name, self.schema.entity_types.iter().map(|entity| &*entity.name));
        let help = help.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
        let message = format!("there is no entity type `{}`{help}", name.escape_debug());
        fail(InputErrorKind::UnknownEntityType, offset, None, message)
    }

    /// The entity of a type and id: a registered one, or one that comes with its attributes.
    fn known_entity(&mut self, ty: u32, id: Text<'d>, parts: &Parts<'d>, want: Want) -> Result<EntityRef, Fail> {
        let declared = self.schema.entity_types[ty as usize].presented;
        self.trace_entity(ty, parts, declared);
        if declared || self.sink.presents(ty) && parts.properties.is_some() {
            return self.presented_entity(ty, id, parts, want);
        }
        if let Some(at) = parts.properties {
            return Err(attributes_of_registry(at));
        }
        self.registered_entity(ty, id, parts)
    }

    /// A registered entity.
    pub fn registered_entity(&mut self, ty: u32, id: Text<'d>, parts: &Parts<'d>) -> Result<EntityRef, Fail> {
        let offset = parts.id.map_or(parts.offset, |(_, at)| at);
        self.sink.registered(ty, id).map_err(|message| fail(InputErrorKind::UnknownEntity, offset, None, message))
    }

    /// An entity that comes with its attributes.
    pub fn presented_entity(
        &mut self,
        ty: u32,
        id: Text<'d>,
        parts: &Parts<'d>,
        want: Want,
    ) -> Result<EntityRef, Fail> {
        let plan = self.plan;
        let Some(fields) = plan.attributes.get(ty as usize) else { return Err(internal(parts.offset)) };
        let mark = self.reserve(fields.list.len());
        let wanted = |decoder: &Self, at: usize| {
            Ok(if want == Want::Built && decoder.sink.reads(ty, at) { Want::Built } else { Want::Checked })
        };
        match parts.properties {
            Some(at) => {
                let end = self.reader.offset();
                self.reader.seek(at);
                self.object(fields, mark, wanted)?;
                self.reader.seek(end);
            }
            None => self.complete(fields, mark, parts.offset, |_| true).map_err(without_properties)?,
        }
        let attributes = self.buffers.work.get(mark..).unwrap_or_default();
        let entity = self.sink.present(ty, id, Some(attributes));
        self.buffers.work.truncate(mark);
        Ok(entity)
    }

    /// Notes whether an entity is written as a log writes it: whether it has properties there is known.
    pub fn trace_entity(&mut self, ty: u32, parts: &Parts<'d>, has_properties: bool) {
        if !self.buffers.trace.is_on {
            return;
        }
        let name = self.schema.entity_types.get(ty as usize).map(|ty| &*ty.name);
        let is_even = match (parts.id, parts.properties, parts.ty) {
            (Some((_, id)), properties, Some((text, ty))) => {
                let between = properties.map_or(!has_properties, |at| has_properties && id < at && at < ty);
                id < ty && between && text.plain() == name
            }
            _ => false,
        };
        self.buffers.trace.is_odd |= !is_even;
    }
}

#[cold]
fn attributes_of_registry(offset: usize) -> Fail {
    let message = "the attributes of this entity come from the registry".to_owned();
    fail(InputErrorKind::RegistryAttribute, offset, None, message)
}

/// Where there are no properties at all, an attribute is missing in properties that might be.
#[cold]
fn without_properties(mut error: Fail) -> Fail {
    error.message = format!("the attribute `{}` is missing", error.path);
    error.path = "properties".to_owned();
    error
}
