//! The canonical form: what it looks like, that it stays what it is, and that it keeps everything.

use pdl::syntax::format::format;

use super::{ILLUSTRATION, read, tree};

/// The canonical form of a text, which has to be that of itself too and to mean the same.
pub fn check(text: &str) -> String {
    let once = format(text).unwrap_or_else(|faults| panic!("{text}\n{faults:?}"));
    let twice = format(&once).unwrap_or_else(|faults| panic!("{once}\n{faults:?}"));
    if once != twice {
        let at = once.lines().zip(twice.lines()).position(|(a, b)| a != b).unwrap_or(0);
        let part = |text: &str| text.lines().skip(at.saturating_sub(4)).take(9).collect::<Vec<_>>().join("\n");
        panic!("formatting again changes\n{}\n---- to\n{}", part(&once), part(&twice));
    }
    let (before, after) = (read("before.pdl", text).0, read("after.pdl", &once).0);
    assert_eq!(tree::without_places(&before), tree::without_places(&after), "another tree from\n{text}\n---\n{once}");
    assert_eq!(comments(text), comments(&once), "comments of\n{text}\n---\n{once}");
    once
}

fn comments(text: &str) -> Vec<&str> {
    let outside_strings =
        |line: &&str| line.split("//").next().is_some_and(|before| before.matches('"').count() % 2 == 0);
    let mut all: Vec<&str> = text
        .lines()
        .filter(outside_strings)
        .filter_map(|line| line.find("//").map(|at| line[at..].trim_end()))
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn illustration() {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("format_illustration", check(ILLUSTRATION));
    });
}

#[test]
fn cases() {
    insta::glob!("../cases/syntax/format", "*.pdl", |path| {
        let text = std::fs::read_to_string(path).expect("the case is readable");
        let written = check(&text);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("format", format!("{text}\n---- formatted\n{written}"));
        });
    });
}

/// What the checker refuses later is formatted all the same, and stays what it was.
#[test]
fn two_question_marks_stay_two() {
    let text = "record Note { text: String? ? }\n";
    assert_eq!(format(text).ok().as_deref(), Some(text));
}

#[test]
fn faulty_text_is_left_alone() {
    assert!(format("policy {").is_err());
}
