//! What editors are told of the language is so: the TextMate grammar names every keyword, and no word that is none.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pdl::syntax::token::KEYWORDS;
use pdl::types::BUILTIN_TYPES;
use serde_json::Value;

fn grammar() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/pdl.tmLanguage.json");
    let text = fs::read_to_string(path).expect("the grammar can be read");
    serde_json::from_str(&text).expect("the grammar is JSON")
}

/// The words that the alternatives of a rule's pattern name.
fn words(rule: &Value) -> BTreeSet<String> {
    let pattern = rule["match"].as_str().expect("the rule has a pattern");
    let inside = pattern.split_once("(?:").and_then(|(_, rest)| rest.split_once(')')).expect("it has alternatives").0;
    inside.split('|').map(str::to_owned).collect()
}

#[test]
fn keywords_are_those_of_the_language() {
    let grammar = grammar();
    let rules = &grammar["repository"];
    let mut told = BTreeSet::new();
    for rule in ["effects", "items", "heads", "clauses", "operators", "constants"] {
        told.extend(words(&rules[rule]));
    }
    // No keywords, but they mean something after `is` and in patterns.
    for word in ["present", "absent"] {
        assert!(told.remove(word), "`{word}` is coloured");
    }
    let keywords: BTreeSet<String> =
        KEYWORDS.iter().map(|(word, ..)| (*word).to_owned()).filter(|word| word != "_").collect();
    assert_eq!(told, keywords);
}

#[test]
fn types_are_those_of_the_language() {
    let grammar = grammar();
    let told = words(&grammar["repository"]["types"]["patterns"][0]);
    let builtin = BUILTIN_TYPES.iter().copied().chain(["Set", "List", "Map"]);
    let known: BTreeSet<String> = builtin.filter(|name| *name != "Entity").map(str::to_owned).collect();
    assert_eq!(told, known);
}

/// Every rule that is included is there, and every rule that is there is included.
#[test]
fn rules_are_all_used() {
    let grammar = grammar();
    let rules = grammar["repository"].as_object().expect("there are rules");
    let there: BTreeSet<&str> = rules.keys().map(String::as_str).collect();
    let patterns = grammar["patterns"].as_array().expect("there are patterns");
    let included = patterns.iter().filter_map(|pattern| pattern["include"].as_str()?.strip_prefix('#'));
    assert_eq!(included.collect::<BTreeSet<&str>>(), there);
}
