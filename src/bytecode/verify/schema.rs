//! Is the schema one that requests can be decoded by: numbers in range, names unique, nothing that contains itself.

use std::collections::HashSet;

use crate::base::limits;
use crate::bytecode::schema::{Enum, Field, Lifecycle, Schema, Type, TypeId};
use crate::bytecode::verify::Limits;
use crate::bytecode::verify::error::{Reason, VerifyError};

/// How much a value of a type may hold.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    /// Elements, fields and entries, those within them too.
    pub elements: u64,
    /// How deep they are nested.
    pub depth: u32,
}

/// The sizes of all records.
#[derive(Debug)]
pub(super) struct Sizes {
    pub records: Vec<Size>,
}

type Check<T = ()> = Result<T, VerifyError>;

/// What fields may be marked as, by where they stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Record,
    Registered,
    Presented,
    Context,
}

pub(super) fn check(schema: &Schema, limits: &Limits) -> Check<Sizes> {
    for length in [
        schema.types.len(),
        schema.enums.len(),
        schema.records.len(),
        schema.entity_types.len(),
        schema.actions.len(),
        schema.obligations.len(),
    ] {
        if length > limits.table_max as usize {
            return Err(VerifyError::program(Reason::TableTooLong));
        }
    }
    check_types(schema)?;
    for (at, of) in schema.enums.iter().enumerate() {
        check_enum(of).map_err(|reason| VerifyError::item(reason, "enum", at))?;
    }
    let mut names = HashSet::new();
    for (at, of) in schema.enums.iter().enumerate() {
        check_name(&mut names, &of.name).map_err(|reason| VerifyError::item(reason, "enum", at))?;
    }
    names.clear();
    for (at, record) in schema.records.iter().enumerate() {
        check_name(&mut names, &record.name)
            .and_then(|()| check_fields(schema, &record.fields, Of::Record))
            .map_err(|reason| VerifyError::item(reason, "record", at))?;
    }
    names.clear();
    for at in 0..schema.entity_types.len() {
        check_entity_type(schema, at, &mut names).map_err(|reason| VerifyError::item(reason, "entity", at))?;
    }
    names.clear();
    for (at, action) in schema.actions.iter().enumerate() {
        check_wire_names(&mut names, &action.name, &action.qualified)
            .and_then(|()| check_entities(schema, &action.subject))
            .and_then(|()| check_entities(schema, &action.resource))
            .and_then(|()| check_fields(schema, &action.context, Of::Context))
            .map_err(|reason| VerifyError::item(reason, "action", at))?;
    }
    names.clear();
    for (at, obligation) in schema.obligations.iter().enumerate() {
        let mut parameters = HashSet::new();
        check_name(&mut names, &obligation.name)
            .and_then(|()| {
                obligation.parameters.iter().try_for_each(|(name, ty)| {
                    check_name(&mut parameters, name)?;
                    in_range(ty.0, schema.types.len(), Reason::TypeRange)
                })
            })
            .map_err(|reason| VerifyError::item(reason, "obligation", at))?;
    }
    measure(schema)
}

fn in_range(number: u32, length: usize, reason: Reason) -> Result<(), Reason> {
    if (number as usize) < length { Ok(()) } else { Err(reason) }
}

/// Whether a list ascends, nothing in it twice.
pub(super) fn ascends<T: PartialOrd>(list: &[T]) -> bool {
    list.windows(2).all(|pair| pair[0] < pair[1])
}

fn check_types(schema: &Schema) -> Check {
    let mut seen = HashSet::with_capacity(schema.types.len());
    // How deep types are nested, records aside: whoever walks down a type takes no more steps than that.
    let mut depths: Vec<u32> = Vec::with_capacity(schema.types.len());
    for (at, ty) in schema.types.iter().enumerate() {
        let refuse = |reason| VerifyError::item(reason, "type", at);
        check_type(schema, at, ty).map_err(refuse)?;
        let depth = match ty {
            Type::Optional(inner) | Type::Set(inner, _) | Type::List(inner, _) | Type::Map(inner, _) => {
                depths.get(inner.0 as usize).map_or(0, |depth| depth + 1)
            }
            _ => 0,
        };
        // An optional may stand at every level.
        if depth > 2 * DEPTH_MAX {
            return Err(refuse(Reason::TypeDepth));
        }
        depths.push(depth);
        if !seen.insert(ty) {
            return Err(refuse(Reason::TypeTwice));
        }
    }
    Ok(())
}

fn check_type(schema: &Schema, at: usize, ty: &Type) -> Result<(), Reason> {
    let part = |id: TypeId| {
        in_range(id.0, schema.types.len(), Reason::TypeRange)?;
        in_range(id.0, at, Reason::TypeOrder)?;
        schema.types.get(id.0 as usize).ok_or(Reason::TypeRange)
    };
    let bound = |ok: bool| if ok { Ok(()) } else { Err(Reason::TypeBound) };
    match ty {
        Type::Bool
        | Type::Decimal
        | Type::Duration
        | Type::Timestamp
        | Type::Ip
        | Type::Net
        | Type::Url
        | Type::Path => Ok(()),
        Type::Int { low, high } => bound(low <= high),
        Type::String { bytes_max } => bound(*bytes_max <= limits::STRING_BYTES_MAX),
        Type::Enum(of) => in_range(*of, schema.enums.len(), Reason::EnumRange),
        Type::Record(of) => in_range(*of, schema.records.len(), Reason::RecordRange),
        Type::Entity(types) => check_entities(schema, types),
        Type::Set(inner, max) => {
            bound(*max <= limits::COLLECTION_MAX)?;
            match part(*inner)? {
                Type::Record(_) | Type::Set(..) | Type::List(..) | Type::Map(..) | Type::Optional(_) => {
                    Err(Reason::TypeNesting)
                }
                Type::Bool
                | Type::Int { .. }
                | Type::Decimal
                | Type::String { .. }
                | Type::Duration
                | Type::Timestamp
                | Type::Ip
                | Type::Net
                | Type::Url
                | Type::Path
                | Type::Enum(_)
                | Type::Entity(_) => Ok(()),
            }
        }
        Type::List(inner, max) | Type::Map(inner, max) => {
            part(*inner)?;
            bound(*max <= limits::COLLECTION_MAX)
        }
        Type::Optional(inner) => match part(*inner)? {
            Type::Optional(_) => Err(Reason::TypeNesting),
            _ => Ok(()),
        },
    }
}

fn check_entities(schema: &Schema, types: &[u32]) -> Result<(), Reason> {
    types.iter().try_for_each(|of| in_range(*of, schema.entity_types.len(), Reason::EntityRange))?;
    if ascends(types) { Ok(()) } else { Err(Reason::EntityOrder) }
}

fn name_fits(name: &str) -> bool {
    !name.is_empty() && name.len() <= limits::QUALIFIED_NAME_BYTES_MAX
}

fn check_name<'a>(names: &mut HashSet<&'a str>, name: &'a str) -> Result<(), Reason> {
    if !name_fits(name) {
        return Err(Reason::NameForm);
    }
    if names.insert(name) { Ok(()) } else { Err(Reason::NameTwice) }
}

/// A name on the wire and a qualified name stand for one thing, and may be the same.
fn check_wire_names<'a>(names: &mut HashSet<&'a str>, name: &'a str, qualified: &'a str) -> Result<(), Reason> {
    check_name(names, name)?;
    if name == qualified { Ok(()) } else { check_name(names, qualified) }
}

fn check_enum(of: &Enum) -> Result<(), Reason> {
    if of.variants.is_empty() || of.variants.len() > limits::ENUM_VARIANTS_MAX {
        return Err(Reason::EnumSize);
    }
    let mut names = HashSet::new();
    of.variants.iter().try_for_each(|variant| check_name(&mut names, variant))?;
    of.lifecycle.as_ref().map_or(Ok(()), |lifecycle| check_lifecycle(lifecycle, of.variants.len()))
}

fn check_lifecycle(lifecycle: &Lifecycle, states: usize) -> Result<(), Reason> {
    if lifecycle.steps.len() != states {
        return Err(Reason::LifecycleRange);
    }
    for list in [&lifecycle.initial, &lifecycle.finals].into_iter().chain(&lifecycle.steps) {
        list.iter().try_for_each(|of| in_range(*of, states, Reason::LifecycleRange))?;
        if !ascends(list) {
            return Err(Reason::LifecycleOrder);
        }
    }
    Ok(())
}

fn check_fields(schema: &Schema, fields: &[Field], of: Of) -> Result<(), Reason> {
    let mut names = HashSet::with_capacity(fields.len());
    for field in fields {
        check_name(&mut names, &field.name)?;
        in_range(field.ty.0, schema.types.len(), Reason::TypeRange)?;
        let context = field.kernel || field.advisory;
        if context && of != Of::Context
            || field.kernel && field.advisory
            || field.presented && of != Of::Registered
            || field.owner && !matches!(of, Of::Registered | Of::Presented)
            || field.owner && !names_entities(schema, field.ty)
        {
            return Err(Reason::FieldFlags);
        }
        if is_open(schema, field.ty) {
            return Err(Reason::TypeOpen);
        }
    }
    Ok(())
}

/// Whether the type is an entity, perhaps, or a collection of them. Parts come before wholes, so this ends.
fn names_entities(schema: &Schema, id: TypeId) -> bool {
    let mut id = id;
    loop {
        match schema.types.get(id.0 as usize) {
            Some(Type::Entity(_)) => return true,
            Some(Type::Optional(inner) | Type::Set(inner, _) | Type::List(inner, _)) => id = *inner,
            _ => return false,
        }
    }
}

/// Whether values of the type may be entities of any type. Parts come before wholes, so this ends.
fn is_open(schema: &Schema, id: TypeId) -> bool {
    let mut id = id;
    loop {
        match schema.types.get(id.0 as usize) {
            Some(Type::Entity(types)) => return types.is_empty(),
            Some(Type::Optional(inner) | Type::Set(inner, _) | Type::List(inner, _) | Type::Map(inner, _)) => {
                id = *inner;
            }
            _ => return false,
        }
    }
}

fn check_entity_type<'a>(schema: &'a Schema, at: usize, names: &mut HashSet<&'a str>) -> Result<(), Reason> {
    let Some(entity) = schema.entity_types.get(at) else { return Err(Reason::EntityRange) };
    check_wire_names(names, &entity.name, &entity.qualified)?;
    check_entities(schema, &entity.parents)?;
    let presented = |of: &u32| schema.entity_types.get(*of as usize).is_some_and(|parent| parent.presented);
    if entity.presented && !entity.parents.is_empty() || entity.parents.iter().any(presented) {
        return Err(Reason::EntityParents);
    }
    if let Some(of) = entity.governed_by {
        let enums = &schema.enums;
        if enums.get(of as usize).is_none_or(|of| of.lifecycle.is_none()) {
            return Err(Reason::GovernedBy);
        }
    }
    check_fields(schema, &entity.attributes, if entity.presented { Of::Presented } else { Of::Registered })
}

/// What is known of a type, record or presented entity type while they are measured.
#[derive(Clone, Copy)]
enum Seen {
    No,
    Open,
    Done(Size),
}

struct Measure<'a> {
    schema: &'a Schema,
    types: Vec<Seen>,
    records: Vec<Seen>,
    entities: Vec<Seen>,
}

/// Sizes of records; refuses what contains itself or nests too deeply.
fn measure(schema: &Schema) -> Check<Sizes> {
    let mut measure = Measure {
        schema,
        types: vec![Seen::No; schema.types.len()],
        records: vec![Seen::No; schema.records.len()],
        entities: vec![Seen::No; schema.entity_types.len()],
    };
    for at in 0..schema.types.len() {
        measure.ty(at, 0).map_err(|reason| VerifyError::item(reason, "type", at))?;
    }
    for at in 0..schema.entity_types.len() {
        measure.entity(at, 0).map_err(|reason| VerifyError::item(reason, "entity", at))?;
    }
    let mut records = Vec::with_capacity(schema.records.len());
    for at in 0..schema.records.len() {
        records.push(measure.record(at, 0).map_err(|reason| VerifyError::item(reason, "record", at))?);
    }
    Ok(Sizes { records })
}

/// How deep values may be nested.
const DEPTH_MAX: u32 = limits::JSON_DEPTH_MAX as u32;

impl Measure<'_> {
    // The level bounds the recursion: parts count on top of it, and over the limit there is a refusal.

    fn ty(&mut self, at: usize, level: u32) -> Result<Size, Reason> {
        match self.types.get(at) {
            Some(Seen::Done(size)) => return Self::within(*size, level),
            Some(Seen::Open) => return Err(Reason::TypeCycle),
            _ => {}
        }
        if level > DEPTH_MAX {
            return Err(Reason::TypeDepth);
        }
        self.types[at] = Seen::Open;
        let schema = self.schema;
        let size = match &schema.types[at] {
            Type::Optional(inner) => self.ty(inner.0 as usize, level)?,
            Type::Record(record) => self.record(*record as usize, level)?,
            Type::Set(inner, max) | Type::List(inner, max) | Type::Map(inner, max) => {
                let inner = self.ty(inner.0 as usize, level + 1)?;
                let elements = u64::from(*max).saturating_mul(inner.elements.saturating_add(1));
                Size { elements, depth: inner.depth + 1 }
            }
            Type::Entity(types) => {
                let mut depth = 0;
                for of in types {
                    if schema.entity_types[*of as usize].presented {
                        depth = depth.max(self.entity(*of as usize, level)?.depth);
                    }
                }
                Size { elements: 0, depth }
            }
            _ => Size::default(),
        };
        self.types[at] = Seen::Done(size);
        Ok(size)
    }

    fn record(&mut self, at: usize, level: u32) -> Result<Size, Reason> {
        match self.records[at] {
            Seen::Done(size) => return Self::within(size, level),
            Seen::Open => return Err(Reason::TypeCycle),
            Seen::No => {}
        }
        self.records[at] = Seen::Open;
        let schema = self.schema;
        let size = self.fields(&schema.records[at].fields, level)?;
        self.records[at] = Seen::Done(size);
        Ok(size)
    }

    /// Of an entity that comes with the request its attributes count; another is a mere name.
    fn entity(&mut self, at: usize, level: u32) -> Result<Size, Reason> {
        match self.entities[at] {
            Seen::Done(size) => return Self::within(size, level),
            Seen::Open => return Err(Reason::TypeCycle),
            Seen::No => {}
        }
        self.entities[at] = Seen::Open;
        let schema = self.schema;
        let size = self.fields(&schema.entity_types[at].attributes, level)?;
        self.entities[at] = Seen::Done(size);
        Ok(size)
    }

    fn fields(&mut self, fields: &[Field], level: u32) -> Result<Size, Reason> {
        let mut all = Size::default();
        for field in fields {
            let size = self.ty(field.ty.0 as usize, level + 1)?;
            all.elements = all.elements.saturating_add(size.elements).saturating_add(1);
            all.depth = all.depth.max(size.depth);
        }
        all.depth += 1;
        Self::within(all, level)
    }

    fn within(size: Size, level: u32) -> Result<Size, Reason> {
        if level + size.depth <= DEPTH_MAX { Ok(size) } else { Err(Reason::TypeDepth) }
    }
}
