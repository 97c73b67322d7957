//! The other solver that `--solver` names: whether it is there is asked before anything else, so that nobody takes what
//! stayed undecided without it for what it could not decide either.

use super::args::meaning::Solver;
use super::status::Failure;
use crate::analysis::context::Context;
use crate::analysis::question::Second;
use crate::analysis::smt::{Answer, Program, check};

/// The solver that is meant, which answers.
pub fn second(named: Option<Solver>) -> Result<Option<Second>, Failure> {
    let Some(second) = named.map(Solver::second) else { return Ok(None) };
    // Without the feature there is another reason.
    if cfg!(feature = "smt") && !is_installed(second.program.name()) {
        let why = format!("`{}` is not installed: it is in no folder of PATH", second.program);
        return Err(Failure::new(why).help(install(second.program)));
    }
    match check(second.program, second.seconds, &Context::default(), &[]) {
        Answer::Sat(_) => Ok(Some(second)),
        Answer::Unsat => Err(Failure::new(format!("{} does not answer as it should", second.program))),
        Answer::Unknown(why) => {
            let help = format!("`{} --version` says whether it runs at all", second.program);
            Err(Failure::new(why).help(help))
        }
    }
}

fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .any(|folder| folder.join(name).with_extension(std::env::consts::EXE_EXTENSION).is_file())
}

/// How to come by it.
fn install(program: Program) -> &'static str {
    match program {
        Program::Z3 => {
            "`apt-get install z3` or `brew install z3` brings it, and https://github.com/Z3Prover/z3/releases has it"
        }
        Program::Cvc5 => "`apt-get install cvc5` brings it, and https://github.com/cvc5/cvc5/releases has it",
    }
}
