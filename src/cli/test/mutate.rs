//! `pdl test --mutate`: whether the tests notice when one thing of the policy changes.

mod battery;
mod tell;
mod trial;

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use self::battery::Battery;
use self::tell::Report;
use super::cases::{CaseFile, Equivalent};
use super::through_bundle;
use crate::cli::args::Format;
use crate::cli::files;
use crate::cli::output::Output;
use crate::cli::policy::Built;
use crate::cli::status::{Failure, Status};
use crate::mutate::{Mutant, mutants};
use crate::types::typed::{ModuleId, TestDef};

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// The name of a test or case that noticed.
    Killed(String),
    /// Why it never ran.
    Refused(String),
    /// Somebody has said why nothing can notice.
    Explained,
    /// Nothing noticed.
    Survived,
}

/// Tries all mutants of some modules. The tests and cases have passed without them.
pub fn run(
    format: Format,
    built: &Built,
    modules: &BTreeSet<ModuleId>,
    tests: &[&TestDef],
    files: &[CaseFile],
    output: &mut Output,
) -> Result<Status, Failure> {
    let start = Instant::now();
    let mutants = mutants(&built.policy, modules);
    let machine = through_bundle(built)?;
    let battery = Battery::new(built, &machine, tests, files)?;
    let mut outcomes = trial::outcomes(built, &battery, &mutants);
    let stale = explain(&mutants, &mut outcomes, files);
    let report = Report { built, mutants: &mutants, outcomes, stale, time_ms: start.elapsed().as_millis() };
    report.show(format, output)
}

/// An explanation that does not hold: where it is, and why not.
struct Stale {
    place: String,
    name: String,
    why: String,
}

/// Marks the survivors that somebody explains, and finds the explanations of others.
fn explain(mutants: &[Mutant], outcomes: &mut [Outcome], files: &[CaseFile]) -> Vec<Stale> {
    let places: HashMap<&str, usize> = mutants.iter().enumerate().map(|(at, mutant)| (&*mutant.name, at)).collect();
    let mut stale = Vec::new();
    for file in files {
        for Equivalent { mutant: name, line } in &file.equivalents {
            let why = match places.get(&**name).map(|&at| &mut outcomes[at]) {
                Some(outcome @ (Outcome::Survived | Outcome::Explained)) => {
                    *outcome = Outcome::Explained;
                    continue;
                }
                Some(Outcome::Killed(by)) => format!("it is noticed by {by}"),
                Some(Outcome::Refused(why)) => format!("it is refused: {why}"),
                None => "there is no such change".to_owned(),
            };
            stale.push(Stale { place: format!("{}:{line}", files::shown(&file.path)), name: name.clone(), why });
        }
    }
    stale
}
