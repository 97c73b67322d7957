//! Entity types and governed records: hierarchy, attributes, and what may hold what.

use std::collections::HashMap;

use super::Items;
use super::fields::{self, Place};
use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ItemKind};
use crate::types::graph::{Edge, order};
use crate::types::package::Package;
use crate::types::resolve::Expected;
use crate::types::ty::Type;
use crate::types::typed::{EntityTypeId, FieldDef, ModuleId};
use crate::types::world::{Definition, World};

/// Resolves all entity types.
pub fn resolve(world: &mut World, package: &Package, items: &Items, sink: &mut Diagnostics) {
    world.attribute_places = vec![HashMap::new(); world.entity_types.len()];
    for (at, source) in items.entities.iter().enumerate() {
        match &source.get(package).kind {
            ItemKind::Entity(written) => entity(world, source.module, at, written, sink),
            ItemKind::GovernedRecord(written) => governed(world, source.module, at, written, sink),
            _ => {}
        }
    }
    check_containment(world, sink);
}

fn entity(world: &mut World, module: ModuleId, at: usize, written: &ast::Entity, sink: &mut Diagnostics) {
    let name = &written.name.text;
    let place = if written.presented.is_some() { Place::Presented } else { Place::Registered };
    let (attributes, places) = fields::resolve(world, module, &written.fields, place, sink);
    let parents = parents(world, module, written, sink);
    if let (Some(presented), Some(approver)) = (written.presented, written.approver) {
        sink.push(
            Diagnostic::error(Code::PresentedApprover, approver, format!("`{name}` can't be presented and approve"))
                .label("who approves must be registered")
                .secondary(presented, "its attributes come with the request")
                .help("remove `presented`: whoever asks must not say who may approve"),
        );
    }
    let def = &mut world.entity_types[at];
    def.attributes = attributes;
    def.parents = parents;
    world.attribute_places[at] = places;
}

fn parents(world: &World, module: ModuleId, written: &ast::Entity, sink: &mut Diagnostics) -> Vec<EntityTypeId> {
    let mut parents: Vec<(EntityTypeId, Span)> = Vec::new();
    for path in &written.parents {
        let Some(Definition::Entity(id)) = world.resolve(module, path, Expected::Entity, sink) else { continue };
        let parent = &world.entity_types[id.index()];
        if let Some(&(_, first)) = parents.iter().find(|(known, _)| *known == id) {
            sink.push(
                Diagnostic::error(
                    Code::DuplicateName,
                    path.span,
                    format!("the parent `{}` is named twice", parent.name),
                )
                .label("again")
                .secondary(first, "first here")
                .help("remove one of them"),
            );
            continue;
        }
        if parent.presented {
            sink.push(
                Diagnostic::error(
                    Code::PresentedHierarchy,
                    path.span,
                    format!("`{}` is presented and can't be a parent", parent.name),
                )
                .label("has no hierarchy")
                .secondary(parent.span, "declared presented here")
                .help("only registered entity types have parents and can be parents"),
            );
            continue;
        }
        parents.push((id, path.span));
    }
    if let (Some(presented), Some(first)) = (written.presented, written.parents.first()) {
        sink.push(
            Diagnostic::error(
                Code::PresentedHierarchy,
                first.span,
                format!("`{}` is presented and can't have parents", written.name.text),
            )
            .label("a presented type has no hierarchy")
            .secondary(presented, "declared presented here")
            .help("remove the parents, or `presented`"),
        );
        return Vec::new();
    }
    let mut parents: Vec<EntityTypeId> = parents.into_iter().map(|(id, _)| id).collect();
    parents.sort_unstable();
    parents
}

fn governed(world: &mut World, module: ModuleId, at: usize, written: &ast::GovernedRecord, sink: &mut Diagnostics) {
    let (mut attributes, mut places) = fields::resolve(world, module, &written.fields, Place::Governed, sink);
    let lifecycle = match world.resolve(module, &written.lifecycle, Expected::Lifecycle, sink) {
        Some(Definition::Enum(id)) => Some(id),
        _ => None,
    };
    // Where `status` is declared by hand that was reported, and the lifecycle's counts.
    let status = FieldDef {
        name: "status".into(),
        ty: lifecycle.map_or(Type::Unknown, Type::Enum),
        kernel: false,
        advisory: false,
        presented: false,
        owner: false,
        sensitive: false,
        span: written.lifecycle.span,
    };
    match places.get("status") {
        Some(&place) => attributes[place as usize] = status,
        None => {
            places.insert(status.name.clone(), attributes.len() as u32);
            attributes.push(status);
        }
    }
    let def = &mut world.entity_types[at];
    def.attributes = attributes;
    def.governed_by = lifecycle;
    world.attribute_places[at] = places;
}

/// A registered type holds no presented ones, and presented ones do not hold themselves.
fn check_containment(world: &World, sink: &mut Diagnostics) {
    for ty in world.entity_types.iter().filter(|ty| !ty.presented) {
        for field in &ty.attributes {
            let held = held_types(world, &field.ty).into_iter().map(|id| &world.entity_types[id.index()]);
            for held in held.filter(|held| held.presented) {
                sink.push(
                    Diagnostic::error(
                        Code::PresentedContainment,
                        field.span,
                        format!(
                            "attribute `{}` of the registered type `{}` holds a presented one",
                            field.name, ty.name
                        ),
                    )
                    .label(format!("holds `{}`", held.name))
                    .secondary(held.span, format!("`{}` is presented: the registry knows none", held.name))
                    .help("make the type registered, or leave the attribute away"),
                );
            }
        }
    }
    let found = order(world.entity_types.len(), |node| presented_edges(world, node));
    for cycle in &found.cycles {
        let Some(&(first, span)) = cycle.first() else { continue };
        let mut chain: Vec<String> =
            cycle.iter().map(|&(node, _)| format!("`{}`", world.entity_types[node].name)).collect();
        chain.push(chain[0].clone());
        sink.push(
            Diagnostic::error(
                Code::PresentedContainment,
                span,
                format!("presented type `{}` holds itself: {}", world.entity_types[first].name, chain.join(" → ")),
            )
            .label("holds the next one")
            .help("a request has to end: leave one of these attributes away"),
        );
    }
}

fn presented_edges(world: &World, node: usize) -> Vec<Edge<Span>> {
    let ty = &world.entity_types[node];
    if !ty.presented {
        return Vec::new();
    }
    let held = ty
        .attributes
        .iter()
        .flat_map(|field| held_types(world, &field.ty).into_iter().map(move |id| (id.index(), field.span)));
    held.filter(|&(id, _)| world.entity_types[id].presented).collect()
}

/// The entity types that a value of a type holds, at whatever depth.
fn held_types(world: &World, ty: &Type) -> Vec<EntityTypeId> {
    let mut held = Vec::new();
    let mut open = vec![ty];
    let mut records = Vec::new();
    while let Some(ty) = open.pop() {
        match ty {
            Type::Entity(ids) => held.extend(ids),
            Type::Set(inner, _) | Type::List(inner, _) | Type::Map(inner, _) | Type::Optional(inner) => {
                open.push(inner)
            }
            Type::Record(id) if !records.contains(id) => {
                records.push(*id);
                open.extend(world.records[id.index()].fields.iter().map(|field| &field.ty));
            }
            _ => {}
        }
    }
    held.sort_unstable();
    held.dedup();
    held
}
