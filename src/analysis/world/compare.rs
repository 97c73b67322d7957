//! When two values are equal.

use super::World;
use crate::analysis::formula::F;
use crate::analysis::value::{Many, Shape, Sym, Term, pairwise, same_number, same_word};

impl World<'_> {
    /// When two entities are the same.
    pub fn same_term(&mut self, one: Term, other: Term) -> F {
        if one == other {
            return F::TRUE;
        }
        let (a, b) = (self.term(one), self.term(other));
        if a.ty != b.ty {
            return F::FALSE;
        }
        let (a, b) = (a.id.clone(), b.id.clone());
        same_word(&mut self.cx, &a, &b)
    }

    /// When two values of one type are equal.
    pub fn equal(&mut self, one: &Sym, other: &Sym) -> F {
        if one == other {
            return F::TRUE;
        }
        match (one, other) {
            (Sym::Bool(one), Sym::Bool(other)) => self.cx.formulas.iff(*one, *other),
            (Sym::Number(one), Sym::Number(other)) => pairwise(&mut self.cx, one, other, same_number),
            (Sym::Text(one), Sym::Text(other)) => pairwise(&mut self.cx, one, other, same_word),
            (Sym::Variant(one), Sym::Variant(other)) => {
                pairwise(&mut self.cx, one, other, |_, one, other| F::constant(one == other))
            }
            (Sym::Entity(one), Sym::Entity(other)) => {
                let mut cases = Vec::new();
                for (when, a) in one {
                    for (and, b) in other {
                        let same = self.same_term(*a, *b);
                        cases.push(self.cx.formulas.and([*when, *and, same]));
                    }
                }
                self.cx.formulas.or(cases)
            }
            (Sym::Record(one), Sym::Record(other)) => {
                let mut parts = Vec::new();
                for (name, value) in one.iter() {
                    if let Some((_, theirs)) = other.iter().find(|(found, _)| found == name) {
                        parts.push(self.equal(value, theirs));
                    }
                }
                self.cx.formulas.and(parts)
            }
            (Sym::Optional(one, a), Sym::Optional(other, b)) => {
                let inner = match (a, b) {
                    (Some(a), Some(b)) => self.equal(a, b),
                    _ => F::FALSE,
                };
                let present = self.cx.formulas.and([*one, *other, inner]);
                let absent = self.cx.formulas.both(!*one, !*other);
                self.cx.formulas.either(present, absent)
            }
            (Sym::Optional(present, value), plain) | (plain, Sym::Optional(present, value)) => match value {
                Some(value) => {
                    let same = self.equal(value, plain);
                    self.cx.formulas.both(*present, same)
                }
                None => F::FALSE,
            },
            (Sym::Many(one), Sym::Many(other)) => self.equal_many(one, other),
            _ => self.unknown("values of different kinds", &[one.clone(), other.clone()]),
        }
    }

    fn equal_many(&mut self, one: &Many, other: &Many) -> F {
        match one.shape {
            Shape::Set => {
                let forth = self.contains_all(other, one);
                let back = self.contains_all(one, other);
                self.cx.formulas.both(forth, back)
            }
            Shape::List => {
                self.link(one, other);
                for (fixed, open) in [(one, other), (other, one)] {
                    for origin in open.origins.clone() {
                        if fixed.complete {
                            self.demands.places(&origin, fixed.items.len() + 1);
                        }
                    }
                }
                let mut parts = Vec::new();
                for place in 0..one.items.len().max(other.items.len()) {
                    match (one.items.get(place), other.items.get(place)) {
                        (Some(a), Some(b)) => {
                            parts.push(self.cx.formulas.iff(a.there, b.there));
                            let same = self.equal(&a.element, &b.element);
                            parts.push(self.cx.formulas.implies(a.there, same));
                        }
                        (Some(only), None) | (None, Some(only)) => parts.push(!only.there),
                        (None, None) => {}
                    }
                }
                let both = self.cx.formulas.and(parts);
                // What is not spelt out may differ; of lists that are written out nothing is not, if the other is spelt out
                // as far.
                let is_far = |open: &Many, fixed: &Many| {
                    fixed.complete && (open.over == F::FALSE || open.items.len() > fixed.items.len())
                };
                if is_far(one, other) || is_far(other, one) {
                    return both;
                }
                let key = [Sym::Many(one.clone().into()), Sym::Many(other.clone().into())];
                let differs = self.unknown("two lists that are compared with one another", &key);
                if one.complete || other.complete {
                    // Too few are spelt out for the two to look equal.
                    return !differs;
                }
                self.cx.formulas.both(both, !differs)
            }
            Shape::Map => {
                self.link(one, other);
                let mut parts = Vec::new();
                for (a, b) in [(one, other), (other, one)] {
                    for item in &a.items {
                        let mut found = Vec::new();
                        for theirs in &b.items {
                            let key = self.equal(&item.element, &theirs.element);
                            let value = match (&item.value, &theirs.value) {
                                (Some(one), Some(other)) => self.equal(one, other),
                                _ => F::TRUE,
                            };
                            found.push(self.cx.formulas.and([theirs.there, key, value]));
                        }
                        let found = self.cx.formulas.or(found);
                        parts.push(self.cx.formulas.implies(item.there, found));
                    }
                }
                let equal = self.cx.formulas.and(parts);
                self.question(&[one, other], equal);
                let key = [Sym::Many(one.clone().into()), Sym::Many(other.clone().into())];
                let differ = self.perhaps(one, !equal, "an entry that differs", &key);
                !self.perhaps(other, differ, "an entry that differs", &key)
            }
        }
    }
}
