//! A second engine: the same formulas asked of z3 or cvc5, in SMT-LIB. The one door to `easy-smt`.
//!
//! It is a program beside ours, with other faults than ours. Tests ask both and compare; and where ours ends undecided,
//! this one may be asked. *Unsatisfiable* is a proof as far as the program is right, for every part of a formula is said
//! exactly or too widely (`script`, `languages`). What it proposes is looked at here: a [`Model`] is given out only if all
//! formulas hold in it by our own operations, and if not, what it had wrong is said and it is asked again.
//!
//! The program is started for one question and ends with it. It may take so many steps by its own count, and its
//! processor time and memory are limited by the system: what takes more ends without an answer. Its output is the text of
//! a stranger: whatever in it is not as it should be is [`Answer::Unknown`].

#[cfg(feature = "smt")]
mod languages;
#[cfg(feature = "smt")]
mod parts;
#[cfg(feature = "smt")]
mod pattern;
#[cfg(feature = "smt")]
mod program;
#[cfg(feature = "smt")]
mod read;
#[cfg(feature = "smt")]
mod script;
#[cfg(all(test, feature = "smt"))]
mod tests;
#[cfg(feature = "smt")]
mod words;

use std::fmt;

use crate::analysis::context::Context;
use crate::analysis::formula::F;
use crate::analysis::solver::Model;

/// A program that reads SMT-LIB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Program {
    /// z3.
    Z3,
    /// cvc5.
    Cvc5,
}

impl Program {
    /// All of them.
    pub const ALL: [Program; 2] = [Program::Z3, Program::Cvc5];

    /// Its name, which is that of its file too.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Program::Z3 => "z3",
            Program::Cvc5 => "cvc5",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often a proposal that is none is corrected.
#[cfg(feature = "smt")]
const ROUNDS_MAX: usize = 12;

/// What a question ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// In this model all is true.
    Sat(Model),
    /// They can't all be true.
    Unsat,
    /// There is no answer, and why.
    Unknown(String),
}

#[cfg(all(test, feature = "smt"))]
impl Answer {
    /// What is asked of nothing has to be answered.
    pub(crate) fn expect_installed(&self) {
        assert!(
            matches!(self, Answer::Sat(_)),
            "these tests ask z3 and cvc5, and one does not answer; `apt-get install z3 cvc5` brings both: {self:?}"
        );
    }
}

/// Whether the formulas can be true together. It may take about so many seconds, on a machine of today.
#[must_use]
pub fn check(program: Program, seconds: u32, context: &Context, all: &[F]) -> Answer {
    attempt(program, seconds, context, all).unwrap_or_else(Answer::Unknown)
}

#[cfg(not(feature = "smt"))]
fn attempt(program: Program, _: u32, _: &Context, _: &[F]) -> Result<Answer, String> {
    Err(format!("{program} can't be asked: this was built without the feature `smt`"))
}

#[cfg(feature = "smt")]
fn attempt(program: Program, seconds: u32, context: &Context, all: &[F]) -> Result<Answer, String> {
    let mut script = script::Script::new(program::start(program, seconds)?, context);
    for formula in all {
        let said = script.formula(*formula);
        script.assert(said);
    }
    for _ in 0..ROUNDS_MAX {
        script.tell()?;
        let answer = script.ask(script.call("check-sat", []))?;
        match script.smt.get_atom(answer) {
            Some("unsat") => return Ok(Answer::Unsat),
            Some("sat") => {}
            _ => return Err(format!("{program} found no answer")),
        }
        let proposal = read::proposal(&mut script)?;
        if all.iter().all(|formula| proposal.model.holds(context, *formula)) {
            return Ok(Answer::Sat(proposal.model));
        }
        if !read::correct(&mut script, &proposal) {
            break;
        }
    }
    Err(format!("what {program} found does not fit"))
}
