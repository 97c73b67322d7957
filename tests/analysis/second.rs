//! Real questions, asked of another solver alone: what it finds is what ours does.

use std::collections::BTreeSet;

use pdl::analysis::diff::{Diff, Options};
use pdl::analysis::question::Second;
use pdl::analysis::smt::{Answer, Program, check};

use crate::analysis::house::{House, try_typed};
use crate::analysis::pairs::{OPTIONS, cases, compared, parts};

/// Directions by kind: those in which something changes, and those of which nobody knows.
fn directions(found: &Diff) -> [BTreeSet<String>; 2] {
    let name = |kind: &pdl::analysis::question::Kind, direction: pdl::analysis::diff::Direction| {
        format!("{} {} {} {}", kind.action, kind.subject, kind.resource, direction.name())
    };
    [
        found.changes.iter().map(|change| name(&change.kind, change.direction)).collect(),
        found.undecided.iter().map(|undecided| name(&undecided.kind, undecided.direction)).collect(),
    ]
}

/// With hardly a step of our own each question goes to the other. `PDL_CASES` says how many pairs, of all in turn.
#[test]
fn another_solver_finds_the_same() {
    for program in Program::ALL {
        let answer = check(program, 1, &pdl::analysis::context::Context::default(), &[]);
        assert!(
            matches!(answer, Answer::Sat(_)),
            "this test asks z3 and cvc5, and one does not answer; `apt-get install z3 cvc5` brings both: {answer:?}"
        );
    }
    let wanted = std::env::var("PDL_CASES").ok().map_or(24, |text| text.parse().expect("a number"));
    let all = cases();
    let step = (all.len() / wanted).max(1);
    let (mut same, mut unknown, mut proved) = (0, 0, 0);
    for (at, (path, text)) in all.iter().step_by(step).enumerate() {
        let (_, [old, new], _) = parts(text);
        let house = |text: &str| try_typed(text).and_then(House::new);
        let (Ok(old), Ok(new)) = (house(&old), house(&new)) else { continue };
        let houses = [old, new];
        let program = Program::ALL[at % Program::ALL.len()];
        let second = Some(Second { program, seconds: 1 });
        let [ours, _] = directions(&compared(&houses, Options { regions: 1, ..OPTIONS }));
        let theirs = compared(&houses, Options { steps: 3, regions: 1, second });
        let [found, open] = directions(&theirs);
        for direction in &found {
            assert!(ours.contains(direction), "{}: {program} finds {direction}", path.display());
        }
        for direction in &ours {
            assert!(
                found.contains(direction) || open.contains(direction),
                "{}: {program} proves that there is no {direction}",
                path.display()
            );
        }
        assert!(!theirs.is_equivalent() || ours.is_empty());
        same += found.len();
        unknown += open.len();
        proved += usize::from(theirs.second.is_some());
    }
    println!("{same} found by both, {unknown} undecided, in {proved} pairs something proved");
    assert!(
        same * 3 > unknown && proved > 0,
        "they know too little: {same} found, {unknown} undecided, {proved} proved"
    );
}
