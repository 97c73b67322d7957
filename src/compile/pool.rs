//! Everything that is numbered in a program, each thing once: strings, constants, patterns, selectors, type sets,
//! switches, functions, sites.
//!
//! Strings and sites are numbered here as they come; `finish` sorts them and renumbers.

use std::collections::HashMap;
use std::hash::Hash;

use crate::base::span::Span;
use crate::bytecode::op::Op;
use crate::bytecode::program::{
    Constant, ConstantId, ConstantValue, Entry, Function, FunctionId, PatternId, Selector, SelectorId, SiteId,
    StringId, Switch, SwitchId, TypeSetId,
};
use crate::bytecode::schema::{Type, TypeId};
use crate::compile::schema::SchemaBuilder;
use crate::types::relate;
use crate::types::ty;
use crate::types::typed::{Const, EntityTypeId, FunctionId as TypedFunctionId, TypedPolicy};

/// Things in order of their first mention, each once.
#[derive(Debug)]
pub(super) struct Interner<T> {
    pub(super) items: Vec<T>,
    places: HashMap<T, u32>,
}

impl<T: Clone + Eq + Hash> Interner<T> {
    fn new() -> Interner<T> {
        Interner { items: Vec::new(), places: HashMap::new() }
    }

    pub(super) fn intern(&mut self, item: T) -> u32 {
        if let Some(&place) = self.places.get(&item) {
            return place;
        }
        let place = self.items.len() as u32;
        self.items.push(item.clone());
        self.places.insert(item, place);
        place
    }
}

/// A function of the source as it is called: errors in which arguments must be looked for, and with which module parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FunctionKey {
    pub(super) function: TypedFunctionId,
    pub(super) fallible: Vec<bool>,
    pub(super) instance: Option<u32>,
}

/// A constant's identity: its type and value, with parts by number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ConstantKey {
    ty: TypeId,
    value: Const,
}

/// The pools.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) schema: SchemaBuilder,
    pub(super) strings: Interner<Box<str>>,
    pub(super) constants: Vec<Constant>,
    constant_places: HashMap<ConstantKey, ConstantId>,
    pub(super) patterns: Interner<StringId>,
    selectors: HashMap<(Vec<u32>, Box<str>), SelectorId>,
    pub(super) selector_list: Vec<Selector>,
    pub(super) type_sets: Interner<Vec<u32>>,
    pub(super) switches: Vec<Switch>,
    pub(super) functions: Vec<Function>,
    pub(super) function_places: HashMap<FunctionKey, (FunctionId, bool)>,
    pub(super) code: Vec<Op>,
    pub(super) fault_sites: Vec<(u32, SiteId)>,
    /// Span and instance: of two instances of a module the one that is included first comes first.
    pub(super) sites: Interner<(Span, u32)>,
    pub(super) entries: Vec<Entry>,
    /// What went over a limit: where, and in which words.
    pub(super) overflows: Vec<(Span, String)>,
}

impl Pool {
    pub(super) fn new(schema: SchemaBuilder) -> Pool {
        Pool {
            schema,
            strings: Interner::new(),
            constants: Vec::new(),
            constant_places: HashMap::new(),
            patterns: Interner::new(),
            selectors: HashMap::new(),
            selector_list: Vec::new(),
            type_sets: Interner::new(),
            switches: Vec::new(),
            functions: Vec::new(),
            function_places: HashMap::new(),
            code: Vec::new(),
            fault_sites: Vec::new(),
            sites: Interner::new(),
            entries: Vec::new(),
            overflows: Vec::new(),
        }
    }

    pub(super) fn string(&mut self, text: &str) -> StringId {
        StringId(self.strings.intern(text.into()))
    }

    pub(super) fn site(&mut self, span: Span, instance: u32) -> SiteId {
        SiteId(self.sites.intern((span, instance)))
    }

    pub(super) fn pattern(&mut self, regex: &str) -> PatternId {
        let source = self.string(regex);
        PatternId(self.patterns.intern(source))
    }

    pub(super) fn type_set(&mut self, types: &[EntityTypeId]) -> TypeSetId {
        TypeSetId(self.type_sets.intern(types.iter().map(|id| id.0).collect()))
    }

    pub(super) fn switch(&mut self, switch: Switch) -> SwitchId {
        self.switches.push(switch);
        SwitchId(self.switches.len() as u32 - 1)
    }

    /// How the attribute of this name is found in entities of these types, all of which have it.
    pub(super) fn selector(&mut self, policy: &TypedPolicy, types: &[EntityTypeId], name: &str) -> SelectorId {
        let key = (types.iter().map(|id| id.0).collect::<Vec<_>>(), Box::from(name));
        if let Some(&id) = self.selectors.get(&key) {
            return id;
        }
        // Bounds may differ from type to type: the result has what covers all of them.
        let mut ty: Option<ty::Type> = None;
        let columns = (types.iter())
            .map(|entity_type| {
                let attributes = &policy.entity_types[entity_type.index()].attributes;
                let place = attributes.iter().position(|field| *field.name == *name).expect("the checker found it");
                let own = &attributes[place].ty;
                let joined = ty.take().map_or(Some(own.clone()), |ty| relate::join(&ty, own));
                ty = Some(joined.expect("the checker has joined them"));
                (entity_type.0, place as u32)
            })
            .collect();
        let ty = self.schema.type_id(&ty.expect("an entity of some type"));
        let id = SelectorId(self.selector_list.len() as u32);
        self.selector_list.push(Selector { columns, ty });
        self.selectors.insert(key, id);
        id
    }

    /// The number of a constant that stands where this type is expected.
    pub(super) fn constant(&mut self, value: &Const, ty: &ty::Type) -> ConstantId {
        let id = self.constant_type(value, ty);
        let key = ConstantKey { ty: id, value: value.clone() };
        if let Some(&place) = self.constant_places.get(&key) {
            return place;
        }
        let value = self.constant_value(value, strip_optional(ty));
        let place = ConstantId(self.constants.len() as u32);
        self.constants.push(Constant { ty: id, value });
        self.constant_places.insert(key, place);
        place
    }

    /// The type of a constant: no narrower than its value needs, and the same wherever the value stands.
    fn constant_type(&mut self, value: &Const, ty: &ty::Type) -> TypeId {
        let ty = match (value, strip_optional(ty)) {
            (Const::Absent, _) => return self.schema.type_id(ty),
            (Const::Int(_), _) => Type::Int { low: i64::MIN, high: i64::MAX },
            (Const::String(text), _) => Type::String { bytes_max: text.len() as u32 },
            (Const::Entity(entity_type, _), _) => Type::Entity(vec![entity_type.0]),
            (Const::Set(items), ty::Type::Set(element, _)) => {
                Type::Set(self.element_type(items.iter(), element), items.len() as u32)
            }
            (Const::List(items), ty::Type::List(element, _)) => {
                Type::List(self.element_type(items.iter(), element), items.len() as u32)
            }
            (Const::Map(items), ty::Type::Map(element, _)) => {
                Type::Map(self.element_type(items.iter().map(|(_, item)| item), element), items.len() as u32)
            }
            (_, ty) => return self.schema.type_id(ty),
        };
        self.schema.intern(ty)
    }

    /// A type that all elements fit, with bounds no wider than they need.
    fn element_type<'a>(&mut self, items: impl Iterator<Item = &'a Const>, declared: &ty::Type) -> TypeId {
        match declared {
            ty::Type::String(_) => {
                let longest = items.map(|item| if let Const::String(text) = item { text.len() } else { 0 }).max();
                self.schema.intern(Type::String { bytes_max: longest.unwrap_or(0) as u32 })
            }
            ty::Type::Int(_) => self.schema.intern(Type::Int { low: i64::MIN, high: i64::MAX }),
            _ => self.schema.type_id(declared),
        }
    }

    fn constant_value(&mut self, value: &Const, ty: &ty::Type) -> ConstantValue {
        match (value, ty) {
            (Const::Absent, _) => ConstantValue::Absent,
            (Const::Bool(value), _) => ConstantValue::Bool(*value),
            (Const::Int(value), _) => ConstantValue::Int(*value),
            (Const::Decimal(value), _) => ConstantValue::Decimal(*value),
            (Const::Duration(value), _) => ConstantValue::Duration(*value),
            (Const::Timestamp(value), _) => ConstantValue::Timestamp(*value),
            (Const::String(text), _) => ConstantValue::String(self.string(text)),
            (Const::Ip(value), _) => ConstantValue::Ip(*value),
            (Const::Net(value), _) => ConstantValue::Net(*value),
            (Const::Url(value), _) => ConstantValue::Url(self.string(&value.to_string())),
            (Const::Path(value), _) => ConstantValue::Path(self.string(&value.to_string())),
            (Const::Enum(_, variant), _) => ConstantValue::Enum(*variant),
            (Const::Entity(entity_type, id), _) => ConstantValue::Entity(entity_type.0, self.string(id)),
            (Const::Set(items), ty::Type::Set(element, _)) => {
                ConstantValue::Set(items.iter().map(|item| self.constant(item, element)).collect())
            }
            (Const::List(items), ty::Type::List(element, _)) => {
                ConstantValue::List(items.iter().map(|item| self.constant(item, element)).collect())
            }
            (Const::Map(items), ty::Type::Map(element, _)) => ConstantValue::Map(
                items.iter().map(|(key, item)| (self.string(key), self.constant(item, element))).collect(),
            ),
            (Const::Record(record, fields), _) => ConstantValue::Record(
                fields.iter().enumerate().map(|(n, field)| self.field(record.0, n, field)).collect(),
            ),
            (Const::Set(_) | Const::List(_) | Const::Map(_), _) => unreachable!("a collection has a collection's type"),
        }
    }

    fn field(&mut self, record: u32, place: usize, value: &Const) -> ConstantId {
        let ty = self.schema.schema.records[record as usize].fields[place].ty;
        let ty = self.schema.checker_type(ty);
        self.constant(value, &ty)
    }
}

/// The type of an optional that is there.
pub(super) fn strip_optional(ty: &ty::Type) -> &ty::Type {
    match ty {
        ty::Type::Optional(inner) => inner,
        other => other,
    }
}
