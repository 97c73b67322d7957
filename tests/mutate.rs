//! Mutants: what each operator makes of a policy, and what holds for all of them.

mod laws;
mod operators;

use std::collections::BTreeSet;

use pdl::mutate::{Mutant, mutants};
use pdl::types::typed::{ModuleId, TypedPolicy};

/// The mutants of the package's own modules.
pub fn own(policy: &TypedPolicy) -> Vec<Mutant> {
    let ids = (0..policy.modules.len() as u32).map(ModuleId);
    mutants(policy, &ids.filter(|id| policy.modules[id.index()].own).collect::<BTreeSet<_>>())
}
