//! Formulas as SMT-LIB: what has to be declared, what always holds of it, and each formula by a name.
//!
//! Numbers are `Int`, words are `String` (see `words`). What can't be said exactly is said too widely: by a Boolean or a
//! number of which less is known than is true. So that nothing satisfies a script is a proof, and that something does is a
//! proposal.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use easy_smt::SExpr;

use super::parts::Pieces;
use crate::analysis::context::Context;
use crate::analysis::formula::{Atom, F, Node};
use crate::analysis::numbers::{Linear, NumVar, Source};
use crate::analysis::text::{Domain, LangId, Measure, TextVar, View};
use crate::base::limits::{PATH_BYTES_MAX, URL_BYTES_MAX};
use crate::data::timestamp::Timestamp;

/// A word: that of a variable, or a part of it; the outermost view comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) root: TextVar,
    pub(super) views: Vec<View>,
}

impl Place {
    /// A part of this.
    pub(super) fn part(&self, view: View) -> Place {
        let views = self.views.iter().copied().chain([view]).collect();
        Place { root: self.root, views }
    }
}

/// What stands for a word, and whether there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) text: SExpr,
    pub(super) is_there: SExpr,
}

/// What was written so far.
pub(super) struct Script<'c> {
    pub(super) smt: easy_smt::Context,
    pub(super) context: &'c Context,
    /// Declarations and assertions that were not told yet, in order.
    commands: Vec<SExpr>,
    /// What stands for the independent Booleans, the numbers, and the words that are no parts.
    pub(super) free: BTreeMap<u32, SExpr>,
    pub(super) numbers: BTreeMap<NumVar, SExpr>,
    pub(super) roots: BTreeMap<TextVar, SExpr>,
    /// What stands for each atom.
    pub(super) atoms: BTreeMap<F, SExpr>,
    nodes: HashMap<usize, SExpr>,
    words: BTreeMap<Place, Word>,
    pub(super) pieces: BTreeMap<Place, Pieces>,
    dates: BTreeMap<NumVar, [SExpr; 3]>,
    measures: BTreeMap<(Place, Measure), SExpr>,
    told: BTreeSet<(Place, Measure, i64)>,
    languages: BTreeMap<(Place, LangId), SExpr>,
    names: usize,
}

impl<'c> Script<'c> {
    pub(super) fn new(smt: easy_smt::Context, context: &'c Context) -> Script<'c> {
        Script {
            smt,
            context,
            commands: Vec::new(),
            free: BTreeMap::new(),
            numbers: BTreeMap::new(),
            roots: BTreeMap::new(),
            atoms: BTreeMap::new(),
            nodes: HashMap::new(),
            words: BTreeMap::new(),
            pieces: BTreeMap::new(),
            dates: BTreeMap::new(),
            measures: BTreeMap::new(),
            told: BTreeSet::new(),
            languages: BTreeMap::new(),
            names: 0,
        }
    }

    /// Tells the program what it was not told yet.
    pub(super) fn tell(&mut self) -> Result<(), String> {
        let success = self.smt.atom("success");
        for command in std::mem::take(&mut self.commands) {
            let answer = self.ask(command)?;
            if answer != success {
                return Err(format!("{} was not understood: {}", self.smt.display(command), self.smt.display(answer)));
            }
        }
        Ok(())
    }

    /// Sends a command, and waits for the answer.
    pub(super) fn ask(&mut self, command: SExpr) -> Result<SExpr, String> {
        let answer = self.smt.raw_send(command).and_then(|()| self.smt.raw_recv());
        answer.map_err(|fault| format!("the program ended: {fault}"))
    }

    /// An operation applied to some things.
    pub(super) fn call(&self, name: &str, of: impl IntoIterator<Item = SExpr>) -> SExpr {
        self.smt.list([self.smt.atom(name)].into_iter().chain(of).collect())
    }

    /// A number.
    pub(super) fn int(&self, value: i128) -> SExpr {
        match value {
            ..0 => self.call("-", [self.smt.atom(value.unsigned_abs().to_string())]),
            _ => self.smt.atom(value.to_string()),
        }
    }

    /// All of these.
    pub(super) fn all_hold(&self, mut parts: Vec<SExpr>) -> SExpr {
        parts.retain(|part| *part != self.smt.true_());
        match parts[..] {
            [] => self.smt.true_(),
            [only] => only,
            _ => self.call("and", parts),
        }
    }

    /// At least one of these.
    pub(super) fn one_holds(&self, parts: Vec<SExpr>) -> SExpr {
        match parts[..] {
            [] => self.smt.false_(),
            [only] => only,
            _ => self.call("or", parts),
        }
    }

    pub(super) fn not(&self, part: SExpr) -> SExpr {
        self.call("not", [part])
    }

    pub(super) fn equal(&self, one: SExpr, other: SExpr) -> SExpr {
        self.call("=", [one, other])
    }

    pub(super) fn at_most(&self, one: SExpr, other: SExpr) -> SExpr {
        self.call("<=", [one, other])
    }

    /// One if it holds, else the other.
    pub(super) fn choice(&self, condition: SExpr, yes: SExpr, no: SExpr) -> SExpr {
        self.call("ite", [condition, yes, no])
    }

    /// From now on this holds.
    pub(super) fn assert(&mut self, formula: SExpr) {
        let command = self.call("assert", [formula]);
        self.commands.push(command);
    }

    /// If one, then the other, from now on.
    pub(super) fn assert_if(&mut self, condition: SExpr, formula: SExpr) {
        let formula = self.call("=>", [condition, formula]);
        self.assert(formula);
    }

    /// A new name of a sort.
    pub(super) fn declare(&mut self, kind: &str, sort: &str) -> SExpr {
        self.names += 1;
        let name = self.smt.atom(format!("{kind}{}", self.names));
        let command = self.call("declare-const", [name, self.smt.atom(sort)]);
        self.commands.push(command);
        name
    }

    /// A name for a Boolean, so that it is written once.
    pub(super) fn named(&mut self, formula: SExpr) -> SExpr {
        self.names += 1;
        let name = self.smt.atom(format!("n{}", self.names));
        let nothing = self.smt.list(Vec::new());
        let command = self.call("define-fun", [name, nothing, self.smt.bool_sort(), formula]);
        self.commands.push(command);
        name
    }

    /// What stands for a formula.
    pub(super) fn formula(&mut self, formula: F) -> SExpr {
        let context = self.context;
        let mut open = vec![formula.positive()];
        while let Some(&next) = open.last() {
            if self.nodes.contains_key(&next.node()) {
                open.pop();
                continue;
            }
            let said = match context.formulas.node(next) {
                Node::True => self.smt.true_(),
                Node::Atom(atom) => {
                    let said = self.atom(atom);
                    self.atoms.insert(next, said);
                    said
                }
                Node::And(parts) => {
                    let before = open.len();
                    open.extend(
                        parts.iter().map(|part| part.positive()).filter(|part| !self.nodes.contains_key(&part.node())),
                    );
                    if open.len() > before {
                        continue;
                    }
                    let parts = parts.iter().map(|part| self.known(*part)).collect();
                    let all = self.all_hold(parts);
                    self.named(all)
                }
            };
            self.nodes.insert(next.node(), said);
            open.pop();
        }
        self.known(formula)
    }

    fn known(&self, formula: F) -> SExpr {
        let said = self.nodes.get(&formula.node()).copied().unwrap_or_else(|| self.smt.true_());
        if formula.is_negated() { self.not(said) } else { said }
    }

    fn atom(&mut self, atom: &Atom) -> SExpr {
        match atom {
            Atom::Free(number) => match self.free.get(number) {
                Some(known) => *known,
                None => {
                    let new = self.declare("b", "Bool");
                    self.free.insert(*number, new);
                    new
                }
            },
            Atom::AtMost(sum, bound) => {
                if let Some(variable) = sum.as_variable() {
                    self.tell_size(variable, *bound);
                }
                let sum = self.sum(sum);
                self.at_most(sum, self.int(*bound))
            }
            Atom::In(text, language) => {
                let place = self.place(*text);
                self.lies_in(&place, *language)
            }
            Atom::Same(one, other) => self.related("=", *one, *other),
            Atom::Before(one, other) => self.related("str.<", *one, *other),
        }
    }

    fn related(&mut self, relation: &str, one: TextVar, other: TextVar) -> SExpr {
        let (one, other) = (self.place(one), self.place(other));
        let (one, other) = (self.word(&one), self.word(&other));
        self.all_hold(vec![one.is_there, other.is_there, self.call(relation, [one.text, other.text])])
    }

    /// A sum.
    pub(super) fn sum(&mut self, sum: &Linear) -> SExpr {
        let mut parts = vec![self.int(sum.constant)];
        for (variable, factor) in &sum.terms {
            let number = self.number(*variable);
            parts.push(self.call("*", [self.int(*factor), number]));
        }
        self.call("+", parts)
    }

    /// What stands for a number.
    pub(super) fn number(&mut self, variable: NumVar) -> SExpr {
        if let Some(known) = self.numbers.get(&variable) {
            return *known;
        }
        let new = self.declare("x", "Int");
        self.numbers.insert(variable, new);
        let (low, high) = self.context.numbers.bounds(variable);
        let (low, high) = (self.int(low), self.int(high));
        let within = self.call("<=", [low, new, high]);
        self.assert(within);
        let Some(source) = self.context.numbers.source(variable) else { return new };
        // As models have it: what has no such size has less than any, and bounds hold whatever the source is.
        let exact = match source {
            Source::Characters(text) => Some(self.measured(text, Measure::Characters)),
            Source::Depth(text) => Some(self.measured(text, Measure::Depth)),
            Source::Port(text) => Some(self.measured(text, Measure::Port)),
            Source::Year(instant) | Source::Month(instant) | Source::Day(instant) => self.date(instant, source),
        };
        if let Some(exact) = exact {
            let less = self.call("<", [exact, low]);
            let more = self.call(">", [exact, high]);
            let clamped = self.choice(less, low, self.choice(more, high, exact));
            let same = self.equal(new, clamped);
            self.assert(same);
        }
        new
    }

    /// The year, month or day of an instant; nothing where the calendar may end before its bounds.
    fn date(&mut self, instant: NumVar, source: Source) -> Option<SExpr> {
        let (low, high) = self.context.numbers.bounds(instant);
        if low < Timestamp::MIN.millis().into() || high > Timestamp::MAX.millis().into() {
            return None;
        }
        let parts = self.parts_of_date(instant);
        Some(match source {
            Source::Year(_) => parts[0],
            Source::Month(_) => parts[1],
            _ => parts[2],
        })
    }

    /// The year, the month and the day of an instant.
    fn parts_of_date(&mut self, instant: NumVar) -> [SExpr; 3] {
        if let Some(known) = self.dates.get(&instant) {
            return *known;
        }
        let name = self.number(instant);
        let named = |script: &mut Self, value: SExpr| {
            let name = script.declare("d", "Int");
            let same = script.equal(name, value);
            script.assert(same);
            name
        };
        let parted = |script: &Self, value: SExpr, by: i128| script.call("div", [value, script.int(by)]);
        // Days since the first of March of year 0, in cycles of 400 years of 146,097 days each; a year begins in March.
        let days = parted(self, name, 86_400_000);
        let days = named(self, self.call("+", [days, self.int(719_468)]));
        let cycle = named(self, parted(self, days, 146_097));
        let day = named(self, self.call("-", [days, self.call("*", [self.int(146_097), cycle])]));
        let leaps = [
            day,
            self.call("-", [parted(self, day, 1_460)]),
            parted(self, day, 36_524),
            self.call("-", [parted(self, day, 146_096)]),
        ];
        let year = named(self, parted(self, self.call("+", leaps), 365));
        let before =
            [self.call("*", [self.int(365), year]), parted(self, year, 4), self.call("-", [parted(self, year, 100)])];
        let day = named(self, self.call("-", [day, self.call("+", before)]));
        let shifted = self.call("+", [self.call("*", [self.int(5), day]), self.int(2)]);
        let month = named(self, parted(self, shifted, 153));
        let first = self.call("+", [self.call("*", [self.int(153), month]), self.int(2)]);
        let of_month = self.call("+", [self.call("-", [day, parted(self, first, 5)]), self.int(1)]);
        let in_year = self.call("<", [month, self.int(10)]);
        let of_year = self.call("+", [month, self.choice(in_year, self.int(3), self.int(-9))]);
        let years = self.call("*", [self.int(400), cycle]);
        let year = self.call("+", [year, years, self.choice(in_year, self.int(0), self.int(1))]);
        let parts = [named(self, year), named(self, of_year), named(self, of_month)];
        self.dates.insert(instant, parts);
        parts
    }

    /// Where the word of a variable stands.
    pub(super) fn place(&self, text: TextVar) -> Place {
        let (mut root, mut views) = (text, Vec::new());
        while let Some((whole, view)) = self.context.texts.whole(root) {
            views.push(view);
            root = whole;
        }
        views.reverse();
        Place { root, views }
    }

    /// What stands for a word.
    pub(super) fn word(&mut self, place: &Place) -> Word {
        if let Some(known) = self.words.get(place) {
            return *known;
        }
        let word = match place.views.split_last() {
            Some((view, before)) => {
                let whole = Place { root: place.root, views: before.to_vec() };
                self.part(&whole, *view)
            }
            None => {
                let text = self.declare("t", "String");
                self.roots.insert(place.root, text);
                let domain = self.domain(place.root, text);
                self.assert(domain);
                Word { text, is_there: self.smt.true_() }
            }
        };
        self.words.insert(place.clone(), word);
        word
    }

    /// Which words a variable may stand for. They may be too many: that bytes are UTF-8, and what URLs and networks are in
    /// detail, is said when a word is proposed that is none (`read`).
    fn domain(&self, root: TextVar, text: SExpr) -> SExpr {
        let at_most = |bytes: usize| {
            let bytes = i128::try_from(bytes).unwrap_or(i128::MAX);
            self.at_most(self.call("str.len", [text]), self.int(bytes))
        };
        match self.context.texts.domain(root) {
            Some(Domain::Any(bytes)) => {
                self.all_hold(vec![self.is_in(text, self.star(self.byte(|_| true))), at_most(bytes as usize)])
            }
            Some(Domain::Path) => {
                let any = || self.star(self.byte_but(b"/\0"));
                let plain = || self.byte_but(b"/.\0");
                let name = self.any_of(vec![
                    self.chain([plain(), any()]),
                    self.chain([self.exactly(b"."), plain(), any()]),
                    self.chain([self.exactly(b".."), self.byte_but(b"/\0"), any()]),
                ]);
                let names = self.plus(self.chain([self.exactly(b"/"), name]));
                let path = self.any_of(vec![self.exactly(b"/"), names]);
                self.all_hold(vec![self.is_in(text, path), at_most(PATH_BYTES_MAX)])
            }
            Some(Domain::Url) => {
                let graphic = self.star(self.byte(|byte| byte.is_ascii_graphic()));
                let url = self.chain([
                    self.plus(
                        self.byte(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)),
                    ),
                    self.exactly(b"://"),
                    graphic,
                ]);
                self.all_hold(vec![self.is_in(text, url), at_most(URL_BYTES_MAX)])
            }
            Some(Domain::Address) => self.is_address(text, self.exactly(b"")),
            Some(Domain::Net) => self.is_address(text, self.prefixes()),
            None => self.smt.true_(),
        }
    }

    /// The size of a word, if there is one; else less than any.
    fn measured(&mut self, text: TextVar, measure: Measure) -> SExpr {
        let place = self.place(text);
        let size = self.measure(&place, measure);
        let word = self.word(&place);
        self.choice(word.is_there, size, self.int(-1))
    }

    /// Says exactly which words measure more than this, if the number is a size of one.
    fn tell_size(&mut self, number: NumVar, bound: i128) {
        let (text, measure) = match self.context.numbers.source(number) {
            Some(Source::Characters(text)) => (text, Measure::Characters),
            Some(Source::Depth(text)) => (text, Measure::Depth),
            Some(Source::Port(text)) => (text, Measure::Port),
            _ => return,
        };
        if let Ok(least) = i64::try_from(bound.saturating_add(1)) {
            let place = self.place(text);
            self.is_at_least(&place, measure, least);
        }
    }

    /// What stands for the size of a word; -1 for a port that there is not. Bytes and small sizes are exact, and large ones may be
    /// too many or too few.
    fn measure(&mut self, place: &Place, measure: Measure) -> SExpr {
        if let Some(known) = self.measures.get(&(place.clone(), measure)) {
            return *known;
        }
        let word = self.word(place);
        let size = self.declare("s", "Int");
        self.measures.insert((place.clone(), measure), size);
        let bytes = self.call("str.len", [word.text]);
        match measure {
            Measure::Characters => {
                let between = self.call("<=", [size, bytes, self.call("*", [self.int(4), size])]);
                self.assert(between);
                let ascii = self.star(self.range(0, 0x7f));
                let ascii = self.is_in(word.text, ascii);
                let same = self.equal(size, bytes);
                self.assert_if(ascii, same);
            }
            Measure::Depth => {
                let between = self.call("<=", [self.int(0), self.call("*", [self.int(2), size]), bytes]);
                self.assert_if(word.is_there, between);
            }
            Measure::Bytes => {
                let same = self.equal(size, bytes);
                self.assert(same);
            }
            Measure::Port => self.port(place, size),
        }
        size
    }

    /// Whether a word that is there measures so much.
    pub(super) fn is_at_least(&mut self, place: &Place, measure: Measure, least: i64) -> SExpr {
        let least = least.clamp(if measure == Measure::Port { 0 } else { -1 }, 1 << 40);
        let size = self.measure(place, measure);
        let is_so = self.call(">=", [size, self.int(least.into())]);
        if self.told.insert((place.clone(), measure, least)) {
            let word = self.word(place);
            let many = u64::try_from(least).unwrap_or(0);
            let exact = match measure {
                Measure::Port => self.port_at_least(place, least),
                Measure::Bytes => return is_so,
                _ if least > super::words::COUNTED_MAX => return is_so,
                Measure::Characters => {
                    // Each character has one byte that begins it.
                    let more = || self.range(0x80, 0xbf);
                    let character = self.chain([self.star(more()), self.byte(|byte| !(0x80..=0xbf).contains(&byte))]);
                    let many = self.chain([self.times(character, many, Some(many)), self.all()]);
                    self.is_in(word.text, many)
                }
                Measure::Depth => {
                    let name = self.chain([self.exactly(b"/"), self.plus(self.byte(|byte| byte != b'/'))]);
                    let many = self.chain([self.times(name, many, Some(many)), self.all()]);
                    self.is_in(word.text, many)
                }
            };
            let same = self.equal(is_so, exact);
            self.assert_if(word.is_there, same);
        }
        is_so
    }

    /// Whether there is a word and it lies in a language.
    pub(super) fn lies_in(&mut self, place: &Place, language: LangId) -> SExpr {
        if let Some(known) = self.languages.get(&(place.clone(), language)) {
            return *known;
        }
        let word = self.word(place);
        let said = self.language(place, word, language);
        let said = self.all_hold(vec![word.is_there, said]);
        let said = self.named(said);
        self.languages.insert((place.clone(), language), said);
        said
    }
}
