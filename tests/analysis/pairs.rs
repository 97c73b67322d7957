//! Pairs of policies with a small change, and what it means.
//!
//! A case has the policy of before behind `== old`, that of after behind `== new`, and behind `== expect` a line for each
//! region of requests whose answer changes. `UPDATE_CASES=1` writes what was found; read it before you keep it. Of each
//! region the condition is compiled into the old policy's vocabulary and asked about its witness by the machine.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pdl::analysis::diff::{Diff, Options, Told, diff};
use pdl::analysis::request::Request;

use crate::analysis::house::{House, try_typed, try_typed_all};

/// What every pair is decided within.
pub const OPTIONS: Options = Options { steps: 5_000_000, regions: 8, second: None };

/// The versions and what is expected, from the text of a case.
pub fn parts(text: &str) -> (String, [String; 2], String) {
    let (head, rest) = text.split_once("== old\n").expect("a case has an old version");
    let (old, rest) = rest.split_once("== new\n").expect("a case has a new version");
    let (new, expected) = rest.split_once("== expect\n").expect("a case says what is expected");
    // What is the same in both stands above.
    let common: String =
        head.lines().filter(|line| !line.starts_with('#')).fold(String::new(), |all, line| all + line + "\n");
    let whole = |part: &str| if part.contains("module ") { part.to_owned() } else { format!("{common}{part}") };
    (head.to_owned(), [whole(old), whole(new)], expected.to_owned())
}

/// Compares two versions with the machines of both.
pub fn compared(houses: &[House; 2], options: Options) -> Diff {
    let mut decide = |side: usize, request: &Request| -> Told { houses[side].told(request) };
    diff(&houses[0].policy, &houses[1].policy, options, &mut decide)
}

/// What was found, a line for each.
pub fn shown(found: &Diff) -> String {
    let mut lines = String::new();
    for change in &found.schema {
        let _ = writeln!(lines, "schema {} {}: {}", change.how.name(), change.what, change.detail);
    }
    for change in &found.changes {
        let kind = &change.kind;
        let condition = change.region.condition().unwrap_or_else(|| "always".to_owned());
        let rules: Vec<String> = change
            .responsible
            .iter()
            .map(|rule| format!("{}{}", if rule.side == 0 { '-' } else { '+' }, rule.id))
            .collect();
        let exact = if change.region.exact { "" } else { " (among others)" };
        let _ = writeln!(
            lines,
            "{} {} {} {}: {condition}{exact} [{}]",
            change.direction.name(),
            kind.action,
            kind.subject,
            kind.resource,
            rules.join(" ")
        );
    }
    for undecided in &found.undecided {
        let _ =
            writeln!(lines, "undecided {} {}: {}", undecided.direction.name(), undecided.kind.action, undecided.reason);
    }
    for (kind, direction) in &found.cut {
        let _ = writeln!(lines, "more {} {}", direction.name(), kind.action);
    }
    if found.keeps_answers() {
        lines.push_str("equivalent\n");
    }
    lines
}

/// All cases: where they stand, and their text.
pub fn cases() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/analysis/pairs");
    let mut names: Vec<PathBuf> =
        fs::read_dir(folder).expect("there are cases").map(|entry| entry.expect("it can be read").path()).collect();
    names.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a case can be read");
        (path, text)
    };
    names.into_iter().map(read).collect()
}

#[test]
fn pairs_mean_what_is_written() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let only = std::env::var("ONLY_CASE").unwrap_or_default();
    let mut faults = String::new();
    for (path, text) in cases().iter().filter(|(path, _)| path.to_string_lossy().contains(&only)) {
        let (head, [old, new], expected) = parts(text);
        let house = |text: &str| try_typed(text).and_then(House::new);
        let houses = match (house(&old), house(&new)) {
            (Ok(old), Ok(new)) => [old, new],
            (old, new) => {
                let _ = writeln!(faults, "{}\n{:?} {:?}", path.display(), old.err(), new.err());
                continue;
            }
        };
        let found = shown(&compared(&houses, OPTIONS));
        if found == expected {
            continue;
        }
        if update {
            let at = text.find("== expect\n").expect("a case says what is expected");
            fs::write(path, format!("{}== expect\n{found}", &text[..at])).expect("a case can be written");
        } else {
            let _ = writeln!(faults, "{}\n{head}expected:\n{expected}found:\n{found}", path.display());
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// Two enums of one simple name: the field is of the other one now, and nothing else in the sources tells.
#[test]
fn types_of_one_name_are_told_apart() {
    let kinds = ["module a\nenum Kind { web, page }\n", "module b\nenum Kind { web, page, app }\n"];
    let house = |from: &str| {
        let text = format!(
            "module m\nuse {from}.Kind\npresented entity A {{ level: Int in 0..=9 }}\n\
             presented entity B {{ kind: Kind }}\naction go {{ subject: A resource: B }}\n\
             policy p on go {{ allow ok when subject.level > 3 }}\n"
        );
        let policy = try_typed_all(&[kinds[0], kinds[1], &text]).unwrap_or_else(|told| panic!("{told}"));
        House::new(policy).unwrap_or_else(|told| panic!("{told}"))
    };
    let found = shown(&compared(&[house("a"), house("b")], OPTIONS));
    assert!(found.contains("schema changed entity B.kind: a.Kind → b.Kind"), "{found}");
    assert!(found.contains("deny_to_allow go A B: "), "{found}");
}
