//! What always holds of languages of one variable: told to the solver before it asks, for it is cheap.
//!
//! All of it is sound for parts that may be missing, of which every atom is false: no clause asks that any of its
//! languages has the word unless another has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::concrete::{holds, is_of};
use super::{Domain, Lang, LangId, Lemmas, Measure, TextVar, Texts, View};
use crate::data::ip::IpNet;
use crate::data::pattern::Pattern;

/// How many pairs of constants and languages are looked at.
const PAIRS_MAX: usize = 100_000;

impl Texts {
    /// Facts about languages of a variable: constants exclude each other and decide all else; beginnings, ends, blocks of
    /// addresses, paths and domains imply the wider ones, and exclude those apart; bounds imply the weaker ones.
    #[must_use]
    pub fn lemmas(&self, _variable: TextVar, languages: &[LangId]) -> Lemmas {
        let mut languages = languages.to_vec();
        languages.sort_unstable();
        languages.dedup();
        let mut lemmas = Lemmas::default();
        self.constants(&languages, &mut lemmas);
        self.beginnings(&languages, false, &mut lemmas);
        self.beginnings(&languages, true, &mut lemmas);
        self.ladders(&languages, &mut lemmas);
        self.blocks(&languages, &mut lemmas);
        self.parts(&languages, &mut lemmas);
        lemmas
    }

    /// At most one constant is the word, and it lies in what it lies in.
    fn constants(&self, languages: &[LangId], lemmas: &mut Lemmas) {
        let is_constant = |id: &&LangId| matches!(self.described(**id), Lang::Exactly(_));
        let (constants, others): (Vec<&LangId>, Vec<&LangId>) = languages.iter().partition(is_constant);
        let others = others.into_iter().filter(|_| !constants.is_empty());
        let others: Vec<LangId> = others.copied().collect();
        if constants.len() > 1 {
            lemmas.at_most_one.push(constants.iter().map(|id| **id).collect());
        }
        if constants.len().saturating_mul(others.len()) > PAIRS_MAX {
            return;
        }
        for other in &others {
            let pattern = match self.described(*other) {
                Lang::Glob(source) => Some(Pattern::glob(source)),
                Lang::Regex(source) => Some(Pattern::regex(source)),
                plain if self.is_plain(plain) => None,
                _ => continue,
            };
            let Ok(pattern) = pattern.transpose() else { continue };
            for constant in &constants {
                let Lang::Exactly(text) = self.described(**constant) else { continue };
                let within = match &pattern {
                    Some(pattern) => pattern.is_match(text),
                    None => holds(&self.languages, *other, text),
                };
                lemmas.clauses.push(vec![(**constant, false), (*other, within)]);
            }
        }
    }

    /// Whether no pattern has to be compiled to know if a word lies in it.
    fn is_plain(&self, language: &Lang) -> bool {
        match language {
            Lang::Part(_, inner) => self.is_plain(self.described(*inner)),
            other => !matches!(other, Lang::Glob(_) | Lang::Regex(_)),
        }
    }

    /// Texts that words begin (or end) with: each implies the longest that it begins with itself; those that share the
    /// same longest one exclude each other.
    fn beginnings(&self, languages: &[LangId], ends: bool, lemmas: &mut Lemmas) {
        let mut texts: Vec<(Vec<u8>, LangId)> = Vec::new();
        for id in languages {
            match self.described(*id) {
                Lang::StartsWith(text) if !ends => texts.push((text.bytes().collect(), *id)),
                Lang::EndsWith(text) if ends => texts.push((text.bytes().rev().collect(), *id)),
                _ => {}
            }
        }
        nested(texts, |inner, outer| inner.starts_with(outer), lemmas);
    }

    /// Bounds: each implies the next weaker one.
    fn ladders(&self, languages: &[LangId], lemmas: &mut Lemmas) {
        let mut before: BTreeMap<Arc<str>, LangId> = BTreeMap::new();
        let mut least: BTreeMap<(Measure, i64), LangId> = BTreeMap::new();
        for id in languages {
            match self.described(*id) {
                Lang::Before(text) => drop(before.insert(text.clone(), *id)),
                Lang::AtLeast(measure, bound) => drop(least.insert((*measure, *bound), *id)),
                _ => {}
            }
        }
        let before: Vec<LangId> = before.into_values().collect();
        for pair in before.windows(2) {
            lemmas.clauses.push(vec![(pair[0], false), (pair[1], true)]);
        }
        let least: Vec<((Measure, i64), LangId)> = least.into_iter().collect();
        for pair in least.windows(2).filter(|pair| pair[0].0.0 == pair[1].0.0) {
            lemmas.clauses.push(vec![(pair[1].1, false), (pair[0].1, true)]);
        }
    }

    /// Blocks of addresses and of networks, and paths: like beginnings, they lie within each other or apart.
    fn blocks(&self, languages: &[LangId], lemmas: &mut Lemmas) {
        let (mut addresses, mut nets, mut paths) = (Vec::new(), Vec::new(), Vec::new());
        for id in languages {
            match self.described(*id) {
                Lang::InNet(net) => addresses.push((bits(*net), *id)),
                Lang::NetIn(net) => nets.push((bits(*net), *id)),
                Lang::PathIn(path) if is_of(Domain::Path, path) => paths.push((names(path), *id)),
                _ => {}
            }
        }
        for texts in [addresses, nets, paths] {
            nested(texts, |inner, outer| inner.starts_with(outer), lemmas);
        }
    }

    /// Facts about the languages of a part are facts about the word.
    fn parts(&self, languages: &[LangId], lemmas: &mut Lemmas) {
        let mut views: BTreeMap<View, Vec<(LangId, LangId)>> = BTreeMap::new();
        let mut has: BTreeMap<View, LangId> = BTreeMap::new();
        for id in languages {
            match self.described(*id) {
                Lang::Part(view, inner) => views.entry(*view).or_default().push((*inner, *id)),
                Lang::Has(view) => drop(has.insert(*view, *id)),
                _ => {}
            }
        }
        for (view, pairs) in views {
            if let Some(has) = has.get(&view) {
                lemmas.clauses.extend(pairs.iter().map(|(_, part)| vec![(*part, false), (*has, true)]));
            }
            let inner: Vec<LangId> = pairs.iter().map(|(inner, _)| *inner).collect();
            let outer: BTreeMap<LangId, LangId> = pairs.into_iter().collect();
            let own = self.lemmas(TextVar(u32::MAX), &inner);
            let lift = |(id, sign): &(LangId, bool)| outer.get(id).map(|id| (*id, *sign));
            lemmas.clauses.extend(own.clauses.iter().filter_map(|clause| clause.iter().map(lift).collect()));
            let lift = |id: &LangId| outer.get(id).copied();
            lemmas.at_most_one.extend(own.at_most_one.iter().filter_map(|group| group.iter().map(lift).collect()));
        }
    }
}

/// Of languages that lie within each other or apart: each implies the next wider one, and the widest within the same
/// exclude each other. Sorted, what lies within another stands behind it.
fn nested<T: Ord>(mut texts: Vec<(T, LangId)>, within: impl Fn(&T, &T) -> bool, lemmas: &mut Lemmas) {
    texts.sort_unstable();
    let mut open: Vec<usize> = Vec::new();
    let mut groups: BTreeMap<Option<usize>, Vec<LangId>> = BTreeMap::new();
    for (place, (text, id)) in texts.iter().enumerate() {
        while open.last().is_some_and(|outer| !within(text, &texts[*outer].0)) {
            open.pop();
        }
        let outer = open.last().copied();
        if let Some(outer) = outer {
            lemmas.clauses.push(vec![(*id, false), (texts[outer].1, true)]);
        }
        // What is the same language in other words is no other one.
        if outer.is_none_or(|outer| texts[outer].0 != *text) {
            groups.entry(outer).or_default().push(*id);
        }
        open.push(place);
    }
    lemmas.at_most_one.extend(groups.into_values().filter(|group| group.len() > 1));
}

/// The bits that the addresses of a block share, with the family in front.
fn bits(net: IpNet) -> Vec<u8> {
    let address = net.address();
    let width = u32::from(address.width());
    let shared = (0..u32::from(net.prefix())).map(|place| (address.bits() >> (width - 1 - place) & 1) as u8);
    [u8::from(address.is_v6())].into_iter().chain(shared).collect()
}

fn names(path: &str) -> Vec<u8> {
    // A slash behind each name, so that names are compared whole.
    path.split('/').filter(|name| !name.is_empty()).flat_map(|name| name.bytes().chain([b'/'])).collect()
}
