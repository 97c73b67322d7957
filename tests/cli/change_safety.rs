//! docs/change-safety.md: its story is played, command by command, and prints what the page shows.
//!
//! The first fence of PDL is `refunds.pdl`, that of JSON is `requests.jsonl`. With `UPDATE_TOUR=1` what is printed is
//! written to the page instead of compared.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Room;

/// What a command prints, on both of its streams, and its status if that is not 0.
fn printed(room: &Path, command: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_pdl")).parent().expect("it is in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("{command} 2>&1"))
        .current_dir(room)
        .env("PATH", format!("{}:{path}", binary.display()))
        .env("NO_COLOR", "1")
        .output()
        .expect("it can be run");
    let mut text = String::from_utf8(output.stdout).expect("output is UTF-8");
    match output.status.code() {
        Some(0) => {}
        status => text.push_str(&format!("[exit status {}]\n", status.unwrap_or(-1))),
    }
    text
}

fn fence<'a>(page: &'a str, language: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("the page has it");
    rest.split_once("```").expect("a fence ends").0
}

#[cfg(unix)]
#[test]
fn the_story_is_so() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/change-safety.md");
    let page = fs::read_to_string(&file).expect("the page can be read");
    let room = Room::new("change-safety");
    fs::write(room.path().join("refunds.pdl"), fence(&page, "pdl")).expect("a file can be written");
    fs::write(room.path().join("requests.jsonl"), fence(&page, "json")).expect("a file can be written");
    let mut told = String::new();
    let (mut inside, mut commands) = (false, 0);
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            commands += 1;
            told.push_str(&format!("{line}\n{}", printed(room.path(), command)));
            continue;
        } else if inside {
            continue;
        }
        told.push_str(&format!("{line}\n"));
    }
    assert!(commands >= 6, "it is a story");
    if std::env::var_os("UPDATE_TOUR").is_some() {
        fs::write(file, told).expect("the page can be written");
    } else {
        assert_eq!(told, page, "docs/change-safety.md shows what is printed");
    }
}

/// A solver that is asked for and is not there is said, not passed over.
#[test]
fn a_solver_that_is_not_there_is_said() {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first/policy.pdl");
    for command in [&["verify"][..], &["diff", policy.to_str().expect("it is a path")]] {
        let output = Command::new(env!("CARGO_BIN_EXE_pdl"))
            .args(command)
            .arg(&policy)
            .args(["--solver", "z3"])
            .env("PATH", "/nowhere")
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("`z3` is not installed") && said.contains("PATH"), "{said}");
    }
}
