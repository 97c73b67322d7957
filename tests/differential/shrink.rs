//! Makes a package that fails smaller, piece by piece.

use crate::differential::reach::Reach;
use crate::differential::run::Subject;
use crate::generate::package::Sketch;
use crate::generate::random::Random;

/// How many requests a smaller package is tried with.
const TRIES: usize = 60;

/// Takes out whatever can go while it still fails in the same way. Gives the failure and the sources.
pub fn shrink(sketch: &Sketch, seed: u64, failure: &str) -> String {
    let (mut best, mut told) = (sketch.clone(), failure.to_owned());
    let mut smaller = true;
    while smaller {
        smaller = false;
        for file in 0..best.files.len() {
            for piece in 0..best.files[file].pieces.len() {
                let mut candidate = best.clone();
                let taken = &mut candidate.files[file].pieces[piece];
                let Some(instead) = taken.instead.take() else { continue };
                taken.text = instead;
                if let Some(found) = fails(&candidate, seed)
                    && class(&found) == class(failure)
                {
                    (best, told) = (candidate, found);
                    smaller = true;
                }
            }
        }
    }
    format!("{told}\n{}", best.show())
}

/// What sort of failure it is: its first line, numbers left aside.
fn class(failure: &str) -> String {
    let line = failure.lines().next().unwrap_or_default();
    line.chars().filter(|character| !character.is_ascii_digit()).collect()
}

fn fails(sketch: &Sketch, seed: u64) -> Option<String> {
    match Subject::new(sketch.check().ok()?) {
        Ok(subject) => subject.compare(&mut Random::new(seed), TRIES, &mut Reach::default()).err(),
        Err(refused) => Some(refused),
    }
}
