//! The registry of capabilities that ships with `std.execution`: 41 of them, the ones that its cases are about.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn capabilities() -> Vec<Value> {
    let document: Value = serde_json::from_str(&read("stdlib/execution.entities.json")).expect("it is JSON");
    document.as_array().expect("entities are an array").clone()
}

#[test]
fn there_are_forty_one() {
    let found: Vec<(String, String)> = capabilities()
        .iter()
        .map(|entity| {
            assert_eq!(entity["type"], "std.execution.Capability", "{entity}");
            let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{entity}")).to_owned();
            (text(&entity["id"]), text(&entity["properties"]["class"]))
        })
        .collect();
    let first_class = (1..=21).map(|n| (format!("CAP-{n:03}"), "FIRST_CLASS".to_owned()));
    let substrate = (1..=20).map(|n| (format!("SUB-{n:03}"), "SUBSTRATE".to_owned()));
    let expected: Vec<(String, String)> = first_class.chain(substrate).collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 41);
}

#[test]
fn each_has_a_name_of_its_own_and_no_mode() {
    let all = capabilities();
    let names: BTreeSet<&str> = all.iter().filter_map(|entity| entity["properties"]["name"].as_str()).collect();
    assert_eq!(names.len(), all.len());
    for entity in &all {
        let properties = entity["properties"].as_object().expect("properties are an object");
        let keys: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(keys, BTreeSet::from(["class", "name"]), "{entity}");
    }
}

/// The cases name them by their ids and load them: so the document is one that the library accepts.
#[test]
fn the_cases_are_decided_with_them() {
    let cases = read("tests/cases/governed/execution.jsonl");
    let mut lines = cases.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    let first = lines.find_map(|line| line.get("entities").cloned());
    assert_eq!(first, Some(Value::Array(capabilities())));
}
