//! In which order the fields of an object are written, and how their keys are: found once, when a program is loaded.
//! Sorting and escaping keys would be most of the work of writing an object.

use crate::bytecode::schema::{Field, Schema};
use crate::vm::canonical::{key_order, push_string};

/// The fields of an object in the order of their keys.
#[derive(Clone, Debug, Default)]
pub struct Order {
    places: Vec<(u32, Box<str>)>,
}

impl Order {
    /// The order of some fields.
    #[must_use]
    pub fn new(fields: &[Field]) -> Order {
        let mut sorted: Vec<(u32, &str)> = (0..).zip(fields.iter().map(|field| &*field.name)).collect();
        sorted.sort_by(|(_, left), (_, right)| key_order(left, right));
        let key = |name: &str| {
            let mut key = String::new();
            push_string(&mut key, name);
            key.push(':');
            Box::from(key)
        };
        Order { places: sorted.into_iter().map(|(at, name)| (at, key(name))).collect() }
    }

    /// The place of each field among the fields, and its key as it is written, with the colon.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &str)> {
        self.places.iter().map(|(at, key)| (*at as usize, &**key))
    }
}

/// The orders of all objects of a schema.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    contexts: Vec<Order>,
    records: Vec<Order>,
    attributes: Vec<Order>,
}

/// Fields, and in which order they are written.
#[derive(Clone, Copy, Debug)]
pub struct Object<'s> {
    /// The fields.
    pub fields: &'s [Field],
    /// Their order.
    pub order: &'s Order,
}

static NONE: Order = Order { places: Vec::new() };

impl Orders {
    /// Those of a schema.
    #[must_use]
    pub fn new(schema: &Schema) -> Orders {
        Orders {
            contexts: schema.actions.iter().map(|action| Order::new(&action.context)).collect(),
            records: schema.records.iter().map(|record| Order::new(&record.fields)).collect(),
            attributes: schema.entity_types.iter().map(|ty| Order::new(&ty.attributes)).collect(),
        }
    }

    /// The context of an action.
    #[must_use]
    pub fn context<'s>(&'s self, schema: &'s Schema, action: u32) -> Object<'s> {
        let fields = schema.actions.get(action as usize).map_or(&[][..], |action| &action.context);
        Object { fields, order: self.contexts.get(action as usize).unwrap_or(&NONE) }
    }

    /// A record.
    #[must_use]
    pub fn record<'s>(&'s self, schema: &'s Schema, record: u32) -> Object<'s> {
        let fields = schema.records.get(record as usize).map_or(&[][..], |record| &record.fields);
        Object { fields, order: self.records.get(record as usize).unwrap_or(&NONE) }
    }

    /// The attributes of an entity type.
    #[must_use]
    pub fn attributes<'s>(&'s self, schema: &'s Schema, ty: u32) -> Object<'s> {
        let fields = schema.entity_types.get(ty as usize).map_or(&[][..], |ty| &ty.attributes);
        Object { fields, order: self.attributes.get(ty as usize).unwrap_or(&NONE) }
    }
}
