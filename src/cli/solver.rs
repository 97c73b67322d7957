//! The other solver that `--solver` names: whether it is there is asked before anything else, so that nobody takes what
//! stayed undecided without it for what it could not decide either.

use super::args::meaning::Solver;
use super::status::Failure;
use crate::analysis::context::Context;
use crate::analysis::question::Second;
use crate::analysis::smt::{Answer, check};

/// The solver that is meant, which answers.
pub fn second(named: Option<Solver>) -> Result<Option<Second>, Failure> {
    let Some(second) = named.map(Solver::second) else { return Ok(None) };
    match check(second.program, second.seconds, &Context::default(), &[]) {
        Answer::Sat(_) => Ok(Some(second)),
        Answer::Unsat => Err(Failure::new(format!("{} does not answer as it should", second.program))),
        Answer::Unknown(why) => {
            let help =
                format!("`{}` has to be among the programs that can be run: PATH says where they are", second.program);
            Err(Failure::new(why).help(help))
        }
    }
}
