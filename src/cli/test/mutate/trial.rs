//! Tries mutants: each is compiled, verified and asked, on all cores.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Outcome;
use super::battery::{Battery, Notes};
use crate::base::span::SourceMap;
use crate::bytecode::verify::{KnownPatterns, Limits, VerifiedProgram, verify_knowing};
use crate::cli::STACK_BYTES;
use crate::cli::policy::Built;
use crate::compile::compile_actions;
use crate::diagnostic::Diagnostics;
use crate::mutate::Mutant;
use crate::mutate::reach::Reach;
use crate::types::typed::{ActionId, TypedPolicy};
use crate::vm::machine::Machine;

/// How many mutants a thread takes at once.
const CHUNK: usize = 16;

/// What becomes of each mutant; the same on any number of cores.
pub fn outcomes(built: &Built, battery: &Battery<'_>, mutants: &[Mutant]) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(usize, Outcome)>> = Mutex::new(Vec::with_capacity(mutants.len()));
    let reach = Reach::new(&built.policy);
    let asked = battery.actions();
    let known = program(&built.policy, &asked, &KnownPatterns::default()).map(|program| KnownPatterns::of(&program));
    // The policy itself has passed all tests.
    let known = known.unwrap_or_default();
    let work = || {
        // Places of sources are numbers here, and texts are not needed.
        let mut policy = TypedPolicy { sources: SourceMap::default(), ..built.policy.clone() };
        let mut notes = Notes::default();
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            notes.clear();
            let chunk = mutants.iter().enumerate().skip(start).take(CHUNK);
            let outcomes: Vec<(usize, Outcome)> = chunk
                .map(|(at, mutant)| {
                    let actions = reach.of(mutant, &policy).intersection(&asked).copied().collect();
                    (at, outcome(&mut policy, mutant, &actions, battery, &known, &mut notes))
                })
                .collect();
            if outcomes.is_empty() {
                break;
            }
            found.lock().unwrap_or_else(PoisonError::into_inner).extend(outcomes);
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for _ in 1..cores.min(mutants.len().div_ceil(CHUNK)) {
            // Without this thread the others do its work.
            let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        }
        work();
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, outcome)| outcome).collect()
}

fn outcome(
    policy: &mut TypedPolicy,
    mutant: &Mutant,
    actions: &BTreeSet<ActionId>,
    battery: &Battery<'_>,
    known: &KnownPatterns,
    notes: &mut Notes,
) -> Outcome {
    if actions.is_empty() {
        return Outcome::Survived;
    }
    let undo = mutant.apply(policy);
    let program = program(policy, actions, known);
    undo.undo(policy);
    match program.and_then(|program| Machine::new(program).map_err(|error| error.to_string())) {
        Err(why) => Outcome::Refused(why),
        Ok(machine) => match battery.miss(&machine, actions, notes) {
            Some(name) => Outcome::Killed(name.to_owned()),
            None => Outcome::Survived,
        },
    }
}

/// The program of a mutant, or why there is none.
fn program(
    policy: &TypedPolicy,
    actions: &BTreeSet<ActionId>,
    known: &KnownPatterns,
) -> Result<VerifiedProgram, String> {
    let mut sink = Diagnostics::default();
    let Some(compiled) = compile_actions(policy, &|action| actions.contains(&action), &mut sink) else {
        return Err(sink.finish().into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; "));
    };
    verify_knowing(compiled.program, &Limits::STANDARD, known).map_err(|error| error.to_string())
}
