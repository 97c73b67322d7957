//! `use`: imported names are bound, and those that nobody looks at are reported.

use std::sync::Arc;

use super::duplicate;
use crate::data::similar::best_match;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ItemKind, Name};
use crate::types::package::Package;
use crate::types::resolve::suggestions_wanted;
use crate::types::typed::ModuleId;
use crate::types::world::{Definition, World, dotted};

/// Binds the imports of all modules. Modules may import from each other.
pub fn bind(world: &mut World, package: &Package, sink: &mut Diagnostics) {
    for (at, loaded) in package.modules.iter().enumerate() {
        let module = ModuleId(at as u32);
        for item in &loaded.file.items {
            if let ItemKind::Use(written) = &item.kind {
                bind_one(world, package, module, written, sink);
            }
        }
    }
}

fn bind_one(world: &mut World, package: &Package, module: ModuleId, written: &ast::Use, sink: &mut Diagnostics) {
    let parts = &written.path.parts;
    let whole = world.module_by_name.get(dotted(parts).as_str()).copied();
    if let Some(names) = &written.names {
        if whole.is_none() {
            sink.push(unknown_module(package, &written.path, sink));
        }
        for imported in names {
            let name = imported.alias.as_ref().unwrap_or(&imported.name);
            match whole.and_then(|other| member(world, other, &imported.name, sink)) {
                Some(definition) => insert(world, module, name, definition, sink),
                None => poison(world, module, name),
            }
        }
        return;
    }
    let Some((last, before)) = parts.split_last() else { return };
    let name = written.alias.as_ref().unwrap_or(last);
    if let Some(other) = whole {
        insert(world, module, name, Definition::Module(other), sink);
        return;
    }
    let holder = if before.is_empty() { None } else { world.module_by_name.get(dotted(before).as_str()).copied() };
    let Some(other) = holder else {
        sink.push(unknown_module(package, &written.path, sink));
        return poison(world, module, name);
    };
    match member(world, other, last, sink) {
        Some(definition) => insert(world, module, name, definition, sink),
        None => poison(world, module, name),
    }
}

fn poison(world: &mut World, module: ModuleId, name: &Name) {
    world.modules[module.index()].scope.faulty.insert(name.text.clone());
}

fn member(world: &World, module: ModuleId, name: &Name, sink: &mut Diagnostics) -> Option<Definition> {
    let found = world.member(module, &name.text);
    if found.is_none() {
        let info = &world.modules[module.index()];
        let declared = info.scope.names.iter().filter(|(name, _)| world.member(module, name).is_some());
        let best = suggestions_wanted(sink).then(|| best_match(&name.text, declared.map(|(name, _)| &**name)));
        let mut fault = Diagnostic::error(
            Code::UnknownName,
            name.span,
            format!("module `{}` declares no `{}`", info.name, name.text),
        )
        .label("not declared there");
        if let Some(best) = best.flatten() {
            fault = fault.help(format!("did you mean `{best}`?")).fix(name.span, best);
        }
        if let Some(policy) = info.scope.policies.get(&name.text).or_else(|| info.scope.rules.get(&name.text)) {
            fault = fault
                .secondary(policy.span, "this is not a name that can be imported")
                .help(format!("policies and rules are named with their module: `{}.{}`", info.name, name.text));
        }
        sink.push(fault);
    }
    found
}

fn insert(world: &mut World, module: ModuleId, name: &Name, definition: Definition, sink: &mut Diagnostics) {
    let names = &mut world.modules[module.index()].scope.names;
    let same = names.get(&name.text).is_some_and(|binding| binding.imported && binding.definition == definition);
    let Err(first) = names.insert(&name.text, definition, name.span, true) else { return };
    if same {
        sink.push(
            Diagnostic::warning(Code::DuplicateImport, name.span, format!("`{}` is imported twice", name.text))
                .label("again")
                .secondary(first, "first imported here")
                .help("remove one of them"),
        );
    } else {
        let alias = format!("give the import another name: `{} as other`", name.text);
        sink.push(duplicate("the name", name, first).help(alias));
    }
}

/// The fault of a module that does not exist.
pub fn unknown_module(package: &Package, path: &ast::Path, sink: &Diagnostics) -> Diagnostic {
    let name = dotted(&path.parts);
    let wanted = suggestions_wanted(sink);
    let known = || package.known.iter().map(|name: &Arc<str>| &**name);
    let best = if wanted { best_match(&name, known()) } else { None };
    let mut fault = Diagnostic::error(Code::UnknownModule, path.span, format!("there is no module `{name}`"))
        .label("not in this package, its dependencies or `std`");
    if let Some(best) = best {
        fault = fault.help(format!("did you mean `{best}`?"));
    } else if let Some((_, before)) = path.parts.split_last()
        && !before.is_empty()
        && let Some(best) = best_match(&dotted(before), known()).filter(|_| wanted)
    {
        fault = fault.help(format!("did you mean a name of the module `{best}`?"));
    } else if &*path.parts[0].text != "std" {
        fault = fault.help("a module of another package needs that package in `[dependencies]` of `pdl.toml`");
    }
    fault
}

/// Reports the imports that nothing looked up; to be called when everything was resolved.
pub fn report_unused(world: &World, sink: &mut Diagnostics) {
    for module in world.modules.iter().filter(|module| module.own) {
        for (name, binding) in module.scope.names.iter() {
            if binding.imported && !binding.used.get() {
                sink.push(
                    Diagnostic::warning(Code::UnusedImport, binding.span, format!("`{name}` is imported and not used"))
                        .label("not used")
                        .help("remove it"),
                );
            }
        }
    }
}
