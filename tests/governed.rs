//! The standard library against its tests and its case files: `tests/cases/governed/`, of which each holds the tables of
//! one governance system row by row, and `tests/cases/library/`.
//!
//! The first line of a case file names the policy that decides, below `stdlib/tests/`, and the modules that its cases are
//! a test of. Several files may test one module, each with other values for its parameters.

mod mutation;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Where case files of the library are.
const FOLDERS: [&str; 2] = ["tests/cases/governed", "tests/cases/library"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A case file, with what its first line says.
pub struct Cases {
    pub path: String,
    pub policy: String,
    pub modules: Vec<String>,
}

/// The names of the files of a folder that end so, sorted.
fn names(folder: &str, ending: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("{folder} can be listed: {error}"))
        .map(|entry| entry.expect("it can be listed").file_name().into_string().expect("names are UTF-8"))
        .filter(|name| name.ends_with(ending))
        .collect();
    names.sort();
    names
}

/// All case files of the standard library.
pub fn case_files() -> Vec<Cases> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        for name in names(folder, ".jsonl") {
            let path = format!("{folder}/{name}");
            let text = fs::read_to_string(root().join(&path)).expect("the file can be read");
            let first = text.lines().next().unwrap_or_default();
            let about: Value = serde_json::from_str(first).unwrap_or_else(|error| panic!("{path}, line 1: {error}"));
            let string = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{path}, line 1")).to_owned();
            let modules = about["modules"].as_array().unwrap_or_else(|| panic!("{path}, line 1: no modules"));
            files.push(Cases { policy: string(&about["policy"]), modules: modules.iter().map(string).collect(), path });
        }
    }
    files
}

/// Runs `pdl test` with some arguments and gives its document.
pub fn pdl_test(arguments: &[&str]) -> (bool, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_pdl"))
        .current_dir(root())
        .arg("test")
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .expect("the command can be run");
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("pdl test {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.success(), document)
}

/// All tests and cases hold, and together they cover every rule, condition and row of every module.
#[test]
fn the_library_is_as_its_cases_say() {
    let mut wrong = Vec::new();
    // What each module has that no file has covered so far.
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Cases { path, policy, modules } in case_files() {
        let mut arguments = vec![&*policy, "--cases", &path, "--coverage"];
        modules.iter().for_each(|module| arguments.extend(["--module", module]));
        let (passed, document) = pdl_test(&arguments);
        if !passed {
            wrong.push(format!("pdl test {}\n{:#}", arguments.join(" "), document["cases"]));
        }
        let uncovered: BTreeSet<String> = document["coverage"]["missing"]
            .as_array()
            .expect("coverage lists what is missing")
            .iter()
            .map(|part| format!("{} {} {}", part["at"], part["part"], part["missing"]))
            .collect();
        for module in modules {
            // `std.jobs` is shown as `std/jobs.pdl`.
            let place = format!("\"{}.pdl:", module.replace('.', "/"));
            let own: BTreeSet<String> = uncovered.iter().filter(|part| part.starts_with(&place)).cloned().collect();
            match missing.get_mut(&module) {
                Some(before) => before.retain(|part| own.contains(part)),
                None => _ = missing.insert(module, own),
            }
        }
    }
    wrong.extend(missing.values().flatten().map(|part| format!("not covered: {part}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let tested: BTreeSet<String> = missing.into_keys().collect();
    let modules: BTreeSet<String> =
        names("stdlib", ".pdl").iter().map(|name| format!("std.{}", name.trim_end_matches(".pdl"))).collect();
    assert_eq!(tested, modules, "every module has cases, and every tested module is there");
}

/// A case that expects an error names it: any mistake in its request would be one, and would pass for the one it is about.
#[test]
fn errors_are_named() {
    let mut unnamed = Vec::new();
    for Cases { path, .. } in case_files() {
        let text = fs::read_to_string(root().join(&path)).expect("the file can be read");
        for (line, text) in (1..).zip(text.lines()) {
            let case: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{path}, line {line}: {error}"));
            let expected = &case["expect"];
            if expected["kind"] == "error" && !expected["error"]["code"].is_string() {
                unnamed.push(format!("{path}, line {line}"));
            }
        }
    }
    assert!(unnamed.is_empty(), "{}", unnamed.join("\n"));
}

/// Every policy of the library's tests is the policy of a case file, without warnings, in canonical form.
#[test]
fn the_tests_of_the_library_are_sound() {
    let policies: BTreeSet<String> =
        names("stdlib/tests", ".pdl").into_iter().map(|name| format!("stdlib/tests/{name}")).collect();
    let used: BTreeSet<String> = case_files().into_iter().map(|file| file.policy).collect();
    assert_eq!(policies, used);
    let library: Vec<String> = names("stdlib", ".pdl").iter().map(|name| format!("stdlib/{name}")).collect();
    let mut commands = vec![vec!["fmt", "--check"]];
    commands[0].extend(library.iter().chain(&policies).map(String::as_str));
    commands.extend(policies.iter().map(|policy| vec!["check", policy.as_str()]));
    for command in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_pdl"))
            .current_dir(root())
            .args(&command)
            .output()
            .expect("the command can be run");
        let told = [&output.stdout[..], &output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(output.status.success() && !told.contains("warning"), "pdl {}:\n{told}", command.join(" "));
    }
}
