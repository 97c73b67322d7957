//! Verdicts: against trying all words of small alphabets, and for questions of the size that policies ask.

use super::super::*;
use super::{Dice, Patterns};
use crate::analysis::budget::Budget;

const STEPS: u64 = 5_000_000;

fn words_of(verdict: TextVerdict) -> BTreeMap<TextVar, String> {
    match verdict {
        TextVerdict::Words(words) => words,
        other => panic!("{other:?}"),
    }
}

fn conflict(verdict: TextVerdict) -> Vec<usize> {
    match verdict {
        TextVerdict::Conflict(places) => places,
        other => panic!("{other:?}"),
    }
}

/// Whether a literal holds of words.
fn truth(texts: &Texts, patterns: &Patterns, atom: TextAtom, word: impl Fn(TextVar) -> Option<String>) -> bool {
    match atom {
        TextAtom::In(one, language) => word(one).is_some_and(|word| patterns.holds(texts, language, &word)),
        TextAtom::Same(one, other) => word(one).is_some() && word(one) == word(other),
        TextAtom::Before(one, other) => word(one).zip(word(other)).is_some_and(|(one, other)| one < other),
    }
}

/// All words over an alphabet up to a length.
fn all_words(alphabet: &[&str], most: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..most {
        last = last.iter().flat_map(|word| alphabet.iter().map(move |letter| format!("{word}{letter}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// Texts with two or three variables, parts of them, and languages; random literals; and all words tried.
fn against_all_words(domain: Domain, alphabet: &[&str], most: usize, bound: &str, views: &[View], rounds: usize) {
    let candidates: Vec<String> = all_words(alphabet, most).into_iter().filter(|word| is_of(domain, word)).collect();
    let mut dice = Dice(rounds as u64);
    let (mut found, mut conflicts, mut undecided) = (0, 0, 0);
    for _ in 0..rounds {
        let mut texts = Texts::default();
        let roots = [texts.variable(domain), texts.variable(domain)];
        let bound = texts.language(Lang::Regex(bound.into()));
        let mut variables: Vec<TextVar> = roots.to_vec();
        for root in roots {
            variables.extend(views.iter().map(|view| texts.part(root, *view)));
        }
        let mut literals: Vec<(TextAtom, bool)> = roots.map(|root| (TextAtom::In(root, bound), true)).to_vec();
        for _ in 0..1 + dice.roll(5) {
            let text: Arc<str> =
                dice.pick(&candidates).chars().skip(dice.roll(2)).take(1 + dice.roll(3)).collect::<String>().into();
            let (one, other) = (*dice.pick(&variables), *dice.pick(&variables));
            let language = match dice.roll(7) {
                0 => Lang::Exactly(text),
                1 => Lang::StartsWith(text),
                2 => Lang::EndsWith(text),
                3 => Lang::Contains(text),
                4 => Lang::Before(text),
                5 => Lang::AtLeast(Measure::Characters, dice.roll(4) as i64),
                _ => Lang::Regex((*dice.pick(&["a+", "(ab)*", ".*b", ".b.*"])).into()),
            };
            let atom = match dice.roll(4) {
                0 if one != other => TextAtom::Same(one, other),
                1 if one != other => TextAtom::Before(one, other),
                _ => TextAtom::In(one, texts.language(language)),
            };
            literals.push((atom, dice.roll(3) > 0));
        }
        let patterns = Patterns::of(&texts);
        let possible = |texts: &Texts, places: &[usize]| {
            candidates.iter().any(|first| {
                candidates.iter().any(|second| {
                    let word = |variable: TextVar| {
                        let (root, view) = match texts.variables[variable.0 as usize] {
                            Origin::Own(_) => (variable, None),
                            Origin::Part(of, view) => (of, Some(view)),
                        };
                        let word = if root == roots[0] { first } else { second };
                        view.map_or(Some(word.clone()), |view| part_of(view, word))
                    };
                    places.iter().all(|place| truth(texts, &patterns, literals[*place].0, word) == literals[*place].1)
                })
            })
        };
        match texts.solve(&literals, &mut Budget::new(STEPS)) {
            TextVerdict::Words(words) => {
                found += 1;
                for (atom, sign) in &literals {
                    let there = |variable: TextVar| match texts.variables[variable.0 as usize] {
                        Origin::Own(_) => words.get(&variable).cloned(),
                        Origin::Part(of, view) => words.get(&of).and_then(|word| part_of(view, word)),
                    };
                    assert_eq!(truth(&texts, &patterns, *atom, there), *sign, "{words:?} {atom:?}");
                }
            }
            TextVerdict::Conflict(places) => {
                conflicts += 1;
                // The bound on the words is not among what is needed, where it is the alphabet that is too small.
                let places: Vec<usize> = [0, 1].into_iter().chain(places).collect();
                assert!(
                    !possible(&texts, &places),
                    "{:?}",
                    places.iter().map(|place| literals[*place]).collect::<Vec<_>>()
                );
            }
            TextVerdict::Undecided(_) => undecided += 1,
        }
    }
    assert!(found > 60 && conflicts > 40, "{found} found, {conflicts} conflicts, {undecided} undecided");
    assert!(undecided <= rounds / 6, "{found} found, {conflicts} conflicts, {undecided} undecided");
}

#[test]
fn texts_against_all_words() {
    against_all_words(Domain::Any(4), &["a", "b"], 4, "[ab]{0,4}", &[], 400);
    against_all_words(Domain::Any(6), &["a", "é", "\u{10ffff}"], 3, "[aé\u{10ffff}]{0,3}", &[], 300);
}

#[test]
fn paths_against_all_words() {
    against_all_words(
        Domain::Path,
        &["a", "b", "/", "."],
        5,
        "[ab/.]{0,5}",
        &[View::Name, View::Extension, View::Parent],
        300,
    );
}

#[test]
fn many_constants_and_beginnings() {
    let mut texts = Texts::default();
    let variable = texts.variable(Domain::Any(65_536));
    let mut literals = Vec::new();
    for number in 0..1000 {
        let language = texts.language(Lang::Exactly(format!("user{number}").into()));
        literals.push((TextAtom::In(variable, language), false));
    }
    let user = texts.language(Lang::StartsWith("user".into()));
    literals.push((TextAtom::In(variable, user), true));
    let mut budget = Budget::new(STEPS);
    assert_eq!(words_of(texts.solve(&literals, &mut budget))[&variable], "user");
    for number in 0..200 {
        let language = texts.language(Lang::StartsWith(format!("user{number}/").into()));
        literals.push((TextAtom::In(variable, language), false));
    }
    let digits = texts.language(Lang::Regex("user[0-9]/?".into()));
    literals.push((TextAtom::In(variable, digits), true));
    let places = conflict(texts.solve(&literals, &mut budget));
    assert!(places.len() == 21, "ten constants, ten beginnings, the pattern: {places:?}");
    assert!(budget.steps_left > STEPS / 2, "{}", budget.steps_left);
}

#[test]
fn many_texts_within_end_in_bounded_steps() {
    let mut texts = Texts::default();
    let variable = texts.variable(Domain::Any(65_536));
    let mut literals = Vec::new();
    for number in 0..12 {
        let text = format!("{}ab{}", "ab".repeat(number % 4), "ba".repeat(number / 3) + "c");
        let language = texts.language(Lang::Contains(format!("{text}{number}").into()));
        literals.push((TextAtom::In(variable, language), true));
    }
    let patterns = Patterns::of(&texts);
    let mut budget = Budget::new(STEPS);
    match texts.solve(&literals, &mut budget) {
        TextVerdict::Words(words) => {
            assert!(literals.iter().all(|(atom, _)| truth(&texts, &patterns, *atom, |v| words.get(&v).cloned())))
        }
        other => panic!("{other:?}"),
    }
    // Where there is none, a search that grows too large ends too.
    let letters = texts.language(Lang::Regex("[a-z0-9]*[A-Z]".into()));
    let end = texts.language(Lang::Regex("(?s).*[0-9][^A-Z]?[^A-Z]?".into()));
    literals.extend([(TextAtom::In(variable, letters), true), (TextAtom::In(variable, end), true)]);
    let verdict = texts.solve(&literals, &mut Budget::new(STEPS));
    assert!(!matches!(verdict, TextVerdict::Words(_)), "{verdict:?}");
}

#[test]
fn conflicts_name_what_is_needed() {
    let mut texts = Texts::default();
    let (one, other) = (texts.variable(Domain::Any(100)), texts.variable(Domain::Any(100)));
    let ids: Vec<LangId> = [
        Lang::StartsWith("a".into()),
        Lang::EndsWith("z".into()),
        Lang::Contains("q".into()),
        Lang::StartsWith("b".into()),
        Lang::AtLeast(Measure::Characters, 2),
    ]
    .into_iter()
    .map(|language| texts.language(language))
    .collect();
    let mut literals: Vec<(TextAtom, bool)> = ids.iter().map(|id| (TextAtom::In(one, *id), true)).collect();
    assert_eq!(conflict(texts.solve(&literals, &mut Budget::new(STEPS))), [0, 3]);
    literals[3] = (TextAtom::In(other, ids[3]), true);
    let words = words_of(texts.solve(&literals, &mut Budget::new(STEPS)));
    assert_eq!((&*words[&one], &*words[&other]), ("aqz", "b"));
    literals.push((TextAtom::Same(one, other), true));
    assert_eq!(conflict(texts.solve(&literals, &mut Budget::new(STEPS))), [0, 3, 5]);
    // The bound on the length is in bytes.
    let long = texts.language(Lang::AtLeast(Measure::Characters, 101));
    assert_eq!(conflict(texts.solve(&[(TextAtom::In(one, long), true)], &mut Budget::new(STEPS))), [0]);
}

#[test]
fn parts_of_urls_and_what_equals_them() {
    let mut texts = Texts::default();
    let (url, second) = (texts.variable(Domain::Url), texts.variable(Domain::Url));
    let host = texts.part(url, View::Host);
    let second_host = texts.part(second, View::Host);
    let name = texts.variable(Domain::Any(20));
    let within = texts.language(Lang::HostIn("good.com".into()));
    let short = texts.language(Lang::AtLeast(Measure::Characters, 12));
    let mut literals = vec![
        (TextAtom::In(url, within), true),
        (TextAtom::Same(host, name), true),
        (TextAtom::In(name, short), true),
        (TextAtom::Same(host, second_host), true),
        (TextAtom::Same(url, second), false),
    ];
    let words = words_of(texts.solve(&literals, &mut Budget::new(STEPS)));
    assert!(words[&name].ends_with(".good.com") && words[&name].len() >= 12, "{words:?}");
    assert_eq!(words[&host], words[&second_host]);
    // Also what is asked of the one host is asked of the other.
    let evil = texts.language(Lang::HostIn("evil.com".into()));
    literals.push((TextAtom::In(second, evil), true));
    let hosts = [literals[0], literals[3], literals[5]];
    assert_eq!(conflict(texts.solve(&hosts, &mut Budget::new(STEPS))), [0, 1, 2]);
    let address = texts.part(url, View::HostAddress);
    let private = texts.language(Lang::Is(Class::Private));
    let v6 = texts.language(Lang::Is(Class::V6));
    let literals = [(TextAtom::In(address, private), true), (TextAtom::In(address, v6), true)];
    let words = words_of(texts.solve(&literals, &mut Budget::new(STEPS)));
    assert!(address_of(&words[&address]).is_some_and(|address| address.is_private() && address.is_v6()), "{words:?}");
    // Ports: a host with a port below 1024 that is none of the well-known.
    let [low, high] = [1, 1024].map(|bound| texts.language(Lang::AtLeast(Measure::Port, bound)));
    let https = texts.language(Lang::StartsWith("git".into()));
    let literals = [(TextAtom::In(url, low), true), (TextAtom::In(url, high), false), (TextAtom::In(url, https), true)];
    assert_eq!(words_of(texts.solve(&literals, &mut Budget::new(STEPS)))[&url], "git://a:1");
}

#[test]
fn different_and_ordered_words() {
    let mut texts = Texts::default();
    let variables: Vec<TextVar> = (0..4).map(|_| texts.variable(Domain::Any(10))).collect();
    let three = texts.language(Lang::Regex("[abc]".into()));
    let mut literals: Vec<(TextAtom, bool)> = variables.iter().map(|v| (TextAtom::In(*v, three), true)).collect();
    for (at, one) in variables.iter().enumerate() {
        literals.extend(variables.iter().skip(at + 1).map(|other| (TextAtom::Same(*one, *other), false)));
    }
    let places = conflict(texts.solve(&literals, &mut Budget::new(STEPS)));
    assert_eq!(places.len(), 10, "four different ones of three");
    literals.remove(0);
    words_of(texts.solve(&literals, &mut Budget::new(STEPS)));
    // The first choice may be the wrong one.
    let [either, only] = ["[ab]", "a"].map(|source| texts.language(Lang::Regex(source.into())));
    let choice = [
        (TextAtom::In(variables[0], either), true),
        (TextAtom::In(variables[1], only), true),
        (TextAtom::Same(variables[0], variables[1]), false),
    ];
    assert_eq!(words_of(texts.solve(&choice, &mut Budget::new(STEPS)))[&variables[0]], "b");
    // Four in a row, and in a circle.
    let mut row: Vec<(TextAtom, bool)> =
        variables.windows(2).map(|pair| (TextAtom::Before(pair[0], pair[1]), true)).collect();
    let words = words_of(texts.solve(&row, &mut Budget::new(STEPS)));
    assert!(variables.windows(2).all(|pair| words[&pair[0]] < words[&pair[1]]));
    row.push((TextAtom::Before(variables[0], variables[3]), false));
    assert_eq!(conflict(texts.solve(&row, &mut Budget::new(STEPS))).len(), 4);
    // Neither is less, and they differ.
    let (one, other) = (variables[0], variables[1]);
    let neither = [
        (TextAtom::Before(one, other), false),
        (TextAtom::Before(other, one), false),
        (TextAtom::Same(one, other), false),
    ];
    assert_eq!(conflict(texts.solve(&neither, &mut Budget::new(STEPS))).len(), 3);
    // All that begins with `b` is greater than all that begins with `a`, though neither has an end.
    let [a, b] = ["a", "b"].map(|text| texts.language(Lang::StartsWith(text.into())));
    let crossed = [(TextAtom::In(one, b), true), (TextAtom::In(other, a), true), (TextAtom::Before(one, other), true)];
    assert_eq!(conflict(texts.solve(&crossed, &mut Budget::new(STEPS))).len(), 3);
}

#[test]
fn what_is_not_decided_says_so() {
    let mut texts = Texts::default();
    let variable = texts.variable(Domain::Any(100));
    let broken = texts.language(Lang::Regex("(".into()));
    let verdict = texts.solve(&[(TextAtom::In(variable, broken), true)], &mut Budget::new(STEPS));
    assert_eq!(verdict, TextVerdict::Undecided(Reason::Pattern));
    let long = texts.language(Lang::Contains("abc".into()));
    let verdict = texts.solve(&[(TextAtom::In(variable, long), true)], &mut Budget::new(3));
    assert_eq!(verdict, TextVerdict::Undecided(Reason::Steps));
}
