//! What is done with random bytes: each target takes them to a place where bytes of strangers arrive, and holds that what
//! comes back is an answer. A panic is a find.
//!
//! The fuzzers and, with the committed corpus, the tests of the package run these same functions.

use std::sync::{Arc, LazyLock};

use pdl::base::span::SourceMap;
use pdl::bytecode::bundle::{self, LoadOptions};
use pdl::bytecode::op::Op;
use pdl::bytecode::program::Program;
use pdl::bytecode::verify::{Limits, verify};
use pdl::compile::compile;
use pdl::diagnostic::{Diagnostics, compact, render};
use pdl::syntax::parse;
use pdl::types;
use pdl::types::package::{LoadedModule, assemble};
use pdl::types::typed::TypedPolicy;
use pdl::vm::machine::{Machine, Question, Scratch};
use pdl::vm::run::Steps;

/// Lexer and parser: any bytes give a tree and diagnostics, whose places lie in the text.
pub fn parse(bytes: &[u8]) {
    let (mut sources, mut sink) = (SourceMap::default(), Diagnostics::default());
    let _ = parse::parse_bytes(&mut sources, "fuzz.pdl", bytes, &mut sink);
    let found = sink.finish();
    let _ = compact::render(&sources, &found);
    let _ = render::render(&sources, &found, render::Style::PLAIN);
}

fn checked(bytes: &[u8]) -> Option<TypedPolicy> {
    let (mut sources, mut sink) = (SourceMap::default(), Diagnostics::default());
    let file = parse::parse_bytes(&mut sources, "fuzz.pdl", bytes, &mut sink);
    let modules = vec![LoadedModule { name: Arc::from("fuzz"), own: true, file }];
    let package = assemble("fuzz", "0.0.0", sources, modules, &mut sink);
    let checked = types::check(&package, &mut sink);
    let _ = compact::render(&package.sources, &sink.finish());
    checked
}

/// Checker and compiler: what is accepted compiles to what the verifier accepts, or passes a limit.
pub fn check(bytes: &[u8]) {
    let Some(policy) = checked(bytes) else { return };
    let mut sink = Diagnostics::default();
    match compile(&policy, &mut sink) {
        Some(compiled) => drop(verify(compiled.program, &Limits::STANDARD).expect("what compiles is verified")),
        None => assert!(sink.has_errors(), "it is said why it does not compile"),
    }
}

/// The reader of bundles: any bytes are refused, or hold a verified program that can be loaded.
pub fn bundle(bytes: &[u8]) {
    let _ = bundle::strip(bytes);
    if let Ok(loaded) = bundle::read(bytes, &LoadOptions::UNSIGNED) {
        let machine = Machine::new(loaded.program).expect("what is verified can be loaded");
        ask(&machine, REQUEST);
    }
}

/// The policy that requests are sent to.
pub const POLICY: &str = include_str!("policy.pdl");
const ENTITIES: &[u8] = include_bytes!("entities.json");
const FACTS: &[u8] = br#"{"now":"2026-01-31T12:00:00Z"}"#;
const REQUEST: &[u8] = include_bytes!("request.json");

static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let policy = checked(POLICY.as_bytes()).expect("the policy of the fuzzers is sound");
    compile(&policy, &mut Diagnostics::default()).expect("the policy of the fuzzers compiles").program
});

static MACHINE: LazyLock<Machine> = LazyLock::new(|| {
    let verified = verify(PROGRAM.clone(), &Limits::STANDARD).expect("what compiles is verified");
    let machine = Machine::new(verified).expect("what is verified can be loaded");
    machine.load_entities(ENTITIES).expect("the entities of the fuzzers are sound");
    machine
});

/// Asks a machine; every way of asking has to give an answer, within the certified cost.
fn ask(machine: &Machine, request: &[u8]) {
    let mut scratch = Scratch::default();
    let question = Question { facts: Some(FACTS), ..Question::strict(request) };
    let mut decided = machine.decide(question, &mut scratch);
    let kind = decided.kind();
    let decision = decided.decision();
    assert_eq!(kind, decision.kind, "answer and reasons agree");
    let _ = decision.to_json();
    let _ = decided.digests();
    let store = machine.entities();
    if let Ok(decoded) = machine.decode(&store, question, &mut scratch) {
        let (_, steps) = machine.answer(&store, &decoded, &mut scratch, Steps::default());
        let certified = machine.image().program.entries[decoded.action as usize].cost;
        assert!(steps.0 <= certified, "{} steps, {certified} are certified", steps.0);
    }
}

/// The decoder of requests: any bytes are decided.
pub fn request(bytes: &[u8]) {
    ask(&MACHINE, bytes);
}

/// Verifier and machine: a sound program, some of whose instructions are replaced, is refused, or runs within its cost. Ten
/// bytes are one change: the place, little-endian, and the word.
pub fn machine(bytes: &[u8]) {
    let mut program = PROGRAM.clone();
    for change in bytes.chunks_exact(10) {
        let (place, word) = change.split_at(2);
        let place = usize::from(u16::from_le_bytes([place[0], place[1]])) % program.code.len();
        let Some(op) = word.try_into().ok().and_then(Op::decode) else { return };
        program.code[place] = op;
    }
    let Ok(verified) = verify(program, &Limits::STANDARD) else { return };
    let machine = Machine::new(verified).expect("what is verified can be loaded");
    machine.load_entities(ENTITIES).expect("the entities of the fuzzers are sound");
    ask_any(&machine);
}

// What a changed program decides means nothing: only that it decides.
fn ask_any(machine: &Machine) {
    let mut scratch = Scratch::default();
    let question = Question { facts: Some(FACTS), ..Question::strict(REQUEST) };
    let _ = machine.decide(question, &mut scratch).decision().to_json();
    let store = machine.entities();
    if let Ok(decoded) = machine.decode(&store, question, &mut scratch) {
        let (_, steps) = machine.answer(&store, &decoded, &mut scratch, Steps::default());
        let certified = machine.image().program.entries[decoded.action as usize].cost;
        assert!(steps.0 <= certified, "{} steps, {certified} are certified", steps.0);
    }
}
