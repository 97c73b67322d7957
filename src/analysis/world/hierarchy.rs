//! Which entity lies below which.
//!
//! Whether one entity lies below another is free, as far as their types let it. What a hierarchy has to obey (it is
//! transitive, it has no cycles, equal entities lie below the same) is not written out for all triples: a model is looked
//! at, and what it breaks is added ([`World::refine`]). There are finitely many such laws, so this ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::World;
use crate::analysis::formula::F;
use crate::analysis::solver::Model;
use crate::analysis::value::{Term, Word};

/// A pair, when its first lies below its second, and whether it does in a model.
type Below = ((Term, Term), F, bool);

/// Type and id.
type Name = (Arc<str>, Arc<str>);

impl World<'_> {
    /// When the first entity is the second, or lies below it.
    pub fn is_in(&mut self, one: Term, other: Term) -> F {
        let same = self.same_term(one, other);
        let below = self.below(one, other);
        self.cx.formulas.either(same, below)
    }

    fn below(&mut self, one: Term, other: Term) -> F {
        if one == other {
            return F::FALSE;
        }
        if let Some(below) = self.below.get(&(one, other)) {
            return *below;
        }
        let (a, b) = (self.term(one).clone(), self.term(other).clone());
        if a.presented || b.presented || !self.reaches(&a.ty, &b.ty) {
            return F::FALSE;
        }
        let below = self.cx.formulas.free();
        self.below.insert((one, other), below);
        let same = self.same_term(one, other);
        let possible = self.cx.formulas.and([a.known, b.known, !same]);
        let axiom = self.cx.formulas.implies(below, possible);
        self.axioms.push(axiom);
        below
    }

    /// The names of the types that an entity of a type may have as direct parents, on any side.
    fn parents(&self, ty: &str) -> BTreeSet<Arc<str>> {
        let mut all = BTreeSet::new();
        for side in 0..self.sides.len() {
            let Some(def) = self.entity_type(side, ty) else { continue };
            all.extend(def.parents.iter().map(|id| self.sides[side].entity_types[id.index()].wire.clone()));
        }
        all
    }

    fn reaches(&self, from: &str, to: &str) -> bool {
        self.chain(from, to).is_some()
    }

    /// The types between an entity and one that it lies below: as few as can be, both ends left out.
    #[must_use]
    pub fn chain(&self, from: &str, to: &str) -> Option<Vec<Arc<str>>> {
        let mut came: BTreeMap<Arc<str>, Option<Arc<str>>> = BTreeMap::new();
        let mut open: Vec<Arc<str>> = Vec::new();
        for parent in self.parents(from) {
            came.insert(parent.clone(), None);
            open.push(parent);
        }
        let mut at = 0;
        while let Some(next) = open.get(at).cloned() {
            at += 1;
            if *next == *to {
                let mut chain = Vec::new();
                let mut step = came.get(&next).cloned().flatten();
                while let Some(ty) = step {
                    step = came.get(&ty).cloned().flatten();
                    chain.push(ty);
                }
                chain.reverse();
                return Some(chain);
            }
            for parent in self.parents(&next) {
                if !came.contains_key(&parent) {
                    came.insert(parent.clone(), Some(next.clone()));
                    open.push(parent);
                }
            }
        }
        None
    }

    /// Who an entity is in a model.
    #[must_use]
    pub fn identity(&self, term: Term, model: &Model) -> (Arc<str>, Arc<str>) {
        let def = self.term(term);
        let id = match &def.id {
            Word::Known(id) => id.clone(),
            Word::Variable(variable) => model.word(&self.cx, *variable),
        };
        (def.ty.clone(), id)
    }

    /// All pairs of which the first lies below the second in a model.
    #[must_use]
    pub fn below_in(&self, model: &Model) -> Vec<(Term, Term)> {
        let pairs = self.below.iter().filter(|(_, below)| model.holds(&self.cx, **below));
        pairs.map(|(pair, _)| *pair).collect()
    }

    /// All pairs of which was asked whether the first lies below the second, and when it does.
    #[must_use]
    pub fn below_read(&self) -> Vec<((Term, Term), F)> {
        self.below.iter().map(|(pair, below)| (*pair, *below)).collect()
    }

    /// The laws that a model breaks; none if it can be a hierarchy and its products are what they should be.
    pub fn refine(&mut self, model: &Model) -> Vec<F> {
        let mut laws = self.laws_of_hierarchy(model);
        laws.extend(self.laws_of_products(model));
        laws
    }

    fn laws_of_hierarchy(&mut self, model: &Model) -> Vec<F> {
        let who: BTreeMap<Term, (Arc<str>, Arc<str>)> =
            self.below.keys().flat_map(|(a, b)| [*a, *b]).map(|term| (term, self.identity(term, model))).collect();
        let mut laws = Vec::new();
        let pairs: Vec<Below> =
            self.below.iter().map(|(pair, below)| (*pair, *below, model.holds(&self.cx, *below))).collect();
        let mut truth: BTreeMap<[&Name; 2], Below> = BTreeMap::new();
        for &((a, b), below, holds) in &pairs {
            let key = [&who[&a], &who[&b]];
            match truth.get(&key) {
                Some(&((c, d), other, held)) if held != holds => {
                    let (first, second) = (self.same_term(a, c), self.same_term(b, d));
                    let alike = self.cx.formulas.iff(below, other);
                    laws.push(self.cx.formulas.or([!first, !second, alike]));
                }
                Some(_) => {}
                None => {
                    truth.insert(key, ((a, b), below, holds));
                }
            }
        }
        let held: Vec<((Term, Term), F)> =
            pairs.iter().filter(|(.., holds)| *holds).map(|(pair, below, _)| (*pair, *below)).collect();
        for &((a, b), first) in &held {
            for &((c, d), second) in held.iter().filter(|((c, _), _)| who[c] == who[&b]) {
                if truth.get(&[&who[&a], &who[&d]]).is_some_and(|(.., holds)| *holds) {
                    continue;
                }
                let meets = self.same_term(b, c);
                // On a cycle `a` is `d`, and nothing lies below itself.
                let then = if a == d { F::FALSE } else { self.below(a, d) };
                laws.push(self.cx.formulas.or([!first, !second, !meets, then]));
            }
        }
        laws
    }
}
