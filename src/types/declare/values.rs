//! Constants and records, in the order of their dependencies; parameters of modules.
//!
//! A bound in a record's field may be a constant, and a constant may be a record: both are nodes of one graph.

use std::collections::HashMap;

use super::{Items, fields};
use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ItemKind};
use crate::types::bodies::evaluate_constant;
use crate::types::graph::{Edge, order};
use crate::types::package::Package;
use crate::types::references::{Mention, of_expr, of_type};
use crate::types::ty::Type;
use crate::types::typed::{Const, ModuleId, RecordId};
use crate::types::world::{ConstId, Definition, World};

/// Resolves all records and evaluates all constants.
pub fn resolve(world: &mut World, package: &Package, items: &Items, sink: &mut Diagnostics) {
    world.record_places = vec![HashMap::new(); world.records.len()];
    let constants = items.constants.len();
    let ordered = order(constants + items.records.len(), |node| edges(world, package, items, node));
    for cycle in &ordered.cycles {
        report_cycle(world, constants, cycle, sink);
    }
    let mut faulty = vec![false; constants + items.records.len()];
    ordered.cycles.iter().flatten().for_each(|&(node, _)| faulty[node] = true);
    for &node in &ordered.nodes {
        if node < constants {
            if !faulty[node] {
                constant(world, package, items, node, sink);
            }
        } else {
            record(world, package, items, node - constants, sink);
        }
    }
}

fn edges(world: &World, package: &Package, items: &Items, node: usize) -> Vec<Edge<Span>> {
    let constants = items.constants.len();
    let source = if node < constants { items.constants[node] } else { items.records[node - constants] };
    let mut edges = Vec::new();
    let mut found = |mention: Mention<'_>| {
        let Mention::Chain(names) = mention else { return };
        let span = names.iter().fold(names[0].span, |whole, name| whole.to(name.span));
        match world.lookup_prefix(source.module, &names) {
            Some((Definition::Const(ConstId(id)), _)) => edges.push((id as usize, span)),
            Some((Definition::Record(RecordId(id)), _)) => edges.push((constants + id as usize, span)),
            _ => {}
        }
    };
    match &source.get(package).kind {
        ItemKind::Const(written) => {
            written.ty.iter().for_each(|ty| of_type(ty, &mut found));
            of_expr(&written.value, &mut found);
        }
        ItemKind::Record(written) => written.fields.iter().for_each(|field| of_type(&field.ty, &mut found)),
        _ => {}
    }
    edges
}

fn report_cycle(world: &World, constants: usize, cycle: &[Edge<Span>], sink: &mut Diagnostics) {
    let name = |node: usize| match node.checked_sub(constants) {
        None => &*world.constants[node].name,
        Some(record) => &*world.records[record].name,
    };
    let Some(&(first, span)) = cycle.first() else { return };
    let only_records = cycle.iter().all(|&(node, _)| node >= constants);
    let mut chain: Vec<String> = cycle.iter().map(|&(node, _)| format!("`{}`", name(node))).collect();
    chain.push(format!("`{}`", name(first)));
    let chain = chain.join(" → ");
    let mut fault = if only_records {
        Diagnostic::error(Code::RecursiveRecord, span, format!("record `{}` holds itself: {chain}", name(first)))
            .help("a value has to end: leave one of these fields away, or make it an entity")
    } else {
        Diagnostic::error(Code::ConstantCycle, span, format!("`{}` depends on itself: {chain}", name(first)))
            .help("write one of these values out")
    };
    for pair in cycle.windows(2).take(8) {
        fault = fault.secondary(pair[1].1, format!("`{}` needs this", name(pair[1].0)));
    }
    sink.push(fault.label(format!("`{}` needs this", name(first))));
}

fn constant(world: &mut World, package: &Package, items: &Items, at: usize, sink: &mut Diagnostics) {
    let source = items.constants[at];
    let ItemKind::Const(written) = &source.get(package).kind else { return };
    let declared = written.ty.as_ref().map(|ty| world.resolve_type(source.module, ty, sink));
    let expected = declared.as_ref().filter(|ty| **ty != Type::Unknown);
    let value = evaluate_constant(world, source.module, &[], &written.value, expected, sink);
    let def = &mut world.constants[at];
    if let Some((ty, value)) = value {
        def.ty = declared.unwrap_or(ty);
        def.value = Some(value);
    } else if let Some(ty) = declared {
        def.ty = ty;
    }
}

fn record(world: &mut World, package: &Package, items: &Items, at: usize, sink: &mut Diagnostics) {
    let source = items.records[at];
    let ItemKind::Record(written) = &source.get(package).kind else { return };
    let (fields, places) = fields::resolve(world, source.module, &written.fields, fields::Place::Record, sink);
    world.records[at].fields = fields;
    world.record_places[at] = places;
}

/// Resolves the parameters of all modules and evaluates their defaults.
pub fn parameters(world: &mut World, package: &Package, sink: &mut Diagnostics) {
    for (at, loaded) in package.modules.iter().enumerate() {
        let module = ModuleId(at as u32);
        let written: &[ast::Parameter] = loaded.file.module.as_ref().map_or(&[], |header| &header.parameters);
        for (place, parameter) in written.iter().enumerate() {
            let ty = world.resolve_type(module, &parameter.ty, sink);
            let default: Option<Const> =
                parameter.default.as_ref().filter(|_| ty != Type::Unknown).and_then(|default| {
                    evaluate_constant(world, module, &[], default, Some(&ty), sink).map(|(_, value)| value)
                });
            let info = &mut world.modules[at].parameters[place];
            info.def.ty = ty;
            info.default = default;
        }
    }
}
