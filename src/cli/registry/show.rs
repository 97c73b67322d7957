//! `pdl registry show`: what was known of an agent last Tuesday, and so what it could do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::args::Format;
use super::super::args::kernel::RegistryShowArgs;
use super::super::args::values::EntityRef;
use super::super::exact::Exact;
use super::super::output::{CYAN, Output, paint};
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::system::System;
use super::super::trouble;
use crate::diagnostic::render::clean;
use crate::kernel::KernelError;
use crate::kernel::environment::Environment as _;
use crate::vm::decision::EntityName;

/// Shows the entities of a version: the one of now, of a time, or of a number.
pub fn run(args: &RegistryShowArgs, output: &mut Output) -> Result<Status, Failure> {
    let (kernel, who) = (Place::new(&args.act.place.store).open()?, &args.act.who);
    let failed = |error: KernelError| trouble::kernel(&error);
    let version = match (args.version, args.at) {
        (Some(version), _) => Some(version),
        (None, Some(moment)) => {
            let time = moment.before(System.now()).ok_or_else(|| Failure::usage("that is before all times"))?;
            let none = || Failure::new(format!("the registry was not there yet at {time}"));
            Some(kernel.version_at(who, time).map_err(|error| match error {
                KernelError::UnknownVersion => none(),
                other => failed(other),
            })?)
        }
        (None, None) => None,
    };
    let (past, current);
    let active = match version {
        Some(version) => {
            past = kernel.version(who, version).map_err(failed)?;
            &past
        }
        None => {
            current = kernel.entities(who).map_err(failed)?;
            &*current
        }
    };
    let document = active.entities();
    let entities: Vec<Value> =
        serde_json::from_str(&document).map_err(|error| Failure::new(format!("the entities are not JSON: {error}")))?;
    let groups = groups(&entities);
    let is_wanted = |entity: &Value| args.entity.is_empty() || args.entity.iter().any(|wanted| is(entity, wanted));
    let Exact::List(exact) = Exact::read(&document) else { return Err(Failure::new("the entities are no list")) };
    let wanted = entities.iter().zip(exact).filter(|(entity, _)| is_wanted(entity));
    if let Some(missing) = args.entity.iter().find(|wanted| !entities.iter().any(|entity| is(entity, wanted))) {
        let name = EntityName { ty: missing.ty.clone(), id: missing.id.clone() };
        return Err(Failure::new(format!("{name} is not in version {} of the registry", active.registry)));
    }
    match args.act.place.format {
        Format::Human => {
            output.say(&format!("version {} of the registry, decided with {}", active.registry, active.bundle));
            for (entity, exact) in wanted {
                output.data(&text(entity, &exact, &groups, output.color_data()))?;
            }
        }
        Format::Json => {
            let document = json!({
                "version": active.registry,
                "bundle": active.bundle.to_string(),
                "digest": active.registry_digest().to_string(),
                "entities": null,
            });
            let list = Exact::List(wanted.map(|(_, exact)| exact).collect());
            output.data(&format!("{:#}\n", Exact::from(document).with("entities", list)))?;
        }
    }
    Ok(Status::Success)
}

fn is(entity: &Value, wanted: &EntityRef) -> bool {
    name(entity).is_some_and(|name| name.ty == wanted.ty && name.id == wanted.id)
}

fn name(entity: &Value) -> Option<EntityName> {
    let text = |member: &str| entity.get(member).and_then(Value::as_str).map(str::to_owned);
    Some(EntityName { ty: text("type")?, id: text("id")? })
}

fn parents(entity: &Value) -> impl Iterator<Item = String> {
    let parents = entity.get("in").and_then(Value::as_array).into_iter().flatten();
    parents.filter_map(name).map(|name| name.to_string())
}

/// The groups that each entity is in directly, by names.
fn groups(entities: &[Value]) -> BTreeMap<String, Vec<String>> {
    entities.iter().filter_map(|entity| Some((name(entity)?.to_string(), parents(entity).collect()))).collect()
}

/// An entity with its attributes, and with every group that it is in, directly or through others.
fn text(entity: &Value, exact: &Exact, groups: &BTreeMap<String, Vec<String>>, color: bool) -> String {
    let name = name(entity).map_or_else(String::new, |name| name.to_string());
    let mut out = paint(color, CYAN, &clean(&name));
    let (mut all, mut open) = (BTreeSet::new(), vec![&name]);
    while let Some(one) = open.pop() {
        for group in groups.get(one).into_iter().flatten() {
            if all.insert(group) {
                open.push(group);
            }
        }
    }
    if !all.is_empty() {
        let all: Vec<String> = all.into_iter().map(|group| clean(group)).collect();
        out.push_str(&format!(" in {}", all.join(", ")));
    }
    out.push('\n');
    let properties = exact.members().iter().find(|(name, _)| name == "properties");
    let properties = properties.map_or(&[][..], |(_, properties)| properties.members());
    let width = properties.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in properties {
        out.push_str(&format!("  {name:<width$}  {}\n", clean(&value.shown())));
    }
    out
}
