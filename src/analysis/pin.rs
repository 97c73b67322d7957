//! Pins: that what a world was asked about has the values that given documents give it.
//!
//! A pin is a formula for one field. With all pins a world has one request left, so a model of it says what every
//! condition comes to; with some pins left out it has the requests that differ from the given one in these fields alone.
//! What the registry says is pinned by a table: a term that is some registered entity has the attributes of that entity.
//!
//! Pins are made where the world is encoded, since they ask for more of collections to be spelt out. The documents have to
//! be such that the machine takes them; what can't be pinned is told as a doubt, and is never passed over quietly.

mod registry;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::formula::F;
use crate::analysis::question::Kind;
use crate::analysis::request::Json;
use crate::analysis::value::Word;
use crate::analysis::value::{Sym, Term, same_word};
use crate::analysis::world::World;
use crate::types::ty::Type;
use crate::types::typed::{FieldDef, TypedPolicy};

pub use registry::{Key, Registry};

/// A request and the kernel's facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The request.
    pub request: Json,
    /// The facts.
    pub facts: Json,
}

/// Who says what a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The caller, in the request.
    Caller,
    /// Somebody else: the kernel, the registry, or who somebody is.
    Fixed,
}

/// That a field has its value.
#[derive(Clone, Debug)]
pub struct Pin {
    /// Where it stands in the request: `context`, `amount`.
    pub place: Vec<String>,
    /// How rules speak of it: `context.amount`.
    pub path: String,
    /// Who says what it is.
    pub control: Control,
    /// Its value in the world.
    pub sym: Sym,
    /// Its type.
    pub ty: Type,
    /// That it has the value that was given.
    pub formula: F,
}

/// All pins of a world.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    /// Of the fields of the request and the facts that rules read.
    pub fields: Vec<Pin>,
    /// What the registry says.
    pub registry: Vec<F>,
    /// What could not be pinned: then more requests are left than the one.
    pub doubts: Vec<String>,
}

impl Pins {
    /// That all is as it was given.
    #[must_use]
    pub fn all(&self) -> Vec<F> {
        self.registry.iter().copied().chain(self.fields.iter().map(|pin| pin.formula)).collect()
    }
}

/// What pins are made from.
#[derive(Debug)]
pub(super) struct Maker<'w, 'a, 'r> {
    world: &'w mut World<'a>,
    side: usize,
    policy: &'a TypedPolicy,
    registry: &'r Registry,
    /// Who terms are, whatever else is left open.
    fixed: BTreeMap<Term, Arc<str>>,
    /// Attributes of these entities that the caller may give.
    given: Vec<Key>,
    pins: Pins,
}

/// Pins everything that a side of a world reads of a request.
pub fn request(world: &mut World<'_>, side: usize, asked: &Asked, registry: &Registry) -> Pins {
    let (subject, resource) = (world.subject, world.resource);
    let mut maker = Maker::new(world, side, registry);
    for (name, term, other) in [("subject", subject, "resource"), ("resource", resource, "subject")] {
        if let Some(party) = asked.request.member(name) {
            maker.party(name, term, party, asked.request.member(other));
        }
    }
    maker.context(asked);
    maker.registry();
    maker.pins
}

/// Pins what the registry says, and who these terms are.
pub fn parties(world: &mut World<'_>, side: usize, parties: &[(Term, Arc<str>)], registry: &Registry) -> Pins {
    let mut maker = Maker::new(world, side, registry);
    for (term, id) in parties {
        maker.is(*term, id, if *term == maker.world.subject { "subject" } else { "resource" });
    }
    maker.registry();
    maker.pins
}

impl<'w, 'a, 'r> Maker<'w, 'a, 'r> {
    fn new(world: &'w mut World<'a>, side: usize, registry: &'r Registry) -> Maker<'w, 'a, 'r> {
        let policy = world.sides[side];
        Maker { world, side, policy, registry, fixed: BTreeMap::new(), given: Vec::new(), pins: Pins::default() }
    }

    /// Says who a party is.
    fn is(&mut self, term: Term, id: &Arc<str>, name: &str) {
        let own = self.world.term(term).id.clone();
        let formula = same_word(&mut self.world.cx, &own, &Word::Known(id.clone()));
        self.fixed.insert(term, id.clone());
        self.pins.fields.push(Pin {
            place: vec![name.to_owned(), "id".to_owned()],
            path: format!("{name}.id"),
            control: Control::Fixed,
            sym: Sym::Text(vec![(F::TRUE, own)]),
            ty: Type::String(crate::base::limits::ID_BYTES_MAX),
            formula,
        });
    }

    /// The subject or the resource: who it is, and the attributes that come with the request.
    fn party(&mut self, name: &str, term: Term, party: &Json, other: Option<&Json>) {
        let Some(id) = party.member("id").and_then(Json::text) else {
            return self.pins.doubts.push(format!("{name} has no id"));
        };
        let id: Arc<str> = id.into();
        self.is(term, &id, name);
        let ty = self.world.term(term).ty.clone();
        let Some(def) = self.world.entity_type(self.side, &ty) else { return };
        let properties = party.member("properties");
        let known = self.registry.entity(&ty, &id);
        // Of one entity that is both, the attributes that one gives are those of the other too.
        let other = other.filter(|other| !def.presented && other.member("id").and_then(Json::text) == Some(&*id));
        let other = other.filter(|other| {
            other
                .member("type")
                .and_then(Json::text)
                .is_some_and(|named| *def.wire == *named || *def.qualified == *named)
        });
        if !def.presented {
            self.given.push((ty.clone(), id.clone()));
        }
        for field in def.attributes.iter().filter(|field| def.presented || field.presented) {
            let Some(sym) = self.world.attribute_read(self.side, term, &field.name).cloned() else { continue };
            let theirs = other.and_then(|other| other.member("properties"));
            let given = [properties, theirs].into_iter().flatten().find_map(|of| of.member(&field.name));
            let value = given.or_else(|| known.filter(|_| !def.presented)?.properties.member(&field.name)).cloned();
            let place = vec![name.to_owned(), "properties".to_owned(), field.name.to_string()];
            self.field(place, format!("{name}.{}", field.name), Control::Caller, &sym, &field.ty, value.as_ref());
        }
    }

    fn context(&mut self, asked: &Asked) {
        let Some(action) = self.world.action[self.side] else { return };
        let policy = self.policy;
        let fields: &'a [FieldDef] = &policy.actions[action].context;
        let properties = asked.request.member("action").and_then(|action| action.member("properties"));
        for field in fields {
            let Some(sym) = self.world.context_read(self.side, &field.name).cloned() else { continue };
            let (value, control, place) = if field.kernel {
                (asked.facts.member(&field.name), Control::Fixed, vec!["facts".to_owned()])
            } else {
                let moved = properties.and_then(|properties| properties.member(&field.name));
                let own = asked.request.member("context").and_then(|context| context.member(&field.name));
                let place = match moved {
                    Some(_) => vec!["action".to_owned(), "properties".to_owned()],
                    None => vec!["context".to_owned()],
                };
                (own.or(moved), Control::Caller, place)
            };
            let place = place.into_iter().chain([field.name.to_string()]).collect();
            self.field(place, format!("context.{}", field.name), control, &sym, &field.ty, value);
        }
    }

    /// Pins a field; each field of a record by itself.
    fn field(
        &mut self,
        place: Vec<String>,
        path: String,
        control: Control,
        sym: &Sym,
        ty: &Type,
        value: Option<&Json>,
    ) {
        if let (Type::Record(of), Sym::Record(_), Some(value)) = (ty, sym, value) {
            let policy = self.policy;
            for field in &policy.records[of.index()].fields {
                let Some(inner) = sym.field(&field.name) else { continue };
                let mut place = place.clone();
                place.push(field.name.to_string());
                let path = format!("{path}.{}", field.name);
                self.field(place, path, control, inner, &field.ty, value.member(&field.name));
            }
            return;
        }
        let formula = self.value(ty, sym, value, &path, control == Control::Fixed);
        self.pins.fields.push(Pin { place, path, control, sym: sym.clone(), ty: ty.clone(), formula });
    }
}

impl Asked {
    /// The kind of request that it is, if the package knows it.
    #[must_use]
    pub fn kind(&self, policy: &TypedPolicy) -> Option<Kind> {
        let action = self.request.member("action")?.member("name")?.text()?;
        let action = policy.actions.iter().find(|def| *def.wire == *action || *def.qualified == *action)?;
        let ty = |name: &str| {
            let ty = self.request.member(name)?.member("type")?.text()?;
            let def = policy.entity_types.iter().find(|def| *def.wire == *ty || *def.qualified == *ty)?;
            Some(def.wire.clone())
        };
        Some(Kind { action: action.wire.clone(), subject: ty("subject")?, resource: ty("resource")? })
    }
}
