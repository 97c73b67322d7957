//! What must never happen, looked for by chance: everything that can be done to a kernel, in any order, and each answer held
//! against that of a small model, against the log, and against what is stored.

#[path = "model/change.rs"]
mod change;
#[path = "model/drive.rs"]
mod drive;
#[path = "model/house.rs"]
mod house;
#[path = "model/jobs.rs"]
mod jobs;
#[path = "model/plain.rs"]
mod plain;

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use self::drive::{Op, Place, Run, op};
use super::room::Room;

/// How many orders are tried unless `PROPTEST_CASES` says another number.
const CASES: u32 = 72;
/// How many things are done in each, at most.
const STEPS: usize = 120;

fn cases(otherwise: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(otherwise)
}

/// The same every time; `PDL_SEED` asks for others.
fn runner(cases: u32) -> TestRunner {
    let seed: u64 = std::env::var("PDL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Tries orders until one is found that goes wrong, makes that as short as can be, and shows it.
fn try_orders(cases: u32, place: impl Fn() -> Place) -> BTreeMap<String, u64> {
    let counts = RefCell::new(BTreeMap::new());
    let orders = prop::collection::vec(op(), 1..STEPS);
    let tried = runner(cases).run(&orders, |ops| {
        let mut counts = counts.borrow_mut();
        let mut run = Run::new(place(), &mut counts);
        for (at, op) in ops.iter().enumerate() {
            run.step(op).map_err(|why| TestCaseError::fail(format!("at {at}, {op:?}: {why}")))?;
        }
        run.finish().map_err(|why| TestCaseError::fail(format!("at the end: {why}")))
    });
    match tried {
        Ok(()) => counts.into_inner(),
        Err(TestError::Fail(why, ops)) => {
            let lines: Vec<String> =
                ops.iter().enumerate().map(|(at, op): (usize, &Op)| format!("{at}: {op:?}")).collect();
            panic!("{why}\nafter:\n{}", lines.join("\n"))
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn what_must_never_happen_never_does() {
    let counts = try_orders(cases(CASES), || Place::Memory);
    if std::env::var_os("PROPTEST_CASES").is_none() {
        seen(&counts);
    }
}

/// That it is not for want of trying: all of this came about, and not only once.
fn seen(counts: &BTreeMap<String, u64>) {
    const OFTEN: &[&str] = &[
        "ALLOW",
        "DENY",
        "REQUIRE_APPROVAL",
        "waits for the same",
        "approved",
        "barred",
        "votes that count",
        "vote: owner",
        "vote: requester",
        "vote: duplicate",
        "vote: other_binding",
        "vote: forbidden",
        "vote: expired",
        "vote: spent",
        "withdrawn",
        "started",
        "start: Used",
        "start: Expired",
        "start: OtherRequest",
        "start: broken",
        "completed",
        "failed",
        "a scope was changed",
        "swept gates",
        "swept scopes",
        "swept: expired",
        "swept: abandoned",
        "replayed",
        "counts no more",
        "changed: 1",
        "changed: 2",
        "changed by approval",
        "something else is set",
        "not changed: Denied",
        "not changed: Barred",
        "not changed: Waits(None)",
        "undone behind the first",
        "ran although denied",
        "denied although permissive",
        "permissive",
        "strict",
        "forbidden to change a mode",
        "failed halfway",
    ];
    let rare: Vec<&&str> = OFTEN.iter().filter(|what| counts.get(**what).is_none_or(|count| *count < 3)).collect();
    assert!(rare.is_empty(), "{rare:?} hardly came about: {counts:#?}");
}

#[test]
fn nor_over_a_store_that_lasts() {
    let room = Room::new();
    let number = RefCell::new(0);
    try_orders(cases(CASES).div_ceil(12), || {
        *number.borrow_mut() += 1;
        Place::File(room.path(&format!("store-{}", number.borrow())))
    });
}
