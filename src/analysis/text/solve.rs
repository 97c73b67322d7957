//! Decides conjunctions of literals about texts.
//!
//! Words that no literal connects are looked for one by one. Connected ones are chosen in turn, each so that it fits to
//! those that are there, and another one where that leads nowhere. Where enough of them were tried that another can't do
//! better, that nothing fits is a proof; else it is not, and the verdict says so.

use std::collections::{BTreeMap, BTreeSet};

use super::automata::AutoId;
use super::catalogue::Spec;
use super::concrete::part_of;
use super::find::{Finder, Wishes};
use super::problem::{Failure, Link, Problem, Relation, Term};
use super::{Lang, Origin, TextAtom, TextVar, TextVerdict, Texts, View};
use crate::analysis::budget::{Budget, Reason};

/// How many words are tried for one that others depend on, where no number is enough.
const TRIES_MAX: usize = 8;
/// How many literals of a conflict are looked at pair by pair.
const PAIRS_OF_MAX: usize = 24;
/// How many steps it may take to find out whether a literal is needed in a conflict.
const STEPS_OF_NEED: u64 = 200_000;

impl Texts {
    /// Whether words can make all of these literals true.
    ///
    /// A conflict is a proof, for all texts of the domains. It names few literals: each is needed, as far as that was
    /// found out in few steps.
    pub fn solve(&mut self, literals: &[(TextAtom, bool)], budget: &mut Budget) -> TextVerdict {
        let mut finder = std::mem::take(&mut self.finder);
        let all: Vec<usize> = (0..literals.len()).collect();
        let verdict = match self.attempt(&mut finder, literals, &all, budget) {
            Ok(words) => TextVerdict::Words(words),
            Err(Failure::Undecided(reason)) => TextVerdict::Undecided(reason),
            Err(Failure::Conflict(places)) => TextVerdict::Conflict(self.needed(&mut finder, literals, places, budget)),
        };
        self.finder = finder;
        verdict
    }

    fn attempt(
        &self,
        finder: &mut Finder,
        literals: &[(TextAtom, bool)],
        places: &[usize],
        budget: &mut Budget,
    ) -> Result<BTreeMap<TextVar, String>, Failure> {
        let problem = Problem::of(self, finder, literals, places)?;
        let mut words: BTreeMap<TextVar, String> = BTreeMap::new();
        let mut undecided = None;
        for roots in components(&problem) {
            let own: BTreeSet<TextVar> = roots.iter().copied().collect();
            let links = problem.links.iter().filter(|link| own.contains(&link.one.root)).collect();
            let mut choice =
                Choice { problem: &problem, roots: &roots, links, exhaustive: true, words: BTreeMap::new() };
            match choice.solve(finder, budget) {
                Ok(true) => words.append(&mut choice.words),
                // Later ones may still be a conflict.
                Ok(false) if !choice.exhaustive => undecided = Some(Reason::Texts),
                Ok(false) => return Err(Failure::Conflict(choice.places())),
                Err(reason) => undecided = Some(reason),
            }
        }
        match undecided {
            Some(reason) => Err(Failure::Undecided(reason)),
            None => self.checked(finder, &problem, literals, places, &words),
        }
    }

    /// The words of all variables that the literals name, after a look at whether they do what they should.
    fn checked(
        &self,
        finder: &mut Finder,
        problem: &Problem,
        literals: &[(TextAtom, bool)],
        places: &[usize],
        words: &BTreeMap<TextVar, String>,
    ) -> Result<BTreeMap<TextVar, String>, Failure> {
        let mut all: BTreeMap<TextVar, String> = BTreeMap::new();
        let word = |variable| value(&problem.term(self, variable), words);
        for (atom, sign) in places.iter().filter_map(|place| literals.get(*place)) {
            let (one, other, truth) = match atom {
                TextAtom::In(one, language) => {
                    (*one, *one, word(*one).is_some_and(|word| finder.holds(&self.languages, *language, &word)))
                }
                TextAtom::Same(one, other) => {
                    (*one, *other, word(*one).zip(word(*other)).is_some_and(|(one, other)| one == other))
                }
                TextAtom::Before(one, other) => {
                    (*one, *other, word(*one).zip(word(*other)).is_some_and(|(one, other)| one < other))
                }
            };
            if truth != *sign {
                return Err(Failure::Undecided(Reason::Texts));
            }
            for variable in [one, other] {
                let mut at = variable;
                all.insert(at, word(at).unwrap_or_default());
                while let Some(Origin::Part(of, _)) = self.variables.get(at.0 as usize) {
                    at = *of;
                    all.insert(at, word(at).unwrap_or_default());
                }
            }
        }
        Ok(all)
    }

    /// Few of these literals, which can't be true together either.
    fn needed(
        &self,
        finder: &mut Finder,
        literals: &[(TextAtom, bool)],
        places: Vec<usize>,
        budget: &mut Budget,
    ) -> Vec<usize> {
        let mut is_conflict = |finder: &mut Finder, places: &[usize]| {
            let mut own = Budget::new(budget.steps_left.min(STEPS_OF_NEED));
            let before = own.steps_left;
            let verdict = self.attempt(finder, literals, places, &mut own);
            let spent = budget.spend(before - own.steps_left);
            match verdict {
                Err(Failure::Conflict(places)) if spent.is_ok() => Some(places),
                _ => None,
            }
        };
        if places.len() <= PAIRS_OF_MAX {
            for one in &places {
                if let Some(found) = is_conflict(finder, &[*one]) {
                    return found;
                }
            }
            for (at, one) in places.iter().enumerate() {
                for other in places.iter().skip(at + 1) {
                    if let Some(found) = is_conflict(finder, &[*one, *other]) {
                        return found;
                    }
                }
            }
        }
        // Ever smaller pieces are left out, as long as what remains is a conflict.
        let mut needed = places;
        let mut piece = needed.len().div_ceil(2);
        while piece > 0 {
            let mut at = 0;
            while at < needed.len() && needed.len() > 1 {
                let rest: Vec<usize> = needed
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| *place < at || *place >= at + piece)
                    .map(|(_, literal)| *literal)
                    .collect();
                match is_conflict(finder, &rest) {
                    Some(found) => {
                        let before = needed.len();
                        needed = found;
                        at = if needed.len() + piece < before { 0 } else { at };
                    }
                    None => at += piece,
                }
            }
            piece = if piece == 1 { 0 } else { piece.div_ceil(2) };
        }
        needed
    }
}

/// The word of a term, if it has one.
fn value(term: &Term, words: &BTreeMap<TextVar, String>) -> Option<String> {
    term.views.iter().try_fold(words.get(&term.root)?.clone(), |word, view| part_of(*view, &word))
}

/// The words that links connect, each component for itself.
fn components(problem: &Problem) -> Vec<Vec<TextVar>> {
    let mut left: BTreeSet<TextVar> = problem.roots.keys().copied().collect();
    let mut all = Vec::new();
    while let Some(first) = left.pop_first() {
        let mut roots = vec![first];
        let mut read = 0;
        while let Some(at) = roots.get(read).copied() {
            read += 1;
            for link in &problem.links {
                for (near, far) in [(&link.one, &link.other), (&link.other, &link.one)] {
                    if near.root == at && left.remove(&far.root) {
                        roots.push(far.root);
                    }
                }
            }
        }
        all.push(roots);
    }
    all
}

/// The choice of words that fit together.
struct Choice<'p> {
    problem: &'p Problem,
    roots: &'p [TextVar],
    /// Those of the problem that are about these words.
    links: Vec<&'p Link>,
    /// Whether all that matters was tried.
    exhaustive: bool,
    words: BTreeMap<TextVar, String>,
}

/// What is still possible for a word, given others.
enum Fit {
    /// This is asked of it.
    Asked(Vec<(AutoId, bool)>),
    /// Nothing fits.
    Nothing,
}

impl Choice<'_> {
    fn solve(&mut self, finder: &mut Finder, budget: &mut Budget) -> Result<bool, Reason> {
        // What nothing else can make possible is a proof at once; and few words leave little to try.
        let mut order: Vec<(bool, TextVar)> = Vec::new();
        for root in self.roots {
            let Some(found) = self.problem.roots.get(root) else { continue };
            if finder.find(&found.wishes, budget)?.is_none() {
                return Ok(false);
            }
            let constant = found.wishes.automata.iter().any(|(id, sign)| *sign && finder.constant(*id).is_some());
            order.push((!constant, *root));
        }
        order.sort_unstable();
        let order: Vec<TextVar> = order.into_iter().map(|(_, root)| root).collect();
        if self.assign(finder, &order, 0, budget)? {
            return Ok(true);
        }
        if !self.exhaustive && self.none_by_order(finder, budget)? {
            self.exhaustive = true;
        }
        Ok(false)
    }

    /// The literals that this is about.
    fn places(&self) -> Vec<usize> {
        let mut places: BTreeSet<usize> = BTreeSet::new();
        for root in self.roots.iter().filter_map(|root| self.problem.roots.get(root)) {
            places.extend(&root.places);
        }
        places.extend(self.links().map(|link| link.place));
        places.into_iter().collect()
    }

    fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().copied()
    }

    fn assign(
        &mut self,
        finder: &mut Finder,
        order: &[TextVar],
        depth: usize,
        budget: &mut Budget,
    ) -> Result<bool, Reason> {
        let Some(root) = order.get(depth).copied() else { return Ok(true) };
        let Some(mut wishes) = self.problem.roots.get(&root).map(|root| root.wishes.clone()) else { return Ok(true) };
        match self.fit(finder, root)? {
            Fit::Nothing => return Ok(false),
            Fit::Asked(more) => wishes.automata.extend(more),
        }
        let later: Vec<Link> = self.links().filter(|link| self.is_later(link, root)).cloned().collect();
        let (tries, enough, excluded) = tries(root, &later);
        for _ in 0..tries {
            let Some(word) = finder.find(&wishes, budget)? else { return Ok(false) };
            self.words.insert(root, word.clone());
            if self.suits_itself(root) && self.assign(finder, order, depth + 1, budget)? {
                return Ok(true);
            }
            self.words.remove(&root);
            if later.is_empty() && enough {
                return Ok(false);
            }
            let part = excluded.iter().try_fold(word.clone(), |word, view| part_of(*view, &word));
            let wish = match part {
                Some(part) => {
                    let part = finder.catalogue.get(Spec::Plain(Lang::Exactly(part.into())))?;
                    (finder.catalogue.behind(&excluded, part)?, false)
                }
                None => {
                    let all = finder.catalogue.get(Spec::All)?;
                    (finder.catalogue.behind(&excluded, all)?, true)
                }
            };
            wishes.automata.push(wish);
        }
        if !enough && finder.find(&wishes, budget)?.is_some() {
            self.exhaustive = false;
        }
        Ok(false)
    }

    /// Whether a link waits for a word that comes later, or is about this one alone.
    fn is_later(&self, link: &Link, root: TextVar) -> bool {
        let far = match (link.one.root == root, link.other.root == root) {
            (true, true) => return true,
            (true, false) => link.other.root,
            (false, true) => link.one.root,
            (false, false) => return false,
        };
        !self.words.contains_key(&far)
    }

    /// Whether the links from a word to itself are as they should be.
    fn suits_itself(&self, root: TextVar) -> bool {
        self.links().filter(|link| link.one.root == root && link.other.root == root).all(|link| {
            let pair = value(&link.one, &self.words).zip(value(&link.other, &self.words));
            let truth = pair.is_some_and(|(one, other)| match link.relation {
                Relation::Same => one == other,
                Relation::Before => one < other,
            });
            truth == link.sign
        })
    }

    /// What the words that are there ask of this one.
    fn fit(&self, finder: &mut Finder, root: TextVar) -> Result<Fit, Reason> {
        let mut asked = Vec::new();
        for link in self.links() {
            let (near, far, first) = match (link.one.root == root, link.other.root == root) {
                (true, false) => (&link.one, &link.other, true),
                (false, true) => (&link.other, &link.one, false),
                _ => continue,
            };
            if !self.words.contains_key(&far.root) {
                continue;
            }
            let Some(value) = value(far, &self.words) else {
                // A part that is not there: the atom is false.
                if link.sign {
                    return Ok(Fit::Nothing);
                }
                continue;
            };
            let value = value.into();
            let inner = finder.catalogue.get(match (link.relation, first) {
                (Relation::Same, _) => Spec::Plain(Lang::Exactly(value)),
                (Relation::Before, true) => Spec::Plain(Lang::Before(value)),
                (Relation::Before, false) => Spec::After(value),
            })?;
            asked.push((finder.catalogue.behind(&near.views, inner)?, link.sign));
        }
        Ok(Fit::Asked(asked))
    }

    /// Whether the order of words alone is impossible: even if each is the least that it can be.
    ///
    /// Of words that have to be greater than others, or not less, the least choice is one from the bottom up. If that
    /// leads nowhere, nothing does, whatever else is asked.
    fn none_by_order(&self, finder: &mut Finder, budget: &mut Budget) -> Result<bool, Reason> {
        let mut edges: Vec<(TextVar, TextVar, bool)> = Vec::new();
        for link in self.links() {
            if link.relation == Relation::Before && link.one.views.is_empty() && link.other.views.is_empty() {
                let (one, other) = (link.one.root, link.other.root);
                edges.push(if link.sign { (one, other, true) } else { (other, one, false) });
            }
        }
        let mut least: BTreeMap<TextVar, String> = BTreeMap::new();
        loop {
            let ready = self.roots.iter().find(|root| {
                let mut into = edges.iter().filter(|(_, high, _)| high == *root);
                !least.contains_key(root) && into.all(|(low, ..)| least.contains_key(low))
            });
            // In a circle nothing is ready.
            let Some(root) = ready else { return Ok(false) };
            let Some(found) = self.problem.roots.get(root) else { return Ok(false) };
            let mut wishes: Wishes = found.wishes.clone();
            for (low, _, strict) in edges.iter().filter(|(_, high, _)| high == root) {
                let Some(word) = least.get(low) else { continue };
                wishes.automata.push(match strict {
                    true => (finder.catalogue.get(Spec::After(word.as_str().into()))?, true),
                    false => (finder.catalogue.get(Spec::Plain(Lang::Before(word.as_str().into())))?, false),
                });
            }
            let Some(word) = finder.least(&wishes, budget)? else { return Ok(true) };
            least.insert(*root, word);
        }
    }
}

/// How many words to try for one that these links depend on, whether that is enough whatever they are, and by which part
/// of it one differs from the next.
fn tries(root: TextVar, later: &[Link]) -> (usize, bool, Vec<View>) {
    let near = |link: &Link| if link.one.root == root { link.one.views.clone() } else { link.other.views.clone() };
    let itself = later.iter().any(|link| link.one.root == link.other.root);
    let Some(first) = later.first().map(near) else { return (1, true, Vec::new()) };
    if itself || !later.iter().all(|link| near(link) == first) {
        return (TRIES_MAX, false, Vec::new());
    }
    // Each word that has to differ from this one can only be in the way of one choice.
    if later.iter().all(|link| link.relation == Relation::Same && !link.sign) {
        return (later.len() + 1, true, first);
    }
    (TRIES_MAX, false, first)
}
