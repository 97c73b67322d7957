//! Fields of records, attributes of entity types and fields of contexts: types and annotations.

use std::collections::HashMap;

use super::Distinct;
use crate::base::span::Span;
use crate::data::similar::best_match;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, Name};
use crate::types::ty::Type;
use crate::types::typed::{FieldDef, ModuleId};
use crate::types::world::{Places, World};

/// What the fields are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A record.
    Record,
    /// An entity type whose attributes the registry holds.
    Registered,
    /// A presented entity type.
    Presented,
    /// A governed record: presented, and `status` is taken.
    Governed,
    /// An action's or a group's context.
    Context,
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Place::Record => "field",
            Place::Registered | Place::Presented | Place::Governed => "attribute",
            Place::Context => "context field",
        }
    }
}

const ANNOTATIONS: [&str; 5] = ["kernel", "advisory", "presented", "owner", "sensitive"];

/// Resolves the fields; of two with one name the first counts.
pub fn resolve(
    world: &World,
    module: ModuleId,
    written: &[ast::Field],
    place: Place,
    sink: &mut Diagnostics,
) -> (Vec<FieldDef>, Places) {
    let mut distinct = Distinct::default();
    let mut fields = Vec::with_capacity(written.len());
    let mut places = HashMap::with_capacity(written.len());
    for field in written {
        let ty = world.resolve_type(module, &field.ty, sink);
        let mut def = FieldDef {
            name: field.name.text.clone(),
            ty,
            kernel: false,
            advisory: false,
            presented: false,
            owner: false,
            sensitive: false,
            span: field.name.span,
        };
        annotate(&mut def, field, place, sink);
        check_reserved(&field.name, place, sink);
        if distinct.is_new(place.word(), &field.name, sink) {
            places.insert(def.name.clone(), fields.len() as u32);
            fields.push(def);
        }
    }
    (fields, places)
}

fn check_reserved(name: &Name, place: Place, sink: &mut Diagnostics) {
    let why = match (place, &*name.text) {
        (Place::Registered | Place::Presented | Place::Governed, "id") => "every entity has an `id` already",
        (Place::Governed, "status") => "`status` is the state of the record's lifecycle",
        _ => return,
    };
    sink.push(
        Diagnostic::error(Code::ReservedName, name.span, format!("an attribute can't be named `{}`: {why}", name.text))
            .label("taken")
            .help("choose another name, or leave it away"),
    );
}

fn annotate(def: &mut FieldDef, field: &ast::Field, place: Place, sink: &mut Diagnostics) {
    let mut first: HashMap<&str, Span> = HashMap::new();
    for annotation in &field.annotations {
        let name = &*annotation.text;
        if let Some(&before) = first.get(name) {
            sink.push(
                Diagnostic::error(Code::MisplacedAnnotation, annotation.span, format!("`@{name}` is written twice"))
                    .label("again")
                    .secondary(before, "first here")
                    .help("remove one of them"),
            );
            continue;
        }
        first.insert(name, annotation.span);
        let wrong = match name {
            "kernel" | "advisory" if place != Place::Context => Some("belongs to a context field of an action"),
            "presented" if matches!(place, Place::Presented | Place::Governed) => {
                Some("is not needed here: all attributes of this type are presented")
            }
            "presented" if place != Place::Registered => Some("belongs to an attribute of an entity type"),
            "owner" if matches!(place, Place::Record | Place::Context) => {
                Some("belongs to an attribute of an entity type")
            }
            "owner" if !names_entities(&def.ty) => {
                Some("needs an attribute whose type is an entity type, or a set of one")
            }
            "kernel" | "advisory" | "presented" | "owner" | "sensitive" => None,
            _ => {
                let known = ANNOTATIONS.map(|name| format!("`@{name}`")).join(", ");
                let best = best_match(name, ANNOTATIONS);
                let help = best.map_or_else(|| format!("there are {known}"), |best| format!("did you mean `@{best}`?"));
                let mut fault = Diagnostic::error(
                    Code::UnknownAnnotation,
                    annotation.span,
                    format!("there is no annotation `@{name}`"),
                )
                .help(help);
                if let Some(best) = best {
                    fault = fault.fix(annotation.span, best);
                }
                sink.push(fault);
                continue;
            }
        };
        if let Some(wrong) = wrong {
            sink.push(
                Diagnostic::error(Code::MisplacedAnnotation, annotation.span, format!("`@{name}` {wrong}"))
                    .label(format!("on the {} `{}`", place.word(), def.name))
                    .help(format!("remove `@{name}`")),
            );
            continue;
        }
        match name {
            "kernel" => def.kernel = true,
            "advisory" => def.advisory = true,
            "presented" => def.presented = true,
            "owner" => def.owner = true,
            _ => def.sensitive = true,
        }
    }
    if let (true, Some(&kernel), Some(&advisory)) =
        (def.kernel && def.advisory, first.get("kernel"), first.get("advisory"))
    {
        sink.push(
            Diagnostic::error(
                Code::MisplacedAnnotation,
                advisory,
                format!("the context field `{}` can't be both `@kernel` and `@advisory`", def.name),
            )
            .label("given by the caller, and never read by a rule")
            .secondary(kernel, "given by the kernel")
            .help("remove one: what the kernel gives is never bound by an approval anyway"),
        );
    }
}

fn names_entities(ty: &Type) -> bool {
    match ty {
        Type::Entity(_) | Type::Unknown => true,
        Type::Set(inner, _) | Type::Optional(inner) => names_entities(inner),
        _ => false,
    }
}
