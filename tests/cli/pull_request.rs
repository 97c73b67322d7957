//! A pull request, played through in a real repository: the example of docs and README, changed on a branch.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::copy;
use super::repository::{Repository, Said};

const POLICY: &str = "policies/refunds.pdl";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The example, committed on `main`, with the branch `topic` checked out.
fn repository(name: &str) -> Repository {
    let repository = Repository::new(name);
    copy(&root().join("examples/ci"), repository.path());
    repository.commit("the policies of the shop");
    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository
}

/// `pdl ci` with the example's requests; what it says, and the Markdown.
fn ci(repository: &Repository, more: &[&str]) -> (Said, String) {
    let summary = repository.path().join("summary.md");
    let _ = fs::remove_file(&summary);
    let arguments = ["ci", "--base=main", "--requests=requests.jsonl", "--summary=summary.md"];
    let said = repository.pdl(&[&arguments[..], more, &["--", "policies"]].concat());
    (said, fs::read_to_string(summary).unwrap_or_default())
}

#[test]
fn what_changes_no_answer_passes() {
    let repository = repository("pull-same");
    repository.edit(POLICY, "/// What the agents", "/// All that the agents");
    repository.commit("say it better");
    // What happens on `main` meanwhile is not this branch's.
    repository.git(&["checkout", "--quiet", "main"]);
    repository.edit(POLICY, "        unless  resource.disputed\n", "");
    repository.commit("another branch was merged");
    repository.git(&["checkout", "--quiet", "topic"]);
    let (said, markdown) = ci(&repository, &[]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("ok   test: 3 tests passed"), "{said:?}");
    assert!(said.out.contains("ok   diff: the program is the same"), "{said:?}");
    assert!(said.out.contains("replayed 6 of 6 requests: 0 more permitted, 0 less, 6 the same"), "{said:?}");
    assert!(markdown.contains("| `diff` | passed | `the program is the same, and so is every answer` |"), "{markdown}");
}

#[test]
fn what_is_faulty_or_fails_its_tests_fails() {
    let repository = repository("pull-faulty");
    repository.edit(POLICY, "subject.level < 3", "subject.lvel < 3");
    let (said, markdown) = ci(&repository, &["--format=github"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.starts_with("::error file=policies/refunds.pdl,line="), "{said:?}");
    assert!(markdown.contains("| `check` | **failed** | `1 error` |"), "{markdown}");
    repository.edit(POLICY, "subject.lvel < 3", "subject.level < 2");
    let (said, markdown) = ci(&repository, &["--format=gitlab"]);
    assert_eq!(said.status, 1, "{said:?}");
    let report: serde_json::Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!(report[0]["location"]["path"], POLICY);
    assert_eq!(report[0]["check_name"], "E0990");
    assert!(markdown.contains("| `test` | **failed** | `1 fault in 3 tests` |"), "{markdown}");
}

#[test]
fn what_permits_more_fails_and_says_so() {
    let repository = repository("pull-wider");
    repository.edit(POLICY, "        unless  resource.disputed\n", "");
    repository.commit("pay back what is disputed");
    let (said, markdown) = ci(&repository, &[]);
    assert_eq!(said.status, 6, "{said:?}");
    assert!(said.out.contains("FAIL diff: 2 regions more permitted than before"), "{said:?}");
    assert!(markdown.contains("| `diff` | **more is permitted** |"), "{markdown}");
    assert!(markdown.contains("DENY → ALLOW: refund by Agent on Order\n  when    "), "{markdown}");
    assert!(said.out.contains("FAIL replay of requests.jsonl: replayed 6 of 6 requests: 1 more permitted"), "{said:?}");
    assert!(markdown.contains("| `replay of requests.jsonl` | **more is permitted** |"), "{markdown}");
    assert!(markdown.contains("DENY → ALLOW: 1\n  line 4: Agent::\"mira\" refund Order::\"1003\"\n"), "{markdown}");
}

#[test]
fn what_is_meant_passes() {
    let repository = repository("pull-meant");
    repository.edit(POLICY, "        unless  resource.disputed\n", "");
    repository.commit("pay back what is disputed");
    let (said, markdown) = ci(&repository, &["--allow-widening=refund"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("(2 of them meant)"), "{said:?}");
    assert!(markdown.contains("| `diff` | passed |"), "{markdown}");
    // What is meant of one action is meant of no other.
    let (said, _) = ci(&repository, &["--allow-widening=cancel*"]);
    assert_eq!(said.status, 6, "{said:?}");
}

#[test]
fn a_claim_that_no_longer_holds_fails() {
    let repository = repository("pull-refuted");
    let claim = "\nprove disputes on refund {\n    never allow when resource.disputed\n}\n";
    let path = repository.path().join(POLICY);
    let text = fs::read_to_string(&path).expect("the policy is there");
    fs::write(&path, text + claim).expect("it can be written");
    repository.commit("claim it");
    let (said, _) = ci(&repository, &[]);
    assert!(said.status == 0 && said.out.contains("ok   verify: "), "{said:?}");
    repository.edit(POLICY, "        unless  resource.disputed\n", "");
    repository.commit("pay back what is disputed");
    let (said, markdown) = ci(&repository, &["--allow-widening=refund"]);
    assert_eq!(said.status, 7, "{said:?}");
    assert!(markdown.contains("| `verify` | **refuted** |"), "{markdown}");
}

#[test]
fn what_permits_less_is_told() {
    let repository = repository("pull-narrower");
    repository.edit(POLICY, "context.amount > 100.0\n", "context.amount > 90.0\n");
    repository.commit("ask earlier");
    let (said, markdown) = ci(&repository, &[]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("ok   diff: 1 region changed otherwise"), "{said:?}");
    assert!(
        said.out.contains("ok   replay of requests.jsonl: replayed 6 of 6 requests: 0 more permitted, 1 less"),
        "{said:?}"
    );
    assert!(markdown.contains("ALLOW → REQUIRE_APPROVAL: 1"), "{markdown}");
}

#[test]
fn a_new_package_has_nothing_to_be_compared_with() {
    let repository = repository("pull-new");
    copy(&root().join("examples/ci/policies"), &repository.path().join("more"));
    repository.commit("another package");
    let said = repository.pdl(&["ci", "--base=main", "more", "policies"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("ok   diff: the package is new"), "{said:?}");
    let said = repository.pdl(&["ci", "--base=nowhere", "more"]);
    assert!(said.status == 1 && said.err.contains("there is no commit `nowhere`"), "{said:?}");
    let said = repository.pdl(&["ci", "--base=--all", "more"]);
    assert!(said.status == 2 && said.err.contains("can't be a revision"), "{said:?}");
}

/// The script of the Action's step, as GitHub runs it.
fn script() -> String {
    let action = fs::read_to_string(root().join("action.yml")).expect("the Action is there");
    let (_, step) = action.split_once("id: ci\n").expect("it has a step `ci`");
    let (_, script) = step.split_once("run: |\n").expect("the step has a script");
    script.lines().take_while(|line| line.starts_with("        ")).flat_map(|line| [line.trim_start(), "\n"]).collect()
}

fn act(repository: &Repository, settings: &[(&str, &str)]) -> (String, String) {
    let room = repository.path().join("runner");
    let _ = fs::remove_dir_all(&room);
    fs::create_dir(&room).expect("a folder can be made");
    let mut command = Command::new("bash");
    command.args(["-e", "-o", "pipefail", "-c", &script()]).current_dir(repository.path());
    command.env("PDL", env!("CARGO_BIN_EXE_pdl")).env("RUNNER_TEMP", &room).env("PDL_BASE", "main");
    command.env("GITHUB_STEP_SUMMARY", room.join("summary")).env("GITHUB_OUTPUT", room.join("output"));
    for (name, value) in [("PDL_PATHS", "policies"), ("PDL_REQUESTS", ""), ("PDL_ENTITIES", "")].iter().chain(settings)
    {
        command.env(name, value);
    }
    let output = command.output().expect("these tests need bash");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read_to_string(room.join(name)).expect("the script has written it");
    (read("output"), read("summary"))
}

#[cfg(unix)]
#[test]
fn the_action_gives_what_it_is_given_to_the_command_and_to_no_shell() {
    let repository = repository("pull-action");
    repository.edit(POLICY, "        unless  resource.disputed\n", "");
    repository.commit("pay back what is disputed");
    let (output, summary) = act(&repository, &[("PDL_PATHS", "policies\n"), ("PDL_REQUESTS", "requests.jsonl\n")]);
    assert_eq!(output, "status=6\n");
    assert!(summary.contains("**more is permitted**"), "{summary}");
    for evil in
        ["$(touch made)", "`touch made`", "; touch made", "--summary=made", "x\"; touch made; \"", "policies --base=x"]
    {
        for name in ["PDL_PATHS", "PDL_BASE", "PDL_REQUESTS", "PDL_ENTITIES"] {
            let (output, _) = act(&repository, &[("PDL_REQUESTS", "requests.jsonl"), (name, evil)]);
            assert!(["status=1\n", "status=2\n"].contains(&output.as_str()), "{name}={evil}: {output}");
            assert!(!repository.path().join("made").exists(), "{name}={evil}");
        }
    }
}

/// An expression in a script would be put in as text, whatever it holds.
#[test]
fn no_script_has_an_expression_in_it() {
    for file in ["action.yml", "examples/ci/.github/workflows/policies.yml"] {
        let text = fs::read_to_string(root().join(file)).expect("it can be read");
        let mut depth = None;
        for (at, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            if depth.is_some_and(|depth| indent <= depth && !line.trim().is_empty()) {
                depth = None;
            }
            let begins = line.trim_start().trim_start_matches("- ").starts_with("run:");
            assert!(!(begins || depth.is_some()) || !line.contains("${{"), "{file}:{}: {line}", at + 1);
            if begins {
                depth = Some(indent);
            }
        }
    }
}

/// What the example's files for CI run is what there is.
#[test]
fn the_hooks_are_commands() {
    let hooks = fs::read_to_string(root().join(".pre-commit-hooks.yaml")).expect("it can be read");
    let entries: Vec<&str> = hooks.lines().filter_map(|line| line.trim().strip_prefix("entry: pdl ")).collect();
    assert_eq!(entries, ["fmt --check", "check", "test", "ci"]);
    let repository = repository("pull-hooks");
    for entry in entries {
        let mut words: Vec<&str> = entry.split(' ').collect();
        words.extend(if entry == "ci" { &["--base=main", "--", "policies"][..] } else { &["policies"] });
        assert_eq!(repository.pdl(&words).status, 0, "{words:?}");
    }
}
