//! What conditions say about the things they read: flow-sensitive narrowing.
//!
//! Everything that a policy reads is immutable, so what a condition says of a *path* (the subject, the resource, a
//! context field, a local, and attributes and fields below them) holds wherever that condition is known to be true.
//! A [`Truth`] keeps, for a condition, what is known when it is true and when it is false, or that it never is.
//!
//! Facts rest on strong Kleene logic: where a fact does not hold, its condition is false (or true, for the other side),
//! never an error. So what is evaluated under it, in whatever order, can't change an answer. For that reason an operand
//! that may be an error gives no facts about the other; about itself it may, because reading it gives the error again.
//!
//! This module knows nothing of sources and reports nothing.

use std::collections::HashMap;
use std::sync::Arc;

use crate::types::interval;
use crate::types::ty::Interval;
use crate::types::typed::{EntityTypeId, Expr, ExprKind, LocalId};

/// The most facts that are kept of one condition; more are forgotten, which is always sound.
const FACTS_MAX: usize = 256;

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// The subject.
    Subject,
    /// The resource.
    Resource,
    /// A field of the context.
    Context(Arc<str>),
    /// A local.
    Local(LocalId),
}

/// One step below.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// An attribute of an entity.
    Attribute(Arc<str>),
    /// A field of a record.
    Field(u32),
}

/// Something that is read, and always the same within one decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// Where it begins.
    pub root: Root,
    /// The steps down.
    pub steps: Vec<Step>,
}

/// The path that an expression reads, if it is one.
#[must_use]
pub fn path_of(expr: &Expr) -> Option<Path> {
    let root = |root| Some(Path { root, steps: Vec::new() });
    match &expr.kind {
        ExprKind::Subject => root(Root::Subject),
        ExprKind::Resource => root(Root::Resource),
        ExprKind::Context(name) => root(Root::Context(name.clone())),
        ExprKind::Local(local) => root(Root::Local(*local)),
        ExprKind::Narrowed(inner) => path_of(inner),
        ExprKind::Attribute(base, name) => {
            let mut path = path_of(base)?;
            path.steps.push(Step::Attribute(name.clone()));
            Some(path)
        }
        ExprKind::Field(base, place) => {
            let mut path = path_of(base)?;
            path.steps.push(Step::Field(*place));
            Some(path)
        }
        _ => None,
    }
}

/// A set of variants of one enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variants {
    words: Vec<u64>,
}

impl Variants {
    /// All of so many.
    #[must_use]
    pub fn all(count: usize) -> Variants {
        let mut words = vec![u64::MAX; count.div_ceil(64)];
        if let (Some(last), used @ 1..) = (words.last_mut(), count % 64) {
            *last = (1 << used) - 1;
        }
        Variants { words }
    }

    /// Some of so many.
    #[must_use]
    pub fn of(count: usize, variants: impl IntoIterator<Item = u32>) -> Variants {
        let mut set = Variants { words: vec![0; count.div_ceil(64)] };
        variants.into_iter().for_each(|variant| set.insert(variant));
        set
    }

    fn insert(&mut self, variant: u32) {
        if let Some(word) = self.words.get_mut(variant as usize / 64) {
            *word |= 1 << (variant % 64);
        }
    }

    /// Whether it has the variant.
    #[must_use]
    pub fn contains(&self, variant: u32) -> bool {
        self.words.get(variant as usize / 64).is_some_and(|word| word & (1 << (variant % 64)) != 0)
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The variants, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.words.len() as u32 * 64).filter(|variant| self.contains(*variant))
    }

    fn zip(&self, other: &Variants, combine: impl Fn(u64, u64) -> u64) -> Variants {
        let words = self.words.iter().zip(&other.words).map(|(left, right)| combine(*left, *right)).collect();
        Variants { words }
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn without(&self, other: &Variants) -> Variants {
        self.zip(other, |left, right| left & !right)
    }
}

/// What is known of the value at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Nothing.
    Any,
    /// Of a Bool.
    Bool(bool),
    /// Of an Int.
    Int(Interval),
    /// Of an enum: one of these.
    Enum(Variants),
    /// Of an entity: of one of these types, sorted.
    Types(Arc<[EntityTypeId]>),
}

/// What is known at a path: whether an optional is there, and what its value may be if it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Of an optional: it is there, it is not, or who knows.
    pub present: Option<bool>,
    /// The value.
    pub values: Values,
}

impl Fact {
    /// It is there, or it is not.
    #[must_use]
    pub fn presence(present: bool) -> Fact {
        Fact { present: Some(present), values: Values::Any }
    }

    /// Its value is one of these.
    #[must_use]
    pub fn values(values: Values) -> Fact {
        Fact { present: None, values }
    }

    /// What both say; nothing if they contradict each other.
    #[must_use]
    pub fn and(&self, other: &Fact) -> Option<Fact> {
        let present = match (self.present, other.present) {
            (Some(left), Some(right)) if left != right => return None,
            (left, right) => left.or(right),
        };
        let values = match (&self.values, &other.values) {
            (Values::Any, values) | (values, Values::Any) => values.clone(),
            (Values::Bool(left), Values::Bool(right)) => (left == right).then_some(Values::Bool(*left))?,
            (Values::Int(left), Values::Int(right)) => Values::Int(interval::intersect(*left, *right)?),
            (Values::Enum(left), Values::Enum(right)) => {
                let both = left.zip(right, |left, right| left & right);
                (!both.is_empty()).then_some(Values::Enum(both))?
            }
            (Values::Types(left), Values::Types(right)) => {
                let both: Arc<[EntityTypeId]> = left.iter().copied().filter(|ty| right.contains(ty)).collect();
                (!both.is_empty()).then_some(Values::Types(both))?
            }
            // Of different types only where something is faulty.
            (left, _) => left.clone(),
        };
        Some(Fact { present, values })
    }

    /// What at least one of both says.
    fn or(&self, other: &Fact) -> Fact {
        let present = if self.present == other.present { self.present } else { None };
        let values = match (&self.values, &other.values) {
            (Values::Bool(left), Values::Bool(right)) if left == right => Values::Bool(*left),
            (Values::Int(left), Values::Int(right)) => Values::Int(interval::hull(*left, *right)),
            (Values::Enum(left), Values::Enum(right)) => Values::Enum(left.zip(right, |left, right| left | right)),
            (Values::Types(left), Values::Types(right)) => {
                let mut all: Vec<EntityTypeId> = left.iter().chain(right.iter()).copied().collect();
                all.sort_unstable();
                all.dedup();
                Values::Types(all.into())
            }
            _ => Values::Any,
        };
        Fact { present, values }
    }
}

/// Facts that hold together; `None` in a [`Truth`] where they can't.
pub type Facts = Vec<(Path, Fact)>;

/// What is known when a condition is true, and when it is false; `None`: it never is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// When it is true.
    pub yes: Option<Facts>,
    /// When it is false.
    pub no: Option<Facts>,
}

impl Default for Truth {
    fn default() -> Truth {
        Truth { yes: Some(Vec::new()), no: Some(Vec::new()) }
    }
}

impl Truth {
    /// Of a constant.
    #[must_use]
    pub fn constant(value: bool) -> Truth {
        if value { Truth { yes: Some(Vec::new()), no: None } } else { Truth { yes: None, no: Some(Vec::new()) } }
    }

    /// Of a test of one path: what it says when true and when false.
    #[must_use]
    pub fn of(path: Option<Path>, yes: Option<Fact>, no: Option<Fact>) -> Truth {
        let facts =
            |fact: Option<Fact>| fact.map(|fact| path.iter().map(|path| (path.clone(), fact.clone())).collect());
        Truth { yes: facts(yes), no: facts(no) }
    }

    /// Of `not` this.
    #[must_use]
    pub fn negated(self) -> Truth {
        Truth { yes: self.no, no: self.yes }
    }

    /// Of `left and right`, where `right` was looked at under `left.yes`.
    #[must_use]
    pub fn and(left: Truth, right: Truth) -> Truth {
        let no = match (left.no, &left.yes, right.no) {
            (None, _, None) => None,
            (Some(left), _, None) => Some(left),
            (None, Some(yes), Some(right)) => both(yes.clone(), right),
            (None, None, Some(_)) => None,
            (Some(left), None, Some(_)) => Some(left),
            (Some(left), Some(yes), Some(right)) => Some(either(&left, yes, right)),
        };
        let yes = match (left.yes, right.yes) {
            (Some(left), Some(right)) => both(left, right),
            _ => None,
        };
        Truth { yes, no }
    }

    /// Of `left or right`, where `right` was looked at under `left.no`.
    #[must_use]
    pub fn or(left: Truth, right: Truth) -> Truth {
        Truth::and(left.negated(), right.negated()).negated()
    }

    /// Whether it is never true.
    #[must_use]
    pub fn never(&self) -> bool {
        self.yes.is_none()
    }

    /// Whether it is never false.
    #[must_use]
    pub fn always(&self) -> bool {
        self.no.is_none()
    }
}

/// The facts of both; `None` where they contradict each other.
#[must_use]
pub fn both(mut left: Facts, right: Facts) -> Option<Facts> {
    for (path, fact) in right {
        if let Some((_, known)) = left.iter_mut().find(|(known, _)| *known == path) {
            *known = known.and(&fact)?;
        } else if left.len() < FACTS_MAX {
            left.push((path, fact));
        }
    }
    Some(left)
}

// What holds when `first` holds, or when `second` and `third` do; the shorter list is walked.
fn either(first: &Facts, second: &Facts, third: Facts) -> Facts {
    let find = |facts: &Facts, path: &Path| facts.iter().find(|(known, _)| known == path).map(|(_, fact)| fact.clone());
    let there = |path: &Path| match (find(second, path), find(&third, path)) {
        (Some(second), Some(third)) => second.and(&third),
        (fact, None) | (None, fact) => fact,
    };
    let joined = |(path, fact): &(Path, Fact)| Some((path.clone(), fact.or(&there(path)?)));
    first.iter().filter_map(joined).filter(|(_, fact)| fact.present.is_some() || fact.values != Values::Any).collect()
}

/// The facts that hold at the place that is being looked at, with a way back.
#[derive(Clone, Debug, Default)]
pub struct Known {
    facts: HashMap<Path, Fact>,
    before: Vec<(Path, Option<Fact>)>,
}

impl Known {
    /// Where to go back to.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.before.len()
    }

    /// Adds facts.
    pub fn assume(&mut self, facts: &Facts) {
        for (path, fact) in facts {
            let old = self.facts.get(path).cloned();
            // A contradiction means that nothing gets here; the newer fact serves as well as any.
            let new = old.as_ref().and_then(|old| old.and(fact)).unwrap_or_else(|| fact.clone());
            self.facts.insert(path.clone(), new);
            self.before.push((path.clone(), old));
        }
    }

    /// Forgets what was added since the mark.
    pub fn back_to(&mut self, mark: usize) {
        while self.before.len() > mark {
            let Some((path, old)) = self.before.pop() else { return };
            match old {
                Some(old) => self.facts.insert(path, old),
                None => self.facts.remove(&path),
            };
        }
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// What is known of a path.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Fact> {
        self.facts.get(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str, low: i64, high: i64, else_low: i64, else_high: i64) -> Truth {
        let path = Path { root: Root::Context(name.into()), steps: Vec::new() };
        let fact = |low, high| interval::between(low, high).map(|interval| Fact::values(Values::Int(interval)));
        Truth::of(Some(path), fact(low, high), fact(else_low, else_high))
    }

    #[test]
    fn contradictions_are_found_along_and_and_or() {
        let less = test("x", 0, 2, 3, 10);
        let more = test("x", 5, 10, 0, 4);
        assert!(Truth::and(less.clone(), more.clone()).never());
        assert!(!Truth::or(less.clone(), more.clone()).always());
        let at_least = test("x", 3, 10, 0, 2);
        assert!(Truth::or(less.clone(), at_least).always());
        assert!(!Truth::and(less, test("y", 5, 10, 0, 4)).never());
    }

    #[test]
    fn what_either_side_says_is_joined() {
        let joined = Truth::or(test("x", 0, 2, 3, 10), test("x", 4, 5, 0, 10));
        let yes = joined.yes.unwrap_or_default();
        assert_eq!(yes.len(), 1);
        assert_eq!(yes[0].1.values, Values::Int(Interval { low: 0, high: 5 }));
    }

    #[test]
    fn known_facts_go_away_again() {
        let mut known = Known::default();
        let truth = test("x", 0, 2, 3, 10);
        let facts = truth.yes.unwrap_or_default();
        let mark = known.mark();
        known.assume(&facts);
        assert!(known.get(&facts[0].0).is_some());
        known.back_to(mark);
        assert!(known.get(&facts[0].0).is_none());
    }
}
