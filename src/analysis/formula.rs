//! Formulas: Boolean structure over atoms, each different one stored once.
//!
//! A formula is a small number. Equal formulas have equal numbers, so that what did not change between two versions of a
//! policy is seen without solving anything. Negation is a bit of the number and costs nothing. What can be simplified
//! locally is: constants, repetitions, a part and its negation.

use std::collections::{BTreeSet, HashMap};
use std::ops::Not;
use std::sync::Arc;

use crate::analysis::numbers::{Linear, Numbers};
use crate::analysis::text::{LangId, TextVar};

/// A formula: the place of its node, and whether it is negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct F(u32);

impl F {
    /// What is always true.
    pub const TRUE: F = F(0);
    /// What is never true.
    pub const FALSE: F = F(1);

    /// The constant.
    #[must_use]
    pub fn constant(value: bool) -> F {
        if value { F::TRUE } else { F::FALSE }
    }

    /// The place of its node.
    #[must_use]
    pub fn node(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether it is the negation of its node.
    #[must_use]
    pub fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    /// The node itself, not negated.
    #[must_use]
    pub fn positive(self) -> F {
        F(self.0 & !1)
    }
}

impl Not for F {
    type Output = F;

    fn not(self) -> F {
        F(self.0 ^ 1)
    }
}

/// What is true or false by itself, as far as Boolean structure is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Atom {
    /// Independent of everything else.
    Free(u32),
    /// The sum (its constant is 0) is at most this. In normal form: the first factor is positive, and no number divides all.
    AtMost(Linear, i128),
    /// The word lies in the language.
    In(TextVar, LangId),
    /// The words are equal; the first variable is the smaller one.
    Same(TextVar, TextVar),
    /// The first word is less than the second, by code point.
    Before(TextVar, TextVar),
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// The first node.
    True,
    /// An atom.
    Atom(Atom),
    /// All of these, at least two, sorted.
    And(Arc<[F]>),
}

/// All formulas.
#[derive(Clone, Debug)]
pub struct Formulas {
    nodes: Vec<Node>,
    places: HashMap<Node, u32>,
    free: u32,
}

impl Default for Formulas {
    fn default() -> Formulas {
        Formulas { nodes: vec![Node::True], places: HashMap::from([(Node::True, 0)]), free: 0 }
    }
}

impl Formulas {
    /// The node of a formula, which may be the negation of it.
    #[must_use]
    pub fn node(&self, formula: F) -> &Node {
        &self.nodes[formula.node()]
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: `true` is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn place(&mut self, node: Node) -> F {
        if let Some(place) = self.places.get(&node) {
            return F(place << 1);
        }
        let place = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX >> 1);
        self.nodes.push(node.clone());
        self.places.insert(node, place);
        F(place << 1)
    }

    /// The nodes of the atoms that formulas are made of.
    #[must_use]
    pub fn atoms(&self, of: &[F]) -> BTreeSet<usize> {
        let (mut seen, mut atoms) = (BTreeSet::new(), BTreeSet::new());
        let mut open = of.to_vec();
        while let Some(next) = open.pop() {
            if seen.insert(next.node()) {
                match self.node(next) {
                    Node::True => {}
                    Node::Atom(_) => _ = atoms.insert(next.node()),
                    Node::And(parts) => open.extend(parts.iter().copied()),
                }
            }
        }
        atoms
    }

    /// A new Boolean that is independent of everything else.
    pub fn free(&mut self) -> F {
        self.free += 1;
        self.place(Node::Atom(Atom::Free(self.free - 1)))
    }

    /// An atom about texts. (Of numbers there is [`Formulas::at_most`], which brings them into normal form.)
    pub fn atom(&mut self, atom: Atom) -> F {
        match atom {
            Atom::Same(one, other) if one == other => F::TRUE,
            Atom::Same(one, other) if one > other => self.place(Node::Atom(Atom::Same(other, one))),
            Atom::Before(one, other) if one == other => F::FALSE,
            Atom::AtMost(sum, bound) => self.place(Node::Atom(Atom::AtMost(sum, bound))),
            atom => self.place(Node::Atom(atom)),
        }
    }

    /// `sum <= bound`, decided at once where the bounds of the variables do.
    pub fn at_most(&mut self, numbers: &Numbers, sum: &Linear, bound: i128) -> F {
        if let Some((low, high)) = numbers.range(sum) {
            if high <= bound {
                return F::TRUE;
            }
            if low > bound {
                return F::FALSE;
            }
        }
        let Some(bound) = bound.checked_sub(sum.constant) else { return self.free() };
        let Some(&(_, first)) = sum.terms.first() else { return F::constant(0 <= bound) };
        let divisor =
            sum.terms.iter().fold(0, |divisor, (_, factor)| greatest_common_divisor(divisor, factor.unsigned_abs()));
        let Ok(divisor) = i128::try_from(divisor) else { return self.free() };
        let sign = if first < 0 { -1 } else { 1 };
        let terms = sum.terms.iter().map(|(variable, factor)| (*variable, factor / divisor * sign)).collect();
        let sum = Linear { constant: 0, terms };
        if sign > 0 {
            self.place(Node::Atom(Atom::AtMost(sum, bound.div_euclid(divisor))))
        } else {
            // -s <= b is s >= -b, which is not (s <= -b - 1).
            let Some(least) = bound.div_euclid(divisor).checked_neg() else { return self.free() };
            let Some(below) = least.checked_sub(1) else { return self.free() };
            !self.place(Node::Atom(Atom::AtMost(sum, below)))
        }
    }

    /// `sum = value`
    pub fn equals(&mut self, numbers: &Numbers, sum: &Linear, value: i128) -> F {
        let at_most = self.at_most(numbers, sum, value);
        let Some(below) = value.checked_sub(1) else { return at_most };
        let less = self.at_most(numbers, sum, below);
        self.both(at_most, !less)
    }

    /// All of them.
    pub fn and(&mut self, parts: impl IntoIterator<Item = F>) -> F {
        let mut all: Vec<F> = Vec::new();
        for part in parts {
            match part {
                F::TRUE => {}
                F::FALSE => return F::FALSE,
                part => match self.node(part) {
                    Node::And(inner) if !part.is_negated() && inner.len() <= 16 => all.extend(inner.iter().copied()),
                    _ => all.push(part),
                },
            }
        }
        all.sort_unstable();
        all.dedup();
        if all.windows(2).any(|pair| pair[0] == !pair[1]) {
            return F::FALSE;
        }
        // Not all of those that are all there.
        let has = |part: &F| all.binary_search(part).is_ok();
        let refuted = |part: &F| match self.node(*part) {
            Node::And(inner) if part.is_negated() => inner.iter().all(has),
            _ => false,
        };
        if all.iter().any(refuted) {
            return F::FALSE;
        }
        match all[..] {
            [] => F::TRUE,
            [only] => only,
            _ => self.place(Node::And(all.into())),
        }
    }

    /// At least one of them.
    pub fn or(&mut self, parts: impl IntoIterator<Item = F>) -> F {
        let negated: Vec<F> = parts.into_iter().map(|part| !part).collect();
        !self.and(negated)
    }

    /// Both.
    pub fn both(&mut self, one: F, other: F) -> F {
        self.and([one, other])
    }

    /// One of the two, or both.
    pub fn either(&mut self, one: F, other: F) -> F {
        self.or([one, other])
    }

    /// If one, then the other.
    pub fn implies(&mut self, one: F, other: F) -> F {
        self.or([!one, other])
    }

    /// Both or none.
    pub fn iff(&mut self, one: F, other: F) -> F {
        if one == other {
            return F::TRUE;
        }
        if one == !other {
            return F::FALSE;
        }
        match (one, other) {
            (F::TRUE, rest) | (rest, F::TRUE) => rest,
            (F::FALSE, rest) | (rest, F::FALSE) => !rest,
            _ => {
                let forth = self.implies(one, other);
                let back = self.implies(other, one);
                self.both(forth, back)
            }
        }
    }

    /// The one if the condition holds, else the other.
    pub fn ite(&mut self, condition: F, yes: F, no: F) -> F {
        match condition {
            F::TRUE => yes,
            F::FALSE => no,
            _ if yes == no => yes,
            _ => {
                let yes = self.implies(condition, yes);
                let no = self.either(condition, no);
                self.both(yes, no)
            }
        }
    }

    /// What is true, given the truth of atoms.
    pub fn value(&self, formula: F, of: &mut impl FnMut(&Atom) -> bool) -> bool {
        let mut known: HashMap<usize, bool> = HashMap::new();
        self.value_of(formula, of, &mut known)
    }

    fn value_of(&self, formula: F, of: &mut impl FnMut(&Atom) -> bool, known: &mut HashMap<usize, bool>) -> bool {
        let node = formula.node();
        let value = match known.get(&node) {
            Some(value) => *value,
            None => {
                let value = match &self.nodes[node] {
                    Node::True => true,
                    Node::Atom(atom) => of(atom),
                    Node::And(parts) => {
                        let parts = parts.clone();
                        parts.iter().all(|part| self.value_of(*part, of, known))
                    }
                };
                known.insert(node, value);
                value
            }
        };
        value != formula.is_negated()
    }
}

fn greatest_common_divisor(one: u128, other: u128) -> u128 {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_formulas_are_equal_numbers() {
        let mut all = Formulas::default();
        let (a, b, c) = (all.free(), all.free(), all.free());
        let one = all.and([a, b, c]);
        let inner = all.both(c, a);
        assert_eq!(all.and([b, inner]), one);
        assert_eq!(all.and([a, !a]), F::FALSE);
        assert_eq!(all.or([a, !a]), F::TRUE);
        assert_eq!(all.or([]), F::FALSE);
        assert_eq!(all.iff(a, !a), F::FALSE);
        assert_eq!(all.ite(a, b, b), b);
        let either = all.either(a, b);
        assert_eq!(!all.both(!a, !b), either);
    }

    #[test]
    fn sums_have_one_form() {
        let (mut all, mut numbers) = (Formulas::default(), Numbers::default());
        let x = Linear::variable(numbers.variable(0, 100));
        // 2x + 1 <= 8, x <= 3 and not (-x <= -4).
        let doubled = x.times(2).and_then(|sum| sum.plus(&Linear::constant(1), 1)).expect("it is small");
        let one = all.at_most(&numbers, &doubled, 8);
        assert_eq!(all.at_most(&numbers, &x, 3), one);
        let negated = x.times(-1).expect("it is small");
        assert_eq!(!all.at_most(&numbers, &negated, -4), one);
        assert_eq!(all.at_most(&numbers, &x, 100), F::TRUE);
        assert_eq!(all.at_most(&numbers, &x, -1), F::FALSE);
        // Of 2x = 7 both bounds are the same question.
        let twice = x.times(2).expect("it is small");
        assert_eq!(all.equals(&numbers, &twice, 7), F::FALSE);
    }
}
