//! Collections, and questions about all of their elements.

use std::sync::Arc;

use super::{Encoder, Truth, Val};
use crate::analysis::formula::F;
use crate::analysis::numbers::Linear;
use crate::analysis::value::{Choice, Item, Many, Shape, Sym, either};
use crate::analysis::world::WITNESSES_MAX;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{Expr, LocalId, Quantifier, RecordId};

/// A collection of constants.
pub(super) fn fixed(shape: Shape, values: Vec<Sym>) -> Sym {
    let items = values.into_iter().map(|element| Item { there: F::TRUE, element, value: None }).collect();
    Sym::Many(Arc::new(Many { shape, items, more: None, over: F::FALSE, origins: Vec::new(), complete: true }))
}

/// A map of constants.
pub(super) fn fixed_map(entries: Vec<(Arc<str>, Sym)>) -> Sym {
    let item = |(key, value): (Arc<str>, Sym)| Item { there: F::TRUE, element: Sym::text(&key), value: Some(value) };
    let items = entries.into_iter().map(item).collect();
    Sym::Many(Arc::new(Many {
        shape: Shape::Map,
        items,
        more: None,
        over: F::FALSE,
        origins: Vec::new(),
        complete: true,
    }))
}

/// So many places of a list are spelt out where the request says which one is looked at.
const PLACES: usize = 2;

impl<'a> Encoder<'_, 'a> {
    fn all<'e>(&mut self, items: impl IntoIterator<Item = &'e Expr>) -> (Vec<Sym>, F) {
        let values: Vec<Val> = items.into_iter().map(|item| self.value(item)).collect();
        let error = self.world.cx.formulas.or(values.iter().map(|value| value.error));
        (values.into_iter().map(|value| value.sym).collect(), error)
    }

    pub(super) fn a_set(&mut self, items: &[Expr]) -> Val {
        let (values, error) = self.all(items);
        let set = self.world.set_of(values.into_iter().map(|value| (F::TRUE, value)).collect());
        Val { sym: Sym::Many(Arc::new(set)), error }
    }

    pub(super) fn a_list(&mut self, items: &[Expr]) -> Val {
        let (values, error) = self.all(items);
        Val { sym: fixed(Shape::List, values), error }
    }

    pub(super) fn a_map(&mut self, items: &[(Arc<str>, Expr)]) -> Val {
        let (values, error) = self.all(items.iter().map(|(_, value)| value));
        let entries = items.iter().map(|(key, _)| key.clone()).zip(values).collect();
        Val { sym: fixed_map(entries), error }
    }

    pub(super) fn a_record(&mut self, id: RecordId, items: &[Expr]) -> Val {
        let (values, error) = self.all(items);
        Val { sym: self.record(id, values), error }
    }

    /// A record of these values, in the order of its fields.
    pub(super) fn record(&self, id: RecordId, values: Vec<Sym>) -> Sym {
        let fields = &self.policy.records[id.index()].fields;
        let mut named: Vec<(Arc<str>, Sym)> = Vec::with_capacity(values.len());
        for (field, value) in fields.iter().zip(values) {
            let value = match (&field.ty, value) {
                (Type::Optional(_), value @ Sym::Optional(..)) => value,
                (Type::Optional(_), value) => Sym::perhaps(F::TRUE, value),
                (_, value) => value,
            };
            named.push((field.name.clone(), value));
        }
        named.sort_by(|one, other| one.0.cmp(&other.0));
        Sym::Record(Arc::new(named))
    }

    pub(super) fn collection(&mut self, operator: Operator, one: &Sym, other: &Sym, ty: &Type) -> Val {
        use Operator as O;
        let Sym::Many(many) = one else { return self.blurred("a collection", ty, F::FALSE) };
        let many = many.clone();
        let joined = |set: Many| Val::sure(Sym::Many(Arc::new(set)));
        match (operator, other) {
            (O::Size, _) => Val::sure(Sym::Number(self.world.size(&many))),
            (O::Contains | O::MapHasKey, element) => Val::sure(Sym::Bool(self.world.contains(&many, element))),
            (O::ContainsAll, Sym::Many(of)) => Val::sure(Sym::Bool(self.world.contains_all(&many, of))),
            (O::ContainsAny, Sym::Many(of)) => Val::sure(Sym::Bool(self.world.contains_any(&many, of))),
            (O::SetUnion, Sym::Many(of)) => joined(self.world.union(&many, of)),
            (O::SetIntersect, Sym::Many(of)) => joined(self.world.intersect(&many, of)),
            (O::SetExcept, Sym::Many(of)) => joined(self.world.except(&many, of)),
            (O::MapGet, key) => self.map_get(&many, key, ty),
            (O::ListGet, place) => self.list_get(&many, place, ty),
            _ => self.blurred("a collection", ty, F::FALSE),
        }
    }

    fn map_get(&mut self, many: &Arc<Many>, key: &Sym, ty: &Type) -> Val {
        let present = self.world.contains(many, key);
        // Behind a key that is not spelt out may be anything.
        let mut result: Option<Sym> = match many.over {
            F::FALSE => None,
            _ => self.unseen(many, key, ty),
        };
        for item in &many.items {
            let Some(value) = &item.value else { continue };
            let same = self.world.equal(&item.element, key);
            if same == F::FALSE {
                continue;
            }
            result = Some(match result {
                None => value.clone(),
                Some(before) => match either(&mut self.world.cx, same, value, &before) {
                    Some(sym) => sym,
                    None => return self.blurred("a value of a map", ty, F::FALSE),
                },
            });
        }
        Val::sure(result.map_or_else(Sym::absent, |value| Sym::perhaps(present, value)))
    }

    /// What is behind a key that is not spelt out; the same for the same key.
    fn unseen(&mut self, many: &Arc<Many>, key: &Sym, ty: &Type) -> Option<Sym> {
        match self.somewhere_else(many, key, ty) {
            Sym::Optional(_, value) => value.map(|value| (*value).clone()),
            value => Some(value),
        }
    }

    fn list_get(&mut self, many: &Arc<Many>, place: &Sym, ty: &Type) -> Val {
        let Some(choice) = Self::sums(place).cloned() else { return self.blurred("a place in a list", ty, F::FALSE) };
        let mut result = Sym::absent();
        for (when, sum) in choice {
            let found = match sum.as_constant() {
                Some(at) => {
                    let Ok(at) = usize::try_from(at) else { continue };
                    for origin in many.origins.clone() {
                        self.world.demands.places(&origin, at.saturating_add(1));
                    }
                    match many.items.get(at) {
                        Some(item) => Sym::perhaps(item.there, item.element.clone()),
                        None if many.complete || at < WITNESSES_MAX => continue,
                        None => self.far_behind(many, &sum, ty),
                    }
                }
                None => match self.somewhere(many, &sum, ty) {
                    Some(found) => found,
                    None => return self.blurred("a place in a list", ty, F::FALSE),
                },
            };
            result = match either(&mut self.world.cx, when, &found, &result) {
                Some(sym) => sym,
                None => return self.blurred("a place in a list", ty, F::FALSE),
            };
        }
        Val::sure(result)
    }

    /// What is at a place that the request says. What is spelt out need not stand where it does in the request, but for
    /// the first places.
    fn somewhere(&mut self, many: &Arc<Many>, sum: &Linear, ty: &Type) -> Option<Sym> {
        for origin in many.origins.clone() {
            self.world.demands.places(&origin, PLACES);
        }
        let known = if many.complete { many.items.len() } else { many.items.len().min(PLACES) };
        let mut result = match many.complete {
            true => Sym::absent(),
            false => self.far_behind(many, sum, ty),
        };
        let cx = &mut self.world.cx;
        for (at, item) in many.items.iter().enumerate().take(known) {
            let here = cx.formulas.equals(&cx.numbers, sum, i128::try_from(at).ok()?);
            let found = Sym::perhaps(item.there, item.element.clone());
            result = either(cx, here, &found, &result)?;
        }
        let negative = cx.formulas.at_most(&cx.numbers, sum, -1);
        let behind = !cx.formulas.at_most(&cx.numbers, sum, i128::try_from(known).ok()?.checked_sub(1)?);
        if !many.complete {
            self.world.beyond.push(behind);
        }
        either(&mut self.world.cx, negative, &Sym::absent(), &result)
    }

    /// Anything or nothing, for a place behind all that is spelt out; the same for the same place.
    fn far_behind(&mut self, many: &Arc<Many>, sum: &Linear, ty: &Type) -> Sym {
        self.somewhere_else(many, &Sym::sum(sum.clone()), ty)
    }

    /// Anything of a type, for a place or a key of a collection; the same for the same.
    fn somewhere_else(&mut self, many: &Arc<Many>, at: &Sym, ty: &Type) -> Sym {
        let key = (many.clone(), at.clone());
        if let Some(known) = self.world.placed.get(&key) {
            return known.clone();
        }
        self.world.blurred.insert("a place in a collection that is not spelt out".to_owned());
        let mut types = vec![None; self.world.sides.len()];
        types[self.side] = Some(ty);
        let path = format!("{}[?{}]", many.origins.join(","), self.world.placed.len());
        let value = self.world.anything(&path.into(), &types);
        let found = value.into_iter().nth(self.side).flatten().unwrap_or_else(Sym::absent);
        self.world.placed.insert(key, found.clone());
        found
    }

    /// What a body comes to for each element, and when the element is there.
    fn bodies(&mut self, many: &Many, local: LocalId, body: &Expr) -> Vec<(F, Truth)> {
        let kept = self.locals.remove(&local);
        let mut bodies = Vec::with_capacity(many.items.len());
        for item in &many.items {
            self.locals.insert(local, Val::sure(item.element.clone()));
            self.quiet += 1;
            let truth = self.condition(body);
            self.quiet -= 1;
            bodies.push((item.there, truth));
        }
        super::restore(&mut self.locals, local, kept);
        bodies
    }

    pub(super) fn quantifier(&mut self, quantifier: Quantifier, local: LocalId, over: &Expr, body: &Expr) -> Val {
        let of = self.value(over);
        let Sym::Many(many) = &of.sym else { return self.blurred("a collection", &Type::Bool, of.error) };
        let many = many.clone();
        let bodies = self.bodies(&many, local, body);
        let formulas = &mut self.world.cx.formulas;
        let (mut yes, mut no, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for (there, truth) in &bodies {
            yes.push(formulas.both(*there, truth.yes));
            no.push(formulas.both(*there, truth.no));
            errors.push(formulas.both(*there, truth.error));
        }
        let found = formulas.or(yes.iter().copied());
        let broken = formulas.or(no.iter().copied());
        let failed = formulas.or(errors);
        // What no item stands for may fit, may not, and may fail; unless nothing can, whatever it is.
        let key = self.predicate(&many, &bodies);
        let never = |of: fn(&Truth) -> F| !bodies.is_empty() && bodies.iter().all(|(_, truth)| of(truth) == F::FALSE);
        let [none_fits, none_does_not, none_fails] =
            [never(|truth| truth.yes), never(|truth| truth.no), never(|truth| truth.error)];
        let mut perhaps = |never: bool, some: F, what: &str| match never {
            true => some,
            false => self.world.perhaps(&many, some, what, &key),
        };
        let found = perhaps(none_fits, found, "an element that fits");
        let broken = perhaps(none_does_not, broken, "an element that does not fit");
        let failed = perhaps(none_fails || !body.fallible, failed, "an element that fails");
        let value = match quantifier {
            Quantifier::Any => {
                let none = !self.world.cx.formulas.either(found, failed);
                self.asked_of_each(&many, found, failed, body);
                self.bool(found, none)
            }
            Quantifier::All => {
                let each = !self.world.cx.formulas.either(broken, failed);
                self.asked_of_each(&many, broken, failed, body);
                self.bool(each, broken)
            }
            Quantifier::Count => {
                self.asked_of_each(&many, found, failed, body);
                let key = [Sym::Many(many.clone()), Sym::number(i128::from(body.span.start))];
                self.world.asked(&many, broken, "one that is not counted", &key);
                Val { sym: Sym::Number(self.counted(&many, &yes, found, broken)), error: failed }
            }
        };
        Val { error: self.world.cx.formulas.either(of.error, value.error), ..value }
    }

    /// What is asked of each element, so that the same question is known again: what it comes to for those that are
    /// spelt out. Where more may be there, one of them at least is any element at all, so that what comes to the same of
    /// it is the same question.
    fn predicate(&mut self, many: &Arc<Many>, bodies: &[(F, Truth)]) -> Vec<Sym> {
        let mut key = vec![Sym::Many(many.clone())];
        let all = bodies.iter().flat_map(|(_, truth)| [truth.yes, truth.no, truth.error]);
        key.extend(all.map(Sym::Bool));
        if many.over != F::FALSE && bodies.is_empty() {
            key.push(Sym::Bool(self.world.cx.formulas.free()));
        }
        key
    }

    /// How many elements fit: of what is not spelt out any number may.
    fn counted(&mut self, many: &Many, yes: &[F], found: F, broken: F) -> Choice<Linear> {
        if !many.complete {
            for origin in many.origins.clone() {
                self.world.demands.counted(&origin);
            }
        }
        let more = many.more.clone().map(|more| self.counted_beyond(&more, yes, found, broken));
        let with = |count: i128| {
            let count = Linear::constant(count);
            more.as_ref().and_then(|more| count.plus(more, 1)).unwrap_or(count)
        };
        let counted = self.world.count(yes);
        counted.into_iter().map(|(when, count)| (when, with(count))).collect()
    }

    /// How many fit of what is not spelt out. One question has one number, on both sides.
    fn counted_beyond(&mut self, more: &Linear, yes: &[F], found: F, broken: F) -> Linear {
        let key = (more.clone(), yes.to_vec());
        if let Some(known) = self.world.counted.get(&key) {
            return known.clone();
        }
        let extra = self.world.unknown_number("how many of very many elements fit", 0, 1 << 20);
        if let Some(difference) = extra.plus(more, -1) {
            let cx = &mut self.world.cx;
            // If some fit, or some do not, then one that is spelt out does so too.
            let at_most = cx.formulas.at_most(&cx.numbers, &difference, 0);
            let all = !cx.formulas.at_most(&cx.numbers, &difference, -1);
            let none = cx.formulas.at_most(&cx.numbers, &extra, 0);
            let one_fits = cx.formulas.either(none, found);
            let one_does_not = cx.formulas.either(all, broken);
            self.world.axioms.extend([at_most, one_fits, one_does_not]);
        }
        // Where nothing is spelt out that could be anything, different questions look alike.
        if yes.iter().any(|fits| !matches!(*fits, F::TRUE | F::FALSE)) {
            self.world.counted.insert(key, extra.clone());
        }
        extra
    }

    /// One element answers this, and one more may be an error.
    fn asked_of_each(&mut self, many: &Many, answer: F, failed: F, body: &Expr) {
        let key = [Sym::Many(Arc::new(many.clone())), Sym::number(i128::from(body.span.start))];
        self.world.asked(many, answer, "quantifier", &key);
        if failed != F::FALSE || body.fallible {
            self.world.asked(many, failed, "failing quantifier", &key);
        }
    }

    /// Whether a graph has no cycle: by all paths within what is spelt out.
    pub(super) fn acyclic(&mut self, local: LocalId, over: &Expr, node: &Expr, edges: &Expr) -> Val {
        let of = self.value(over);
        let Sym::Many(many) = &of.sym else { return self.blurred("a graph", &Type::Bool, of.error) };
        let many = many.clone();
        let kept = self.locals.remove(&local);
        let mut parts: Vec<(F, Val, Val)> = Vec::new();
        for item in many.items.iter().take(WITNESSES_MAX) {
            self.locals.insert(local, Val::sure(item.element.clone()));
            self.quiet += 1;
            let (node, edges) = (self.value(node), self.value(edges));
            self.quiet -= 1;
            parts.push((item.there, node, edges));
        }
        super::restore(&mut self.locals, local, kept);
        let mut errors = vec![of.error];
        for (there, node, edges) in &parts {
            let failed = self.world.cx.formulas.either(node.error, edges.error);
            errors.push(self.world.cx.formulas.both(*there, failed));
        }
        let error = self.world.cx.formulas.or(errors);
        let cycle = self.cycle(&parts);
        let acyclic = if many.complete && many.items.len() <= WITNESSES_MAX {
            !cycle
        } else {
            let mut key = vec![of.sym.clone()];
            key.extend(parts.iter().flat_map(|(_, node, edges)| [node.sym.clone(), edges.sym.clone()]));
            self.world.asked(&many, cycle, "acyclic", &key);
            if parts.is_empty() {
                key.push(Sym::Bool(self.world.cx.formulas.free()));
            }
            // A longer cycle than what is spelt out may be there.
            let longer = self.world.unknown("a cycle longer than what was looked at", &key);
            self.world.beyond.push(longer);
            self.world.cx.formulas.both(!cycle, !longer)
        };
        Val { sym: Sym::Bool(acyclic), error }
    }

    fn cycle(&mut self, parts: &[(F, Val, Val)]) -> F {
        let size = parts.len();
        let mut reach = vec![vec![F::FALSE; size]; size];
        for (from, (there, _, edges)) in parts.iter().enumerate() {
            let Sym::Many(edges) = &edges.sym else { continue };
            for (to, (also, node, _)) in parts.iter().enumerate() {
                let leads = self.world.contains(edges, &node.sym);
                reach[from][to] = self.world.cx.formulas.and([*there, *also, leads]);
            }
        }
        for by in 0..size {
            for from in 0..size {
                for to in 0..size {
                    let over = self.world.cx.formulas.both(reach[from][by], reach[by][to]);
                    reach[from][to] = self.world.cx.formulas.either(reach[from][to], over);
                }
            }
        }
        self.world.cx.formulas.or((0..size).map(|at| reach[at][at]).collect::<Vec<F>>())
    }
}
