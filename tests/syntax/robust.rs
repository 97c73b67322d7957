//! Input that nobody would write: it costs little, and ends in diagnostics.

use super::{ILLUSTRATION, read};

#[test]
fn deep_nesting_ends_in_one_diagnostic() {
    let many = 100_000;
    for (open, inner, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{", "1", "}"),
        ("not ", "true", ""),
        ("- ", "1", ""),
        ("", "1", " + 1"),
        ("", "1", " union 1"),
        ("1 ?? ", "1", ""),
        ("1 implies ", "1", ""),
        ("", "a", ".b"),
        ("", "a", "[1]"),
        ("if a then b else ", "1", ""),
        ("match a { _ => ", "1", "}"),
        ("any(x in xs: ", "1", ")"),
        ("f(", "1", ")"),
    ] {
        let text = format!("const X: Int = {}{inner}{}\nconst Y: Int = 1\n", open.repeat(many), close.repeat(many));
        let (tree, faults) = read("deep.pdl", &text);
        let codes: Vec<&str> = faults.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(codes.len(), 1, "{open}…{close}: {}", faults.chars().take(400).collect::<String>());
        assert!(codes[0].starts_with("E0203"), "{open}…{close}: {}", codes[0]);
        assert_eq!(tree.items.len(), 2, "{open}…{close}");
    }
    for (open, inner, close) in [("Set<", "Int", ">"), ("", "Int", "?  "), ("", "Int", " max 3")] {
        let text = format!("const X: {}{inner}{} = 1\n", open.repeat(many), close.repeat(many));
        let (_, faults) = read("deep.pdl", &text);
        assert!(faults.starts_with("E0203"), "{open}…{close}: {}", faults.chars().take(400).collect::<String>());
    }
}

#[test]
fn unclosed_nesting_ends_in_diagnostics() {
    for open in ["(", "[", "{", "policy p on a {\n", "f(", "match a {", "\"", "/*", "Set<", "if "] {
        let (_, faults) = read("open.pdl", &format!("const X: Int = {}\n", open.repeat(100_000)));
        assert!(!faults.is_empty(), "{open}");
    }
}

#[test]
fn long_chains_of_and_and_or_are_shallow() {
    for op in [" and ", " or "] {
        let text = format!("const X: Bool = {}\n", vec!["a == 1"; 2_000].join(op));
        let (tree, faults) = read("chain.pdl", &text);
        assert_eq!(faults, "");
        assert_eq!(tree.items.len(), 1);
    }
}

#[test]
fn every_prefix_of_the_illustration_is_read() {
    for end in 0..=ILLUSTRATION.len() {
        if ILLUSTRATION.is_char_boundary(end) {
            let _ = read("prefix.pdl", &ILLUSTRATION[..end]);
        }
    }
}

#[test]
fn every_line_left_out_gives_few_faults() {
    let lines: Vec<&str> = ILLUSTRATION.lines().collect();
    for skipped in 0..lines.len() {
        let text: String =
            lines.iter().enumerate().filter(|(at, _)| *at != skipped).flat_map(|(_, line)| [*line, "\n"]).collect();
        let (_, faults) = read("short.pdl", &text);
        let count = faults.lines().filter(|line| !line.starts_with(' ')).count();
        assert!(count <= 4, "without line {}, `{}`:\n{faults}", skipped + 1, lines[skipped]);
    }
}

#[test]
fn large_files_of_faults_take_linear_time() {
    let garbage: String = (0..50_000u32)
        .map(|at| ["} ", "a ", "( ", "when ", "policy p ", "\n", "= ", "{ "][(at * 7 % 8) as usize])
        .collect();
    let (_, faults) = read("garbage.pdl", &garbage);
    assert!(!faults.is_empty());
    let lines = "    allow a when x = 1 because \"x\"\n".repeat(2_000);
    let (tree, faults) = read("long.pdl", &format!("policy p on a {{\n{lines}}}\n"));
    assert_eq!(tree.items.len(), 1);
    assert!(faults.contains("`=` gives a value"));
}
