//! The example packages: sound, in canonical form, of passing tests, and answering their requests as written down.
//!
//! Beside its sources an example has `requests.jsonl`, the decisions on them in `decisions.txt`, and, where they are
//! needed, `entities.json` and `facts.json`. More requests, with facts of their own, are in `requests-NAME.jsonl`,
//! `decisions-NAME.txt` and `facts-NAME.json`. With `UPDATE_DECISIONS=1` the decisions are written instead of compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each example: its folder, and what `pdl` calls a policy there.
fn examples() -> Vec<(PathBuf, PathBuf)> {
    let mut examples: Vec<(PathBuf, PathBuf)> = fs::read_dir(root().join("examples"))
        .expect("examples can be listed")
        .map(|entry| entry.expect("examples can be listed").path())
        .filter(|path| path.is_dir())
        .map(|path| {
            let single = path.join("policy.pdl");
            let packages = [path.clone(), path.join("policies")];
            let policy = packages.into_iter().find(|package| package.join("pdl.toml").exists()).unwrap_or(single);
            (path, policy)
        })
        .collect();
    examples.sort();
    assert!(examples.len() >= 4, "there are examples");
    examples
}

fn pdl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pdl"))
        .current_dir(root())
        .args(arguments)
        .output()
        .expect("the command can be run")
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("it lies below the root").to_string_lossy().into_owned()
}

#[test]
fn examples_are_sound() {
    for (_, policy) in examples() {
        let policy = relative(&policy);
        for command in [&["check"][..], &["fmt", "--check"], &["test"]] {
            let output = pdl(&[command, &[&policy]].concat());
            let told = [&output.stdout[..], &output.stderr].concat();
            let told = String::from_utf8_lossy(&told);
            assert!(output.status.success(), "pdl {} {policy}:\n{told}", command.join(" "));
            assert!(!told.contains("warning"), "pdl {} {policy}:\n{told}", command.join(" "));
        }
    }
}

/// What stands behind `requests` in the names of an example's files of requests: nothing, or `-NAME`.
fn rounds(folder: &Path) -> Vec<String> {
    let mut rounds: Vec<String> = fs::read_dir(folder)
        .expect("an example can be listed")
        .filter_map(|entry| {
            let name = entry.expect("an example can be listed").file_name().into_string().ok()?;
            Some(name.strip_prefix("requests")?.strip_suffix(".jsonl")?.to_owned())
        })
        .collect();
    rounds.sort();
    rounds
}

#[test]
fn examples_answer_as_written_down() {
    for (folder, policy) in examples() {
        let policy = relative(&policy);
        let mut all = String::new();
        for round in rounds(&folder) {
            let requests = relative(&folder.join(format!("requests{round}.jsonl")));
            let entities = relative(&folder.join("entities.json"));
            let facts = relative(&folder.join(format!("facts{round}.json")));
            let mut arguments =
                vec!["eval", "--policy", &policy, "--request", &requests, "--jsonl", "--format", "human"];
            if root().join(&entities).exists() {
                arguments.extend(["--entities", &entities]);
            }
            if root().join(&facts).exists() {
                arguments.extend(["--facts", &facts]);
            }
            let output = pdl(&arguments);
            let talk = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{requests}: {talk}");
            let decisions = String::from_utf8(output.stdout).expect("decisions are UTF-8");
            let written = folder.join(format!("decisions{round}.txt"));
            if std::env::var_os("UPDATE_DECISIONS").is_some() {
                fs::write(&written, &decisions).expect("decisions can be written");
            }
            let expected = fs::read_to_string(&written).unwrap_or_default();
            let name = relative(&written);
            let differs = decisions.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
            let at = differs.unwrap_or_else(|| decisions.lines().count().min(expected.lines().count()));
            assert!(
                decisions == expected,
                "{name}:{}: is {:?} now, and was {:?}; UPDATE_DECISIONS=1 writes it anew",
                at + 1,
                decisions.lines().nth(at),
                expected.lines().nth(at)
            );
            all.push_str(&decisions);
        }
        for answer in ["ALLOW", "DENY", "REQUIRE_APPROVAL"] {
            assert!(all.lines().any(|line| line.starts_with(answer)), "{policy}: some request gets {answer}");
        }
    }
}

/// The tests of an example make every rule match.
#[test]
fn tests_of_examples_reach_every_rule() {
    for (_, policy) in examples() {
        let policy = relative(&policy);
        let output = pdl(&["test", "--coverage", &policy]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let covered = told.lines().find(|line| line.starts_with("covered ")).unwrap_or_default();
        let counts = covered.split_once(": ").and_then(|(_, rest)| rest.split_once(" rules matched"));
        let all = counts.and_then(|(counts, _)| counts.split_once(" of ")).is_some_and(|(seen, all)| seen == all);
        assert!(all, "{policy}:\n{told}");
    }
}

/// What is measured has to be decisions, not refusals of faulty requests.
#[test]
fn measured_requests_are_decided() {
    let data = root().join("bench/data/coding-agent");
    let output = pdl(&[
        "eval",
        "--policy",
        "examples/coding-agent",
        "--entities",
        &relative(&data.join("entities.json")),
        "--facts",
        &relative(&data.join("facts.json")),
        "--request",
        &relative(&data.join("requests.jsonl")),
        "--jsonl",
        "--format",
        "json",
    ]);
    let decisions = String::from_utf8(output.stdout).expect("decisions are text");
    assert_eq!(decisions.lines().count(), 96, "{}", String::from_utf8_lossy(&output.stderr));
    let kind = |line: &str| {
        let decision: serde_json::Value = serde_json::from_str(line).expect("a decision is JSON");
        decision["kind"].as_str().expect("a decision has a kind").to_owned()
    };
    let kinds: std::collections::BTreeSet<String> = decisions.lines().map(kind).collect();
    assert!(!kinds.contains("error"), "{decisions}");
    assert!(kinds.contains("allowed") && kinds.contains("approval"), "{kinds:?}");
}
