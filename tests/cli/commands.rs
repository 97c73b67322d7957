//! Every command has a row in docs/command-line.md, and every row a command.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The commands that the help of a command lists.
fn listed(command: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_pdl")).args(command).arg("--help").output().expect("it can be run");
    let help = String::from_utf8(output.stdout).expect("help is UTF-8");
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // What goes on from the line before is further in.
    let names = lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_is_on_the_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/command-line.md");
    let page = fs::read_to_string(page).expect("the page can be read");
    let mut commands = BTreeSet::new();
    for name in listed(&[]) {
        let within = listed(&[&name]);
        if within.is_empty() {
            commands.insert(name);
        } else {
            commands.extend(within.iter().map(|one| format!("{name} {one}")));
        }
    }
    assert!(commands.len() >= 30, "help lists the commands: {commands:?}");
    let first = page.lines().filter(|line| line.starts_with("| `pdl ")).filter_map(|line| line.split(" | ").next());
    // A row may be of two commands.
    let rows: Vec<&str> = first.flat_map(|cell| cell.split("`pdl ").skip(1)).collect();
    let has = |row: &str, command: &str| row.strip_prefix(command).is_some_and(|rest| rest.starts_with([' ', '`']));
    let without: Vec<&String> = commands.iter().filter(|command| !rows.iter().any(|row| has(row, command))).collect();
    assert!(without.is_empty(), "docs/command-line.md has no row for {without:?}");
    // `man` is not listed.
    let strange: Vec<&&str> =
        rows.iter().filter(|row| !row.starts_with("man ") && !commands.iter().any(|one| has(row, one))).collect();
    assert!(strange.is_empty(), "docs/command-line.md has rows for what there is not: {strange:?}");
}
