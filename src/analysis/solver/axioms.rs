//! What always holds of atoms, told to the SAT solver as soon as it knows them, and what was found out later.
//!
//! - Bounds of the same sum are ordered: `x <= 3` implies `x <= 5`.
//! - A bound of a number that is the size of a text is a language of that text, and a bound of the year of an instant is
//!   a bound of the instant. Both sides are literals, so that each is decided where it is understood.
//! - Languages of the same text exclude or imply each other.
//! - Where a model gave a number another value than its source has, the question is split or a fact is added, and it
//!   matters from then on wherever the number does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::analysis::context::Context;
use crate::analysis::formula::{Atom, F, Formulas, Node};
use crate::analysis::numbers::{Linear, NumVar, Source};
use crate::analysis::solver::calendar::{self, Date};
use crate::analysis::text::{Lang, LangId, Measure, TextVar};

/// What is known of atoms beyond their Boolean structure.
#[derive(Debug, Default)]
pub(super) struct Axioms {
    /// For each sum: the atoms about it, by bound.
    bounds: HashMap<Vec<(NumVar, i128)>, BTreeMap<i128, F>>,
    /// For the node of an atom: what is true exactly if it is.
    equals: HashMap<usize, F>,
    /// For a number: the atoms that matter, whatever they are, where it does.
    splits: BTreeMap<NumVar, BTreeSet<F>>,
    /// For a number: the facts that matter where it does.
    facts: BTreeMap<NumVar, Vec<F>>,
    /// For a text: its languages, and how many of them were compared with each other.
    languages: BTreeMap<TextVar, (Vec<LangId>, usize)>,
}

impl Axioms {
    /// Clauses that hold of an atom and those that were met before.
    pub(super) fn of_atom(&mut self, context: &mut Context, atom: F) -> Vec<Vec<F>> {
        let (sum, bound) = match context.formulas.node(atom) {
            Node::Atom(Atom::AtMost(sum, bound)) => (sum.clone(), *bound),
            Node::Atom(Atom::In(text, language)) => {
                self.languages.entry(*text).or_default().0.push(*language);
                return Vec::new();
            }
            _ => return Vec::new(),
        };
        let mut clauses = Vec::new();
        let bounds = self.bounds.entry(sum.terms.clone()).or_default();
        if let Some((_, below)) = bounds.range(..bound).next_back() {
            clauses.push(vec![!*below, atom]);
        }
        if let Some((_, above)) = bounds.range(bound.saturating_add(1)..).next() {
            clauses.push(vec![!atom, *above]);
        }
        bounds.insert(bound, atom);
        if let Some(same) = same_at_the_source(context, &sum, bound) {
            self.equals.insert(atom.node(), same);
            clauses.extend([vec![!atom, same], vec![atom, !same]]);
        }
        clauses
    }

    /// Clauses that hold of the languages of each text. A text is looked at again when it has half as many languages
    /// more: all that these clauses say the theory of texts would say too, only later.
    pub(super) fn of_languages(&mut self, context: &mut Context) -> Vec<Vec<F>> {
        let mut clauses = Vec::new();
        for (text, (languages, compared)) in &mut self.languages {
            if languages.len() < 2 || languages.len() - *compared <= *compared / 2 {
                continue;
            }
            let new: BTreeSet<LangId> = languages.get(*compared..).unwrap_or_default().iter().copied().collect();
            *compared = languages.len();
            let lemmas = context.texts.lemmas(*text, languages);
            let formulas = &mut context.formulas;
            let lies_in = |formulas: &mut Formulas, language: LangId| formulas.atom(Atom::In(*text, language));
            for clause in lemmas.clauses.iter().filter(|clause| clause.iter().any(|(id, _)| new.contains(id))) {
                let parts = clause.iter().map(|(language, sign)| {
                    let formula = lies_in(formulas, *language);
                    if *sign { formula } else { !formula }
                });
                clauses.push(parts.collect());
            }
            for group in lemmas.at_most_one.iter().filter(|group| group.iter().any(|id| new.contains(id))) {
                let group: Vec<F> = group.iter().map(|language| lies_in(formulas, *language)).collect();
                at_most_one(formulas, &group, &mut clauses);
            }
        }
        clauses
    }

    /// What has to be considered with an atom: formulas that are true, and formulas that are true or false.
    pub(super) fn beside(&self, formula: F, atom: &Atom) -> (Vec<F>, Vec<F>) {
        let (mut facts, mut either): (Vec<F>, Vec<F>) = (Vec::new(), Vec::new());
        if let Atom::AtMost(sum, _) = atom {
            for (variable, _) in &sum.terms {
                facts.extend(self.facts.get(variable).into_iter().flatten().copied());
                either.extend(self.splits.get(variable).into_iter().flatten().copied());
            }
            either.extend(self.equals.get(&formula.node()).copied());
        }
        (facts, either)
    }

    /// A number that is a function was given this value, and its source, an instant if there is one, has another. What
    /// leads on: nothing if nothing is new.
    pub(super) fn refine(
        &mut self,
        context: &mut Context,
        number: NumVar,
        value: i128,
        instant: Option<i128>,
    ) -> Option<Refined> {
        let date = instant.and_then(calendar::date);
        match context.numbers.source(number)? {
            Source::Month(instant) => {
                let date = date?;
                self.within(context, number, date.month, instant, calendar::month_around(date)?)
            }
            Source::Day(instant) => {
                let date = date?;
                self.within(context, number, date.day, instant, calendar::day_around(date)?)
            }
            Source::Year(instant) => {
                let date = date?;
                let first = calendar::start(Date { month: 1, day: 1, ..date })?;
                self.within(context, number, date.year, instant, (first, calendar::year_end(date.year)))
            }
            Source::Characters(_) | Source::Depth(_) | Source::Port(_) => {
                // Whether it has this value is decided first, with what that means for the source.
                let variable = Linear::variable(number);
                let (formulas, numbers) = (&mut context.formulas, &context.numbers);
                let mut split = vec![formulas.at_most(numbers, &variable, value)];
                split.extend(value.checked_sub(1).map(|below| !formulas.at_most(numbers, &variable, below)));
                let known = self.splits.entry(number).or_default();
                split.retain(|part| *part != F::TRUE && *part != F::FALSE && known.insert(part.positive()));
                (!split.is_empty()).then_some(Refined::Split(split))
            }
        }
    }

    /// While the instant is within these, the number has this value.
    fn within(
        &mut self,
        context: &mut Context,
        number: NumVar,
        value: i128,
        instant: NumVar,
        (first, last): (i128, i128),
    ) -> Option<Refined> {
        let instant = Linear::variable(instant);
        let (formulas, numbers) = (&mut context.formulas, &context.numbers);
        let before = formulas.at_most(numbers, &instant, first.checked_sub(1)?);
        let until = formulas.at_most(numbers, &instant, last);
        let equal = formulas.equals(numbers, &Linear::variable(number), value);
        let fact = formulas.or([before, !until, equal]);
        let facts = self.facts.entry(number).or_default();
        if facts.contains(&fact) {
            return None;
        }
        facts.push(fact);
        Some(Refined::Fact(fact))
    }
}

/// What leads on after a model that gave a number another value than its source has.
#[derive(Debug)]
pub(super) enum Refined {
    /// This is so.
    Fact(F),
    /// It is decided whether these are so, and best if they are.
    Split(Vec<F>),
}

/// At most one of these: each excludes all before it, of which it is told whether there was one.
fn at_most_one(formulas: &mut Formulas, group: &[F], clauses: &mut Vec<Vec<F>>) {
    let mut before: Option<F> = None;
    for part in group {
        let until = formulas.free();
        clauses.push(vec![!*part, until]);
        if let Some(before) = before {
            clauses.extend([vec![!before, until], vec![!before, !*part]]);
        }
        before = Some(until);
    }
}

/// A bound of a number as a literal about what it is a function of, where that is exact.
fn same_at_the_source(context: &mut Context, sum: &Linear, bound: i128) -> Option<F> {
    let source = context.numbers.source(sum.as_variable()?)?;
    let mut less = |measure: Measure, text: TextVar| {
        let more = i64::try_from(bound.checked_add(1)?).ok()?;
        let language = context.texts.language(Lang::AtLeast(measure, more));
        Some(!context.formulas.atom(Atom::In(text, language)))
    };
    match source {
        Source::Characters(text) => less(Measure::Characters, text),
        Source::Depth(text) => less(Measure::Depth, text),
        Source::Port(text) => less(Measure::Port, text),
        Source::Year(instant) => {
            let end = calendar::year_end(bound);
            Some(context.formulas.at_most(&context.numbers, &Linear::variable(instant), end))
        }
        Source::Month(_) | Source::Day(_) => None,
    }
}

/// The same time of another day, or its beginning, for instants whose year, month or day has to be another; near ones
/// first.
pub(super) fn moved(instant: i128, year: Option<i128>, month: Option<i128>, day: Option<i128>) -> Vec<i128> {
    let Some(date) = calendar::date(instant) else { return Vec::new() };
    let Some(time) = calendar::start(date).and_then(|start| instant.checked_sub(start)) else { return Vec::new() };
    // A leap day may be eight years away.
    let near = [0, 1, -1, 2, -2, 3, -3, 4, -4, 8, -8].map(|years| date.year + years);
    let years = year.map_or_else(|| near.to_vec(), |year| vec![year]);
    let months = month.map_or_else(|| vec![date.month, 1, 2, 3], |month| vec![month]);
    let days = day.map_or_else(|| vec![date.day, 1], |day| vec![day]);
    let dates =
        years.iter().flat_map(|year| months.iter().flat_map(|month| days.iter().map(|day| (*year, *month, *day))));
    let starts = dates.filter_map(|(year, month, day)| calendar::start(Date { year, month, day }));
    starts.flat_map(|start| [start.saturating_add(time), start]).collect()
}
