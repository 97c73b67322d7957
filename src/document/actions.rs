//! Entity types, actions, groups and obligations: who may do what on what, and who says what about it.

use crate::base::span::Span;
use crate::document::fields::{Of, Shown, table};
use crate::document::markdown;
use crate::document::names::Place;
use crate::document::types::Writer;
use crate::syntax::ast::{Action, Entity, Field, GovernedRecord, ItemKind, Path};

impl Writer<'_> {
    /// What an entity type is, and its attributes.
    pub fn entity(&self, entity: &Entity) -> String {
        let mut out = String::from(if entity.presented.is_some() {
            "Presented: it comes with the request."
        } else {
            "Registered: the kernel knows each by its id."
        });
        if !entity.parents.is_empty() {
            out.push_str(&format!(" It can be in a {}.", self.paths(&entity.parents, "or")));
        }
        if entity.approver.is_some() {
            out.push_str(" It may vote on approvals.");
        }
        out.push('\n');
        self.push_fields(&mut out, Of::Entity, &entity.fields);
        out
    }

    /// What a record of the kernel is, and its fields. Its invariants are written apart.
    pub fn governed(&self, record: &GovernedRecord) -> String {
        let lifecycle = self.path(&record.lifecycle);
        let mut out = format!("A record that the kernel keeps. Its `status` is a state of {lifecycle}.\n");
        self.push_fields(&mut out, Of::Record, &record.fields);
        out
    }

    fn push_fields(&self, out: &mut String, of: Of, fields: &[Field]) {
        if !fields.is_empty() {
            out.push('\n');
            out.push_str(&self.fields(of, fields));
        }
    }

    /// Who does it on what, and its context, with what it has from its groups.
    pub fn action(&self, action: &Action) -> String {
        let mut lines = Vec::new();
        if !action.groups.is_empty() {
            lines.push(format!("- In: {}\n", self.paths(&action.groups, "and")));
        }
        let groups: Vec<(usize, &Action, &Path)> = action.groups.iter().filter_map(|path| self.group(path)).collect();
        lines.extend(self.side("Subject", action, &groups, |action| &action.subject));
        lines.extend(self.side("Resource", action, &groups, |action| &action.resource));
        let on = self.decided_by(action);
        if !on.is_empty() {
            lines.push(format!("- Decided by: {}\n", on.join(", ")));
        }
        let mut out = lines.concat();
        // What a page says of the group is not said again of each of its actions.
        let (told, untold): (Vec<_>, Vec<_>) = groups
            .iter()
            .partition(|(.., path)| self.known.find(self.at, path).is_some_and(|place| self.target(place).is_some()));
        let has_fields = |(_, group, _): &&(usize, &Action, &Path)| fields_of(group).next().is_some();
        let told: Vec<String> = told.iter().filter(has_fields).map(|(.., path)| self.path(path)).collect();
        let fields = self.context(action, &untold);
        if !told.is_empty() {
            let rest = if fields.is_empty() { "." } else { ", and:" };
            out.push_str(&format!("\nIts context has the fields of {}{rest}\n", markdown::list(&told, "and")));
        }
        if !fields.is_empty() {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&table(Of::Context, &fields));
        }
        out
    }

    /// The types of its subject or its resource: its own, or else those that all its groups allow.
    fn side(
        &self,
        word: &str,
        action: &Action,
        groups: &[(usize, &Action, &Path)],
        of: impl Fn(&Action) -> &[(Span, Vec<Path>)],
    ) -> Option<String> {
        let types = |action: &Action| of(action).iter().flat_map(|(_, types)| types.clone()).collect::<Vec<Path>>();
        let own = types(action);
        if !own.is_empty() {
            return Some(format!("- {word}: {}\n", self.paths(&own, "or")));
        }
        let mut allowed = groups.iter().map(|(module, group, _)| (*module, types(group)));
        let mut allowed = allowed.by_ref().filter(|(_, types)| !types.is_empty());
        let (module, mut first) = allowed.next()?;
        for (other, types) in allowed {
            let others: Vec<_> = types.iter().map(|path| self.known.find(other, path)).collect();
            first.retain(|path| others.contains(&self.known.find(module, path)));
        }
        Some(format!("- {word}: {}\n", self.elsewhere(module).paths(&first, "or")))
    }

    /// The fields of an action: those of its groups in their order, each once, then its own.
    fn context<'a>(&self, action: &'a Action, groups: &[(usize, &'a Action, &Path)]) -> Vec<Shown<'a>> {
        let mut all: Vec<Shown<'a>> = Vec::new();
        for (module, group, path) in groups {
            for field in fields_of(group) {
                let is_new = all.iter().all(|known| known.field.name.text != field.name.text);
                let is_restated = fields_of(action).any(|stated| stated.name.text == field.name.text);
                if is_new && !is_restated {
                    all.push(Shown { field, ty: self.elsewhere(*module).ty(&field.ty), from: self.path(path) });
                }
            }
        }
        all.extend(fields_of(action).map(|field| Shown { field, ty: self.ty(&field.ty), from: String::new() }));
        all
    }

    /// The group that a path names, with its module.
    fn group<'b>(&'b self, path: &'b Path) -> Option<(usize, &'b Action, &'b Path)> {
        let place = self.known.find(self.at, path)?;
        match &self.known.modules.get(place.module)?.file.items.get(place.item)?.kind {
            ItemKind::Action(group) if group.is_group => Some((place.module, group, path)),
            _ => None,
        }
    }

    /// The policies and invariants that are on an action, itself or by a group: those of its own module, then those of
    /// its groups' modules, as far as they are active.
    fn decided_by(&self, action: &Action) -> Vec<String> {
        let is_it = |place: Place| {
            let item = self.known.modules.get(place.module).and_then(|module| module.file.items.get(place.item));
            matches!(item.map(|item| &item.kind), Some(ItemKind::Action(found)) if found.name.span == action.name.span
                && place.module == self.at)
        };
        let groups: Vec<Place> = action.groups.iter().filter_map(|path| self.known.find(self.at, path)).collect();
        let mut modules = vec![self.at];
        for group in &groups {
            if !modules.contains(&group.module) && self.known.is_active(group.module) {
                modules.push(group.module);
            }
        }
        let is_on = |module: usize, paths: &[Path]| {
            let mut places = paths.iter().filter_map(|path| self.known.find(module, path));
            places.any(|place| is_it(place) || groups.contains(&place))
        };
        let items = modules.into_iter().filter_map(|at| Some((at, self.known.modules.get(at)?)));
        let items = items.flat_map(|(at, module)| module.file.items.iter().enumerate().map(move |item| (at, item)));
        items
            .filter_map(|(module, (item, found))| {
                let (word, name, on) = match &found.kind {
                    ItemKind::Policy(policy) if policy.shadow.is_some() => ("shadow policy", &policy.name, &policy.on),
                    ItemKind::Policy(policy) => ("policy", &policy.name, &policy.on),
                    ItemKind::Invariant(invariant) => ("invariant", &invariant.name, &invariant.on),
                    _ => return None,
                };
                let target = self.target(Place { module, item });
                let shown = match self.known.modules.get(module) {
                    Some(other) if module != self.at => format!("{}.{}", other.name, name.text),
                    _ => name.text.to_string(),
                };
                is_on(module, on).then(|| format!("{word} {}", markdown::linked(&shown, target.as_deref())))
            })
            .collect()
    }
}

/// The fields that an action or a group states itself.
fn fields_of(action: &Action) -> impl Iterator<Item = &Field> {
    action.context.iter().flat_map(|(_, fields)| fields)
}
