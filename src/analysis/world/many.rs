//! Questions about collections, and collections made of others.

use std::sync::Arc;

use super::World;
use crate::analysis::demand::Known;
use crate::analysis::formula::F;
use crate::analysis::numbers::Linear;
use crate::analysis::value::{Choice, Item, Many, Shape, Sym, Word};

impl World<'_> {
    /// One element of these collections answers the question.
    pub fn question(&mut self, of: &[&Many], question: F) {
        for many in of {
            for origin in many.origins.clone() {
                self.demands.question(&origin, question);
            }
        }
    }

    /// A question that one element of a collection answers, where not everything is spelt out. Before anything is spelt
    /// out its answer is constant; then what is asked (`what`, `of`) stands for it.
    pub fn asked(&mut self, many: &Many, answer: F, what: &str, of: &[Sym]) {
        if many.complete || many.origins.is_empty() {
            return;
        }
        let mark = if matches!(answer, F::TRUE | F::FALSE) { self.silent(what, of) } else { answer };
        self.question(&[many], mark);
    }

    /// What some item answers with yes, or something that no item stands for.
    pub fn perhaps(&mut self, many: &Many, some: F, what: &str, of: &[Sym]) -> F {
        if many.over == F::FALSE || some == F::TRUE {
            return some;
        }
        let unseen = self.unknown(&format!("{what} among more elements than are looked at"), of);
        let unseen = self.cx.formulas.both(many.over, unseen);
        self.cx.formulas.either(some, unseen)
    }

    /// Elements of the one are looked for in the other.
    pub(super) fn link(&mut self, one: &Many, other: &Many) {
        for a in &one.origins {
            for b in &other.origins {
                if a != b {
                    self.demands.link(a, b);
                }
            }
        }
        // What one spells out by itself, the other has to have as well.
        for (fixed, open) in [(one, other), (other, one)] {
            for item in &fixed.items {
                if let Some(known) = self.as_known(&item.element) {
                    for origin in open.origins.clone() {
                        self.demands.known(&origin, known.clone());
                    }
                }
            }
        }
    }

    /// The constant that a value is.
    fn as_known(&self, value: &Sym) -> Option<Known> {
        match value {
            Sym::Text(choice) => match &choice[..] {
                [(F::TRUE, Word::Known(word))] => Some(Known::Text(word.clone())),
                _ => None,
            },
            Sym::Number(choice) => match &choice[..] {
                [(F::TRUE, sum)] => Some(Known::Number(sum.as_constant()?)),
                _ => None,
            },
            Sym::Entity(choice) => match &choice[..] {
                [(F::TRUE, term)] => match &self.term(*term).id {
                    Word::Known(id) => Some(Known::Entity(self.term(*term).ty.clone(), id.clone())),
                    Word::Variable(_) => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// When a collection (of a map: its keys) has an element.
    pub fn contains(&mut self, many: &Many, element: &Sym) -> F {
        let known = self.as_known(element);
        if many.shape != Shape::List
            && let Some(known) = &known
        {
            for origin in many.origins.clone() {
                self.demands.known(&origin, known.clone());
            }
        }
        let mut cases = Vec::with_capacity(many.items.len());
        for item in &many.items {
            let same = self.equal(&item.element, element);
            cases.push(self.cx.formulas.both(item.there, same));
        }
        let holds = self.cx.formulas.or(cases);
        if !many.complete && !many.origins.is_empty() && (many.shape == Shape::List || known.is_none()) {
            // Before anything is spelt out the answer is constant, and would not count as a question.
            let mark = if matches!(holds, F::TRUE | F::FALSE) {
                self.silent("contains", &[Sym::Many(Arc::new(many.clone())), element.clone()])
            } else {
                holds
            };
            self.question(&[many], mark);
            let key = [Sym::Many(Arc::new(many.clone())), element.clone()];
            return self.perhaps(many, holds, "the one that is looked for", &key);
        }
        holds
    }

    /// When the first set has all elements of the second.
    pub fn contains_all(&mut self, many: &Many, of: &Many) -> F {
        self.link(many, of);
        let mut parts = Vec::with_capacity(of.items.len());
        for item in &of.items {
            let found = self.within(many, &item.element);
            parts.push(self.cx.formulas.implies(item.there, found));
        }
        let holds = self.cx.formulas.and(parts);
        self.mark(&[many, of], "all", holds);
        // Of the second more may be there, of the first what is looked for.
        let key = [Sym::Many(Arc::new(many.clone())), Sym::Many(Arc::new(of.clone()))];
        let missing = self.perhaps(of, !holds, "one that is missing", &key);
        let found = self.perhaps(many, !missing, "the one that is looked for", &key);
        self.cx.formulas.either(!missing, found)
    }

    /// When two sets share an element.
    pub fn contains_any(&mut self, one: &Many, other: &Many) -> F {
        self.link(one, other);
        let mut cases = Vec::with_capacity(other.items.len());
        for item in &other.items {
            let found = self.within(one, &item.element);
            cases.push(self.cx.formulas.both(item.there, found));
        }
        let holds = self.cx.formulas.or(cases);
        self.mark(&[one, other], "any", holds);
        let key = [Sym::Many(Arc::new(one.clone())), Sym::Many(Arc::new(other.clone()))];
        let holds = self.perhaps(one, holds, "one that both have", &key);
        self.perhaps(other, holds, "one that both have", &key)
    }

    /// A question that one element of one of these answers, where there is anything to be asked.
    fn mark(&mut self, of: &[&Many], what: &str, holds: F) {
        if of.iter().all(|many| many.complete || many.origins.is_empty()) {
            return;
        }
        // Against constants alone the constants are all that is needed.
        let constant = |many: &Many| {
            many.origins.is_empty() && many.items.iter().all(|item| self.as_known(&item.element).is_some())
        };
        let enough = match of {
            [one, other] if what == "any" => constant(one) || constant(other),
            // `xs contains_all {…}` asks for the constants; `{…} contains_all xs` for one that is none of them.
            [_, of] => constant(of),
            _ => false,
        };
        if enough {
            return;
        }
        let mark = if matches!(holds, F::TRUE | F::FALSE) {
            let key: Vec<Sym> = of.iter().map(|many| Sym::Many(Arc::new((*many).clone()))).collect();
            self.silent(what, &key)
        } else {
            holds
        };
        self.question(of, mark);
    }

    /// Something that stands for a question; nothing is unclear about it.
    pub(super) fn silent(&mut self, what: &str, of: &[Sym]) -> F {
        let key = (format!("?{what}"), of.to_vec());
        if let Some(known) = self.unknown.get(&key) {
            return *known;
        }
        let free = self.cx.formulas.free();
        self.unknown.insert(key, free);
        free
    }

    /// As [`World::contains`], where the demand is already known.
    fn within(&mut self, many: &Many, element: &Sym) -> F {
        let mut cases = Vec::with_capacity(many.items.len());
        for item in &many.items {
            let same = self.equal(&item.element, element);
            cases.push(self.cx.formulas.both(item.there, same));
        }
        self.cx.formulas.or(cases)
    }

    /// How many there are.
    pub fn size(&mut self, many: &Many) -> Choice<Linear> {
        for origin in many.origins.clone() {
            self.demands.sized(&origin);
        }
        let guards: Vec<F> = many.items.iter().map(|item| item.there).collect();
        let counted = self.count(&guards);
        counted
            .into_iter()
            .map(|(when, count)| {
                let count = Linear::constant(count);
                (when, many.more.as_ref().and_then(|more| count.plus(more, 1)).unwrap_or(count))
            })
            .collect()
    }

    /// How many of these hold.
    pub fn count(&mut self, of: &[F]) -> Choice<i128> {
        let mut counts: Vec<F> = vec![F::TRUE];
        for part in of {
            let mut next = Vec::with_capacity(counts.len() + 1);
            for count in 0..=counts.len() {
                let stays = counts.get(count).map_or(F::FALSE, |before| self.cx.formulas.both(*before, !*part));
                let rises = match count.checked_sub(1).and_then(|before| counts.get(before)) {
                    Some(before) => self.cx.formulas.both(*before, *part),
                    None => F::FALSE,
                };
                next.push(self.cx.formulas.either(stays, rises));
            }
            counts = next;
        }
        counts
            .into_iter()
            .enumerate()
            .filter(|(_, when)| *when != F::FALSE)
            .map(|(count, when)| (when, i128::try_from(count).unwrap_or(i128::MAX)))
            .collect()
    }

    pub(super) fn is_at_most(&mut self, guards: &[F], more: Option<&Linear>, most: u32) -> F {
        let mut cases = Vec::new();
        for (when, count) in self.count(guards) {
            let room = i128::from(most) - count;
            let fits = match more {
                Some(more) => self.cx.formulas.at_most(&self.cx.numbers, more, room),
                None => F::constant(room >= 0),
            };
            cases.push(self.cx.formulas.both(when, fits));
        }
        self.cx.formulas.or(cases)
    }

    pub(super) fn at_most_of(&mut self, guards: &[F], more: Option<&Linear>, most: u32) {
        let axiom = self.is_at_most(guards, more, most);
        self.axioms.push(axiom);
    }

    /// A set of values, of which some may be equal.
    pub fn set_of(&mut self, values: Vec<(F, Sym)>) -> Many {
        let mut items: Vec<Item> = Vec::with_capacity(values.len());
        for (mut there, element) in values {
            for before in items.clone() {
                let same = self.equal(&before.element, &element);
                let again = self.cx.formulas.both(before.there, same);
                there = self.cx.formulas.both(there, !again);
            }
            items.push(Item { there, element, value: None });
        }
        Many { shape: Shape::Set, items, more: None, over: F::FALSE, origins: Vec::new(), complete: true }
    }

    /// What is in one or in the other.
    pub fn union(&mut self, one: &Many, other: &Many) -> Many {
        self.link(one, other);
        let mut items = one.items.clone();
        for item in &other.items {
            let known = self.within(one, &item.element);
            items.push(Item { there: self.cx.formulas.both(item.there, !known), ..item.clone() });
        }
        let more = match (&one.more, &other.more) {
            (None, None) => None,
            // Some of what is not spelt out may be the same.
            _ => Some(self.unknown_number("the size of a union", 0, 1 << 20)),
        };
        let over = self.cx.formulas.either(one.over, other.over);
        Many { shape: Shape::Set, items, more, over, ..joined(one, other) }
    }

    /// What is in both.
    pub fn intersect(&mut self, one: &Many, other: &Many) -> Many {
        self.selected(one, other, true)
    }

    /// What is in the first alone.
    pub fn except(&mut self, one: &Many, other: &Many) -> Many {
        self.selected(one, other, false)
    }

    fn selected(&mut self, one: &Many, other: &Many, kept: bool) -> Many {
        self.link(one, other);
        let mut items = Vec::with_capacity(one.items.len());
        for item in &one.items {
            let found = self.within(other, &item.element);
            // A constant has an item of its own in each of them.
            let found = match self.as_known(&item.element) {
                Some(_) => found,
                None => {
                    let key = [Sym::Many(Arc::new(other.clone())), item.element.clone()];
                    self.perhaps(other, found, "the one that is looked for", &key)
                }
            };
            let found = if kept { found } else { !found };
            items.push(Item { there: self.cx.formulas.both(item.there, found), ..item.clone() });
        }
        let more =
            one.more.as_ref().map(|_| self.unknown_number("the size of a set that was made of others", 0, 1 << 20));
        let over = self.cx.formulas.either(one.over, other.over);
        Many { shape: Shape::Set, items, more, over, ..joined(one, other) }
    }
}

fn joined(one: &Many, other: &Many) -> Many {
    let mut origins = one.origins.clone();
    origins.extend(other.origins.iter().cloned());
    origins.sort_unstable();
    origins.dedup();
    Many {
        shape: Shape::Set,
        items: Vec::new(),
        more: None,
        over: F::FALSE,
        origins,
        complete: one.complete && other.complete,
    }
}
