//! The world that requests are asked in: what a request and the registry may say, as symbolic values.
//!
//! A world is made for one action and one pair of types of subject and resource, and for one version of a package or for
//! two that are compared; each version is a *side*. A field that both sides declare is one value for both. Where the two
//! types differ the value ranges over both, and a side's [`World::valid`] says when the side accepts it: a variant that
//! only the new version knows is an input error for the old one.
//!
//! Fields come into being when they are read.

mod compare;
mod fresh;
mod hierarchy;
mod many;
mod products;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub use fresh::differ;

use crate::analysis::context::Context;
use crate::analysis::demand::{Demand, Demands};
use crate::analysis::encode::{Leaf, Otherwise};
use crate::analysis::formula::F;
use crate::analysis::numbers::{Linear, NumVar};
use crate::analysis::text::{Domain, Lang};
use crate::analysis::value::{Many, Sym, Term, Word};
use crate::analysis::world::products::Product;
use crate::types::ty::Type;
use crate::types::typed::{EntityTypeDef, EntityTypeId, FieldDef, TypedPolicy};

/// An entity that is spoken of.
#[derive(Clone, Debug)]
pub struct TermDef {
    /// The name of its type.
    pub ty: Arc<str>,
    /// Its id.
    pub id: Word,
    /// Where it is spoken of, for the paths of its attributes.
    pub path: Arc<str>,
    /// Its attributes come with it.
    pub presented: bool,
    /// The registry knows it; of presented ones always.
    pub known: F,
}

/// What is known of one field: its value for each side that declares it.
pub type PerSide = Vec<Option<Sym>>;

/// See the module.
#[derive(Debug)]
pub struct World<'a> {
    /// Formulas, numbers, texts.
    pub cx: Context,
    /// The versions.
    pub sides: Vec<&'a TypedPolicy>,
    /// What always holds.
    pub axioms: Vec<F>,
    /// When each side accepts the request and the entities: all of these.
    pub valid: Vec<Vec<F>>,
    /// What a side's names mean that mean something else on the other; empty where nothing is compared.
    pub otherwise: Vec<Otherwise>,
    /// Conditions under which one side accepts a request and the other does not.
    pub accepted: Vec<Leaf>,
    /// What is encoded wider than it is: a request that is found may not exist.
    pub blurred: BTreeSet<String>,
    /// What is asked of collections.
    pub demands: Demands,
    assumed: BTreeMap<Arc<str>, Demand>,
    /// So many elements of each collection are spelt out beside constants.
    witnesses_max: usize,
    /// More elements of a collection are asked for than were to be spelt out.
    pub cut: bool,
    /// Not everything that is asked of collections could be spelt out: each may have more.
    loose: bool,
    /// When what one version demands and the other may leave out is there.
    pub(super) present: HashMap<Sym, F>,
    /// Within a collection: what the sides refuse of its elements, each with its side.
    refused: Option<Vec<(usize, F)>>,
    terms: Vec<TermDef>,
    literals: HashMap<(Arc<str>, Arc<str>), Term>,
    attributes: BTreeMap<(Term, Arc<str>), PerSide>,
    context: BTreeMap<Arc<str>, PerSide>,
    below: BTreeMap<(Term, Term), F>,
    unknown: HashMap<(String, Vec<Sym>), F>,
    /// How many of what is not spelt out fit, by how much there is of it and by which of what is spelt out fit.
    pub(super) counted: HashMap<(Linear, Vec<F>), Linear>,
    /// Quotients and rests of sums by constants.
    pub(super) parted: HashMap<(Linear, i128), (Linear, Linear)>,
    products: Vec<Product>,
    product_laws: usize,
    /// What stands where nothing is spelt out of a list or a map, by the place or the key.
    pub(super) placed: HashMap<(Arc<Many>, Sym), Sym>,
    /// When something matters that is not spelt out: where none of these holds, all of it is.
    pub beyond: Vec<F>,
    simple: Vec<F>,
    /// The subject.
    pub subject: Term,
    /// The resource.
    pub resource: Term,
    /// The action, for each side that has it.
    pub action: Vec<Option<usize>>,
}

impl<'a> World<'a> {
    /// The world of an action (its place in each side's list) and of the types (by name) of subject and resource.
    /// `assumed` is what a first round found to be asked of collections.
    #[must_use]
    pub fn new(
        sides: Vec<&'a TypedPolicy>,
        action: Vec<Option<usize>>,
        subject: &Arc<str>,
        resource: &Arc<str>,
        assumed: BTreeMap<Arc<str>, Demand>,
    ) -> World<'a> {
        let valid = vec![Vec::new(); sides.len()];
        let mut world = World {
            cx: Context::default(),
            sides,
            axioms: Vec::new(),
            valid,
            otherwise: Vec::new(),
            accepted: Vec::new(),
            blurred: BTreeSet::new(),
            demands: Demands::default(),
            assumed,
            witnesses_max: WITNESSES_MAX,
            cut: false,
            loose: false,
            present: HashMap::new(),
            refused: None,
            terms: Vec::new(),
            literals: HashMap::new(),
            attributes: BTreeMap::new(),
            context: BTreeMap::new(),
            below: BTreeMap::new(),
            unknown: HashMap::new(),
            counted: HashMap::new(),
            parted: HashMap::new(),
            products: Vec::new(),
            product_laws: 0,
            placed: HashMap::new(),
            beyond: Vec::new(),
            simple: Vec::new(),
            subject: Term(0),
            resource: Term(1),
            action,
        };
        for (ty, path) in [(subject, "subject"), (resource, "resource")] {
            let id = world.cx.texts.variable(Domain::Any(crate::base::limits::ID_BYTES_MAX));
            world.a_term(ty.clone(), Word::Variable(id), path.into(), F::TRUE);
        }
        world
    }

    /// The same, where what is asked of collections grows with what is spelt out of them.
    #[must_use]
    pub fn loosened(mut self) -> World<'a> {
        self.loose = true;
        self
    }

    /// The same, where no more elements of each collection are spelt out than these.
    #[must_use]
    pub fn limited(mut self, witnesses_max: usize) -> World<'a> {
        self.witnesses_max = witnesses_max.min(WITNESSES_MAX);
        self
    }

    /// The definition of an entity type on a side.
    #[must_use]
    pub fn entity_type(&self, side: usize, name: &str) -> Option<&'a EntityTypeDef> {
        self.sides.get(side)?.entity_types.iter().find(|def| *def.wire == *name)
    }

    /// An entity that is spoken of.
    #[must_use]
    pub fn term(&self, term: Term) -> &TermDef {
        &self.terms[term.0 as usize]
    }

    /// All entities that are spoken of.
    pub fn terms(&self) -> impl Iterator<Item = (Term, &TermDef)> {
        self.terms.iter().enumerate().map(|(at, def)| (Term(u32::try_from(at).unwrap_or(u32::MAX)), def))
    }

    fn a_term(&mut self, ty: Arc<str>, id: Word, path: Arc<str>, known: F) -> Term {
        let presented = (0..self.sides.len()).filter_map(|side| self.entity_type(side, &ty)).any(|def| def.presented);
        let known = if presented { F::TRUE } else { known };
        if let Word::Variable(id) = &id {
            // An id is never empty.
            let empty = self.cx.texts.language(Lang::Exactly("".into()));
            let empty = self.cx.formulas.atom(crate::analysis::formula::Atom::In(*id, empty));
            self.axioms.push(!empty);
        }
        self.terms.push(TermDef { ty, id, path, presented, known });
        let new = Term(u32::try_from(self.terms.len() - 1).unwrap_or(u32::MAX));
        self.known_alike(new);
        new
    }

    /// Equal names are known both or not at all.
    fn known_alike(&mut self, new: Term) {
        let of = self.term(new).clone();
        if of.presented {
            return;
        }
        let others: Vec<Term> = self.terms().filter(|(_, def)| def.ty == of.ty).map(|(term, _)| term).collect();
        for other in others.into_iter().filter(|other| *other != new) {
            let known = self.term(other).known;
            if known == of.known {
                continue;
            }
            let same = self.same_term(new, other);
            let alike = self.cx.formulas.iff(known, of.known);
            let axiom = self.cx.formulas.implies(same, alike);
            self.axioms.push(axiom);
        }
    }

    /// The entity of this type and id.
    pub fn literal(&mut self, side: usize, ty: EntityTypeId, id: &Arc<str>) -> Term {
        let name = self.sides[side].entity_types[ty.index()].wire.clone();
        self.named(name, id)
    }

    /// The entity of the type of this name, and this id.
    pub fn named(&mut self, ty: Arc<str>, id: &Arc<str>) -> Term {
        if let Some(term) = self.literals.get(&(ty.clone(), id.clone())) {
            return *term;
        }
        let known = self.cx.formulas.free();
        let path: Arc<str> = format!("{ty}::\"{id}\"").into();
        let term = self.a_term(ty.clone(), Word::Known(id.clone()), path, known);
        self.literals.insert((ty, id.clone()), term);
        term
    }

    /// A field of the context, as a side has it.
    pub fn context(&mut self, side: usize, name: &Arc<str>) -> Option<Sym> {
        if !self.context.contains_key(name) {
            let fields: Vec<Option<&'a FieldDef>> = (0..self.sides.len())
                .map(|side| {
                    let policy: &'a TypedPolicy = self.sides[side];
                    let action = &policy.actions[self.action[side]?];
                    action.context.iter().find(|field| field.name == *name)
                })
                .collect();
            let types: Vec<Option<&'a Type>> = fields.iter().map(|field| field.map(|field| &field.ty)).collect();
            let value = self.fresh(&format!("context.{name}").into(), &types, F::TRUE);
            self.context.insert(name.clone(), value);
        }
        self.context.get(name)?.get(side)?.clone()
    }

    /// The fields of the context that were read.
    #[must_use]
    pub fn context_read(&self, side: usize, name: &str) -> Option<&Sym> {
        self.context.get(name)?.get(side)?.as_ref()
    }

    /// An attribute of an entity, as a side has it. What it means if nobody knows the entity is for the caller to see.
    pub fn attribute(&mut self, side: usize, term: Term, name: &Arc<str>) -> Option<Sym> {
        let key = (term, name.clone());
        if !self.attributes.contains_key(&key) {
            let of = self.term(term).clone();
            let types: Vec<Option<&'a Type>> = (0..self.sides.len())
                .map(|side| {
                    let def: &'a EntityTypeDef = self.entity_type(side, &of.ty)?;
                    def.attributes.iter().find(|field| field.name == *name).map(|field| &field.ty)
                })
                .collect();
            let value = self.fresh(&format!("{}.{name}", of.path).into(), &types, of.known);
            self.attributes.insert(key, value.clone());
            if !of.presented {
                self.same_attributes(term, name, &of.ty, &value);
            }
        }
        self.attributes.get(&(term, name.clone()))?.get(side)?.clone()
    }

    /// An attribute that was read.
    #[must_use]
    pub fn attribute_read(&self, side: usize, term: Term, name: &str) -> Option<&Sym> {
        self.attributes.get(&(term, name.into()))?.get(side)?.as_ref()
    }

    /// All values that were read of the context and of attributes.
    pub fn read(&self, side: usize) -> impl Iterator<Item = &Sym> {
        self.context.values().chain(self.attributes.values()).filter_map(move |value| value.get(side)?.as_ref())
    }

    /// Registered entities that are the same have the same attributes.
    fn same_attributes(&mut self, term: Term, name: &Arc<str>, ty: &Arc<str>, value: &PerSide) {
        let others: Vec<(Term, PerSide)> = (self.attributes.iter())
            .filter(|((other, attribute), _)| *other != term && attribute == name)
            .filter(|((other, _), _)| self.term(*other).ty == *ty)
            .map(|((other, _), value)| (*other, value.clone()))
            .collect();
        for (other, theirs) in others {
            let same = self.same_term(term, other);
            if same == F::FALSE {
                continue;
            }
            for (one, other) in value.iter().zip(&theirs) {
                if let (Some(one), Some(other)) = (one, other) {
                    let equal = self.equal(one, other);
                    let axiom = self.cx.formulas.implies(same, equal);
                    self.axioms.push(axiom);
                }
            }
        }
    }

    /// A question that is not encoded: free, but the same answer for the same question.
    pub fn unknown(&mut self, reason: &str, of: &[Sym]) -> F {
        self.blurred.insert(reason.to_owned());
        let key = (reason.to_owned(), of.to_vec());
        if let Some(known) = self.unknown.get(&key) {
            return *known;
        }
        let free = self.cx.formulas.free();
        self.unknown.insert(key, free);
        free
    }

    /// A number that is not encoded.
    pub fn unknown_number(&mut self, reason: &str, low: i128, high: i128) -> Linear {
        self.blurred.insert(reason.to_owned());
        Linear::variable(self.cx.numbers.variable(low, high))
    }

    /// A variable that a sum is: itself, or a new one that equals it.
    pub(super) fn named_sum(&mut self, sum: &Linear) -> Option<NumVar> {
        if let Some(variable) = sum.as_variable() {
            return Some(variable);
        }
        let (low, high) = self.cx.numbers.range(sum)?;
        let variable = self.cx.numbers.variable(low, high);
        let difference = sum.plus(&Linear::variable(variable), -1)?;
        let same = self.cx.formulas.equals(&self.cx.numbers, &difference, 0);
        self.axioms.push(same);
        Some(variable)
    }

    /// Any value of these types, as a request might give it.
    pub fn anything(&mut self, path: &Arc<str>, types: &[Option<&Type>]) -> PerSide {
        self.fresh(path, types, F::TRUE)
    }

    /// What makes a request simple: nothing in it that need not be there, the first of what there is to choose from.
    #[must_use]
    pub fn simplicity(&self) -> Vec<F> {
        self.simple.iter().map(|more| !*more).collect()
    }

    /// What has to be spelt out of the collection at this path.
    fn assumed(&self, path: &str) -> Demand {
        self.assumed.get(path).cloned().unwrap_or_default()
    }

    /// What was asked of collections, if more was asked than was spelt out: then all has to be encoded again.
    #[must_use]
    pub fn wants(&self) -> Option<BTreeMap<Arc<str>, Demand>> {
        let settled = self.demands.settled();
        let mut all = self.assumed.clone();
        let mut grown = false;
        for (path, demand) in settled {
            let known = all.entry(path).or_default();
            let before = known.clone();
            known.known.extend(demand.known);
            known.witnesses = known.witnesses.max(demand.witnesses).min(self.witnesses_max);
            known.places = known.places.max(demand.places).min(WITNESSES_MAX);
            known.sized |= demand.sized;
            known.counted |= demand.counted;
            grown |= *known != before;
        }
        grown.then_some(all)
    }
}

/// So many elements of a collection are spelt out beside constants; what asks for more is not decided.
pub const WITNESSES_MAX: usize = 16;
