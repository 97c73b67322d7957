//! What holds for every mutant, of programs that people wrote.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pdl::bytecode::verify::{KnownPatterns, Limits, verify, verify_knowing};
use pdl::compile::{compile, compile_actions};
use pdl::diagnostic::Diagnostics;
use pdl::mutate::reach::Reach;
use pdl::mutate::{Kind, mutants};
use pdl::types::typed::{ActionId, ModuleId, TypedPolicy};
use pdl::vm::machine::Machine;

use super::own;
use crate::check::{check, sources_of};
use crate::differential::reach::Reach as Met;
use crate::differential::run::Subject;
use crate::generate::random::Random;

/// The examples and the tests of the standard library, by name.
fn programs() -> Vec<(String, TypedPolicy)> {
    let mut programs = Vec::new();
    for folder in ["examples", "stdlib/tests"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = std::fs::read_dir(folder).expect("the folder can be listed");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
        paths.retain(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "pdl"));
        paths.sort();
        for path in paths {
            let (policy, _, _) = check(&sources_of(&path));
            programs.push((path.display().to_string(), policy.expect("it is sound")));
        }
    }
    assert!(programs.len() > 5, "there are programs");
    programs
}

fn all_modules(policy: &TypedPolicy) -> BTreeSet<ModuleId> {
    (0..policy.modules.len() as u32).map(ModuleId).collect()
}

/// Names are unique and places in order; a change changes the program, and taken back leaves no trace.
#[test]
fn a_mutant_has_a_name_of_its_own_and_can_be_taken_back() {
    for (name, policy) in programs() {
        let bytes =
            |policy: &TypedPolicy| compile(policy, &mut Diagnostics::default()).map(|compiled| compiled.program);
        let original = bytes(&policy).expect("it compiles");
        let mutants = mutants(&policy, &all_modules(&policy));
        let names: BTreeSet<&str> = mutants.iter().map(|mutant| &*mutant.name).collect();
        assert_eq!(names.len(), mutants.len(), "{name}: no two have one name");
        assert!(mutants.is_sorted_by_key(|mutant| (mutant.span.file, mutant.span.start)), "{name}: they are in order");
        let mut copy = policy.clone();
        // One in some is enough for what is the same in all; each kind is among them.
        for mutant in mutants.iter().step_by(5) {
            mutant.apply(&mut copy).undo(&mut copy);
        }
        assert_eq!(format!("{copy:?}"), format!("{policy:?}"), "{name}: all was taken back");
        assert!(bytes(&copy) == Some(original), "{name}");
    }
}

/// Every mutant is refused or can be loaded, with the rules that it matters to.
#[test]
fn every_mutant_is_refused_or_loads() {
    let mut loaded = 0;
    for (name, policy) in programs().into_iter().filter(|(name, _)| !name.contains("stdlib")) {
        let program = compile(&policy, &mut Diagnostics::default()).expect("it compiles").program;
        let known = KnownPatterns::of(&verify(program, &Limits::STANDARD).expect("it verifies"));
        let reach = Reach::new(&policy);
        let mut copy = policy.clone();
        for mutant in mutants(&policy, &all_modules(&policy)) {
            let actions = reach.of(&mutant, &policy);
            let undo = mutant.apply(&mut copy);
            let compiled = compile_actions(&copy, &|action| actions.contains(&action), &mut Diagnostics::default());
            undo.undo(&mut copy);
            let Some(compiled) = compiled else { continue };
            let Ok(program) = verify_knowing(compiled.program, &Limits::STANDARD, &known) else { continue };
            Machine::new(program).unwrap_or_else(|error| panic!("{name}: {}: {error}", mutant.name));
            loaded += 1;
        }
    }
    assert!(loaded > 1_000, "there are mutants: {loaded}");
}

/// Mutants decide as the reference says that their trees mean.
#[test]
fn mutants_mean_what_their_trees_say() {
    const OF_EACH: usize = 8;
    let (mut met, mut wrong) = (Met::default(), Vec::new());
    for (name, policy) in programs() {
        // What a condition has made known to be there, or to be of a type, need not be so once the condition is another;
        // the machine makes an error of it, and the reference has no word for that.
        let is_narrowed = format!("{policy:?}").contains("Narrowed(");
        let mut mutants = mutants(&policy, &all_modules(&policy));
        mutants
            .retain(|mutant| !(is_narrowed && matches!(mutant.kind, Kind::Condition | Kind::Branch | Kind::Default)));
        for (at, mutant) in mutants.iter().enumerate().step_by(mutants.len().div_ceil(OF_EACH).max(1)) {
            let Ok(subject) = Subject::new(mutant.mutated(&policy)) else { continue };
            if let Err(difference) = subject.compare(&mut Random::new(at as u64), 24, &mut met) {
                wrong.push(format!("{name}: {}: {difference}", mutant.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(met.decisions() > 1_000, "there are decisions: {met}");
}

/// Lines that come and go elsewhere rename nothing.
#[test]
fn names_do_not_hang_on_places() {
    for example in ["examples/first/policy.pdl", "examples/payments"] {
        let files = sources_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join(example));
        let names = |files: &[(String, String)]| -> BTreeSet<String> {
            let policy = check(files).0.expect("it is sound");
            own(&policy).iter().map(|mutant| mutant.name.to_string()).collect()
        };
        let moved: Vec<(String, String)> = files
            .iter()
            .map(|(name, text)| {
                let text = text.replace("\npolicy ", "\n\n// A line.\nfn unused_here() -> Int = 7\n\npolicy ");
                // One of each name is enough, and all there may be.
                (name.clone(), text.replacen("fn unused_here() -> Int = 7\n", "fn another() -> Int = 8\n", 1))
            })
            .map(|(name, text)| (name, text.replace("fn unused_here() -> Int = 7\n", "")))
            .collect();
        let (before, after) = (names(&files), names(&moved));
        assert!(before.is_subset(&after), "{:?}", before.difference(&after).collect::<Vec<_>>());
        assert!(after.len() > before.len(), "{example}: there is more than before");
    }
}

/// Compiled for one action alone, the rules on it are what they are beside the others.
#[test]
fn one_action_alone_is_compiled_the_same() {
    for (name, policy) in programs() {
        let whole = compile(&policy, &mut Diagnostics::default()).expect("it compiles").program;
        for at in 0..policy.actions.len() {
            let is_wanted = |action: ActionId| action.index() == at;
            let alone = compile_actions(&policy, &is_wanted, &mut Diagnostics::default()).expect("it compiles").program;
            assert_eq!(alone.entries.len(), whole.entries.len());
            for (other, entry) in alone.entries.iter().enumerate() {
                let rules = if other == at { whole.entries[at].rules.len() } else { 0 };
                assert_eq!(entry.rules.len(), rules, "{name}: action {other} of {at}");
            }
            assert_eq!(alone.entries[at].cost, whole.entries[at].cost, "{name}: action {at}");
        }
    }
}

/// A pattern that is known is the one that would be compiled.
#[test]
fn known_patterns_match_the_same() {
    let (_, policy) = programs().into_iter().find(|(name, _)| name.ends_with("coding-agent")).expect("it is there");
    let program = compile(&policy, &mut Diagnostics::default()).expect("it compiles").program;
    let first = verify(program.clone(), &Limits::STANDARD).expect("it verifies");
    let again = verify_knowing(program, &Limits::STANDARD, &KnownPatterns::of(&first)).expect("it verifies");
    assert!(first.patterns().len() > 10);
    assert_eq!(first.patterns().len(), again.patterns().len());
    for (one, other) in first.patterns().iter().zip(again.patterns()) {
        for text in ["", "a", ".env", "id_rsa", "src/main.rs", "Makefile", "rm -rf /", "origin/main"] {
            assert_eq!(one.is_match(text), other.is_match(text), "{text}");
        }
        assert_eq!(one.size_bytes(), other.size_bytes());
    }
}
