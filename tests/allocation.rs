//! In the steady state a decision allocates nothing: decoding, running, answering. A test binary of its own, because the
//! counting allocator is the process's.

#[path = "machine/worlds.rs"]
mod worlds;

use allocation_counter::measure;
use pdl::bytecode::verify::verify;
use pdl::vm::decode::Options;
use pdl::vm::machine::{Machine, Question, Scratch};
use worlds::{Chance, ENTITIES, FACTS, accepted, request};

/// The programs have every instruction, so that none of them allocates.
#[test]
fn decisions_allocate_nothing_in_the_steady_state() {
    for case in accepted() {
        let machine = Machine::new(verify(case.program, &case.limits).expect("accepted")).expect("loaded");
        machine.load_entities(ENTITIES).expect("entities");
        let mut chance = Chance(3);
        let requests: Vec<String> = (0..50).map(|_| request(&mut chance)).collect();
        let mut scratch = Scratch::default();
        let mut decide_all = || {
            for request in &requests {
                let question = Question { request: request.as_bytes(), facts: Some(FACTS), options: Options::STRICT };
                assert!(machine.decide(question, &mut scratch).input_error().is_none());
            }
        };
        decide_all();
        let counted = measure(&mut decide_all);
        assert_eq!(counted.count_total, 0, "{}: {counted:?}", case.name);
    }
}

/// The measure measures: the full decision does allocate.
#[test]
fn reading_the_reasons_allocates() {
    let case = accepted().into_iter().next().expect("a program");
    let machine = Machine::new(verify(case.program, &case.limits).expect("accepted")).expect("loaded");
    machine.load_entities(ENTITIES).expect("entities");
    let request = request(&mut Chance(3));
    let question = Question { request: request.as_bytes(), facts: Some(FACTS), options: Options::STRICT };
    let mut scratch = Scratch::default();
    let counted = measure(|| {
        let _ = machine.decide(question, &mut scratch).decision().to_json();
    });
    assert!(counted.count_total > 0);
}
