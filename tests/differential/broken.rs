//! Programs with a few things changed at random: the verifier refuses them, or they run within their cost and without a
//! panic. What they decide means nothing.

use pdl::bytecode::op::Op;
use pdl::bytecode::program::Program;
use pdl::bytecode::verify::{Limits, verify};
use pdl::compile::compile;
use pdl::diagnostic::Diagnostics;
use pdl::types::typed::TypedPolicy;
use pdl::vm::machine::{Machine, Question, Scratch};

use crate::differential::run::Trace;
use crate::generate::package::Sketch;
use crate::generate::random::Random;
use crate::generate::worlds::Values;

const PACKAGES: u64 = 60;
const CHANGES: usize = 60;

/// Changes one thing of a program: a byte of an instruction, a number that names something, a place in the index.
fn change(random: &mut Random, program: &mut Program) {
    match random.below(10) {
        0 if !program.functions.is_empty() => {
            let at = random.below(program.functions.len());
            let other = random.below(program.functions.len());
            let result = program.functions[other].result;
            let function = &mut program.functions[at];
            match random.below(4) {
                0 => function.slots = function.slots.wrapping_add(random.between(1, 3) as u16).wrapping_sub(2),
                1 => function.memo = !function.memo,
                2 => function.result = result,
                _ => drop(function.parameters.pop()),
            }
        }
        1 if !program.entries.is_empty() => {
            let at = random.below(program.entries.len());
            let functions = program.functions.len();
            let entry = &mut program.entries[at];
            match random.below(4) {
                0 => entry.cost = entry.cost / 2 + random.below(20) as u64,
                1 if !entry.rules.is_empty() => {
                    let rule = random.below(entry.rules.len());
                    entry.rules[rule].condition.0 = random.below(functions) as u32;
                }
                2 if !entry.rules.is_empty() => {
                    let rule = random.below(entry.rules.len());
                    entry.rules[rule].may_fail = !entry.rules[rule].may_fail;
                }
                _ => drop(entry.inputs.pop()),
            }
        }
        2 if program.constants.len() > 1 => {
            let (one, other) = (random.below(program.constants.len()), random.below(program.constants.len()));
            program.constants.swap(one, other);
        }
        _ if program.code.is_empty() => {}
        3 => {
            let (one, other) = (random.below(program.code.len()), random.below(program.code.len()));
            program.code.swap(one, other);
        }
        _ => {
            let at = random.below(program.code.len());
            let mut word = program.code[at].encode();
            let byte = random.below(8);
            word[byte] = match random.below(3) {
                0 => random.next() as u8,
                1 => word[byte].wrapping_add(1),
                _ => word[byte].wrapping_sub(1),
            };
            if let Some(op) = Op::decode(word) {
                program.code[at] = op;
            }
        }
    }
}

/// Runs whatever is accepted; how much was.
fn run(random: &mut Random, policy: &TypedPolicy, scratch: &mut Scratch) -> usize {
    let original = compile(policy, &mut Diagnostics::default()).expect("it compiles").program;
    let values = Values::of(policy);
    let world = values.world(random);
    let entities = values.entities_json(&world).to_string();
    let mut accepted = 0;
    for _ in 0..CHANGES {
        let mut program = original.clone();
        for _ in 0..random.between(1, 3) {
            change(random, &mut program);
        }
        let costs: Vec<u64> = program.entries.iter().map(|entry| entry.cost).collect();
        let Ok(verified) = verify(program, &Limits::STANDARD) else { continue };
        accepted += 1;
        let machine = Machine::new(verified).expect("what is verified can be loaded");
        machine.load_entities(entities.as_bytes()).expect("the schema is as it was");
        let request = values.request(random, &world);
        let documents = values.documents(random, &request);
        let (text, facts) = (documents.request.to_string(), documents.facts.to_string());
        let question = Question { facts: Some(facts.as_bytes()), ..Question::strict(text.as_bytes()) };
        let json = machine.decide(question, scratch).decision().to_json();
        assert!(json.starts_with("{\"decision\":"), "{json}");
        let store = machine.entities();
        if let Ok(decoded) = machine.decode(&store, question, scratch) {
            let (_, trace) = machine.answer(&store, &decoded, scratch, Trace::default());
            assert!(trace.steps <= costs[decoded.action as usize], "{} steps of {costs:?}", trace.steps);
        }
    }
    accepted
}

#[test]
fn changed_programs_are_refused_or_run_within_their_bounds() {
    let mut scratch = Scratch::default();
    let mut accepted = 0;
    for seed in 0..PACKAGES {
        let mut random = Random::new(seed + 90_000);
        let mut sketch = Sketch::random(&mut random);
        let (policy, _) = sketch.settle().unwrap_or_else(|text| panic!("{text}"));
        accepted += run(&mut random, &policy, &mut scratch);
    }
    let all = PACKAGES as usize * CHANGES;
    assert!(accepted * 20 > all && accepted < all, "{accepted} of {all} were accepted");
}
