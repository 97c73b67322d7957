//! From parsed modules to the world of declarations, in phases that each need the ones before:
//!
//! 1. every declared name gets an id (`collect`, with `lifecycles`), then the imported names are bound (`imports`);
//! 2. constants and records, in the order of their dependencies (`values`), then parameters of modules;
//! 3. entity types (`entities`), actions and groups (`actions`), obligations and functions (`functions`);
//! 4. what policies, invariants and claims are for (`rules`).
//!
//! A declaration that is faulty keeps its id, so that one fault gives one message. Nothing here looks into the bodies
//! of functions, policies or tests.

mod actions;
mod collect;
mod entities;
mod fields;
mod functions;
mod imports;
mod lifecycles;
mod rules;
mod values;

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast;
use crate::types::package::Package;
use crate::types::world::{ItemRef, World};

pub use imports::{report_unused as report_unused_imports, unknown_module};

/// Where each definition of the world was written, list by list.
#[derive(Debug, Default)]
struct Items {
    constants: Vec<ItemRef>,
    records: Vec<ItemRef>,
    entities: Vec<ItemRef>,
    actions: Vec<ItemRef>,
    groups: Vec<ItemRef>,
    obligations: Vec<ItemRef>,
    functions: Vec<ItemRef>,
}

/// Collects, resolves and checks all declarations of a package.
#[must_use]
pub fn declare(package: &Package, sink: &mut Diagnostics) -> World {
    let (mut world, items) = collect::collect(package, sink);
    imports::bind(&mut world, package, sink);
    values::resolve(&mut world, package, &items, sink);
    values::parameters(&mut world, package, sink);
    entities::resolve(&mut world, package, &items, sink);
    actions::resolve(&mut world, package, &items, sink);
    functions::obligations(&mut world, package, &items, sink);
    functions::resolve(&mut world, package, &items, sink);
    rules::resolve(&mut world, package, sink);
    wire_names(&mut world, &items);
    world
}

/// Requests, entities and decisions name a thing by its simple name, unless another of its sort shares it.
///
/// What is declared in a dependency or in `std` gives way to what the package itself declares: nobody's requests change
/// because a library, imported for something else, has an action of that name too.
fn wire_names(world: &mut World, items: &Items) {
    type Names<'a> = (&'a Arc<str>, &'a Arc<str>, &'a mut Arc<str>);
    fn choose<'a>(names: impl Iterator<Item = Names<'a>>, is_own: Vec<bool>) {
        let names: Vec<(Names<'a>, bool)> = names.zip(is_own).collect();
        // How many there are of a simple name: the package's own, and all.
        let mut counts: HashMap<Arc<str>, (usize, usize)> = HashMap::new();
        for ((simple, ..), is_own) in &names {
            let (own, all) = counts.entry((*simple).clone()).or_default();
            *own += usize::from(*is_own);
            *all += 1;
        }
        for ((simple, qualified, wire), is_own) in names {
            let is_only = match counts.get(simple) {
                Some((own, all)) => *all == 1 || (is_own && *own == 1),
                None => false,
            };
            *wire = if is_only { simple.clone() } else { qualified.clone() };
        }
    }
    let modules = &world.modules;
    let own = |items: &[ItemRef]| items.iter().map(|item| modules[item.module.index()].own).collect();
    let (entities, actions, obligations) = (own(&items.entities), own(&items.actions), own(&items.obligations));
    choose(world.entity_types.iter_mut().map(|d| (&d.name, &d.qualified, &mut d.wire)), entities);
    choose(world.actions.iter_mut().map(|d| (&d.name, &d.qualified, &mut d.wire)), actions);
    choose(world.obligations.iter_mut().map(|d| (&d.name, &d.qualified, &mut d.wire)), obligations);
}

/// The fault of a second declaration.
fn duplicate(what: &str, name: &ast::Name, first: Span) -> Diagnostic {
    Diagnostic::error(Code::DuplicateName, name.span, format!("{what} `{}` is declared twice", name.text))
        .label("declared again")
        .secondary(first, "first declared here")
        .help("rename one of them, or remove it")
}

/// A list without repetition: reports a name that was there already.
#[derive(Default)]
struct Distinct<'a> {
    first: HashMap<&'a str, Span>,
}

impl<'a> Distinct<'a> {
    /// Whether the name is new.
    fn is_new(&mut self, what: &str, name: &'a ast::Name, sink: &mut Diagnostics) -> bool {
        match self.first.get(&*name.text) {
            Some(&first) => {
                sink.push(duplicate(what, name, first));
                false
            }
            None => {
                self.first.insert(&name.text, name.span);
                true
            }
        }
    }
}
