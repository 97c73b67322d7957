//! Packages through the compiler: what is accepted compiles to what the verifier accepts, always the same, and as the
//! snapshots show it.

use std::fs;
use std::path::{Path, PathBuf};

use pdl::bytecode::disassemble::disassemble;
use pdl::bytecode::program::{Key, Program};
use pdl::bytecode::verify::{Limits, verify};
use pdl::compile::{Compiled, compile};
use pdl::diagnostic::{Diagnostics, compact};

use crate::check::{check, sources_of};

/// Compiles a case, which is right.
pub fn compiled(case: &Path) -> Compiled {
    let (typed, faults, sources) = check(&sources_of(case));
    let typed = typed.unwrap_or_else(|| panic!("{}: {}", case.display(), compact::render(&sources, &faults)));
    let mut sink = Diagnostics::default();
    let compiled = compile(&typed, &mut sink);
    let faults = sink.finish();
    compiled.unwrap_or_else(|| panic!("{}: {}", case.display(), compact::render(&sources, &faults)))
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut cases: Vec<PathBuf> = fs::read_dir(&root)
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "pdl"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{folder} has cases");
    cases
}

#[test]
fn what_is_accepted_compiles_and_verifies_and_always_the_same() {
    for folder in ["tests/cases/accept", "tests/cases/compile", "examples"] {
        for case in cases(folder) {
            let first = compiled(&case);
            assert_eq!(first.program, compiled(&case).program, "{} compiles to the same twice", case.display());
            assert_eq!(first.sites.len(), first.program.site_count as usize, "{}", case.display());
            if let Err(error) = verify(first.program, &Limits::STANDARD) {
                panic!("{}: {error}", case.display());
            }
        }
    }
}

#[test]
fn programs_are_as_the_snapshots_show_them() {
    for case in cases("tests/cases/compile") {
        let name = case.file_stem().and_then(|stem| stem.to_str()).expect("a case has a name").to_owned();
        let source = fs::read_to_string(&case).expect("a case can be read");
        let program = compiled(&case).program;
        insta::with_settings!({ snapshot_path => "snapshots/compile", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, format!("{source}\n----- program\n{}", disassemble(&program)));
        });
    }
}

fn program(text: &str) -> Program {
    let (typed, faults, sources) = check(&[("index.pdl".to_owned(), text.to_owned())]);
    let typed = typed.unwrap_or_else(|| panic!("{}", compact::render(&sources, &faults)));
    compile(&typed, &mut Diagnostics::default()).expect("it fits").program
}

/// A package with so many rules of each of these conditions, `#` standing for a number.
fn rules(conditions: &[&str], each: usize) -> String {
    let mut text = String::from(
        "module index\n\
         enum Kind { a, b, c, d, e, f, g, h }\n\
         presented entity Agent { team: String, skills: Set<String> max 8, level: Int }\n\
         presented entity Thing { kind: Kind }\n\
         action touch { subject: Agent resource: Thing context { amount: Int } }\n\
         policy p on touch {\n",
    );
    for (at, condition) in conditions.iter().enumerate() {
        for number in 0..each {
            let condition = condition.replace('#', &number.to_string());
            text.push_str(&format!("    allow r_{at}_{number} when {condition}\n"));
        }
    }
    text + "}\n"
}

#[test]
fn rules_are_found_by_equalities_members_and_ranges() {
    let conditions = [
        "subject.team == \"t#\" and resource.kind == b",
        "subject.skills contains \"s#\" and context.amount != 3",
        "context.amount < #",
        "subject.level >= #",
        "resource.kind in {a, b} and context.amount != #",
        "subject.level != #",
    ];
    let program = program(&rules(&conditions, 10));
    let index = &program.entries[0].index;
    let shape = |key: &Key| match key {
        Key::Equal { values, buckets } => format!("equal {} in {}", values.len(), buckets.len()),
        Key::Member { buckets, .. } => format!("member in {}", buckets.len()),
        Key::Below { rules, .. } => format!("below {}", rules.len()),
        Key::Above { rules, .. } => format!("above {}", rules.len()),
    };
    let shapes: Vec<String> = index.keys.iter().map(shape).collect();
    assert_eq!(shapes, ["equal 2 in 10", "equal 1 in 2", "member in 10", "below 10", "above 10"]);
    assert_eq!(index.rest.len(), 10, "what asks for nothing in particular is always looked at");
}

#[test]
fn what_several_rules_ask_is_computed_once() {
    let text = rules(&["any(s in subject.skills: s starts_with \"x\") and context.amount == #"], 3);
    let program = program(&text);
    assert_eq!(program.functions.iter().filter(|function| function.memo).count(), 1);
}

/// Each `let` names the one before twice: what is followed by name is followed once, or this would never end.
#[test]
fn lets_of_lets_are_looked_into_once() {
    let lets: String = (1..=50).map(|at| format!("let l{at} = l{} and l{}\n", at - 1, at - 1)).collect();
    let text = format!(
        "module deep\npresented entity A {{ n: Int }}\naction x {{ subject: A resource: A }}\n\
         policy p on x {{ let l0 = subject.n == 5\n{lets} allow a when l50 }}\n"
    );
    let (typed, faults, sources) = check(&[("deep.pdl".to_owned(), text)]);
    let typed = typed.unwrap_or_else(|| panic!("{}", compact::render(&sources, &faults)));
    let compiled = compile(&typed, &mut Diagnostics::default()).expect("it compiles");
    if let Err(error) = verify(compiled.program, &Limits::STANDARD) {
        panic!("{error}");
    }
}
