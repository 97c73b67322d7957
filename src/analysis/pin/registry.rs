//! The entities that are loaded, and that what is read of the registry is what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Maker;
use crate::analysis::formula::F;
use crate::analysis::request::Json;
use crate::analysis::value::{Many, Sym, Term, Word, same_word};
use crate::types::typed::TypedPolicy;

/// An entity's name: type (as on the wire) and id.
pub type Key = (Arc<str>, Arc<str>);

/// A registered entity.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Its attributes.
    pub properties: Json,
    /// What it lies directly below.
    pub parents: Vec<Key>,
}

/// All registered entities.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    entities: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Entity>>,
}

/// A term that may be any of more entities than these is left open.
const CANDIDATES_MAX: usize = 400;

impl Registry {
    /// Reads the document of entities, which the machine has taken.
    #[must_use]
    pub fn read(policy: &TypedPolicy, document: &Json) -> Registry {
        let wire = |name: &str| {
            let def = policy.entity_types.iter().find(|def| *def.wire == *name || *def.qualified == *name)?;
            Some(def.clone())
        };
        let mut registry = Registry::default();
        let Json::Array(all) = document else { return registry };
        for entity in all {
            let (Some(def), Some(id)) =
                (entity.member("type").and_then(Json::text).and_then(wire), entity.member("id").and_then(Json::text))
            else {
                continue;
            };
            let parents = match entity.member("in") {
                Some(Json::Array(parents)) => parents
                    .iter()
                    .filter_map(|parent| match (parent, &def.parents[..]) {
                        (Json::Text(id), [only]) => {
                            Some((policy.entity_types.get(only.index())?.wire.clone(), id.as_str().into()))
                        }
                        _ => Some((
                            wire(parent.member("type").and_then(Json::text)?)?.wire,
                            parent.member("id").and_then(Json::text)?.into(),
                        )),
                    })
                    .collect(),
                _ => Vec::new(),
            };
            let properties = entity.member("properties").cloned().unwrap_or(Json::Object(Vec::new()));
            registry.entities.entry(def.wire).or_default().insert(id.into(), Entity { properties, parents });
        }
        registry
    }

    /// An entity.
    #[must_use]
    pub fn entity(&self, ty: &str, id: &str) -> Option<&Entity> {
        self.entities.get(ty)?.get(id)
    }

    /// The ids of all entities of a type, sorted.
    pub fn ids(&self, ty: &str) -> impl Iterator<Item = &Arc<str>> {
        self.entities.get(ty).into_iter().flat_map(BTreeMap::keys)
    }

    /// The names of all entities.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<Key> {
        self.entities.iter().flat_map(|(ty, all)| all.keys().map(|id| (ty.clone(), id.clone()))).collect()
    }

    /// Everything that an entity lies below.
    fn above(&self, key: &Key) -> BTreeSet<Key> {
        let mut found = BTreeSet::new();
        let mut open = vec![key.clone()];
        while let Some((ty, id)) = open.pop() {
            for parent in self.entity(&ty, &id).into_iter().flat_map(|entity| &entity.parents) {
                if found.insert(parent.clone()) {
                    open.push(parent.clone());
                }
            }
        }
        found
    }
}

impl Maker<'_, '_, '_> {
    /// Pins what the registry says of every entity that is spoken of.
    pub(super) fn registry(&mut self) {
        let mut done: BTreeSet<Term> = BTreeSet::new();
        // Who is certain first: what it names is certain too.
        while let Some((term, id)) = self.next_certain(&done) {
            done.insert(term);
            let known = self.world.term(term).known;
            let ty = self.world.term(term).ty.clone();
            let exists = self.registry.entity(&ty, &id).is_some();
            self.pins.registry.push(if exists { known } else { !known });
            if exists {
                let says = self.attributes(term, &id, true);
                self.pins.registry.push(says);
            }
        }
        let others: Vec<(Term, Arc<str>)> = (self.world.terms())
            .filter(|(term, def)| !def.presented && !done.contains(term))
            .map(|(term, def)| (term, def.ty.clone()))
            .collect();
        let mut open: BTreeSet<Term> = BTreeSet::new();
        for (term, ty) in &others {
            let ids: Vec<Arc<str>> = self.registry.ids(ty).cloned().collect();
            if ids.len() > CANDIDATES_MAX {
                open.insert(*term);
                self.pins.doubts.push(format!("which of {} entities {} is", ids.len(), self.world.term(*term).path));
                continue;
            }
            for id in ids {
                let is = self.same(*term, &id);
                let says = self.attributes(*term, &id, false);
                let says = self.world.cx.formulas.implies(is, says);
                self.pins.registry.push(says);
            }
        }
        self.somebody(&others, &open);
        self.hierarchy(&open);
    }

    fn next_certain(&self, done: &BTreeSet<Term>) -> Option<(Term, Arc<str>)> {
        self.world.terms().filter(|(term, def)| !def.presented && !done.contains(term)).find_map(|(term, def)| {
            let id = match &def.id {
                Word::Known(id) => Some(id.clone()),
                Word::Variable(_) => self.fixed.get(&term).cloned(),
            };
            Some((term, id?))
        })
    }

    fn same(&mut self, term: Term, id: &Arc<str>) -> F {
        let own = self.world.term(term).id.clone();
        same_word(&mut self.world.cx, &own, &Word::Known(id.clone()))
    }

    /// That what was read of a term is what the entity of this id has.
    fn attributes(&mut self, term: Term, id: &Arc<str>, firm: bool) -> F {
        let of = self.world.term(term).clone();
        let (registry, policy) = (self.registry, self.world.entity_type(self.side, &of.ty));
        let (Some(entity), Some(def)) = (registry.entity(&of.ty, id), policy) else { return F::TRUE };
        let given = self.given.contains(&(of.ty.clone(), id.clone()));
        let mut parts = Vec::new();
        for field in def.attributes.iter().filter(|field| !(given && field.presented)) {
            let Some(sym) = self.world.attribute_read(self.side, term, &field.name).cloned() else { continue };
            let path = format!("{}.{}", of.path, field.name);
            parts.push(self.value(&field.ty, &sym, entity.properties.member(&field.name), &path, firm));
        }
        self.world.cx.formulas.and(parts)
    }

    /// Whoever is named somewhere is registered.
    fn somebody(&mut self, others: &[(Term, Arc<str>)], open: &BTreeSet<Term>) {
        let others: BTreeMap<Term, Arc<str>> = others.iter().cloned().collect();
        let mut named: Vec<(F, Term)> = vec![(F::TRUE, self.world.subject), (F::TRUE, self.world.resource)];
        for value in self.world.read(self.side) {
            entities(value, &mut named);
        }
        for (when, term) in named {
            let Some(ty) = others.get(&term).filter(|_| !open.contains(&term)) else { continue };
            let ids: Vec<Arc<str>> = self.registry.ids(ty).cloned().collect();
            let mut cases = Vec::with_capacity(ids.len());
            for id in ids {
                cases.push(self.same(term, &id));
            }
            let known = self.world.term(term).known;
            let somebody = self.world.cx.formulas.or(cases);
            let is = self.world.cx.formulas.both(known, somebody);
            let is = self.world.cx.formulas.implies(when, is);
            self.pins.registry.push(is);
        }
    }

    fn candidates(&self, term: Term) -> Vec<Arc<str>> {
        let def = self.world.term(term);
        match (&def.id, self.fixed.get(&term)) {
            (Word::Known(id), _) | (_, Some(id)) => vec![id.clone()],
            _ => self.registry.ids(&def.ty).cloned().collect(),
        }
    }

    /// Pins who lies below whom.
    fn hierarchy(&mut self, open: &BTreeSet<Term>) {
        for ((one, other), below) in self.world.below_read() {
            if open.contains(&one) || open.contains(&other) {
                continue;
            }
            let (ty, above) = (self.world.term(one).ty.clone(), self.world.term(other).ty.clone());
            let among: BTreeSet<Arc<str>> = self.candidates(other).into_iter().collect();
            let mut cases = Vec::new();
            for id in self.candidates(one) {
                let ids: Vec<Arc<str>> = (self.registry.above(&(ty.clone(), id.clone())).into_iter())
                    .filter(|(ty, id)| *ty == above && among.contains(id))
                    .map(|(_, id)| id)
                    .collect();
                for over in ids {
                    // Of who is certain nothing is left to be asked.
                    let (a, b) = (self.is_who(one, &id), self.is_who(other, &over));
                    cases.push(self.world.cx.formulas.both(a, b));
                }
            }
            let holds = self.world.cx.formulas.or(cases);
            let pinned = self.world.cx.formulas.iff(below, holds);
            self.pins.registry.push(pinned);
        }
    }

    fn is_who(&mut self, term: Term, id: &Arc<str>) -> F {
        if self.fixed.contains_key(&term) { F::TRUE } else { self.same(term, id) }
    }
}

/// All entities that a value may name.
fn entities(value: &Sym, all: &mut Vec<(F, Term)>) {
    let of_many = |many: &Many, all: &mut Vec<(F, Term)>| {
        for item in &many.items {
            entities(&item.element, all);
            item.value.iter().for_each(|value| entities(value, all));
        }
    };
    match value {
        Sym::Entity(choice) => all.extend(choice.iter().copied()),
        Sym::Record(fields) => fields.iter().for_each(|(_, field)| entities(field, all)),
        Sym::Optional(_, Some(inner)) => entities(inner, all),
        Sym::Many(many) => of_many(many, all),
        _ => {}
    }
}
