//! What the README shows is so.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Room;

/// The fences of the README, in order: language and text.
fn fences() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("README.md")).expect("the README can be read");
    let mut fences = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
            fences.push((language.to_owned(), text));
        }
    }
    fences
}

#[test]
fn the_first_command_prints_what_it_shows() {
    let fences = fences();
    let at = fences.iter().position(|(language, _)| language == "sh").expect("the README has a command");
    let arguments = fences[at].1.trim().strip_prefix("cargo run -- ").expect("it runs `pdl` from the sources");
    let output = Command::new(env!("CARGO_BIN_EXE_pdl"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments.split(' '))
        .output()
        .expect("it can be run");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), fences[at + 1].1, "README.md shows what is printed");
}

#[test]
fn its_policy_passes_its_tests() {
    let fences = fences();
    let (_, text) = fences.iter().find(|(language, _)| language == "pdl").expect("the README has a policy");
    let room = Room::new("readme");
    fs::write(room.path().join("mailbox.pdl"), text).expect("a file can be written");
    for command in [&["test"][..], &["fmt", "--check"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_pdl"))
            .current_dir(room.path())
            .args(command)
            .arg("mailbox.pdl")
            .output()
            .expect("it can be run");
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command:?}: {talk}");
        assert!(!talk.contains("warning"), "{talk}");
    }
}

#[test]
fn its_second_command_is_what_the_machine_runs() {
    let fences = fences();
    let scripts: Vec<&str> =
        fences.iter().filter(|(language, _)| language == "sh").map(|(_, text)| text.trim()).collect();
    assert_eq!(scripts.get(1), Some(&".ci/check"));
    let run = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).expect(".ci/run can be read");
    assert!(run.contains("/check"), ".ci/run calls .ci/check");
}
