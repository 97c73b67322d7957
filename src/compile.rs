//! From the typed tree to a program: schema, pools, lowering, sharing, the rule index.
//!
//! This layer never looks at source text (spans pass through it as numbers) and never runs anything. The same typed
//! tree always gives the same program: everything that is numbered is numbered in the order in which the source names it,
//! or sorted.
//!
//! ```text
//! schema ─▶ pool (strings, constants, …) ◀─ lower (expressions) ◀─ entry (rules of an action) ◀─ index
//!                                             │
//!                                             └─▶ finish (sorts strings and sites, certifies costs)
//! ```

pub mod claims;
pub mod coverage;
mod entry;
mod finish;
mod function;
mod index;
mod lower;
mod matching;
mod pool;
mod schema;
mod shape;

use crate::base::span::Span;
use crate::bytecode::program::Program;
use crate::diagnostic::Diagnostics;
use crate::types::typed::{ActionId, TypedPolicy};

/// A compiled package: the program, and where its sites are.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// For each site, in order, its place: the source map.
    pub sites: Vec<Span>,
}

/// Compiles a checked package.
///
/// # Errors
/// A diagnostic where a limit of the bytecode is passed: slots of a function, numbers of constants, certified cost.
pub fn compile(policy: &TypedPolicy, sink: &mut Diagnostics) -> Option<Compiled> {
    compile_actions(policy, &|_| true, sink)
}

/// Compiles a checked package with the rules of some actions only, for whoever asks about no others: on those that are
/// left out nothing matches, so that every request is denied.
///
/// # Errors
/// As of `compile`.
pub fn compile_actions(
    policy: &TypedPolicy,
    is_wanted: &dyn Fn(ActionId) -> bool,
    sink: &mut Diagnostics,
) -> Option<Compiled> {
    let mut pool = pool::Pool::new(schema::schema(policy));
    let mut active = entry::active(policy);
    for (number, action) in policy.actions.iter().enumerate() {
        let id = ActionId(number as u32);
        if !is_wanted(id) {
            active.leave_out(id);
        }
        entry::compile_action(policy, &active, &mut pool, number as u32, action);
    }
    finish::finish(pool, sink)
}
