//! examples/kernel-tour: what its README tells is what its script does, command by command.
//!
//! The script shows each command with what it prints, and ends with 1 where one ends as it should not. With
//! `UPDATE_TOUR=1` what is printed is written to the README instead of compared.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::transcript::redacted;

/// A command with what it prints.
type Step = (String, Vec<String>);

/// The steps of a text in which commands begin with a dollar sign.
fn steps<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in lines {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command.to_owned(), Vec::new())),
            (None, Some((_, printed))) => printed.push(line.to_owned()),
            (None, None) => panic!("{line:?} stands before every command"),
        }
    }
    steps
}

/// The lines of a page, each with whether it is of a fence of commands.
fn lines(page: &str) -> Vec<(bool, &str)> {
    let mut is_inside = false;
    page.lines()
        .map(|line| {
            let was_inside = is_inside;
            is_inside = if line.starts_with("```") { line == "```console" } else { is_inside };
            (was_inside && is_inside, line)
        })
        .collect()
}

/// The page with what the commands print now.
fn filled(page: &str, done: &[Step]) -> String {
    let (mut filled, mut done) = (String::new(), done.iter());
    for (is_inside, line) in lines(page) {
        let step = if is_inside && line.starts_with("$ ") { done.next() } else { None };
        match step {
            Some((command, printed)) => {
                filled.push_str(&format!("$ {command}\n"));
                printed.iter().for_each(|line| filled.push_str(&format!("{line}\n")));
            }
            None if is_inside => {}
            None => filled.push_str(&format!("{line}\n")),
        }
    }
    filled
}

/// What is the same from run to run. How wide a column is depends on the digits of a time.
fn same((command, printed): &Step) -> String {
    let lines: Vec<String> = [command].into_iter().chain(printed).map(|line| redacted(line)).collect();
    let words = |line: &String| line.split_whitespace().collect::<Vec<_>>().join(" ");
    lines.iter().map(words).collect::<Vec<_>>().join("\n")
}

/// Whether all that the script needs besides `pdl` is there.
fn has_tools() -> bool {
    let has = |name: &str, argument: &str| Command::new(name).arg(argument).output().is_ok();
    let missing: Vec<&str> = [("bash", "--version"), ("python3", "--version"), ("openssl", "version")]
        .into_iter()
        .filter(|(name, argument)| !has(name, argument))
        .map(|(name, _)| name)
        .collect();
    // Where everything is looked at, everything has to be there.
    assert!(missing.is_empty() || std::env::var_os("CI").is_none(), "missing: {missing:?}");
    missing.is_empty() && cfg!(unix)
}

#[test]
fn the_tour_is_as_it_is_told() {
    if !has_tools() {
        eprintln!("the tour was not tried");
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kernel-tour");
    let pdl = Path::new(env!("CARGO_BIN_EXE_pdl")).parent().expect("the command is in a folder");
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([pdl.to_owned()].into_iter().chain(std::env::split_paths(&others)));
    let output = Command::new("bash")
        .arg(folder.join("tour.sh"))
        .env("PATH", path.expect("the folder has an ordinary name"))
        .env("TMPDIR", env!("CARGO_TARGET_TMPDIR"))
        .env("NO_COLOR", "1")
        .output()
        .expect("the script can be run");
    let shown = String::from_utf8(output.stdout).expect("what it shows is text");
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && talk.is_empty(), "{shown}{talk}");
    let done = steps(shown.lines());
    let file = folder.join("README.md");
    let page = fs::read_to_string(&file).expect("the README can be read");
    if std::env::var_os("UPDATE_TOUR").is_some() {
        fs::write(&file, filled(&page, &done)).expect("the README can be written");
    }
    let page = fs::read_to_string(&file).expect("the README can be read");
    let told = steps(lines(&page).into_iter().filter(|(is_inside, _)| *is_inside).map(|(_, line)| line));
    for (told, done) in told.iter().zip(&done) {
        assert_eq!(same(told), same(done), "the README tells otherwise; UPDATE_TOUR=1 writes it anew");
    }
    assert_eq!(told.len(), done.len(), "README and script have the same steps");
}
