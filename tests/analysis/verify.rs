//! What is found out about one policy: failures that others ran into, and each of them has to be flagged.
//!
//! A case has the policy behind `== policy`, and behind `== expect` a line for each finding that is not *proved*, and for
//! each claim. `UPDATE_CASES=1` writes what was found; read it before you keep it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pdl::analysis::diff::{Decide, Told};
use pdl::analysis::request::Request;
use pdl::analysis::verify::{About, Forgetful, Options, Verdict, Witness, verify};
use pdl::compile::claims::{ClaimId, Instrumented, instrument};
use pdl::vm::machine::{Question, Scratch};

use crate::analysis::house::{House, try_typed};

/// A policy, and a copy of it that tells which claims a request refutes.
struct Claiming {
    house: House,
    claims: Option<(Instrumented, House)>,
}

impl Decide for Claiming {
    fn decide(&mut self, _: usize, request: &Request) -> Told {
        self.house.told(request)
    }
}

impl Witness for Claiming {
    fn refutes(&mut self, prove: usize, claim: usize, request: &Request) -> bool {
        let Some((instrumented, house)) = &self.claims else { return false };
        let answer = house.told(request).answer;
        let mut scratch = Scratch::default();
        let asked = Question { facts: Some(request.facts.as_bytes()), ..Question::strict(request.request.as_bytes()) };
        let decision = house.machine.decide(asked, &mut scratch).decision();
        let matched = decision.shadow.iter().filter(|rule| rule.error.is_none()).map(|rule| rule.id.as_str());
        instrumented.refuted(answer, matched).contains(&ClaimId { prove, claim })
    }
}

/// What is to be said of a policy, a line for each.
fn flagged(text: &str) -> Result<String, String> {
    let policy = match try_typed(text) {
        Ok(policy) => policy,
        // What the checker refuses already need not be proved.
        Err(told) if told.starts_with("E05") => return Ok(format!("refused {}\n", &told[..5])),
        Err(told) => return Err(told),
    };
    let house = House::new(policy)?;
    let claims = match instrument(&house.policy) {
        Some(instrumented) => Some((instrumented.clone(), House::new(instrumented.policy)?)),
        None => None,
    };
    let policy = house.policy.clone();
    let mut lines = String::new();
    for finding in verify(&policy, Options::default(), &mut Claiming { house, claims }, &mut Forgetful) {
        let verdict = match &finding.verdict {
            Verdict::Proved if finding.about != About::Claim => continue,
            Verdict::Proved => "proved".to_owned(),
            Verdict::Refuted(None) => "refuted".to_owned(),
            Verdict::Refuted(Some(example)) => format!("refuted, answer {:?}", example.told.answer),
            Verdict::Undecided(reason) => format!("undecided, {reason}"),
        };
        let _ = writeln!(lines, "{} {}: {verdict}: {}", finding.about.name(), finding.name, finding.text);
    }
    Ok(lines)
}

#[test]
fn known_failures_are_flagged() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/analysis/verify");
    let entries = fs::read_dir(folder).expect("there are cases");
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    names.sort();
    assert!(names.len() >= 20, "there are cases");
    let mut faults = String::new();
    for path in &names {
        let text = fs::read_to_string(path).expect("a case can be read");
        let (head, rest) = text.split_once("== policy\n").expect("a case has a policy");
        let (policy, expected) = rest.split_once("== expect\n").expect("a case says what is expected");
        match flagged(policy) {
            Ok(found) if found == expected => {}
            Ok(found) if update => {
                fs::write(path, format!("{head}== policy\n{policy}== expect\n{found}")).expect("a case can be written");
            }
            found => {
                let _ = writeln!(faults, "{}\n{head}expected:\n{expected}found:\n{found:?}", path.display());
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}
