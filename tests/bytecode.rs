//! Programs in assembly: what the verifier makes of them, and that their text and their bytes say all of them.

mod bundle;

use std::collections::BTreeSet;
use std::path::PathBuf;

use pdl::bytecode::assemble::{Case, Expectation, assemble, assemble_suite};
use pdl::bytecode::disassemble::disassemble;
use pdl::bytecode::info::OPS;
use pdl::bytecode::verify::verify;

fn suite(name: &str) -> Vec<Case> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/bytecode").join(name);
    let text = std::fs::read_to_string(&path).expect("the suite can be read");
    assemble_suite(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn check(file: &str, case: &Case) {
    let verdict = verify(case.program.clone(), &case.limits);
    match (&case.expectation, verdict) {
        (Expectation::Accept, Ok(_)) | (Expectation::None, _) => {}
        (Expectation::Refuse(reason), Err(error)) if error.reason.name() == *reason => {}
        (expected, verdict) => {
            let verdict = verdict.map(|_| "accepted").map_err(|error| error.to_string());
            panic!("{file}:{} {}: expected {expected:?}, got {verdict:?}", case.line, case.name)
        }
    }
}

#[test]
fn accepted_programs_are_accepted_and_survive_text() {
    for case in suite("accept.pdlasm") {
        check("accept.pdlasm", &case);
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
