//! Programs in assembly: what the verifier makes of them, and that their text and their bytes say all of them.

mod bundle;
mod docs;
mod random;

use std::collections::BTreeSet;
use std::path::PathBuf;

use pdl::base::limits;
use pdl::bytecode::assemble::{Case, Expectation, assemble, assemble_suite};
use pdl::bytecode::disassemble::disassemble;
use pdl::bytecode::info::OPS;
use pdl::bytecode::program::Program;
use pdl::bytecode::verify::{Limits, Reason, verify};

fn suite(name: &str) -> Vec<Case> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/bytecode").join(name);
    let text = std::fs::read_to_string(&path).expect("the suite can be read");
    assemble_suite(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What is wrong with the verdict on a program; nothing if it is the one expected.
fn fault(case: &Case) -> Option<String> {
    let verdict = verify(case.program.clone(), &case.limits);
    match (&case.expectation, verdict) {
        (Expectation::Accept, Ok(_)) | (Expectation::None, _) => None,
        (Expectation::Refuse(reason), Err(error)) if error.reason.name() == *reason => None,
        (expected, verdict) => {
            let verdict = verdict.map(|_| "accepted").map_err(|error| error.to_string());
            Some(format!("{} {}: expected {expected:?}, got {verdict:?}", case.line, case.name))
        }
    }
}

fn check(file: &str) {
    let faults: Vec<_> = suite(file).iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{file}\n{}", faults.join("\n"));
}

#[test]
fn accepted_programs_are_accepted_and_survive_text() {
    check("accept.pdlasm");
    for case in suite("accept.pdlasm") {
        let text = disassemble(&case.program);
        let again = assemble(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", case.name));
        assert_eq!(again, case.program, "{}\n{text}", case.name);
    }
}

#[test]
fn every_instruction_is_accepted_somewhere() {
    let mut seen = BTreeSet::new();
    for case in suite("accept.pdlasm") {
        seen.extend(case.program.code.iter().map(|op| op.info().mnemonic));
    }
    let missing: Vec<_> = OPS.iter().map(|info| info.mnemonic).filter(|mnemonic| !seen.contains(mnemonic)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn refused_programs_are_refused_for_their_reason() {
    check("refuse.pdlasm");
}

/// Programs that no text of sensible length makes.
fn refused_without_text() -> Vec<(Reason, Program)> {
    let long =
        Program { strings: vec!["x".repeat(limits::STRING_BYTES_MAX as usize + 1).into()], ..Program::default() };
    vec![(Reason::StringTooLong, long), (Reason::LoopDepth, assemble(&nested_loops(65)).expect("it is assembly"))]
}

fn nested_loops(depth: usize) -> String {
    let mut text = String::from("fn f(List(Int, 2)) -> Bool {\n    const r1, true\n    jump_error r0, out\n");
    for at in 0..depth {
        text += &format!("    iterate r{}, r0\nh{at}:\n    next r{}, e{at}\n", at + 2, at + 2);
    }
    for at in (0..depth).rev() {
        text += &format!("    loop h{at}\ne{at}:\n    move r1, r1\n");
    }
    text + "out:\n    return r1\n}\n"
}

#[test]
fn every_reason_refuses_something() {
    let mut seen = BTreeSet::new();
    for case in suite("refuse.pdlasm") {
        if let Expectation::Refuse(reason) = case.expectation {
            seen.insert(reason);
        }
    }
    for (reason, program) in refused_without_text() {
        let verdict = verify(program, &Limits::STANDARD).map(|_| ());
        assert_eq!(verdict.map_err(|error| error.reason), Err(reason));
        seen.insert(reason.name().to_owned());
    }
    let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !seen.contains(reason.name())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn reasons_have_names_of_their_own() {
    let names: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(names.len(), Reason::ALL.len());
}
