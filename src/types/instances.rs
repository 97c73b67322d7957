//! `include`: which modules are active, with which values for their parameters.
//!
//! The package's own modules without parameters are active once. A module with parameters, or of a dependency or the
//! standard library, becomes active by an `include` in an active one. The arguments may read the parameters of the
//! module they stand in, so they are evaluated for each of its instances.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::limits::INSTANCES_MAX;
use crate::base::span::Span;
use crate::data::similar::best_match;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ItemKind};
use crate::types::bodies::evaluate_constant;
use crate::types::declare::unknown_module;
use crate::types::graph::order;
use crate::types::package::Package;
use crate::types::ty::Type;
use crate::types::typed::{Const, Instance, ModuleId};
use crate::types::world::World;

/// The active instances, in source order: that of their modules, then that in which they were met.
#[must_use]
pub fn activate(world: &World, package: &Package, sink: &mut Diagnostics) -> Vec<Instance> {
    let includes: Vec<Vec<Include<'_>>> =
        (0..package.modules.len()).map(|at| includes_of(world, package, ModuleId(at as u32), sink)).collect();
    let graph = order(includes.len(), |node| {
        includes[node].iter().map(|include| (include.module.index(), include.written.path.span)).collect()
    });
    for cycle in &graph.cycles {
        let Some(&(first, span)) = cycle.first() else { continue };
        let name = |node: usize| &*world.modules[node].name;
        let mut chain: Vec<String> = cycle.iter().map(|&(node, _)| format!("`{}`", name(node))).collect();
        chain.push(format!("`{}`", name(first)));
        let message = format!("module `{}` includes itself: {}", name(first), chain.join(" → "));
        let mut fault = Diagnostic::error(Code::IncludeCycle, span, message).label("includes the next one");
        for (_, span) in cycle.iter().skip(1).take(8) {
            fault = fault.secondary(*span, "and this the next");
        }
        sink.push(fault.help("remove one of these lines: `use` imports names without activating anything"));
    }
    let mut found =
        Found { world, includes: &includes, instances: Vec::new(), by_value: HashMap::new(), prefixes: HashMap::new() };
    let own = world.modules.iter().enumerate().filter(|(_, module)| module.own && module.parameters.is_empty());
    let mut open: Vec<usize> = Vec::new();
    for (at, module) in own {
        let span = package.modules[at].file.module.as_ref().map(|header| header.path.span);
        let span = span.unwrap_or(Span::new(package.modules[at].file.file, 0, 0));
        let instance =
            Instance { module: ModuleId(at as u32), prefix: module.name.clone(), arguments: Vec::new(), span };
        open.extend(found.add(instance, None, span, sink));
    }
    if graph.cycles.is_empty() {
        open.reverse();
        while let Some(at) = open.pop() {
            let mut inner = found.follow(at, sink);
            inner.reverse();
            open.extend(inner);
        }
    }
    let mut instances: Vec<Instance> = found.instances;
    instances.sort_by_key(|instance| instance.module);
    instances
}

/// An `include` whose module exists; its arguments by the module's parameters.
struct Include<'a> {
    module: ModuleId,
    written: &'a ast::Include,
    arguments: Vec<Option<&'a ast::Expr>>,
    span: Span,
}

fn includes_of<'a>(world: &World, package: &'a Package, module: ModuleId, sink: &mut Diagnostics) -> Vec<Include<'a>> {
    let mut includes = Vec::new();
    for item in &package.modules[module.index()].file.items {
        let ItemKind::Include(written) = &item.kind else { continue };
        match world.module_of(module, &written.path.parts) {
            Some(included) => {
                let arguments = match_arguments(world, included, written, sink);
                includes.push(Include { module: included, written, arguments, span: item.span });
            }
            None => sink.push(unknown_module(package, &written.path, sink)),
        }
    }
    includes
}

fn match_arguments<'a>(
    world: &World,
    module: ModuleId,
    written: &'a ast::Include,
    sink: &mut Diagnostics,
) -> Vec<Option<&'a ast::Expr>> {
    let info = &world.modules[module.index()];
    let mut arguments: Vec<Option<(&ast::Expr, Span)>> = vec![None; info.parameters.len()];
    for argument in &written.arguments {
        let name = &argument.name;
        let Some(place) = info.parameters.iter().position(|parameter| parameter.def.name == name.text) else {
            let best = best_match(&name.text, info.parameters.iter().map(|parameter| &*parameter.def.name));
            let help = match (best, info.parameters.is_empty()) {
                (Some(best), _) => Some(format!("did you mean `{best}`?")),
                (None, true) => Some("it has no parameters: remove the arguments".to_owned()),
                (None, false) => None,
            };
            let message = format!("module `{}` has no parameter `{}`", info.name, name.text);
            sink.push(Diagnostic::error(Code::UnknownParameter, name.span, message).help_if(help));
            continue;
        };
        if let Some((_, first)) = arguments[place] {
            let message = format!("the argument `{}` is given twice", name.text);
            sink.push(
                Diagnostic::error(Code::DuplicateArgument, name.span, message)
                    .label("again")
                    .secondary(first, "first here")
                    .help("remove one of them"),
            );
            continue;
        }
        arguments[place] = Some((&argument.value, name.span));
    }
    for (parameter, argument) in info.parameters.iter().zip(&arguments) {
        if argument.is_none() && !parameter.has_default {
            let message = format!("`{}` needs a value for its parameter `{}`", info.name, parameter.def.name);
            sink.push(
                Diagnostic::error(Code::MissingArgument, written.path.span, message)
                    .label("a value is missing")
                    .secondary(parameter.span, "the parameter has no default")
                    .help(format!("write `include {}({} = …)`", info.name, parameter.def.name)),
            );
        }
    }
    arguments.into_iter().map(|argument| argument.map(|(value, _)| value)).collect()
}

struct Found<'a> {
    world: &'a World,
    includes: &'a [Vec<Include<'a>>],
    instances: Vec<Instance>,
    /// Each instance by what it is, so that the same is active once.
    by_value: HashMap<(ModuleId, Vec<Const>), usize>,
    /// What names each instance, and where.
    prefixes: HashMap<Arc<str>, Span>,
}

impl Found<'_> {
    /// Makes the includes of an instance active; gives those that are new.
    fn follow(&mut self, outer: usize, sink: &mut Diagnostics) -> Vec<usize> {
        let includes = self.includes;
        let outer = self.instances[outer].clone();
        let Instance { module, prefix, .. } = &outer;
        let is_aliased = *prefix != self.world.modules[module.index()].name;
        let mut new = Vec::new();
        for include in &includes[module.index()] {
            let Some(values) = self.values(include, &outer, sink) else { continue };
            let included = &self.world.modules[include.module.index()];
            let name = include.written.alias.as_ref().map_or(&included.name, |alias| &alias.text);
            // Two instances of a module may each include others, with values of their own.
            let has_own_name = is_aliased && (include.written.alias.is_some() || !included.parameters.is_empty());
            let prefix: Arc<str> = if has_own_name { format!("{prefix}.{name}").into() } else { name.clone() };
            let span = include.written.alias.as_ref().map_or(include.written.path.span, |alias| alias.span);
            let instance = Instance { module: include.module, prefix, arguments: values, span };
            new.extend(self.add(instance, Some((include, &outer)), span, sink));
        }
        new
    }

    /// Says for which instance a fault was found, where the module may have several.
    fn within(&self, outer: &Instance, fault: Diagnostic) -> Diagnostic {
        match self.prefixes.get(&outer.prefix) {
            Some(&span) if !outer.arguments.is_empty() => {
                fault.secondary(span, format!("in the instance `{}`, made here", outer.prefix))
            }
            _ => fault,
        }
    }

    fn values(&self, include: &Include<'_>, outer: &Instance, sink: &mut Diagnostics) -> Option<Vec<Const>> {
        let parameters = &self.world.modules[include.module.index()].parameters;
        let mut values = Vec::with_capacity(parameters.len());
        let mut is_good = true;
        for (parameter, argument) in parameters.iter().zip(&include.arguments) {
            let value = match argument {
                Some(_) if parameter.def.ty == Type::Unknown => None,
                Some(argument) => {
                    let mut found = Diagnostics::default();
                    let expected = Some(&parameter.def.ty);
                    let value =
                        evaluate_constant(self.world, outer.module, &outer.arguments, argument, expected, &mut found);
                    sink.extend(found.finish().into_iter().map(|fault| self.within(outer, fault)));
                    value.map(|(_, value)| value)
                }
                None => parameter.default.clone(),
            };
            match value {
                Some(value) => values.push(value),
                None => is_good = false,
            }
        }
        is_good.then_some(values)
    }

    fn add(
        &mut self,
        instance: Instance,
        include: Option<(&Include<'_>, &Instance)>,
        span: Span,
        sink: &mut Diagnostics,
    ) -> Option<usize> {
        let place = |fault| match include {
            Some((_, outer)) => self.within(outer, fault),
            None => fault,
        };
        let key = (instance.module, instance.arguments.clone());
        let module = &self.world.modules[instance.module.index()].name;
        if let Some(&same) = self.by_value.get(&key) {
            let known = &self.instances[same].prefix;
            if include.is_some_and(|(include, _)| include.written.alias.is_some()) && *known != instance.prefix {
                let message = format!("`{module}` is active already with these values, as `{known}`");
                let fault = Diagnostic::error(Code::AmbiguousInstance, span, message)
                    .label("its rules can't have two ids")
                    .secondary(self.prefixes.get(known).copied().unwrap_or(span), "first here")
                    .help("remove the `as`, or give it other values");
                sink.push(place(fault));
            }
            return None;
        }
        if let Some(&first) = self.prefixes.get(&instance.prefix) {
            let message = match instance.prefix == *module {
                true => format!("`{module}` is active already with other values"),
                false => format!("there are two instances of modules called `{}`", instance.prefix),
            };
            let fault = Diagnostic::error(Code::AmbiguousInstance, span, message)
                .label("its rules would have ids that others have")
                .secondary(first, "first here");
            sink.push(place(fault.help(format!("name this instance: `include {module}(…) as other`"))));
            return None;
        }
        if instance.prefix != *module && self.world.module_by_name.contains_key(&instance.prefix) {
            let message = format!("`{}` is the name of a module", instance.prefix);
            sink.push(
                Diagnostic::error(Code::AmbiguousInstance, span, message)
                    .label("its rules would look like that module's")
                    .help("choose another name"),
            );
            return None;
        }
        if self.instances.len() >= INSTANCES_MAX {
            let span = include.map_or(span, |(include, _)| include.span);
            let message = format!("there are more than {INSTANCES_MAX} active instances of modules");
            sink.push(
                Diagnostic::error(Code::TooManyInstances, span, message)
                    .help("put what differs into context or attributes, and not into parameters"),
            );
            return None;
        }
        let at = self.instances.len();
        self.by_value.insert(key, at);
        self.prefixes.insert(instance.prefix.clone(), span);
        self.instances.push(instance);
        Some(at)
    }
}
