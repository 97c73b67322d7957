//! The machine against the reference evaluator: both must answer alike, reasons and errors included.
//!
//! `PDL_SEED` and `PDL_CASES` (packages; each with several requests) make other and longer runs; `docs/testing.md` says how.

mod broken;
pub mod reach;
pub mod run;
mod shrink;
#[cfg(feature = "cli")]
mod written;

use pdl::vm::machine::Scratch;

use crate::differential::reach::Reach;
use crate::differential::run::Subject;
use crate::generate::package::{Piece, Sketch, SourceFile};
use crate::generate::random::Random;
use crate::generate::worlds::Values;
use crate::reference::decide::Kind;
use crate::reference::value::Value;
use crate::reference::world::World;

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
    let (seed, cases) = (number("PDL_SEED", 1), number("PDL_CASES", 300));
    let mut reach = Reach::default();
    let mut failed = Vec::new();
    for seed in seed..seed + cases {
        if let Err(text) = case(seed, &mut reach) {
            failed.push(format!("case {seed}: {text}"));
        }
        if seed % 100 == 0 {
            too_many_elements(&mut reach);
        }
        if failed.len() > number("PDL_FAILURES", 0) as usize {
            break;
        }
    }
    println!("{reach}");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    if cases >= 300 {
        reach.check();
    }
}

/// A union that is larger than any set may be: the one error that small requests do not reach.
fn too_many_elements(reach: &mut Reach) {
    let text = "module huge\n\
        presented entity Agent { }\n\
        action touch { subject: Agent resource: Agent context { one: Set<Int> max 65536 other: Set<Int> max 65536 } }\n\
        policy p on touch { allow a when (context.one union context.other).size > 2 }\n";
    let sketch = Sketch {
        files: vec![SourceFile {
            name: "huge.pdl".to_owned(),
            module: "huge".to_owned(),
            pieces: vec![Piece::fixed(text.to_owned())],
        }],
    };
    let policy = sketch.check().unwrap_or_else(|refused| panic!("{refused:?}"));
    let subject = Subject::new(policy).unwrap_or_else(|text| panic!("{text}"));
    let values = Values::of(&subject.policy);
    let world = World::default();
    let mut random = Random::new(1);
    let mut request = values.request(&mut random, &world);
    let ints = |from: i64, count: i64| Value::Set((from..from + count).map(Value::Int).collect());
    for (other, kind) in [(65_536, Kind::Error), (3, Kind::Allowed)] {
        request.context = vec![ints(0, 65_536), ints(60_000, other)];
        let documents = values.documents(&mut random, &request);
        subject
            .sound(&world, &request, &documents, &mut Scratch::default(), reach)
            .unwrap_or_else(|text| panic!("{}", &text[..2000]));
        assert!(reach.kinds[&kind] > 0);
    }
}
