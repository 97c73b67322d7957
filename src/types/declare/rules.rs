//! What policies, invariants and claims are for: the actions of each.

use super::actions::named_actions;
use crate::diagnostic::Diagnostics;
use crate::syntax::ast::ItemKind;
use crate::types::package::Package;
use crate::types::typed::ActionId;
use crate::types::world::{Definition, World};

/// Resolves what stands after `on`; the invariants of a governed record are for all actions on it.
pub fn resolve(world: &mut World, package: &Package, sink: &mut Diagnostics) {
    for at in 0..world.policy_sources.len() {
        let source = world.policy_sources[at].source;
        if let ItemKind::Policy(written) = &source.get(package).kind {
            world.policy_sources[at].actions = named_actions(world, source.module, &written.on, sink);
        }
    }
    for at in 0..world.invariant_sources.len() {
        let source = world.invariant_sources[at].source;
        world.invariant_sources[at].actions = match &source.get(package).kind {
            ItemKind::Invariant(written) => named_actions(world, source.module, &written.on, sink),
            ItemKind::GovernedRecord(written) => actions_on(world, source.module, &written.name.text),
            _ => Vec::new(),
        };
    }
    for at in 0..world.prove_sources.len() {
        let source = world.prove_sources[at].source;
        if let ItemKind::Prove(written) = &source.get(package).kind {
            world.prove_sources[at].actions = named_actions(world, source.module, &written.on, sink);
        }
    }
}

fn actions_on(world: &World, module: crate::types::typed::ModuleId, record: &str) -> Vec<ActionId> {
    let Some(Definition::Entity(record)) = world.member(module, record) else { return Vec::new() };
    let on_it = world.actions.iter().enumerate().filter(|(_, action)| action.resource.contains(&record));
    on_it.map(|(at, _)| ActionId(at as u32)).collect()
}
