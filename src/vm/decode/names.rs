//! What keys and variants may stand where, as tables made at load.

use crate::bytecode::schema::{Field, Schema, Type, TypeId};
use crate::vm::canonical::order::Order;
use crate::vm::json::Text;
use crate::vm::strings::StringIndex;

/// Up to this many names are searched one by one.
const FEW: usize = 8;

/// Names, found by their text.
#[derive(Clone, Debug, Default)]
pub struct Names {
    list: Vec<Box<str>>,
    /// Each as documents mostly write it as a key: `"name":`. Empty where that would take an escape.
    keys: Vec<Box<str>>,
    index: StringIndex,
}

impl Names {
    /// A table of names, each once.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Names {
        let list: Vec<Box<str>> = names.map(Box::from).collect();
        let mut index = StringIndex::default();
        if list.len() > FEW {
            for (at, name) in list.iter().enumerate() {
                index.insert(name, at as u32);
            }
        }
        let keys = list.iter().map(|name| as_key(name)).collect();
        Names { list, keys, index }
    }

    /// The place of a name. `predicted` is where it probably stands.
    #[inline]
    #[must_use]
    pub fn find(&self, predicted: usize, text: Text<'_>) -> Option<usize> {
        let Some(text) = text.plain() else { return self.list.iter().position(|name| text.is(name)) };
        if self.list.get(predicted).is_some_and(|name| **name == *text) {
            return Some(predicted);
        }
        if self.list.len() <= FEW {
            return self.list.iter().position(|name| **name == *text);
        }
        let name_of = |at: u32| self.list.get(at as usize).map_or("", |name| &**name);
        self.index.find(text, name_of).map(|at| at as usize)
    }

    /// The name at a place as documents mostly write it as a key: `"name":`; nothing where there is none.
    #[inline]
    #[must_use]
    pub fn key(&self, at: usize) -> &str {
        self.keys.get(at).map_or("", |key| key)
    }

    /// The name at a place.
    #[must_use]
    pub fn get(&self, at: usize) -> &str {
        self.list.get(at).map_or("", |name| name)
    }

    /// All names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|name| &**name)
    }
}

fn as_key(name: &str) -> Box<str> {
    let plain = !name.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
    if plain { format!("\"{name}\":").into() } else { Box::from("") }
}

/// A field, as decoding needs it.
#[derive(Clone, Copy, Debug)]
pub struct FieldPlan {
    /// Its type.
    pub ty: TypeId,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether only the kernel may give it.
    pub kernel: bool,
    /// Whether it does not count for bindings.
    pub advisory: bool,
    /// Whether the request may give it although its entity is registered.
    pub presented: bool,
}

/// The fields of an object.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// Their names.
    pub names: Names,
    /// What is known of them, in the same order.
    pub list: Vec<FieldPlan>,
    /// Those that have to be there, a bit for each; none where there are more fields than bits.
    pub required: Option<u64>,
    /// Whether the kernel gives any of them.
    pub any_kernel: bool,
    /// Their places in the order of canonical documents, and for each place where it stands among these.
    sorted: Vec<(u32, u32)>,
}

impl Fields {
    fn new(schema: &Schema, fields: &[Field]) -> Fields {
        let plan = |field: &Field| FieldPlan {
            ty: field.ty,
            optional: matches!(schema.ty(field.ty), Type::Optional(_)),
            kernel: field.kernel,
            advisory: field.advisory,
            presented: field.presented,
        };
        let list: Vec<FieldPlan> = fields.iter().map(plan).collect();
        let bits = list.iter().enumerate().map(|(at, field)| u64::from(!field.optional).checked_shl(at as u32));
        Fields {
            required: bits.sum(),
            names: Names::new(fields.iter().map(|field| &*field.name)),
            list,
            any_kernel: fields.iter().any(|field| field.kernel),
            sorted: sorted(fields),
        }
    }

    /// The field that stands at this step of an object, in the order of canonical documents or of the declaration.
    #[inline]
    #[must_use]
    pub fn at_step(&self, step: usize, is_sorted: bool) -> usize {
        if !is_sorted {
            return step;
        }
        self.sorted.get(step).map_or(usize::MAX, |&(place, _)| place as usize)
    }

    /// The step at which a field stands.
    #[inline]
    #[must_use]
    pub fn step_of(&self, place: usize, is_sorted: bool) -> usize {
        if !is_sorted {
            return place;
        }
        self.sorted.get(place).map_or(usize::MAX, |&(_, step)| step as usize)
    }
}

fn sorted(fields: &[Field]) -> Vec<(u32, u32)> {
    let order = Order::new(fields);
    let mut sorted: Vec<(u32, u32)> = order.iter().map(|(place, _)| (place as u32, 0)).collect();
    for (step, (place, _)) in order.iter().enumerate() {
        if let Some((_, of)) = sorted.get_mut(place) {
            *of = step as u32;
        }
    }
    sorted
}

/// How every object of a schema is decoded. Made once, at load, and never changed.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The context of each action.
    pub contexts: Vec<Fields>,
    /// The fields of each record.
    pub records: Vec<Fields>,
    /// The attributes of each entity type.
    pub attributes: Vec<Fields>,
    /// The variants of each enum.
    pub variants: Vec<Names>,
    entity_names: Names,
    entity_types: Vec<u32>,
    kernel_names: Names,
}

impl Plan {
    /// The plan for a schema.
    #[must_use]
    pub fn new(schema: &Schema) -> Plan {
        let mut names: Vec<(&str, u32)> = Vec::new();
        for (at, entity) in schema.entity_types.iter().enumerate() {
            for name in [&entity.name, &entity.qualified] {
                if !names.iter().any(|(other, _)| **other == **name) {
                    names.push((name, at as u32));
                }
            }
        }
        let mut kernel_names: Vec<&str> = Vec::new();
        for field in schema.actions.iter().flat_map(|action| &action.context) {
            if field.kernel && !kernel_names.contains(&&*field.name) {
                kernel_names.push(&field.name);
            }
        }
        Plan {
            contexts: schema.actions.iter().map(|action| Fields::new(schema, &action.context)).collect(),
            records: schema.records.iter().map(|record| Fields::new(schema, &record.fields)).collect(),
            attributes: schema.entity_types.iter().map(|entity| Fields::new(schema, &entity.attributes)).collect(),
            variants: schema.enums.iter().map(|of| Names::new(of.variants.iter().map(|name| &**name))).collect(),
            entity_names: Names::new(names.iter().map(|&(name, _)| name)),
            entity_types: names.iter().map(|&(_, at)| at).collect(),
            kernel_names: Names::new(kernel_names.into_iter()),
        }
    }

    /// The entity type of a name, simple or qualified.
    #[inline]
    #[must_use]
    pub fn entity_type(&self, name: Text<'_>) -> Option<u32> {
        self.entity_names.find(0, name).and_then(|at| self.entity_types.get(at).copied())
    }

    /// Whether some action has a field of this name that the kernel gives.
    #[must_use]
    pub fn is_kernel_field(&self, name: Text<'_>) -> bool {
        self.kernel_names.find(0, name).is_some()
    }
}
