//! Actions that look governed and are not: they are in a group of a module that has rules on it, and nothing includes
//! that module. A guard-rail that was imported and never activated guards nothing, and nobody would see it.

use std::collections::HashSet;

use crate::base::span::FileId;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::types::package::Package;
use crate::types::typed::{ActionId, Instance, ModuleId};
use crate::types::world::World;

/// Warns of each action of the package whose groups have rules in modules that are not active.
pub fn check(world: &World, package: &Package, instances: &[Instance], sink: &mut Diagnostics) {
    let active: HashSet<ModuleId> = instances.iter().map(|instance| instance.module).collect();
    let module_of = |file: FileId| {
        let place = package.modules.iter().position(|module| module.file.file == file);
        place.map(|place| ModuleId(place as u32))
    };
    for (at, action) in world.actions.iter().enumerate() {
        let Some(own) = module_of(action.span.file).filter(|module| world.modules[module.index()].own) else {
            continue;
        };
        // Where the action's own module is not active either, the package is there for others to include.
        if !active.contains(&own) {
            continue;
        }
        let mut inactive: Vec<ModuleId> =
            action.groups.iter().filter_map(|group| module_of(world.groups[group.index()].span.file)).collect();
        inactive.retain(|module| !active.contains(module) && has_rules(world, *module, ActionId(at as u32)));
        inactive.sort_unstable();
        inactive.dedup();
        for module in inactive {
            let name = &world.modules[module.index()].name;
            sink.push(
                Diagnostic::warning(
                    Code::Unguarded,
                    action.span,
                    format!("action `{}` is in a group of `{name}`, whose rules are not active", action.name),
                )
                .label("they do not hold here")
                .help(format!("add `include {name}`")),
            );
        }
    }
}

/// Whether something in the module would count for the action.
fn has_rules(world: &World, module: ModuleId, action: ActionId) -> bool {
    let policies = world.policies.iter().filter(|policy| !policy.shadow).map(|policy| (policy.module, &policy.actions));
    let invariants = world.invariants.iter().map(|invariant| (invariant.module, &invariant.actions));
    policies.chain(invariants).any(|(of, actions)| of == module && actions.contains(&action))
}
