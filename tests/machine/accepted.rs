//! What the verifier accepts, the machine runs: without a panic, without an internal error, within the certified cost,
//! and with one kind for the quick answer and the full decision. Of the verifier's own suite, and of programs made from
//! it by chance.

use pdl::bytecode::info::{OPS, Role};
use pdl::bytecode::op::Op;
use pdl::bytecode::program::{Program, SiteId};
use pdl::bytecode::verify::{Limits, certify, verify};
use pdl::vm::decide::Kind;
use pdl::vm::decision::ErrorReport;
use pdl::vm::decode::Options;
use pdl::vm::machine::{Machine, Question, Scratch};
use pdl::vm::run::Steps;
use pdl::vm::value::FaultKind;

use super::worlds::{Chance, ENTITIES, FACTS, accepted, request};

/// Runs a program on some requests; gives the kinds of the decisions.
fn check(name: &str, program: Program, chance: &mut Chance, requests: usize, scratch: &mut Scratch) -> Vec<Kind> {
    let machine = Machine::new(verify(program, &Limits::STANDARD).expect("accepted")).expect("loaded");
    machine.load_entities(ENTITIES).expect("entities");
    let store = machine.entities();
    let mut kinds = Vec::new();
    for _ in 0..requests {
        let request = request(chance);
        let question = Question { request: request.as_bytes(), facts: Some(FACTS), options: Options::STRICT };
        let decoded = machine.decode(&store, question, scratch).unwrap_or_else(|error| panic!("{error}\n{request}"));
        let (outcome, steps) = machine.answer(&store, &decoded, scratch, Steps::default());
        let cost = machine.image().program.entries[decoded.action as usize].cost;
        assert!(steps.0 <= cost, "{name}: {} steps where {cost} are certified\n{request}", steps.0);
        let mut decided = machine.decide(question, scratch);
        assert_eq!(decided.kind(), outcome.kind);
        let decision = decided.decision();
        assert_eq!(decision.kind, outcome.kind, "{name}\n{request}");
        if let Some(ErrorReport::Evaluation { kind, .. }) = decision.error {
            assert_ne!(kind, FaultKind::Internal, "{name}\n{request}");
        }
        kinds.push(outcome.kind);
    }
    kinds
}

#[test]
fn accepted_programs_run() {
    let mut chance = Chance(1);
    let mut scratch = Scratch::default();
    for case in accepted() {
        check(&case.name, case.program, &mut chance, 40, &mut scratch);
    }
}

/// Another instruction in the place of one, or another operand.
fn mutate(program: &mut Program, chance: &mut Chance) {
    let at = chance.below(program.code.len());
    let op = program.code[at];
    let mut numbers = op.operands().as_slice().to_vec();
    let info = op.info();
    let roles = |info: &pdl::bytecode::info::OpInfo| info.operands.iter().map(|of| of.role).collect::<Vec<_>>();
    let code = if chance.below(2) == 0 {
        // One with operands of the same roles.
        let alike: Vec<_> = OPS.iter().filter(|other| roles(other) == roles(info)).collect();
        alike[chance.below(alike.len())].code
    } else if !numbers.is_empty() {
        let which = chance.below(numbers.len());
        let bound = match info.operands[which].role {
            Role::Out | Role::Input => 12,
            Role::Constant | Role::Constant24 => program.constants.len(),
            Role::Target => program.code.len(),
            _ => 4,
        };
        numbers[which] = chance.below(bound) as u32;
        info.code
    } else {
        info.code
    };
    if let Some(op) = Op::from_numbers(code, &numbers) {
        program.code[at] = op;
    }
    let failing = program.code.iter().enumerate().filter(|(_, op)| op.info().fails);
    program.fault_sites = failing.map(|(at, _)| (at as u32, SiteId(at as u32))).collect();
    program.site_count = program.site_count.max(program.code.len() as u32);
    for function in &mut program.functions {
        function.slots = function.slots.max(12);
    }
}

#[test]
fn programs_made_by_chance_run_if_they_are_accepted() {
    let cases = accepted();
    let mut chance = Chance(7);
    let mut scratch = Scratch::default();
    let mut run = 0;
    let mut kinds = Vec::new();
    for round in 0..3_000 {
        let case = &cases[chance.below(cases.len())];
        let mut program = case.program.clone();
        for _ in 0..=chance.below(3) {
            mutate(&mut program, &mut chance);
        }
        if certify(&mut program).is_err() || verify(program.clone(), &Limits::STANDARD).is_err() {
            continue;
        }
        run += 1;
        kinds.extend(check(&format!("{} in round {round}", case.name), program, &mut chance, 3, &mut scratch));
    }
    assert!(run > 500, "only {run} programs were accepted");
    for kind in [Kind::Error, Kind::Denied, Kind::NotPermitted] {
        assert!(kinds.contains(&kind), "no decision was {kind:?}");
    }
}
