//! Jobs, the records of the house: what the page on records says of changes, in as few words as can be.

use super::house::{Does, Want};
use super::plain::{Comes, Judged, Model, Who};

/// A job as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub status: &'static str,
    pub cents: i64,
    pub version: u64,
}

/// What a change comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Becomes {
    /// All of it is done. The gates that were spent for it, move by move.
    Done(Vec<Option<usize>>),
    /// Nothing is, for this move, of which this was judged.
    Undone(usize, Comes, Judged),
}

/// Whether the lifecycle has a step.
fn may_step(from: &str, to: &str) -> bool {
    matches!((from, to), ("wanted", "running" | "dropped") | ("running", "wanted" | "done" | "dropped"))
}

impl Model {
    /// Several moves, of which all are made or none.
    pub fn change(&mut self, who: Who, moves: &[Want]) -> Becomes {
        let before = self.clone();
        let mut gates = Vec::new();
        for (at, want) in moves.iter().enumerate() {
            let judged = self.judge(want, 0, true);
            match self.conclude(who, &judged) {
                Comes::Runs(gate) if self.write(want) => gates.push(gate),
                Comes::Runs(_) => {
                    *self = before;
                    return Becomes::Undone(at, Comes::Barred, judged);
                }
                _ => {
                    // What it comes to is told of once all else is undone; an approval that was used up on the way stands
                    // again by then.
                    self.clone_from(&before);
                    return match self.conclude(who, &judged) {
                        Comes::Runs(_) => {
                            *self = before;
                            Becomes::Undone(0, Comes::Barred, judged)
                        }
                        comes => Becomes::Undone(at, comes, judged),
                    };
                }
            }
        }
        Becomes::Done(gates)
    }

    /// What an ALLOW makes of a job; whether it can be made, whatever policy says.
    fn write(&mut self, want: &Want) -> bool {
        let Want::Job { job, does, proof, .. } = want else { return false };
        let before = self.jobs.get(job).cloned();
        let version = before.as_ref().map_or(0, |before| before.version) + 1;
        let after = match (*does, before) {
            (Does::Order { status: "wanted", cents }, None) => Job { status: "wanted", cents, version },
            (Does::Order { .. }, _) | (_, None) => return false,
            (_, Some(before)) if matches!(before.status, "done" | "dropped") => return false,
            (Does::Amend { cents }, Some(before)) => Job { cents, version, ..before },
            (Does::Look, Some(before)) => Job { version, ..before },
            (Does::Step { to, .. }, Some(before)) if !may_step(before.status, to) => return false,
            (Does::Step { to, cents }, Some(before)) => {
                self.announced += 1;
                Job { status: to, cents: cents.unwrap_or(before.cents), version }
            }
        };
        if after.cents <= 0 {
            return false;
        }
        self.jobs.insert(*job, after);
        self.proofs.extend(proof);
        true
    }
}
