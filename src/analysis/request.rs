//! From a model to a request that can be asked: the request, the kernel's facts and the entities, as documents.
//!
//! What no rule reads is filled with the simplest value of its type, so that what is shown is a whole request. Each side
//! of a world gets documents of its own, with the fields that its schema declares.

mod json;
mod simple;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::analysis::formula::F;
use crate::analysis::numbers::Linear;
use crate::analysis::solver::Model;
use crate::analysis::value::{Choice, Many, Shape, Sym, Term, Word};
use crate::analysis::world::World;
use crate::types::ty::Type;
use crate::types::typed::{FieldDef, TypedPolicy};

pub use json::Json;

/// A request as it is asked of one side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// The request.
    pub request: String,
    /// What the kernel says.
    pub facts: String,
    /// The registered entities.
    pub entities: String,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Absent.
    Absent,
    /// True or false.
    Bool(bool),
    /// A number, in the units of its type.
    Number(i128),
    /// A text, as a word.
    Word(Arc<str>),
    /// A variant.
    Name(Arc<str>),
    /// An entity: type and id, and the term that it was spoken of by.
    Entity(Arc<str>, Arc<str>, Option<Term>),
    /// A record.
    Record(BTreeMap<Arc<str>, Value>),
    /// A set or list.
    List(Vec<Value>),
    /// A map.
    Map(Vec<(Arc<str>, Value)>),
    /// One of those elements of a collection that are not spelt out: any that is none of the others.
    More,
}

/// An entity's name: type and id.
pub type Key = (Arc<str>, Arc<str>);

/// Writes the documents of one side.
#[derive(Debug)]
struct Writer<'w, 'a> {
    world: &'w World<'a>,
    model: &'w Model,
    side: usize,
    policy: &'a TypedPolicy,
    /// Registered entities that something names, and that there are.
    named: BTreeSet<Key>,
    /// Those that nobody knows.
    unknown: BTreeSet<Key>,
}

/// The documents that ask a model of one side.
#[must_use]
pub fn request(world: &World<'_>, model: &Model, side: usize) -> Request {
    let mut writer = writer(world, model, side);
    for (term, def) in world.terms() {
        if !def.presented && !model.holds(&world.cx, def.known) {
            writer.unknown.insert(world.identity(term, model));
        }
    }
    let (request, facts) = writer.documents();
    let entities = writer.entities();
    Request { request: request.to_string(), facts: facts.to_string(), entities: entities.to_string() }
}

/// The request and the facts that ask a model of one side, where these entities are registered and no others.
#[must_use]
pub fn request_among(world: &World<'_>, model: &Model, side: usize, registered: BTreeSet<Key>) -> (Json, Json) {
    let mut writer = writer(world, model, side);
    writer.named = registered;
    writer.documents()
}

/// What a symbolic value is in a model.
#[must_use]
pub fn value(world: &World<'_>, model: &Model, side: usize, sym: &Sym) -> Value {
    writer(world, model, side).value(sym)
}

/// The same as it is sent; nothing for what is absent.
#[must_use]
pub fn sent(world: &World<'_>, model: &Model, side: usize, sym: &Sym, ty: &Type) -> Option<Json> {
    let mut writer = writer(world, model, side);
    let value = writer.value(sym);
    writer.json(ty, &value)
}

fn writer<'w, 'a>(world: &'w World<'a>, model: &'w Model, side: usize) -> Writer<'w, 'a> {
    Writer { world, model, side, policy: world.sides[side], named: BTreeSet::new(), unknown: BTreeSet::new() }
}

impl Writer<'_, '_> {
    /// The request and the facts.
    fn documents(&mut self) -> (Json, Json) {
        let (world, side) = (self.world, self.side);
        let subject = self.party(world.subject);
        let resource = self.party(world.resource);
        let (mut context, mut facts) = (Vec::new(), Vec::new());
        let policy = self.policy;
        let action = world.action[side].or_else(|| world.action.iter().flatten().next().copied());
        let fields: &[FieldDef] = match world.action[side] {
            Some(action) => &policy.actions[action].context,
            None => &[],
        };
        for field in fields {
            let left_out = (0..world.sides.len())
                .filter_map(|other| world.context_read(other, &field.name))
                .any(|sym| self.is_absent(sym));
            let value = match world.context_read(side, &field.name) {
                Some(_) if left_out => Value::Absent,
                Some(sym) => self.value(sym),
                None => self.simple(&field.ty),
            };
            let told = self.json(&field.ty, &value);
            if let Some(told) = told {
                if field.kernel { &mut facts } else { &mut context }.push((field.name.to_string(), told));
            }
        }
        let name = (0..world.sides.len())
            .filter_map(|other| Some(world.sides[other].actions.get(world.action[other]?)?.wire.clone()))
            .next()
            .filter(|_| action.is_some())
            .unwrap_or_default();
        let action = Json::Object(vec![("name".to_owned(), Json::Text(name.to_string()))]);
        let mut members =
            vec![("subject".to_owned(), subject), ("action".to_owned(), action), ("resource".to_owned(), resource)];
        if !context.is_empty() {
            members.push(("context".to_owned(), Json::Object(context)));
        }
        (Json::Object(members), Json::Object(facts))
    }

    fn chosen<'c, T>(&self, choice: &'c Choice<T>) -> Option<&'c T> {
        choice.iter().find(|(when, _)| self.holds(*when)).map(|(_, what)| what)
    }

    fn holds(&self, formula: F) -> bool {
        self.model.holds(&self.world.cx, formula)
    }

    fn sum(&self, sum: &Linear) -> i128 {
        self.model.sum(&self.world.cx, sum).unwrap_or_default()
    }

    /// Whether a version that lets a field be left out sees it left out.
    fn is_absent(&self, sym: &Sym) -> bool {
        matches!(sym, Sym::Optional(present, _) if !self.holds(*present))
    }

    /// What a symbolic value is in the model.
    fn value(&mut self, sym: &Sym) -> Value {
        if self.world.present.get(sym).is_some_and(|present| !self.holds(*present)) {
            return Value::Absent;
        }
        match sym {
            Sym::Bool(truth) => Value::Bool(self.holds(*truth)),
            Sym::Number(choice) => Value::Number(self.chosen(choice).map_or(0, |sum| self.sum(sum))),
            Sym::Text(choice) => match self.chosen(choice) {
                Some(Word::Known(word)) => Value::Word(word.clone()),
                Some(Word::Variable(variable)) => Value::Word(self.model.word(&self.world.cx, *variable)),
                None => Value::Word("".into()),
            },
            Sym::Variant(choice) => Value::Name(self.chosen(choice).cloned().unwrap_or_default()),
            Sym::Entity(choice) => match self.chosen(choice).copied() {
                Some(term) => {
                    let (ty, id) = self.world.identity(term, self.model);
                    self.name(&ty, &id);
                    Value::Entity(ty, id, Some(term))
                }
                None => Value::Absent,
            },
            Sym::Record(fields) => {
                Value::Record(fields.iter().map(|(name, value)| (name.clone(), self.value(value))).collect())
            }
            Sym::Optional(present, value) => match value {
                Some(value) if self.holds(*present) => self.value(value),
                _ => Value::Absent,
            },
            Sym::Many(many) => self.many(many),
        }
    }

    fn many(&mut self, many: &Many) -> Value {
        let mut elements = Vec::new();
        for item in &many.items {
            if !self.holds(item.there) {
                continue;
            }
            let element = self.value(&item.element);
            let value = item.value.as_ref().map(|value| self.value(value));
            elements.push((element, value));
        }
        let more = many.more.as_ref().map_or(0, |more| self.sum(more));
        let more = usize::try_from(more).unwrap_or_default().min(crate::base::limits::COLLECTION_MAX as usize);
        if many.shape == Shape::Map {
            let key = |value: Value| match value {
                Value::Word(word) => word,
                _ => "".into(),
            };
            let told = elements.into_iter().map(|(element, value)| (key(element), value.unwrap_or(Value::Absent)));
            let mut entries: Vec<(Arc<str>, Value)> = told.collect();
            let keys: BTreeSet<Arc<str>> = entries.iter().map(|(key, _)| key.clone()).collect();
            let free = (0_u32..).map(|number| Arc::from(format!("more-{number}"))).filter(|key| !keys.contains(key));
            entries.extend(free.take(more).map(|key| (key, Value::More)));
            return Value::Map(entries);
        }
        let mut list: Vec<Value> = elements.into_iter().map(|(element, _)| element).collect();
        // What is not spelt out of a list answers each question as something does that is.
        let like = if many.shape == Shape::List { list.first().cloned() } else { None };
        list.extend(std::iter::repeat_n(like.unwrap_or(Value::More), more));
        if many.shape == Shape::Set {
            list.sort();
            list.dedup_by(|one, other| one == other && *one != Value::More);
        }
        Value::List(list)
    }

    /// A registered entity is named somewhere.
    fn name(&mut self, ty: &Arc<str>, id: &Arc<str>) {
        let registered = self.world.entity_type(self.side, ty).is_some_and(|def| !def.presented);
        let key = (ty.clone(), id.clone());
        if registered && !self.unknown.contains(&key) {
            self.named.insert(key);
        }
    }

    /// The subject or the resource.
    fn party(&mut self, term: Term) -> Json {
        let (ty, id) = self.world.identity(term, self.model);
        self.name(&ty, &id);
        let mut members =
            vec![("type".to_owned(), Json::Text(ty.to_string())), ("id".to_owned(), Json::Text(id.to_string()))];
        if self.world.entity_type(self.side, &ty).is_some_and(|def| def.presented) {
            let properties = self.properties(&ty, &[term]);
            members.push(("properties".to_owned(), Json::Object(properties)));
        }
        Json::Object(members)
    }

    /// The attributes of an entity, by what was read of it by any of these terms.
    fn properties(&mut self, ty: &Arc<str>, terms: &[Term]) -> Vec<(String, Json)> {
        let Some(def) = self.world.entity_type(self.side, ty) else { return Vec::new() };
        let mut all = Vec::with_capacity(def.attributes.len());
        for field in &def.attributes {
            let read = terms.iter().find_map(|term| self.world.attribute_read(self.side, *term, &field.name).cloned());
            let sides = 0..self.world.sides.len();
            let left_out = sides
                .flat_map(|side| terms.iter().map(move |term| (side, *term)))
                .filter_map(|(side, term)| self.world.attribute_read(side, term, &field.name))
                .any(|sym| self.is_absent(sym));
            let value = match read {
                Some(_) if left_out => Value::Absent,
                Some(sym) => self.value(&sym),
                None => self.simple(&field.ty),
            };
            if let Some(told) = self.json(&field.ty, &value) {
                all.push((field.name.to_string(), told));
            }
        }
        all
    }

    /// All registered entities that are named, and what they name in turn.
    fn entities(&mut self) -> Json {
        let mut parents: BTreeMap<Key, BTreeSet<Key>> = BTreeMap::new();
        let mut between = 0_u32;
        for (one, other) in self.world.below_in(self.model) {
            let (one, other) = (self.world.identity(one, self.model), self.world.identity(other, self.model));
            self.name(&one.0, &one.1);
            self.name(&other.0, &other.1);
            // What stands between them by their types is made up.
            let mut below = one.clone();
            for ty in self.world.chain(&one.0, &other.0).unwrap_or_default() {
                between += 1;
                let step: Key = (ty, format!("between-{between}").into());
                self.named.insert(step.clone());
                parents.entry(below).or_default().insert(step.clone());
                below = step;
            }
            parents.entry(below).or_default().insert(other);
        }
        let mut done: BTreeMap<Key, Json> = BTreeMap::new();
        while let Some(key) = self.named.iter().find(|key| !done.contains_key(*key)).cloned() {
            let terms: Vec<Term> = (self.world.terms())
                .map(|(term, _)| term)
                .filter(|term| self.world.identity(*term, self.model) == key)
                .collect();
            let properties = self.properties(&key.0, &terms);
            let mut members = vec![
                ("type".to_owned(), Json::Text(key.0.to_string())),
                ("id".to_owned(), Json::Text(key.1.to_string())),
            ];
            if !properties.is_empty() {
                members.push(("properties".to_owned(), Json::Object(properties)));
            }
            let above = parents.remove(&key).unwrap_or_default();
            if !above.is_empty() {
                let name = |(ty, id): Key| {
                    Json::Object(vec![
                        ("type".to_owned(), Json::Text(ty.to_string())),
                        ("id".to_owned(), Json::Text(id.to_string())),
                    ])
                };
                members.push(("in".to_owned(), Json::Array(above.into_iter().map(name).collect())));
            }
            done.insert(key, Json::Object(members));
        }
        Json::Array(done.into_values().collect())
    }
}
