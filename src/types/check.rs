//! From a parsed package to its typed tree: the phases in their order.

use crate::diagnostic::Diagnostics;
use crate::types::package::Package;
use crate::types::typed::{Instance, Module, TestDef, TypedPolicy};
use crate::types::world::World;
use crate::types::{bodies, deadlines, declare, instances, origins, test_blocks, unguarded};

/// Checks a package. All faults of all phases are reported; there is a tree only if the sink has no error at the end,
/// those that were in it before included.
#[must_use]
pub fn check(package: &Package, sink: &mut Diagnostics) -> Option<TypedPolicy> {
    let mut world = declare::declare(package, sink);
    bodies::check_functions(&mut world, package, sink);
    bodies::check_policies(&mut world, package, sink);
    let instances = instances::activate(&world, package, sink);
    deadlines::check(&world, &instances, sink);
    let tests = test_blocks::check(&world, package, &instances, sink);
    if !sink.has_errors() {
        origins::check(&world, sink);
    }
    if sink.has_errors() {
        return None;
    }
    // What could not be read may have used them.
    declare::report_unused_imports(&world, sink);
    unguarded::check(&world, package, &instances, sink);
    Some(assemble(package, world, instances, tests))
}

fn assemble(package: &Package, world: World, instances: Vec<Instance>, tests: Vec<TestDef>) -> TypedPolicy {
    let modules = world.modules.into_iter().map(|module| Module {
        name: module.name,
        parameters: module.parameters.into_iter().map(|parameter| parameter.def).collect(),
        own: module.own,
    });
    TypedPolicy {
        name: package.name.clone(),
        version: package.version.clone(),
        sources: package.sources.clone(),
        modules: modules.collect(),
        instances,
        enums: world.enums,
        records: world.records,
        entity_types: world.entity_types,
        actions: world.actions,
        groups: world.groups,
        obligations: world.obligations,
        functions: world.functions,
        policies: world.policies,
        invariants: world.invariants,
        proves: world.proves,
        tests,
    }
}
