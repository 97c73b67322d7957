//! What names stand for, as far as a page has to know: where something is declared, and the heading it has there.

use crate::document::library::Library;
use crate::document::markdown;
use crate::syntax::ast::{self, Item, ItemKind, Name};

/// Where something is declared: its module and its place among the items there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The module's place in the library.
    pub module: usize,
    /// The item's place in its file.
    pub item: usize,
}

/// The word for what an item declares, as it begins a heading, and its name; nothing of what declares nothing that
/// could be named.
pub fn declared(item: &Item) -> Option<(&'static str, &Name)> {
    Some(match &item.kind {
        ItemKind::Const(one) => ("Constant", &one.name),
        ItemKind::Enum(one) => ("Enum", &one.name),
        ItemKind::Record(one) => ("Record", &one.name),
        ItemKind::GovernedRecord(one) => ("Governed record", &one.name),
        ItemKind::Entity(one) => ("Entity type", &one.name),
        ItemKind::Action(one) if one.is_group => ("Action group", &one.name),
        ItemKind::Action(one) => ("Action", &one.name),
        ItemKind::Obligation(one) => ("Obligation", &one.name),
        ItemKind::Function(one) => ("Function", &one.name),
        ItemKind::Table(one) => ("Table", &one.name),
        ItemKind::Lifecycle(one) => ("Lifecycle", &one.name),
        ItemKind::Policy(one) => ("Policy", &one.name),
        ItemKind::Invariant(one) => ("Invariant", &one.name),
        ItemKind::Prove(one) => ("Claims", &one.name),
        ItemKind::Use(_) | ItemKind::Include(_) | ItemKind::Test(_) | ItemKind::Error => return None,
    })
}

/// Whether an item is found by the names of types and actions: policies, invariants and claims have names of their
/// own.
fn is_plain(item: &Item) -> bool {
    !matches!(item.kind, ItemKind::Policy(_) | ItemKind::Invariant(_) | ItemKind::Prove(_))
}

/// The heading of an item.
pub fn heading(word: &str, name: &str) -> String {
    format!("{word} {}", markdown::code(name))
}

impl Library {
    /// What a path written in a module stands for.
    pub fn find(&self, module: usize, path: &ast::Path) -> Option<Place> {
        let parts: Vec<&str> = path.parts.iter().map(|part| &*part.text).collect();
        match parts[..] {
            [name] => self.declaration(module, name).or_else(|| self.imported(module, name)),
            [ref before @ .., name] => {
                let before = before.join(".");
                let other = self.place(&before).or_else(|| self.module_called(module, &before))?;
                self.declaration(other, name)
            }
            [] => None,
        }
    }

    /// A type, action or the like that a module declares.
    fn declaration(&self, module: usize, name: &str) -> Option<Place> {
        let items = &self.modules.get(module)?.file.items;
        let is_it = |item: &Item| is_plain(item) && declared(item).is_some_and(|(_, found)| &*found.text == name);
        Some(Place { module, item: items.iter().position(is_it)? })
    }

    /// What a `use` of a module brings under a name.
    fn imported(&self, module: usize, name: &str) -> Option<Place> {
        self.uses(module).find_map(|written| match &written.names {
            Some(names) => {
                let one = names.iter().find(|one| &*one.alias.as_ref().unwrap_or(&one.name).text == name)?;
                self.declaration(self.place(&dotted(&written.path.parts))?, &one.name.text)
            }
            None => {
                let (last, before) = written.path.parts.split_last()?;
                let called = written.alias.as_ref().unwrap_or(last);
                if &*called.text != name {
                    return None;
                }
                self.declaration(self.place(&dotted(before))?, &last.text)
            }
        })
    }

    /// The module that a `use` gives a short name.
    fn module_called(&self, module: usize, name: &str) -> Option<usize> {
        self.uses(module).find_map(|written| {
            let called = written.alias.as_ref().or(written.path.parts.last())?;
            (written.names.is_none() && &*called.text == name).then(|| self.place(&dotted(&written.path.parts)))?
        })
    }

    /// Whether the rules of a module hold: those of the package's own hold if they have no parameters, others by an
    /// `include`.
    pub fn is_active(&self, module: usize) -> bool {
        let Some(asked) = self.modules.get(module) else { return false };
        let has_parameters = asked.file.module.as_ref().is_some_and(|header| !header.parameters.is_empty());
        let mut items = self.modules.iter().flat_map(|module| &module.file.items);
        asked.own && !has_parameters
            || items.any(|item| {
                matches!(&item.kind, ItemKind::Include(written) if dotted(&written.path.parts) == asked.name.as_ref())
            })
    }

    fn uses(&self, module: usize) -> impl Iterator<Item = &ast::Use> {
        self.modules.get(module).into_iter().flat_map(|module| &module.file.items).filter_map(|item| match &item.kind {
            ItemKind::Use(written) => Some(written),
            _ => None,
        })
    }
}

/// Names joined by dots.
pub fn dotted(parts: &[Name]) -> String {
    let texts: Vec<&str> = parts.iter().map(|part| &*part.text).collect();
    texts.join(".")
}
