//! Forms for programs, read as programs read them.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use super::Room;

const FAULTY: &str = "module faulty\n\nenum Kind { page, page }\n\nentity Site { kind: Knd }\n";

fn check(format: &str) -> Output {
    let room = Room::new(&format!("forms-{format}"));
    fs::create_dir(room.path().join("deep")).expect("a folder can be made");
    fs::write(room.path().join("deep/faulty one.pdl"), FAULTY).expect("a file can be written");
    Command::new(env!("CARGO_BIN_EXE_pdl"))
        .current_dir(room.path())
        .args(["check", "--format", format, "deep/faulty one.pdl"])
        .output()
        .expect("the command can be run")
}

#[test]
fn sarif_is_one_document_with_places_from_the_current_folder() {
    let output = check("sarif");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty(), "there is no talk beside a form for programs");
    let document: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(document["version"], "2.1.0");
    let results = document["runs"][0]["results"].as_array().expect("there are results");
    assert_eq!(results.len(), 2);
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "deep/faulty%20one.pdl");
    assert_eq!(place["region"]["startLine"], 5);
    assert_eq!(place["region"]["startColumn"], 21);
}

#[test]
fn json_is_one_document_with_its_counts() {
    let output = check("json");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty(), "there is no talk beside a form for programs");
    let document: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(document["errors"], 2);
    let list = document["diagnostics"].as_array().expect("there is a list");
    assert_eq!(list.len(), 2);
    assert_eq!(list[1]["span"]["file"], "deep/faulty one.pdl");
    assert_eq!(list[1]["span"]["start"]["line"], 5);
}

#[test]
fn github_has_one_line_for_each_fault() {
    let output = check("github");
    let text = String::from_utf8(output.stdout).expect("it is UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].starts_with("::error file=deep/faulty one.pdl,line=5,col=21,"), "{}", lines[1]);
}
