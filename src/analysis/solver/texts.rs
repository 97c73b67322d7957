//! Texts, decided as far as trying words and comparing with constants goes.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::budget::{Budget, Exhausted, Reason};
use crate::analysis::solver::words;
use crate::analysis::text::{Domain, Lang, TextAtom, TextVar, TextVerdict, Texts};

/// Whether the literals can hold together.
pub(super) fn solve(texts: &mut Texts, literals: &[(TextAtom, bool)], budget: &mut Budget) -> TextVerdict {
    match attempt(texts, literals, budget) {
        Ok(verdict) => verdict,
        Err(Exhausted) => TextVerdict::Undecided(Reason::Steps),
    }
}

fn attempt(texts: &Texts, literals: &[(TextAtom, bool)], budget: &mut Budget) -> Result<TextVerdict, Exhausted> {
    let mut fixed: BTreeMap<TextVar, (usize, String)> = BTreeMap::new();
    let mut variables: BTreeSet<TextVar> = BTreeSet::new();
    let mut candidates: BTreeSet<String> = BTreeSet::from([String::new()]);
    for (place, (atom, holds)) in literals.iter().enumerate() {
        budget.spend(1)?;
        match atom {
            TextAtom::In(variable, language) => {
                variables.insert(*variable);
                match texts.described(*language) {
                    Lang::Exactly(word) => {
                        candidates.insert(word.to_string());
                        if *holds {
                            fixed.entry(*variable).or_insert((place, word.to_string()));
                        }
                    }
                    Lang::StartsWith(word) | Lang::EndsWith(word) | Lang::Contains(word) | Lang::Before(word) => {
                        candidates.insert(word.to_string());
                    }
                    Lang::AtLeast(_, least) => {
                        candidates.insert("a".repeat(usize::try_from(*least).unwrap_or(0).min(1_000)));
                    }
                    _ => {}
                }
            }
            TextAtom::Same(one, other) | TextAtom::Before(one, other) => variables.extend([*one, *other]),
        }
    }
    for (place, (atom, holds)) in literals.iter().enumerate() {
        budget.spend(1)?;
        match atom {
            TextAtom::In(variable, language) => {
                if let Some((reason, word)) = fixed.get(variable)
                    && words::lies_in(texts, *language, word) != *holds
                {
                    return Ok(TextVerdict::Conflict(vec![*reason.min(&place), *reason.max(&place)]));
                }
            }
            TextAtom::Same(one, other) | TextAtom::Before(one, other) => {
                if let (Some((first, one)), Some((second, other))) = (fixed.get(one), fixed.get(other)) {
                    let is = if matches!(atom, TextAtom::Same(..)) { one == other } else { one < other };
                    if is != *holds {
                        return Ok(TextVerdict::Conflict(vec![*first, *second, place]));
                    }
                }
            }
        }
    }
    for word in candidates.clone() {
        candidates.extend(["!", "0", "a", "~"].map(|more| format!("{word}{more}")));
    }
    let mut found: BTreeMap<TextVar, String> = BTreeMap::new();
    for variable in &variables {
        let fits = |word: &str| {
            let is_in_domain = match texts.domain(*variable) {
                Some(Domain::Any(bytes_max)) => word.len() <= bytes_max as usize,
                _ => false,
            };
            is_in_domain
                && literals.iter().all(|(atom, holds)| match atom {
                    TextAtom::In(of, language) => of != variable || words::lies_in(texts, *language, word) == *holds,
                    TextAtom::Same(one, other) | TextAtom::Before(one, other) => {
                        let is = |one: &str, other: &str| {
                            if matches!(atom, TextAtom::Same(..)) { one == other } else { one < other }
                        };
                        match (found.get(one), found.get(other)) {
                            (Some(first), None) if other == variable => is(first, word) == *holds,
                            (None, Some(second)) if one == variable => is(word, second) == *holds,
                            _ => true,
                        }
                    }
                })
        };
        let mut fitting = None;
        for word in &candidates {
            budget.spend(u64::try_from(literals.len()).unwrap_or(u64::MAX))?;
            if fits(word) {
                fitting = Some(word.clone());
                break;
            }
        }
        let Some(word) = fitting else { return Ok(TextVerdict::Undecided(Reason::Texts)) };
        found.insert(*variable, word);
    }
    Ok(TextVerdict::Words(found))
}
