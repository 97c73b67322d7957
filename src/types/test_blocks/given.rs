//! The entities of a test.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Once, Scope, twice, type_names};
use crate::base::span::Span;
use crate::data::similar::best_match;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, TestLine};
use crate::types::resolve::Expected;
use crate::types::typed::{ActionId, EntityTypeId, TestEntity};
use crate::types::world::{Definition, World};

/// The entities, and which of them are subject and resource.
#[derive(Default)]
pub struct Given {
    /// The entities.
    pub entities: Vec<TestEntity>,
    /// The subject: its place and where it stands; nothing if it is faulty.
    pub subject: Option<(u32, Span)>,
    /// The resource, likewise.
    pub resource: Option<(u32, Span)>,
    /// A subject is written.
    pub has_subject: bool,
    /// A resource is written.
    pub has_resource: bool,
}

/// Types all `given` lines of a test.
pub fn check(scope: &Scope<'_>, written: &ast::Test, sink: &mut Diagnostics) -> Given {
    let mut given = Given::default();
    let mut known: HashMap<(EntityTypeId, Arc<str>), (u32, Span)> = HashMap::new();
    let mut roles = Once::default();
    for line in &written.lines {
        let TestLine::Given { role, entity: literal, span } = line else { continue };
        let place = entity(scope, literal, &mut given.entities, &mut known, sink);
        let Some(role) = role else { continue };
        match &*role.text {
            "subject" => {
                if roles.is_new("role", role, sink) {
                    given.has_subject = true;
                    given.subject = place.map(|place| (place, *span));
                }
            }
            "resource" => {
                if roles.is_new("role", role, sink) {
                    given.has_resource = true;
                    given.resource = place.map(|place| (place, *span));
                }
            }
            other => {
                let best = best_match(other, ["subject", "resource"]);
                sink.push(
                    Diagnostic::error(Code::TestRole, role.span, format!("a request has no role `{other}`")).help(
                        best.map_or_else(
                            || "the roles are `subject` and `resource`".to_owned(),
                            |best| format!("did you mean `{best}`?"),
                        ),
                    ),
                );
            }
        }
    }
    given
}

fn entity(
    scope: &Scope<'_>,
    literal: &ast::EntityLiteral,
    entities: &mut Vec<TestEntity>,
    known: &mut HashMap<(EntityTypeId, Arc<str>), (u32, Span)>,
    sink: &mut Diagnostics,
) -> Option<u32> {
    let world = scope.world;
    let Some(Definition::Entity(ty)) = world.resolve(scope.module, &literal.ty, Expected::Entity, sink) else {
        return None;
    };
    let key = (ty, literal.id.clone());
    if let Some(&(place, first)) = known.get(&key) {
        // Naming one again without a body is how one entity gets two roles.
        if literal.fields.is_some() || !literal.parents.is_empty() {
            let name = &world.entity_types[ty.index()].name;
            sink.push(twice(literal.span, first, format!("the entity `{name}::{:?}` is given twice", literal.id)));
        }
        return Some(place);
    }
    let mut attributes = Vec::new();
    let mut once = Once::default();
    for written in literal.fields.iter().flatten() {
        let Some(field) = world.entity_attribute(ty, &written.name, sink) else { continue };
        if once.is_new("attribute", &written.name, sink) {
            attributes.extend(scope.value(field, &written.value, sink));
        }
    }
    let def = &world.entity_types[ty.index()];
    once.check_missing(def.attributes.iter(), &format!("an entity of type `{}`", def.name), literal.span, sink);
    let parents = parents(scope, ty, literal, sink);
    let place = entities.len() as u32;
    known.insert(key, (place, literal.span));
    entities.push(TestEntity { ty, id: literal.id.clone(), parents, attributes });
    Some(place)
}

fn parents(
    scope: &Scope<'_>,
    ty: EntityTypeId,
    literal: &ast::EntityLiteral,
    sink: &mut Diagnostics,
) -> Vec<(EntityTypeId, Arc<str>)> {
    let world = scope.world;
    let def = &world.entity_types[ty.index()];
    let mut parents: Vec<(EntityTypeId, Arc<str>)> = Vec::new();
    for (path, id, span) in &literal.parents {
        let Some(Definition::Entity(parent)) = world.resolve(scope.module, path, Expected::Entity, sink) else {
            continue;
        };
        let parent_name = &world.entity_types[parent.index()].name;
        if !def.parents.contains(&parent) {
            let help = match def.parents.as_slice() {
                [] if def.presented => "a presented type has no hierarchy".to_owned(),
                [] => format!("it can be in nothing; declare `entity {} in {parent_name}`", def.name),
                allowed => format!("it can be in {}", type_names(world, allowed)),
            };
            sink.push(
                Diagnostic::error(
                    Code::TestParent,
                    *span,
                    format!("an entity of type `{}` can't be in one of type `{parent_name}`", def.name),
                )
                .label("not one of its parents")
                .secondary(def.span, "declared here")
                .help(help),
            );
            continue;
        }
        if parents.iter().any(|known| *known == (parent, id.clone())) {
            sink.push(twice(*span, literal.ty.span, format!("the parent `{parent_name}::{id:?}` is named twice")));
            continue;
        }
        parents.push((parent, id.clone()));
    }
    parents
}

impl Given {
    /// Whether subject and resource are of types that the action has.
    pub fn check_roles(&self, world: &World, action: ActionId, when: Span, sink: &mut Diagnostics) {
        let def = &world.actions[action.index()];
        for (word, role, allowed) in
            [("subject", self.subject, &def.subject), ("resource", self.resource, &def.resource)]
        {
            let Some((place, span)) = role else { continue };
            let ty = self.entities[place as usize].ty;
            // An action without such types is faulty itself.
            if allowed.is_empty() || allowed.contains(&ty) {
                continue;
            }
            let name = &world.entity_types[ty.index()].name;
            sink.push(
                Diagnostic::error(
                    Code::TestType,
                    span,
                    format!("the {word} of `{}` is {}, not `{name}`", def.name, type_names(world, allowed)),
                )
                .label(format!("of type `{name}`"))
                .secondary(when, "requested here")
                .secondary(def.span, "the action is declared here")
                .help(format!("give an entity of type {}", type_names(world, allowed))),
            );
        }
    }
}
