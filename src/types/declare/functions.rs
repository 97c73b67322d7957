//! Obligations, and functions and tables by what they take and give, in the order of their calls.

use super::{Distinct, Items};
use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ItemKind};
use crate::types::graph::{Edge, order};
use crate::types::package::Package;
use crate::types::references::{Mention, of_expr};
use crate::types::typed::{FunctionId, LocalId, ModuleId, ParameterDef};
use crate::types::world::{Definition, FunctionSignature, ItemRef, World};

/// Resolves the parameters of all obligations.
pub fn obligations(world: &mut World, package: &Package, items: &Items, sink: &mut Diagnostics) {
    for (at, source) in items.obligations.iter().enumerate() {
        let ItemKind::Obligation(written) = &source.get(package).kind else { continue };
        world.obligations[at].parameters = parameters(world, source.module, &written.parameters, sink);
    }
}

/// Resolves the signatures of all functions and tables, and numbers them so that callees come first.
pub fn resolve(world: &mut World, package: &Package, items: &Items, sink: &mut Diagnostics) {
    let sources = &items.functions;
    let ordered = order(sources.len(), |node| calls(world, package, sources[node]));
    let parts: Vec<_> = sources.iter().map(|source| parts(package, *source)).collect();
    for cycle in &ordered.cycles {
        report_recursion(&parts, cycle, sink);
    }
    // Signatures are resolved in source order, so that the cap on faults keeps the first; then they are numbered.
    let mut signatures: Vec<Option<FunctionSignature>> = Vec::with_capacity(sources.len());
    for (source, parts) in sources.iter().zip(&parts) {
        signatures.push(parts.as_ref().map(|parts| FunctionSignature {
            name: parts.name.text.clone(),
            source: *source,
            parameters: parameters(world, source.module, parts.parameters, sink),
            result: world.resolve_type(source.module, parts.result, sink),
            span: parts.name.span,
        }));
    }
    let mut ids = vec![FunctionId(0); sources.len()];
    for node in ordered.nodes {
        if let Some(signature) = signatures[node].take() {
            ids[node] = FunctionId(world.signatures.len() as u32);
            world.signatures.push(signature);
        }
    }
    for module in &mut world.modules {
        module.scope.names.renumber(|definition| match definition {
            Definition::Function(FunctionId(id)) => Definition::Function(ids[id as usize]),
            other => other,
        });
    }
}

struct Parts<'a> {
    name: &'a ast::Name,
    parameters: &'a [ast::Parameter],
    result: &'a ast::Type,
}

fn parts(package: &Package, source: ItemRef) -> Option<Parts<'_>> {
    match &source.get(package).kind {
        ItemKind::Function(f) => Some(Parts { name: &f.name, parameters: &f.parameters, result: &f.result }),
        ItemKind::Table(t) => Some(Parts { name: &t.name, parameters: &t.parameters, result: &t.result }),
        _ => None,
    }
}

fn calls(world: &World, package: &Package, source: ItemRef) -> Vec<Edge<Span>> {
    let mut edges = Vec::new();
    let mut found = |mention: Mention<'_>| {
        if let Mention::Call(path) = mention
            && let Some(Definition::Function(id)) = world.lookup(source.module, path)
        {
            edges.push((id.index(), path.span));
        }
    };
    match &source.get(package).kind {
        ItemKind::Function(written) => of_expr(&written.body, &mut found),
        ItemKind::Table(written) => written.rows.iter().for_each(|row| of_expr(&row.value, &mut found)),
        _ => {}
    }
    edges
}

fn report_recursion(parts: &[Option<Parts<'_>>], cycle: &[Edge<Span>], sink: &mut Diagnostics) {
    let name = |node: usize| parts[node].as_ref().map_or("", |parts| &*parts.name.text);
    let Some(&(first, span)) = cycle.first() else { return };
    let mut chain: Vec<String> = cycle.iter().map(|&(node, _)| format!("`{}`", name(node))).collect();
    chain.push(format!("`{}`", name(first)));
    let mut fault = Diagnostic::error(
        Code::RecursiveFunction,
        span,
        format!("function `{}` calls itself: {}", name(first), chain.join(" → ")),
    )
    .label(format!("`{}` calls this", name(first)));
    for pair in cycle.windows(2).take(8) {
        fault = fault.secondary(pair[1].1, format!("`{}` calls this", name(pair[1].0)));
    }
    sink.push(
        fault.help("every decision has to end: write it without recursion, perhaps with `any`, `all` or `count`"),
    );
}

fn parameters(
    world: &World,
    module: ModuleId,
    written: &[ast::Parameter],
    sink: &mut Diagnostics,
) -> Vec<ParameterDef> {
    let mut distinct = Distinct::default();
    let mut parameters = Vec::with_capacity(written.len());
    for parameter in written {
        distinct.is_new("parameter", &parameter.name, sink);
        if let Some(default) = &parameter.default {
            sink.push(
                Diagnostic::error(
                    Code::MisplacedDefault,
                    default.span,
                    format!("the parameter `{}` can't have a default", parameter.name.text),
                )
                .label("only parameters of modules have defaults")
                .help("remove the default"),
            );
        }
        parameters.push(ParameterDef {
            name: parameter.name.text.clone(),
            ty: world.resolve_type(module, &parameter.ty, sink),
            local: LocalId(parameters.len() as u32),
        });
    }
    parameters
}
