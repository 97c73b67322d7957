//! The certified cost: how many steps a function, and an entry, take at most.
//!
//! Of a function it is that of its longest path. The body of a loop counts as often as its collection may have elements;
//! a way out of a loop counts behind all of its turns. Sums that overflow are `u64::MAX`, which no budget allows.

use crate::bytecode::op::Op;
use crate::bytecode::program::{Function, Program};

/// What one instruction costs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// Itself.
    pub steps: u64,
    /// Of `next`: how often the loop turns.
    pub turns: u32,
}

/// A loop that the walk is in.
struct Open {
    end: u32,
    /// The longest way on from where jumps leave the loop for the code around it.
    behind: u64,
}

/// The cost of the longest path through a function, each instruction with its own.
pub(super) fn function(program: &Program, of: &Function, steps: &[Step]) -> u64 {
    // From the end to the start: what the longest path costs from each instruction until it leaves the innermost loop
    // around it, or the function.
    let mut rest = vec![0_u64; steps.len()];
    let mut open: Vec<Open> = Vec::new();
    for at in (of.code_start..of.code_end).rev() {
        let here = (at - of.code_start) as usize;
        let onward = |open: &mut Vec<Open>, rest: &[u64], to: u32| -> u64 {
            let cost = rest.get((to - of.code_start) as usize).copied().unwrap_or(0);
            // Loops that the jump leaves; the outermost of them stands in the code that the target is in.
            match open.iter_mut().find(|around| to > around.end) {
                Some(left) => {
                    left.behind = left.behind.max(cost);
                    0
                }
                None => cost,
            }
        };
        let next = rest.get(here + 1).copied().unwrap_or(0);
        let longest = match program.code[at as usize] {
            Op::Return { .. } => 0,
            Op::Jump { to } => onward(&mut open, &rest, to),
            Op::JumpTrue { to, .. }
            | Op::JumpFalse { to, .. }
            | Op::JumpError { to, .. }
            | Op::JumpAbsent { to, .. } => onward(&mut open, &rest, to).max(next),
            Op::Switch { s, .. } => {
                let targets = program.switches.get(s as usize).map_or(&[][..], |table| &table.targets);
                targets.iter().map(|to| onward(&mut open, &rest, *to)).max().unwrap_or(0)
            }
            Op::Loop { .. } => {
                open.push(Open { end: at, behind: 0 });
                0
            }
            Op::Next { to, .. } => {
                let behind = open.pop().map_or(0, |open| open.behind);
                let turn = next.saturating_add(steps[here].steps);
                let turns = u64::from(steps[here].turns).saturating_mul(turn);
                let exit = onward(&mut open, &rest, to);
                turns.saturating_add(behind.max(exit))
            }
            _ => next,
        };
        rest[here] = longest.saturating_add(steps[here].steps);
    }
    rest.first().copied().unwrap_or(0)
}
