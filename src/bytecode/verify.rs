//! The verifier: makes of a `Program`, which can say anything, a `VerifiedProgram`, which can run.
//!
//! **What the machine may rely on** when it runs a verified program:
//!
//! - Every number in the program (string, constant, type, function, slot, site, …) is in range of its table, and lists
//!   that are said to be sorted are. `targets` of a jump table are one for each variant and one for errors.
//! - Every jump stays in its function and goes forward; only `loop` goes back, to the `next` that it belongs to. The last
//!   instruction of a function is `return`.
//! - Every slot that is read has been written before. Unless it is an error, what is there is of the type that the
//!   instruction asks for, and absent only where the instruction looks at optionals (`move`, `unwrap`, `is_present`,
//!   `jump_absent`, equality, arguments, results and parts of optional type). A present optional is its value.
//! - `iterate` is given a collection, never an error. `element` stands in the body of the loop of its iterator, which
//!   nothing else writes to or steps. `raise` is given an error.
//! - A graph lies in one slot, where only `link` changes it, and `acyclic` is the last that reads it. Its nodes, and what
//!   its edges lead to, are of one type.
//! - Parameters may be errors. Functions call functions with smaller numbers only, at most `call_depth` deep and with
//!   `stack_slots` slots altogether. Memo functions are reached by `force`, or serve the entry directly.
//! - A loop turns at most as often as its collection may have elements by its type; no entry takes more than its `cost`.
//! - Conditions are Bool, groups are entities, quorums are Int, messages' values are scalars or entities; none of them is
//!   absent, except in messages.
//! - Values nest at most `JSON_DEPTH_MAX` deep.
//!
//! **What it assumes of the machine**: inputs are of the types of the schema, bounds of strings and collections
//! included; ids of entities and keys of maps have at most `ID_BYTES_MAX` bytes; inputs are never errors.
//!
//! Not checked, because the answer would still be a decision: that the index leaves out only rules that cannot match, and
//! that a rule which is not `may_fail` never fails (the compiler knows more of intervals and of what is present). A
//! bundle means what it says; who signs it vouches for where it comes from.

mod code;
mod cost;
mod entries;
mod error;
mod flow;
mod kinds;
mod patterns;
mod schema;
mod tables;

pub use error::{Place, Reason, VerifyError};
pub use patterns::KnownPatterns;

use crate::base::limits;
use crate::bytecode::program::{Entry, Program};
use crate::bytecode::verify::kinds::Kinds;
use crate::data::pattern::Pattern;

/// Bounds that a program has to keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The highest cost of an entry, in steps.
    pub cost_max: u64,
    /// The most slots of all frames at once.
    pub stack_slots_max: u32,
    /// How deep functions may call.
    pub call_depth_max: u32,
    /// The longest table.
    pub table_max: u32,
    /// The most instructions.
    pub code_max: u32,
    /// How much the verifier does, beside some hundred looks at every instruction, before it gives up.
    pub work_max: u64,
}

impl Limits {
    /// The limits of `base::limits`.
    pub const STANDARD: Limits = Limits {
        cost_max: limits::COST_DEFAULT_MAX,
        stack_slots_max: limits::STACK_SLOTS_MAX,
        call_depth_max: limits::CALL_DEPTH_MAX,
        table_max: limits::TABLE_MAX,
        code_max: limits::CODE_MAX,
        work_max: limits::VERIFY_WORK_MAX,
    };
}

/// What the verifier computed of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryBounds {
    /// How many slots all frames have together at most.
    pub stack_slots: u32,
    /// How many functions are active at once at most.
    pub call_depth: u32,
}

/// A program that can run. See the module for what that means.
//
// INVARIANT: made by `verify` only.
#[derive(Debug)]
pub struct VerifiedProgram {
    program: Program,
    bounds: Vec<EntryBounds>,
    patterns: Vec<Pattern>,
}

impl VerifiedProgram {
    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Takes the program apart: itself, and its patterns compiled, at the places of `Program::patterns`. What comes of it
    /// is as sound as long as nobody changes it.
    #[must_use]
    pub fn into_parts(self) -> (Program, Vec<Pattern>) {
        (self.program, self.patterns)
    }

    /// The patterns, compiled: at the places of `Program::patterns`.
    #[must_use]
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// How many slots all frames have together at most while the entry of this number is decided; 0 if there is none.
    #[must_use]
    pub fn stack_slots(&self, entry: usize) -> u32 {
        self.bounds.get(entry).map_or(0, |bounds| bounds.stack_slots)
    }

    /// How many functions are active at once at most while the entry of this number is decided; 0 if there is none.
    #[must_use]
    pub fn call_depth(&self, entry: usize) -> u32 {
        self.bounds.get(entry).map_or(0, |bounds| bounds.call_depth)
    }
}

/// How much the verifier does before it gives up: bounds its time whatever it is handed.
#[derive(Debug)]
struct Work {
    left: u64,
}

impl Work {
    /// Enough for every program that a compiler makes: some hundred looks at every instruction.
    fn for_program(program: &Program, limits: &Limits) -> Work {
        Work { left: limits.work_max.saturating_add(256 * program.code.len() as u64) }
    }

    #[inline]
    fn spend(&mut self, units: usize) -> Result<(), Reason> {
        match self.left.checked_sub(units as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Reason::TooComplex),
        }
    }
}

/// What the checks come to, before what the program says of itself is compared with it.
struct Analysis {
    certified: Vec<entries::Certified>,
    /// For each entry, for each rule, whether its condition can be an error.
    may_fail: Vec<Vec<bool>>,
}

fn analyse(program: &Program, limits: &Limits) -> Result<Analysis, VerifyError> {
    tables::check_first(program, limits)?;
    let sizes = schema::check(&program.schema, limits)?;
    let mut kinds = Kinds::new(&program.schema, &sizes);
    let constants = tables::check(program, &mut kinds)?;
    entries::check_inputs(program)?;
    let mut work = Work::for_program(program, limits);
    code::check(program, &mut work)?;
    let summaries = flow::check(program, &mut kinds, &constants, &mut work)?;
    let flowed = entries::Flowed { program, constants: &constants, summaries: &summaries };
    let certified = entries::check(&flowed, &mut kinds, &mut work)?;
    let failing = |entry: &Entry| entry.rules.iter().map(|rule| entries::may_fail(&flowed, rule)).collect();
    Ok(Analysis { certified, may_fail: program.entries.iter().map(failing).collect() })
}

/// Makes a program one that can run, or says why it can't.
///
/// # Errors
/// The first fault found.
pub fn verify(program: Program, limits: &Limits) -> Result<VerifiedProgram, VerifyError> {
    verify_knowing(program, limits, &KnownPatterns::default())
}

/// As `verify`, for whoever verifies many programs with the same patterns: those that are known are not compiled again.
///
/// # Errors
/// As of `verify`.
pub fn verify_knowing(
    program: Program,
    limits: &Limits,
    known: &KnownPatterns,
) -> Result<VerifiedProgram, VerifyError> {
    let analysis = analyse(&program, limits)?;
    let patterns = patterns::compile(&program, known)?;
    let mut bounds = Vec::with_capacity(program.entries.len());
    for (number, (entry, certified)) in program.entries.iter().zip(&analysis.certified).enumerate() {
        let refuse = |reason| Err(VerifyError::item(reason, "entry", number));
        if certified.bounds.stack_slots > limits.stack_slots_max {
            return refuse(Reason::StackSlots);
        }
        if certified.bounds.call_depth > limits.call_depth_max {
            return refuse(Reason::CallDepth);
        }
        if certified.cost != entry.cost {
            return refuse(Reason::CostWrong);
        }
        if certified.cost > limits.cost_max || certified.cost == u64::MAX {
            return refuse(Reason::CostTooHigh);
        }
        bounds.push(certified.bounds);
    }
    Ok(VerifiedProgram { program, bounds, patterns })
}

/// Fills in what a program says of itself and the verifier recomputes: the cost of every entry, and which rules may fail.
///
/// # Errors
/// As of `verify`: a program that is refused for another reason is not certified.
pub fn certify(program: &mut Program) -> Result<(), VerifyError> {
    let analysis = analyse(program, &Limits::STANDARD)?;
    for ((entry, certified), failing) in program.entries.iter_mut().zip(&analysis.certified).zip(&analysis.may_fail) {
        entry.cost = certified.cost;
        for (rule, failing) in entry.rules.iter_mut().zip(failing) {
            rule.may_fail = *failing;
        }
    }
    Ok(())
}

/// Fills in the cost of every entry, and leaves to the compiler which rules may fail: it knows more of intervals and of
/// what is present.
///
/// # Errors
/// As of `verify`: a program that is refused for another reason is not certified.
pub fn certify_costs(program: &mut Program) -> Result<(), VerifyError> {
    let analysis = analyse(program, &Limits::STANDARD)?;
    for (entry, certified) in program.entries.iter_mut().zip(&analysis.certified) {
        entry.cost = certified.cost;
    }
    Ok(())
}
