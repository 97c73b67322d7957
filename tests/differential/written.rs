//! Programs that people wrote: examples, cases, the pages of the reference, and with them the standard library.

use std::fs;
use std::path::{Path, PathBuf};

use crate::book::sound_programs;
use crate::check::{check, sources_of};
use crate::differential::reach::Reach;
use crate::differential::run::Subject;
use crate::generate::random::Random;

/// How many requests each program gets.
const REQUESTS: usize = 60;

fn packages(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    found.retain(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "pdl"));
    found.sort();
    found
}

#[test]
fn written_programs_are_decided_alike() {
    let mut programs = sound_programs();
    for folder in ["examples", "tests/cases/accept", "tests/cases/compile"] {
        programs.extend(packages(folder).into_iter().map(|path| (path.display().to_string(), sources_of(&path))));
    }
    let mut reach = Reach::default();
    let mut differences = Vec::new();
    for (name, files) in &programs {
        // Whether programs are sound other tests say.
        let Some(policy) = check(files).0 else { continue };
        if policy.actions.is_empty() {
            continue;
        }
        let subject = Subject::new(policy).unwrap_or_else(|text| panic!("{name}: {text}"));
        if let Err(difference) = subject.compare(&mut Random::new(7), REQUESTS, &mut reach) {
            differences.push(format!("{name}: {difference}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    assert!(reach.decisions() > 1_000, "there are programs: {reach}");
}
