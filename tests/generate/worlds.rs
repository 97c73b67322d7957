//! Random entities, requests and facts for a checked package, as typed values and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pdl::data::decimal::Decimal;
use pdl::data::duration::Duration;
use pdl::data::ip::{IpAddr, IpNet};
use pdl::data::path::Path;
use pdl::data::timestamp::Timestamp;
use pdl::data::url::Url;
use pdl::types::ty::Type;
use pdl::types::typed::{ActionId, EntityTypeId, FieldDef, TypedPolicy};

use crate::generate::pools;
use crate::generate::random::Random;
use crate::reference::json::Json;
use crate::reference::value::{Entity, Value};
use crate::reference::world::{Given, Key, Registered, Request, World};

/// A request and facts, as they are sent.
#[derive(Clone, Debug)]
pub struct Documents {
    pub request: Json,
    pub facts: Json,
}

/// What values are taken from: the pools, and what the sources name.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    pub policy: &'a TypedPolicy,
    texts: Vec<Arc<str>>,
    ints: Vec<i64>,
}

impl<'a> Values<'a> {
    pub fn of(policy: &'a TypedPolicy) -> Values<'a> {
        let mut texts: Vec<Arc<str>> = pools::TEXTS.iter().map(|text| Arc::from(*text)).collect();
        let mut ints: Vec<i64> = pools::INTS.iter().chain(pools::SMALL_INTS).copied().collect();
        for (_, file) in policy.sources.iter().filter(|(_, file)| !file.name.starts_with("std/")) {
            texts.extend(file.text.split('"').skip(1).step_by(2).filter(|text| text.len() < 40).map(Arc::from));
            ints.extend(file.text.split(|c: char| !c.is_ascii_digit()).filter_map(|text| text.parse::<i64>().ok()));
        }
        texts.truncate(200);
        ints.truncate(200);
        Values { policy, texts, ints }
    }

    /// A value of a type.
    pub fn value(&self, random: &mut Random, world: &World, ty: &Type) -> Value {
        let parse = "what is in the pools can be read";
        match ty {
            Type::Bool => Value::Bool(random.chance(50)),
            Type::Int(interval) => {
                let fitting: Vec<i64> = (self.ints.iter().copied())
                    .filter(|value| (interval.low..=interval.high).contains(value))
                    .chain([interval.low, interval.high])
                    .collect();
                Value::Int(*random.pick(&fitting))
            }
            Type::Decimal => Value::Decimal(Decimal::parse_json(random.text(pools::DECIMALS)).expect(parse)),
            Type::String(max) => {
                let fitting: Vec<&Arc<str>> = self.texts.iter().filter(|text| text.len() <= *max as usize).collect();
                Value::String((*random.pick(&fitting)).clone())
            }
            Type::Duration => Value::Duration(Duration::parse(random.text(pools::DURATIONS)).expect(parse)),
            Type::Timestamp => Value::Timestamp(Timestamp::parse(random.text(pools::TIMESTAMPS)).expect(parse)),
            Type::IpAddr => Value::Ip(IpAddr::parse(random.text(pools::IPS)).expect(parse)),
            Type::IpNet => Value::Net(IpNet::parse(random.text(pools::NETS)).expect(parse)),
            Type::Url => Value::Url(Url::parse(random.text(pools::URLS)).expect(parse)),
            Type::Path => Value::Path(Path::parse(random.text(pools::PATHS)).expect(parse)),
            Type::Enum(of) => Value::Enum(*of, random.below(self.policy.enums[of.index()].variants.len()) as u32),
            Type::Record(record) => {
                let fields = &self.policy.records[record.index()].fields;
                Value::Record(fields.iter().map(|field| self.value(random, world, &field.ty)).collect())
            }
            Type::Entity(types) => Value::Entity(self.entity(random, world, types)),
            Type::Set(element, max) => {
                let count = random.below(*max as usize + 1).min(random.between(0, 4));
                Value::Set((0..count).map(|_| self.value(random, world, element)).collect())
            }
            Type::List(element, max) => {
                let count = random.below(*max as usize + 1).min(random.between(0, 4));
                Value::List((0..count).map(|_| self.value(random, world, element)).collect())
            }
            Type::Map(value, max) => {
                let count = random.below(*max as usize + 1).min(pools::KEYS.len());
                let entries =
                    (0..count).map(|_| (Arc::from(random.text(pools::KEYS)), self.value(random, world, value)));
                Value::Map(entries.collect::<Vec<_>>().into_iter().collect::<BTreeMap<_, _>>())
            }
            Type::Optional(inner) => {
                if random.chance(40) {
                    Value::Absent
                } else {
                    self.value(random, world, inner)
                }
            }
            Type::Unknown => unreachable!("a checked package has no such types"),
        }
    }

    fn entity(&self, random: &mut Random, world: &World, types: &[EntityTypeId]) -> Entity {
        let ty = *random.pick(types);
        let def = &self.policy.entity_types[ty.index()];
        let id = random.text(pools::IDS);
        let mut entity = Entity::registered(ty, id);
        if def.presented {
            let attributes = def.attributes.iter().map(|field| self.value(random, world, &field.ty)).collect();
            entity.attributes = Some(Arc::new(attributes));
        }
        entity
    }

    /// Entities of all registered types.
    pub fn world(&self, random: &mut Random) -> World {
        let types = self.policy.entity_types.iter().enumerate().filter(|(_, def)| !def.presented);
        let mut keys: Vec<Key> = types
            .flat_map(|(ty, _)| pools::IDS.iter().map(move |id| (EntityTypeId(ty as u32), Arc::from(*id))))
            .collect();
        random.shuffle(&mut keys);
        let mut world = World::default();
        let empty = World::default();
        for (rank, key) in keys.iter().enumerate() {
            let def = &self.policy.entity_types[key.0.index()];
            let mut parents: BTreeSet<Key> = BTreeSet::new();
            // Whoever stands before may be above: there are no cycles.
            for above in keys[..rank].iter().filter(|above| def.parents.contains(&above.0)) {
                if random.chance(45) {
                    parents.insert(above.clone());
                }
            }
            let attributes = def.attributes.iter().map(|field| self.value(random, &empty, &field.ty)).collect();
            let parents = parents.into_iter().collect();
            world.entities.insert(key.clone(), Registered { attributes, parents });
        }
        world
    }

    /// The entities as a document.
    pub fn entities_json(&self, world: &World) -> Json {
        let name = |(ty, id): &Key| {
            let ty = &self.policy.entity_types[ty.index()].wire;
            vec![("type".to_owned(), Json::text(ty)), ("id".to_owned(), Json::text(id))]
        };
        let entity = |(key, of): (&Key, &Registered)| {
            let mut members = name(key);
            let def = &self.policy.entity_types[key.0.index()];
            members.push(("properties".to_owned(), self.fields_json(&def.attributes, &of.attributes, |_| true)));
            members
                .push(("in".to_owned(), Json::Array(of.parents.iter().map(|key| Json::Object(name(key))).collect())));
            Json::Object(members)
        };
        Json::Array(world.entities.iter().map(entity).collect())
    }

    /// A request on some action.
    pub fn request(&self, random: &mut Random, world: &World) -> Request {
        let action = random.below(self.policy.actions.len());
        let def = &self.policy.actions[action];
        let subject = self.given(random, world, &def.subject);
        let mut resource = self.given(random, world, &def.resource);
        if subject.entity == resource.entity {
            // Of one entity an attribute may be given once.
            resource.overrides.retain(|(at, _)| subject.overrides.iter().all(|(given, _)| given != at));
        }
        let context = def.context.iter().map(|field| self.value(random, world, &field.ty)).collect();
        Request { action: ActionId(action as u32), subject, resource, context }
    }

    fn given(&self, random: &mut Random, world: &World, types: &[EntityTypeId]) -> Given {
        let entity = self.entity(random, world, types);
        let mut overrides = Vec::new();
        if entity.attributes.is_none() {
            for (at, field) in self.policy.entity_types[entity.ty.index()].attributes.iter().enumerate() {
                if field.presented && random.chance(50) {
                    let value = self.value(random, world, &field.ty);
                    if value != Value::Absent {
                        overrides.push((at, value));
                    }
                }
            }
        }
        Given { entity, overrides }
    }

    /// A request as documents. Members stand in any order, context fields in either of their places.
    pub fn documents(&self, random: &mut Random, request: &Request) -> Documents {
        let def = &self.policy.actions[request.action.index()];
        let mut context = self.fields_json(&def.context, &request.context, |field| !field.kernel);
        let facts = self.fields_json(&def.context, &request.context, |field| field.kernel);
        random.shuffle(context.members());
        let mut action = Json::object([("name", Json::text(&def.wire))]);
        if random.chance(30) {
            let moved = random.below(context.members().len() + 1);
            let moved = context.members().drain(..moved).collect();
            action.members().push(("properties".to_owned(), Json::Object(moved)));
        }
        let mut document = Json::object([
            ("subject", self.given_json(&request.subject)),
            ("action", action),
            ("resource", self.given_json(&request.resource)),
        ]);
        if context.members().is_empty() && random.chance(50) {
            // May be left out.
        } else {
            document.members().push(("context".to_owned(), context));
        }
        random.shuffle(document.members());
        Documents { request: document, facts }
    }

    fn given_json(&self, given: &Given) -> Json {
        let def = &self.policy.entity_types[given.entity.ty.index()];
        let mut members =
            vec![("type".to_owned(), Json::text(&def.wire)), ("id".to_owned(), Json::text(&given.entity.id))];
        let properties = match &given.entity.attributes {
            Some(attributes) => Some(self.fields_json(&def.attributes, attributes, |_| true)),
            None if given.overrides.is_empty() => None,
            None => {
                let named = given.overrides.iter().map(|(at, value)| {
                    let field = &def.attributes[*at];
                    (field.name.to_string(), self.json(&field.ty, value))
                });
                Some(Json::Object(named.collect()))
            }
        };
        members.extend(properties.map(|properties| ("properties".to_owned(), properties)));
        Json::Object(members)
    }

    fn fields_json(&self, fields: &[FieldDef], values: &[Value], chosen: impl Fn(&FieldDef) -> bool) -> Json {
        let present = fields.iter().zip(values).filter(|(field, value)| chosen(field) && **value != Value::Absent);
        Json::Object(present.map(|(field, value)| (field.name.to_string(), self.json(&field.ty, value))).collect())
    }

    /// A value as it is sent.
    pub fn json(&self, ty: &Type, value: &Value) -> Json {
        match (ty, value) {
            (Type::Optional(inner), value) => self.json(inner, value),
            (_, Value::Absent) => Json::Null,
            (_, Value::Bool(value)) => Json::Bool(*value),
            (_, Value::Int(value)) => Json::Number(value.to_string()),
            (_, Value::Decimal(value)) => Json::Number(value.to_string()),
            (_, Value::String(value)) => Json::text(value),
            (_, Value::Duration(value)) => Json::Text(value.to_string()),
            (_, Value::Timestamp(value)) => Json::Text(value.to_string()),
            (_, Value::Ip(value)) => Json::Text(value.to_string()),
            (_, Value::Net(value)) => Json::Text(value.to_string()),
            (_, Value::Url(value)) => Json::text(value.as_str()),
            (_, Value::Path(value)) => Json::text(value.as_str()),
            (_, Value::Enum(of, variant)) => Json::text(&self.policy.enums[of.index()].variants[*variant as usize]),
            (Type::Record(record), Value::Record(fields)) => {
                self.fields_json(&self.policy.records[record.index()].fields, fields, |_| true)
            }
            (Type::Entity(types), Value::Entity(entity)) => {
                // Half of the ids, so to speak: those of `a` are written short.
                if types.len() == 1 && entity.attributes.is_none() && &*entity.id == "a" {
                    return Json::text(&entity.id);
                }
                self.given_json(&Given { entity: entity.clone(), overrides: Vec::new() })
            }
            (Type::Set(element, _), Value::Set(items)) => {
                Json::Array(items.iter().map(|item| self.json(element, item)).collect())
            }
            (Type::List(element, _), Value::List(items)) => {
                Json::Array(items.iter().map(|item| self.json(element, item)).collect())
            }
            (Type::Map(inner, _), Value::Map(items)) => {
                Json::Object(items.iter().map(|(key, item)| (key.to_string(), self.json(inner, item))).collect())
            }
            (ty, value) => unreachable!("{value:?} is not of type {ty:?}"),
        }
    }
}
