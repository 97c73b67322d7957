//! Whether the tests and cases of the standard library notice when one thing of a module changes.
//!
//! Several files may test one module, each with other values for its parameters: a change that one of them notices is
//! noticed. Values of parameters differ from file to file, so that a change of one may be there in one file only.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Cases, case_files, pdl_test};

/// What became of a mutant in all files together.
#[derive(Default)]
struct Fate {
    at: String,
    is_settled: bool,
    survived_in: Vec<String>,
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("`{member}` is there: {value}"))
}

#[test]
fn every_change_of_the_library_is_noticed() {
    let mut wrong = Vec::new();
    let mut fates: BTreeMap<String, Fate> = BTreeMap::new();
    for Cases { path, policy, modules } in case_files() {
        let mut arguments = vec![&*policy, "--cases", &path, "--mutate"];
        modules.iter().for_each(|module| arguments.extend(["--module", module]));
        let (_, document) = pdl_test(&arguments);
        let Some(mutants) = document["mutants"].as_array() else {
            wrong.push(format!("pdl test {}: does not pass as it is", arguments.join(" ")));
            continue;
        };
        for mutant in mutants {
            let fate = fates.entry(text(mutant, "name").to_owned()).or_default();
            text(mutant, "at").clone_into(&mut fate.at);
            match text(mutant, "outcome") {
                "survived" => fate.survived_in.push(path.clone()),
                _ => fate.is_settled = true,
            }
        }
        let stale = document["stale"].as_array().expect("stale explanations are listed");
        wrong.extend(
            stale.iter().map(|stale| format!("{}: {}: {}", text(stale, "at"), text(stale, "why"), text(stale, "name"))),
        );
    }
    assert!(!fates.is_empty(), "there are modules to change");
    let survivors = fates.iter().filter(|(_, fate)| !fate.is_settled);
    wrong.extend(
        survivors.map(|(name, fate)| format!("{}: nothing in {} notices {name}", fate.at, fate.survived_in.join(", "))),
    );
    assert!(wrong.is_empty(), "{} changes:\n{}", wrong.len(), wrong.join("\n"));
}
