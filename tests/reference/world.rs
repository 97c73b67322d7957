//! Registered entities, requests and facts, as typed values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pdl::types::typed::{ActionId, EntityTypeId, TypedPolicy};

use crate::reference::value::{Entity, Value};

/// The name of an entity.
pub type Key = (EntityTypeId, Arc<str>);

/// What the registry knows.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub entities: BTreeMap<Key, Registered>,
}

/// One registered entity.
#[derive(Clone, Debug)]
pub struct Registered {
    pub attributes: Vec<Value>,
    pub parents: Vec<Key>,
}

/// A request with its facts.
#[derive(Clone, Debug)]
pub struct Request {
    pub action: ActionId,
    pub subject: Given,
    pub resource: Given,
    /// A value for each field of the context, the kernel's too; `Absent` where it is left out.
    pub context: Vec<Value>,
}

/// A subject or resource.
#[derive(Clone, Debug)]
pub struct Given {
    pub entity: Entity,
    /// Attributes of a registered entity that the request gives: place and value.
    pub overrides: Vec<(usize, Value)>,
}

impl World {
    /// All that an entity lies in, itself included.
    pub fn ancestors(&self, key: &Key) -> BTreeSet<Key> {
        let mut found = BTreeSet::from([key.clone()]);
        let mut open = vec![key.clone()];
        while let Some(next) = open.pop() {
            for parent in self.entities.get(&next).map_or(&[][..], |entity| &entity.parents) {
                if found.insert(parent.clone()) {
                    open.push(parent.clone());
                }
            }
        }
        found
    }

    /// Whether one lies in the other, or is it.
    pub fn is_in(&self, one: &Entity, other: &Entity) -> bool {
        one == other || self.ancestors(&(one.ty, one.id.clone())).contains(&(other.ty, other.id.clone()))
    }

    /// An attribute; `None` if nobody knows the entity.
    pub fn attribute(&self, policy: &TypedPolicy, request: &Request, entity: &Entity, name: &str) -> Option<Value> {
        let def = &policy.entity_types[entity.ty.index()];
        let place = def.attributes.iter().position(|field| *field.name == *name).expect("the checker found it");
        if let Some(attributes) = &entity.attributes {
            return Some(attributes[place].clone());
        }
        for given in [&request.subject, &request.resource] {
            if given.entity == *entity
                && given.entity.attributes.is_none()
                && let Some((_, value)) = given.overrides.iter().find(|(at, _)| *at == place)
            {
                return Some(value.clone());
            }
        }
        Some(self.entities.get(&(entity.ty, entity.id.clone()))?.attributes[place].clone())
    }
}
