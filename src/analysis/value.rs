//! Symbolic values: what an expression may be, over all requests at once.
//!
//! A value is a choice: several things it may be, each under a condition, of which exactly one holds. Names are used for
//! what the typed tree numbers (variants, fields, entity types), so that values of two versions of a package can be
//! compared with one another.

use std::sync::Arc;

use crate::analysis::context::Context;
use crate::analysis::formula::{Atom, F};
use crate::analysis::numbers::Linear;
use crate::analysis::text::{Lang, TextVar};

/// Things that a value may be, each under its condition: exactly one of the conditions holds.
pub type Choice<T> = Vec<(F, T)>;

/// A text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// A known one.
    Known(Arc<str>),
    /// That of a variable.
    Variable(TextVar),
}

/// An entity that is spoken of: its place among the terms of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub u32);

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sym {
    /// True or false.
    Bool(F),
    /// An integer, decimal, duration or timestamp.
    Number(Choice<Linear>),
    /// A string, path, URL, address or network, as a word.
    Text(Choice<Word>),
    /// A variant, by name.
    Variant(Choice<Arc<str>>),
    /// An entity.
    Entity(Choice<Term>),
    /// A record: its fields by name, sorted.
    Record(Arc<Vec<(Arc<str>, Sym)>>),
    /// Present under this condition; without a value never.
    Optional(F, Option<Arc<Sym>>),
    /// A set, list or map.
    Many(Arc<Many>),
}

/// What kind of collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// No element twice.
    Set,
    /// In order: an element is there only if the one before it is.
    List,
    /// No key twice.
    Map,
}

/// A collection: the elements that may be in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Many {
    /// Which kind.
    pub shape: Shape,
    /// What may be in it. Of sets and maps two items that are there are never equal.
    pub items: Vec<Item>,
    /// How many more there are that are not spelt out.
    pub more: Option<Linear>,
    /// When something is in it that no item stands for, and that may matter.
    pub over: F,
    /// The fields that it comes from: what is asked of it decides how much of them has to be spelt out.
    pub origins: Vec<Arc<str>>,
    /// Everything that can be in it is among the items, or what can't be seen from them makes no difference.
    pub complete: bool,
}

/// What may be in a collection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// When it is there.
    pub there: F,
    /// The element; of a map the key.
    pub element: Sym,
    /// Of a map: the value.
    pub value: Option<Sym>,
}

/// More alternatives than this are given up: the value becomes unknown.
pub const CHOICES_MAX: usize = 256;

impl Sym {
    /// A known number.
    #[must_use]
    pub fn number(value: i128) -> Sym {
        Sym::Number(vec![(F::TRUE, Linear::constant(value))])
    }

    /// A sum.
    #[must_use]
    pub fn sum(sum: Linear) -> Sym {
        Sym::Number(vec![(F::TRUE, sum)])
    }

    /// A known text.
    #[must_use]
    pub fn text(word: &str) -> Sym {
        Sym::Text(vec![(F::TRUE, Word::Known(word.into()))])
    }

    /// The text of a variable.
    #[must_use]
    pub fn word(variable: TextVar) -> Sym {
        Sym::Text(vec![(F::TRUE, Word::Variable(variable))])
    }

    /// What is absent.
    #[must_use]
    pub fn absent() -> Sym {
        Sym::Optional(F::FALSE, None)
    }

    /// What is present under a condition.
    #[must_use]
    pub fn perhaps(present: F, value: Sym) -> Sym {
        if present == F::FALSE { Sym::absent() } else { Sym::Optional(present, Some(Arc::new(value))) }
    }

    /// The condition that it is true; never, if it is no Bool.
    #[must_use]
    pub fn truth(&self) -> F {
        match self {
            Sym::Bool(truth) => *truth,
            _ => F::FALSE,
        }
    }

    /// A field of a record.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Sym> {
        match self {
            Sym::Record(fields) => fields.iter().find(|(found, _)| **found == *name).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// Joins two choices: the first under a condition, the second otherwise.
fn join<T: Clone + PartialEq>(cx: &mut Context, condition: F, yes: &Choice<T>, no: &Choice<T>) -> Choice<T> {
    let mut all: Choice<T> = Vec::with_capacity(yes.len() + no.len());
    let sides = [(condition, yes), (!condition, no)];
    for (side, choice) in sides {
        for (when, what) in choice {
            let when = cx.formulas.both(side, *when);
            if when == F::FALSE {
                continue;
            }
            match all.iter_mut().find(|(_, known)| known == what) {
                Some(known) => known.0 = cx.formulas.either(known.0, when),
                None => all.push((when, what.clone())),
            }
        }
    }
    all
}

/// The one value under a condition, the other otherwise. Nothing if they are no values of one type, or too much.
#[must_use]
pub fn either(cx: &mut Context, condition: F, yes: &Sym, no: &Sym) -> Option<Sym> {
    if condition == F::TRUE || yes == no {
        return Some(yes.clone());
    }
    if condition == F::FALSE {
        return Some(no.clone());
    }
    let fits = |length: usize| length <= CHOICES_MAX;
    Some(match (yes, no) {
        (Sym::Bool(yes), Sym::Bool(no)) => Sym::Bool(cx.formulas.ite(condition, *yes, *no)),
        (Sym::Number(yes), Sym::Number(no)) => {
            let all = join(cx, condition, yes, no);
            return fits(all.len()).then_some(Sym::Number(all));
        }
        (Sym::Text(yes), Sym::Text(no)) => {
            let all = join(cx, condition, yes, no);
            return fits(all.len()).then_some(Sym::Text(all));
        }
        (Sym::Variant(yes), Sym::Variant(no)) => Sym::Variant(join(cx, condition, yes, no)),
        (Sym::Entity(yes), Sym::Entity(no)) => {
            let all = join(cx, condition, yes, no);
            return fits(all.len()).then_some(Sym::Entity(all));
        }
        (Sym::Record(yes), Sym::Record(no)) => {
            let mut fields = Vec::with_capacity(yes.len());
            for (name, one) in yes.iter() {
                let (_, other) = no.iter().find(|(found, _)| found == name)?;
                fields.push((name.clone(), either(cx, condition, one, other)?));
            }
            Sym::Record(Arc::new(fields))
        }
        (Sym::Optional(one, yes), Sym::Optional(other, no)) => {
            let present = cx.formulas.ite(condition, *one, *other);
            let value = match (yes, no) {
                (Some(yes), Some(no)) => Some(Arc::new(either(cx, condition, yes, no)?)),
                (Some(only), None) | (None, Some(only)) => Some(only.clone()),
                (None, None) => None,
            };
            Sym::Optional(present, value)
        }
        // What can be absent where the other can't: the checker widens `T` to `T?` without a node of its own.
        (Sym::Optional(..), other) => return either(cx, condition, yes, &Sym::perhaps(F::TRUE, other.clone())),
        (one, Sym::Optional(..)) => return either(cx, condition, &Sym::perhaps(F::TRUE, one.clone()), no),
        (Sym::Many(yes), Sym::Many(no)) => Sym::Many(Arc::new(either_many(cx, condition, yes, no)?)),
        _ => return None,
    })
}

fn either_many(cx: &mut Context, condition: F, yes: &Many, no: &Many) -> Option<Many> {
    if yes.shape != no.shape || yes.items.len() + no.items.len() > CHOICES_MAX {
        return None;
    }
    if yes.more.is_some() || no.more.is_some() {
        return None;
    }
    let mut items = Vec::new();
    if yes.shape == Shape::List {
        for place in 0..yes.items.len().max(no.items.len()) {
            items.push(match (yes.items.get(place), no.items.get(place)) {
                (Some(one), Some(other)) => Item {
                    there: cx.formulas.ite(condition, one.there, other.there),
                    element: either(cx, condition, &one.element, &other.element)?,
                    value: None,
                },
                (Some(only), None) => Item { there: cx.formulas.both(condition, only.there), ..only.clone() },
                (None, Some(only)) => Item { there: cx.formulas.both(!condition, only.there), ..only.clone() },
                (None, None) => return None,
            });
        }
    } else {
        for (side, many) in [(condition, yes), (!condition, no)] {
            for item in &many.items {
                items.push(Item { there: cx.formulas.both(side, item.there), ..item.clone() });
            }
        }
    }
    let over = cx.formulas.ite(condition, yes.over, no.over);
    let mut origins = yes.origins.clone();
    origins.extend(no.origins.iter().cloned());
    Some(Many { shape: yes.shape, items, more: None, over, origins, complete: yes.complete && no.complete })
}

/// When two words are equal.
#[must_use]
pub fn same_word(cx: &mut Context, one: &Word, other: &Word) -> F {
    match (one, other) {
        (Word::Known(one), Word::Known(other)) => F::constant(one == other),
        (Word::Known(known), Word::Variable(variable)) | (Word::Variable(variable), Word::Known(known)) => {
            let language = cx.texts.language(Lang::Exactly(known.clone()));
            cx.formulas.atom(Atom::In(*variable, language))
        }
        (Word::Variable(one), Word::Variable(other)) => cx.formulas.atom(Atom::Same(*one, *other)),
    }
}

/// When two numbers are equal; free, and so too wide, where the difference does not fit into 128 bits.
#[must_use]
pub fn same_number(cx: &mut Context, one: &Linear, other: &Linear) -> F {
    match one.plus(other, -1) {
        Some(difference) => cx.formulas.equals(&cx.numbers, &difference, 0),
        None => cx.formulas.free(),
    }
}

/// Compares all alternatives with all.
pub fn pairwise<A, B>(
    cx: &mut Context,
    one: &Choice<A>,
    other: &Choice<B>,
    mut compare: impl FnMut(&mut Context, &A, &B) -> F,
) -> F {
    let mut cases = Vec::with_capacity(one.len() * other.len());
    for (when, a) in one {
        for (and, b) in other {
            let both = cx.formulas.both(*when, *and);
            if both == F::FALSE {
                continue;
            }
            let holds = compare(cx, a, b);
            cases.push(cx.formulas.both(both, holds));
        }
    }
    cx.formulas.or(cases)
}
