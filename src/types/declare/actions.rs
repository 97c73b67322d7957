//! Actions and groups: subject, resource, context, and what a group asks of its members.

use std::collections::HashMap;

use super::Items;
use super::fields::{self, Place};
use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ItemKind};
use crate::types::package::Package;
use crate::types::resolve::Expected;
use crate::types::ty::Type;
use crate::types::typed::{ActionId, EntityTypeId, FieldDef, GroupId, ModuleId};
use crate::types::world::{Definition, Places, World};

/// What is known of a group beside its definition: the types it allows, where it names any.
#[derive(Default)]
struct Roles {
    subject: Option<(Vec<EntityTypeId>, Span)>,
    resource: Option<(Vec<EntityTypeId>, Span)>,
}

/// Resolves all groups, then all actions.
pub fn resolve(world: &mut World, package: &Package, items: &Items, sink: &mut Diagnostics) {
    let mut group_roles = Vec::with_capacity(items.groups.len());
    for (at, source) in items.groups.iter().enumerate() {
        let ItemKind::Action(written) = &source.get(package).kind else { continue };
        let roles = roles(world, source.module, written, sink);
        let (context, _) = context(world, source.module, written, sink);
        if let Some(outer) = written.groups.first() {
            sink.push(
                Diagnostic::error(
                    Code::GroupInGroup,
                    outer.span,
                    format!("the group `{}` can't be in a group", written.name.text),
                )
                .help("put its members into both groups: `action name in a | b { … }`"),
            );
        }
        world.groups[at].subject = types_of(&roles.subject);
        world.groups[at].resource = types_of(&roles.resource);
        world.groups[at].context = context;
        group_roles.push(roles);
    }
    world.context_places = vec![HashMap::new(); world.actions.len()];
    for (at, source) in items.actions.iter().enumerate() {
        let ItemKind::Action(written) = &source.get(package).kind else { continue };
        action(world, source.module, at, written, &group_roles, sink);
    }
}

fn action(
    world: &mut World,
    module: ModuleId,
    at: usize,
    written: &ast::Action,
    group_roles: &[Roles],
    sink: &mut Diagnostics,
) {
    let groups = groups(world, module, written, sink);
    let mut roles = roles(world, module, written, sink);
    inherit_roles(&mut roles, groups.iter().map(|(id, _)| &group_roles[id.index()]));
    for (word, role) in [("subject", &roles.subject), ("resource", &roles.resource)] {
        if role.is_none() {
            sink.push(
                Diagnostic::error(
                    Code::MissingRole,
                    written.name.span,
                    format!("action `{}` names no {word}", written.name.text),
                )
                .help(format!(
                    "add a line `{word}: Type` with the entity types it may have, here or in a group that it is in"
                )),
            );
        }
    }
    if let Some((resource, span)) = &roles.resource {
        check_governed(world, written, resource, *span, sink);
    }
    let (own_context, own_places) = context(world, module, written, sink);
    let (context, places) = inherit_context(world, &groups, own_context, own_places);
    let def = &mut world.actions[at];
    def.subject = types_of(&roles.subject);
    def.resource = types_of(&roles.resource);
    def.context = context;
    def.groups = groups.iter().map(|&(id, _)| id).collect();
    world.context_places[at] = places;
    for (id, _) in groups {
        world.groups[id.index()].members.push(ActionId(at as u32));
        check_membership(world, at, &roles, id, &group_roles[id.index()], sink);
    }
}

fn types_of(role: &Option<(Vec<EntityTypeId>, Span)>) -> Vec<EntityTypeId> {
    role.as_ref().map_or_else(Vec::new, |(types, _)| types.clone())
}

/// A subject or resource that the action does not name is that of its groups: the types that all of them allow.
fn inherit_roles<'a>(roles: &mut Roles, groups: impl Iterator<Item = &'a Roles>) {
    fn merge(own: &mut Option<(Vec<EntityTypeId>, Span)>, group: &Option<(Vec<EntityTypeId>, Span)>) {
        let Some((allowed, span)) = group else { return };
        match own {
            None => *own = Some((allowed.clone(), *span)),
            Some((types, _)) => types.retain(|id| allowed.contains(id)),
        }
    }
    let mut inherited = Roles::default();
    for group in groups {
        merge(&mut inherited.subject, &group.subject);
        merge(&mut inherited.resource, &group.resource);
    }
    let some = |role: Option<(Vec<EntityTypeId>, Span)>| role.filter(|(types, _)| !types.is_empty());
    if roles.subject.is_none() {
        roles.subject = some(inherited.subject);
    }
    if roles.resource.is_none() {
        roles.resource = some(inherited.resource);
    }
}

/// The fields of the groups, in their order, that the action does not restate; then its own.
fn inherit_context(
    world: &World,
    groups: &[(GroupId, Span)],
    own: Vec<FieldDef>,
    own_places: Places,
) -> (Vec<FieldDef>, Places) {
    let mut context: Vec<FieldDef> = Vec::new();
    let mut places = Places::new();
    let inherited = groups.iter().flat_map(|(id, _)| &world.groups[id.index()].context);
    for field in inherited.filter(|field| !own_places.contains_key(&field.name)) {
        if !places.contains_key(&field.name) {
            places.insert(field.name.clone(), context.len() as u32);
            context.push(field.clone());
        }
    }
    for field in own {
        places.entry(field.name.clone()).or_insert(context.len() as u32);
        context.push(field);
    }
    (context, places)
}

fn groups(world: &World, module: ModuleId, written: &ast::Action, sink: &mut Diagnostics) -> Vec<(GroupId, Span)> {
    let mut groups: Vec<(GroupId, Span)> = Vec::new();
    for path in &written.groups {
        let Some(Definition::Group(id)) = world.resolve(module, path, Expected::Group, sink) else { continue };
        match groups.iter().find(|(known, _)| *known == id) {
            Some(&(_, first)) => sink.push(named_twice("group", path, first)),
            None => groups.push((id, path.span)),
        }
    }
    groups
}

fn named_twice(what: &str, path: &ast::Path, first: Span) -> Diagnostic {
    let name = crate::types::world::dotted(&path.parts);
    Diagnostic::error(Code::DuplicateName, path.span, format!("the {what} `{name}` is named twice"))
        .label("again")
        .secondary(first, "first here")
        .help("remove one of them")
}

fn roles(world: &World, module: ModuleId, written: &ast::Action, sink: &mut Diagnostics) -> Roles {
    let mut role = |word: &str, entries: &[(Span, Vec<ast::Path>)]| {
        let (span, paths) = entries.first()?;
        for (again, _) in &entries[1..] {
            sink.push(
                Diagnostic::error(Code::DuplicateName, *again, format!("the {word} is given twice"))
                    .label("again")
                    .secondary(*span, "first here")
                    .help(format!("name all types in one line: `{word}: A | B`")),
            );
        }
        let mut types: Vec<(EntityTypeId, Span)> = Vec::new();
        for path in paths {
            let Some(Definition::Entity(id)) = world.resolve(module, path, Expected::Entity, sink) else { continue };
            match types.iter().find(|(known, _)| *known == id) {
                Some(&(_, first)) => sink.push(named_twice("type", path, first)),
                None => types.push((id, path.span)),
            }
        }
        let mut types: Vec<EntityTypeId> = types.into_iter().map(|(id, _)| id).collect();
        types.sort_unstable();
        Some((types, *span))
    };
    Roles { subject: role("subject", &written.subject), resource: role("resource", &written.resource) }
}

fn context(world: &World, module: ModuleId, written: &ast::Action, sink: &mut Diagnostics) -> (Vec<FieldDef>, Places) {
    let Some((first, fields)) = written.context.first() else { return (Vec::new(), HashMap::new()) };
    for (again, _) in &written.context[1..] {
        sink.push(
            Diagnostic::error(Code::DuplicateName, *again, "the context is declared twice")
                .label("again")
                .secondary(*first, "first here")
                .help("put all fields into one `context { … }`"),
        );
    }
    fields::resolve(world, module, fields, Place::Context, sink)
}

/// The invariants of a governed record hold on every action on it, so such an action is on nothing else.
fn check_governed(world: &World, written: &ast::Action, resource: &[EntityTypeId], span: Span, sink: &mut Diagnostics) {
    let governed = resource.iter().map(|id| &world.entity_types[id.index()]).find(|ty| ty.governed_by.is_some());
    if let Some(governed) = governed.filter(|_| resource.len() > 1) {
        sink.push(
            Diagnostic::error(
                Code::GovernedWithOthers,
                span,
                format!(
                    "action `{}` is on the governed record `{}` and on other types",
                    written.name.text, governed.name
                ),
            )
            .label("more than one type")
            .secondary(governed.span, "its invariants hold on every action on it")
            .help(format!("write an action of its own for `{}`", governed.name)),
        );
    }
}

fn check_membership(
    world: &World,
    action: usize,
    roles: &Roles,
    group: GroupId,
    group_roles: &Roles,
    sink: &mut Diagnostics,
) {
    let def = &world.actions[action];
    let group_def = &world.groups[group.index()];
    let group_name = &*group_def.qualified;
    for wanted in &group_def.context {
        // What the action does not restate it has from here.
        let Some(field) = world.context(ActionId(action as u32), &wanted.name) else { continue };
        let flags = |field: &FieldDef| (field.kernel, field.advisory, field.sensitive);
        let faulty = field.ty == Type::Unknown || wanted.ty == Type::Unknown;
        if field.ty == wanted.ty && flags(field) == flags(wanted) || faulty {
            continue;
        }
        let what = if field.ty == wanted.ty { "annotations" } else { "a type" };
        sink.push(
            Diagnostic::error(
                Code::GroupContext,
                field.span,
                format!("context field `{}` has {what} other than in the group `{group_name}`", field.name),
            )
            .label("differs")
            .secondary(wanted.span, "the group declares it here")
            .help("leave it out, and the action has it from the group; or declare it as the group does"),
        );
    }
    for (word, own, allowed) in
        [("subject", &roles.subject, &group_roles.subject), ("resource", &roles.resource, &group_roles.resource)]
    {
        let (Some((own, own_span)), Some((allowed, allowed_span))) = (own, allowed) else { continue };
        for id in own.iter().filter(|id| !allowed.contains(id)) {
            let name = &world.entity_types[id.index()].name;
            sink.push(
                Diagnostic::error(
                    Code::GroupRole,
                    *own_span,
                    format!("`{name}` is no {word} that the group `{group_name}` allows"),
                )
                .label(format!("the {word} of action `{}`", def.name))
                .secondary(*allowed_span, format!("the group's {word}"))
                .help(format!("remove `{name}` here, or add it to the group")),
            );
        }
    }
}

/// The actions that a policy, an invariant or a claim is for: groups resolved, sorted, none twice.
pub fn named_actions(world: &World, module: ModuleId, on: &[ast::Path], sink: &mut Diagnostics) -> Vec<ActionId> {
    let mut actions = Vec::new();
    let mut named: HashMap<Definition, Span> = HashMap::new();
    for path in on {
        let Some(definition) = world.resolve(module, path, Expected::ActionOrGroup, sink) else { continue };
        if let Some(&first) = named.get(&definition) {
            sink.push(named_twice("action", path, first));
            continue;
        }
        named.insert(definition, path.span);
        match definition {
            Definition::Action(id) => actions.push(id),
            Definition::Group(id) => actions.extend(&world.groups[id.index()].members),
            _ => {}
        }
    }
    actions.sort_unstable();
    actions.dedup();
    actions
}
