//! Literals about texts, sorted: what is asked of each word alone, and what of two at once.
//!
//! A part is a function of the word that it is a part of, and a variable that equals another is no variable of its own.
//! So what is asked of either is asked of the word behind it: that its part lies in the language.
//!
//! An atom about a part that is not there is false, whatever it is; so a literal that is true of a part asks that the
//! part is there, and one that is false does not.

use std::collections::{BTreeMap, BTreeSet};

use super::automata::AutoId;
use super::catalogue::Spec;
use super::find::{Finder, Wishes, bytes_max};
use super::{Domain, Origin, TextAtom, TextVar, Texts, View};
use crate::analysis::budget::Reason;

/// A word, or a part of a part of it; the outermost view comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term {
    pub(super) root: TextVar,
    pub(super) views: Vec<View>,
}

/// How two terms stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// They are equal.
    Same,
    /// The first is less.
    Before,
}

/// A literal about two terms.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) relation: Relation,
    pub(super) sign: bool,
    pub(super) one: Term,
    pub(super) other: Term,
    pub(super) place: usize,
}

/// What is asked of one word.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) wishes: Wishes,
    /// The literals that this comes from.
    pub(super) places: BTreeSet<usize>,
}

/// Why there is no problem to solve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// These literals can't be true together.
    Conflict(Vec<usize>),
    /// It is not known.
    Undecided(Reason),
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Failure {
        Failure::Undecided(reason)
    }
}

/// Literals, sorted.
#[derive(Clone, Debug, Default)]
pub(super) struct Problem {
    /// Variables that equal a term, with the literal that says so.
    aliases: BTreeMap<TextVar, (Term, Vec<usize>)>,
    pub(super) roots: BTreeMap<TextVar, Root>,
    pub(super) links: Vec<Link>,
}

impl Problem {
    /// Sorts the literals at these places.
    pub(super) fn of(
        texts: &Texts,
        finder: &mut Finder,
        literals: &[(TextAtom, bool)],
        places: &[usize],
    ) -> Result<Problem, Failure> {
        let mut problem = Problem::default();
        let chosen: Vec<(usize, TextAtom, bool)> =
            places.iter().filter_map(|place| literals.get(*place).map(|(atom, sign)| (*place, *atom, *sign))).collect();
        for (place, atom, sign) in &chosen {
            if let (TextAtom::Same(one, other), true) = (atom, sign) {
                problem.unite(texts, *one, *other, vec![*place]);
            }
        }
        problem.unite_by_order(texts, &chosen)?;
        for (place, atom, _) in &chosen {
            let (one, other) = match atom {
                TextAtom::In(one, _) => (one, one),
                TextAtom::Same(one, other) | TextAtom::Before(one, other) => (one, other),
            };
            for variable in [*one, *other] {
                problem.admit(texts, finder, variable, *place)?;
            }
        }
        for (place, atom, sign) in &chosen {
            if !matches!(atom, TextAtom::In(..)) {
                problem.relate(texts, finder, *place, *atom, *sign)?;
            }
        }
        for (place, atom, sign) in &chosen {
            if let TextAtom::In(variable, language) = atom {
                let language = finder.catalogue.language(&texts.languages, *language)?;
                let term = problem.term(texts, *variable);
                problem.place(finder, term, (language, *sign), *place)?;
            }
        }
        Ok(problem)
    }

    /// Asks of a term, and of all that equals it or a part of it, to lie in a language, or not to.
    ///
    /// Where a part might be missing, the literal by which it equals something says that it is not.
    fn place(
        &mut self,
        finder: &mut Finder,
        term: Term,
        (language, sign): (AutoId, bool),
        place: usize,
    ) -> Result<(), Failure> {
        let id = finder.catalogue.behind(&term.views, language)?;
        self.ask(&term, (id, sign), [place]);
        let (mut term, mut language) = (term, language);
        loop {
            for (equal, from) in self.equal_terms(term.clone()).into_iter().skip(1) {
                let id = finder.catalogue.behind(&equal.views, language)?;
                self.ask(&equal, (id, sign), from.into_iter().chain([place]));
            }
            let Some(Spec::Part(view, inner)) = finder.catalogue.spec(language) else { return Ok(()) };
            term.views.push(*view);
            language = *inner;
        }
    }

    /// The word behind a variable, and the way to it.
    pub(super) fn term(&self, texts: &Texts, variable: TextVar) -> Term {
        let (mut root, mut views) = (variable, Vec::new());
        loop {
            if let Some(Origin::Part(of, view)) = texts.variables.get(root.0 as usize) {
                views.push(*view);
                root = *of;
            } else if let Some((term, _)) = self.aliases.get(&root) {
                views.extend(term.views.iter().rev());
                root = term.root;
            } else {
                views.reverse();
                return Term { root, views };
            }
        }
    }

    /// The literals that make the word behind a variable what it is.
    fn reasons(&self, texts: &Texts, variable: TextVar) -> Vec<usize> {
        let (mut root, mut places) = (variable, Vec::new());
        loop {
            if let Some(Origin::Part(of, _)) = texts.variables.get(root.0 as usize) {
                root = *of;
            } else if let Some((term, from)) = self.aliases.get(&root) {
                places.extend(from);
                root = term.root;
            } else {
                return places;
            }
        }
    }

    fn unite(&mut self, texts: &Texts, one: TextVar, other: TextVar, places: Vec<usize>) -> bool {
        let reasons = [places, self.reasons(texts, one), self.reasons(texts, other)].concat();
        let (one, other) = (self.term(texts, one), self.term(texts, other));
        if one.root == other.root {
            return false;
        }
        let (alias, term) = match (one.views.is_empty(), other.views.is_empty()) {
            (true, _) => (one.root, other),
            (_, true) => (other.root, one),
            _ => return false,
        };
        self.aliases.insert(alias, (term, reasons));
        true
    }

    /// Words of which none is less than the other are equal, and none is less than itself.
    fn unite_by_order(&mut self, texts: &Texts, chosen: &[(usize, TextAtom, bool)]) -> Result<(), Failure> {
        loop {
            let mut edges: Vec<(TextVar, TextVar, bool, usize)> = Vec::new();
            for (place, atom, sign) in chosen {
                let TextAtom::Before(one, other) = atom else { continue };
                let (one, other) = (self.term(texts, *one), self.term(texts, *other));
                if one.views.is_empty() && other.views.is_empty() {
                    let (low, high) = if *sign { (one.root, other.root) } else { (other.root, one.root) };
                    edges.push((low, high, *sign, *place));
                }
            }
            let mut united = false;
            for (low, high, strict, place) in &edges {
                let Some(mut way) = way(&edges, *high, *low) else { continue };
                way.push(*place);
                for variable in [*low, *high] {
                    way.extend(self.aliased(texts, variable));
                }
                if *strict {
                    return Err(Failure::Conflict(sorted(way)));
                }
                united |= self.unite(texts, *low, *high, way);
            }
            if !united {
                return Ok(());
            }
        }
    }

    /// All literals by which other variables stand for the same word.
    fn aliased(&self, texts: &Texts, root: TextVar) -> Vec<usize> {
        let mut places = Vec::new();
        for (variable, (_, from)) in &self.aliases {
            if self.term(texts, *variable).root == root {
                places.extend(from);
            }
        }
        places
    }

    /// Takes in a variable: the word behind it, and the domains of all that it equals on the way.
    fn admit(&mut self, texts: &Texts, finder: &mut Finder, variable: TextVar, place: usize) -> Result<(), Failure> {
        let (mut at, mut own) = (variable, Vec::new());
        loop {
            match texts.variables.get(at.0 as usize) {
                Some(Origin::Part(of, _)) => at = *of,
                Some(Origin::Own(domain)) => {
                    own.push((at, *domain));
                    match self.aliases.get(&at) {
                        Some((next, _)) => at = next.root,
                        None => break,
                    }
                }
                None => return Err(Failure::Undecided(Reason::Texts)),
            }
        }
        // The word behind all comes first, for it is there that the others ask.
        for (variable, domain) in own.into_iter().rev() {
            let reasons = self.reasons(texts, variable).into_iter().chain([place]).collect();
            self.restrict(finder, &self.term(texts, variable), domain, reasons)?;
        }
        Ok(())
    }

    fn restrict(
        &mut self,
        finder: &mut Finder,
        term: &Term,
        domain: Domain,
        places: Vec<usize>,
    ) -> Result<(), Failure> {
        let automaton = finder.catalogue.get(Spec::Domain(domain))?;
        if term.views.is_empty() {
            let root = self.roots.entry(term.root).or_insert_with(|| Root {
                wishes: Wishes { domain, bytes_max: bytes_max(domain), automata: Vec::new() },
                places: BTreeSet::new(),
            });
            // A word of several domains is tried at the parser that refuses most.
            if matches!(root.wishes.domain, Domain::Any(_)) {
                root.wishes.domain = domain;
            }
            root.wishes.bytes_max = root.wishes.bytes_max.min(bytes_max(domain));
            root.wishes.automata.push((automaton, true));
            root.places.extend(places);
            return Ok(());
        }
        let id = finder.catalogue.behind(&term.views, automaton)?;
        self.ask(term, (id, true), places.iter().copied());
        // No part is longer than a URL may be.
        if let Domain::Any(bytes) = domain
            && (bytes as usize) < bytes_max(Domain::Url)
        {
            let longer = finder.catalogue.get(Spec::LongerThan(bytes))?;
            let id = finder.catalogue.behind(&term.views, longer)?;
            self.ask(term, (id, false), places.iter().copied());
        }
        Ok(())
    }

    fn ask(&mut self, term: &Term, wish: (AutoId, bool), places: impl IntoIterator<Item = usize>) {
        if let Some(root) = self.roots.get_mut(&term.root) {
            root.wishes.automata.push(wish);
            root.places.extend(places);
        }
    }

    fn relate(
        &mut self,
        texts: &Texts,
        finder: &mut Finder,
        place: usize,
        atom: TextAtom,
        sign: bool,
    ) -> Result<(), Failure> {
        let (relation, first, second) = match atom {
            TextAtom::Same(one, other) => (Relation::Same, one, other),
            TextAtom::Before(one, other) => (Relation::Before, one, other),
            TextAtom::In(..) => return Ok(()),
        };
        let (one, other) = (self.term(texts, first), self.term(texts, second));
        let reasons = [vec![place], self.reasons(texts, first), self.reasons(texts, second)].concat();
        if sign {
            let all = finder.catalogue.get(Spec::All)?;
            for term in [&one, &other] {
                let there = finder.catalogue.behind(&term.views, all)?;
                self.ask(term, (there, true), reasons.iter().copied());
            }
        }
        if one != other {
            self.links.push(Link { relation, sign, one, other, place });
            return Ok(());
        }
        match (relation, sign) {
            (Relation::Same, true) | (Relation::Before, false) => Ok(()),
            (Relation::Before, true) => Err(Failure::Conflict(sorted(reasons))),
            // It is not equal to itself where it is not there.
            (Relation::Same, false) => {
                let all = finder.catalogue.get(Spec::All)?;
                let there = finder.catalogue.behind(&one.views, all)?;
                self.ask(&one, (there, false), reasons);
                Ok(())
            }
        }
    }

    /// The terms that equal this one, with the literals that say so.
    fn equal_terms(&self, term: Term) -> Vec<(Term, Vec<usize>)> {
        let mut terms = vec![(term, Vec::new())];
        let mut read = 0;
        while let Some((term, from)) = terms.get(read).cloned() {
            read += 1;
            for link in self.links.iter().filter(|link| link.relation == Relation::Same && link.sign) {
                let next = match (link.one == term, link.other == term) {
                    (true, _) => &link.other,
                    (_, true) => &link.one,
                    _ => continue,
                };
                if !terms.iter().any(|(known, _)| known == next) {
                    terms.push((next.clone(), from.iter().copied().chain([link.place]).collect()));
                }
            }
        }
        terms
    }
}

/// The places of the edges of a way from one word to another.
fn way(edges: &[(TextVar, TextVar, bool, usize)], from: TextVar, to: TextVar) -> Option<Vec<usize>> {
    let mut reached: BTreeMap<TextVar, Option<(TextVar, usize)>> = BTreeMap::from([(from, None)]);
    let mut queue = vec![from];
    let mut read = 0;
    while let Some(at) = queue.get(read).copied() {
        read += 1;
        for (_, high, _, place) in edges.iter().filter(|(low, ..)| *low == at) {
            reached.entry(*high).or_insert_with(|| {
                queue.push(*high);
                Some((at, *place))
            });
        }
    }
    let mut places = Vec::new();
    let mut at = to;
    while let Some((before, place)) = *reached.get(&at)? {
        places.push(place);
        at = before;
    }
    Some(places)
}

fn sorted(mut places: Vec<usize>) -> Vec<usize> {
    places.sort_unstable();
    places.dedup();
    places
}
