//! The machine against the reference evaluator: both must answer alike, reasons and errors included.
//!
//! `PDL_SEED` and `PDL_CASES` (packages; each with several requests) make other and longer runs; `docs/testing.md` says how.

mod reach;
mod run;
mod shrink;

use crate::differential::reach::Reach;
use crate::differential::run::Subject;
use crate::generate::package::Sketch;
use crate::generate::random::Random;

/// How many requests a package gets, and how many faulty ones.
const REQUESTS: usize = 12;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// One package with its requests.
fn case(seed: u64, reach: &mut Reach) -> Result<(), String> {
    let mut random = Random::new(seed);
    let mut sketch = Sketch::random(&mut random);
    let (policy, gone) = sketch.settle().map_err(|text| format!("is refused: {text}"))?;
    reach.packages += 1;
    reach.dropped += gone;
    let compared = Subject::new(policy).and_then(|subject| subject.compare(&mut random, REQUESTS, reach));
    compared.map_err(|failure| shrink::shrink(&sketch, seed, &failure))
}

#[test]
fn random_programs_are_decided_alike() {
    let (seed, cases) = (number("PDL_SEED", 1), number("PDL_CASES", 150));
    let mut reach = Reach::default();
    let mut failed = Vec::new();
    for seed in seed..seed + cases {
        if let Err(text) = case(seed, &mut reach) {
            failed.push(format!("case {seed}: {text}"));
        }
        if failed.len() > number("PDL_FAILURES", 0) as usize {
            break;
        }
    }
    println!("{reach}");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    if cases >= 1000 {
        reach.check();
    }
}
