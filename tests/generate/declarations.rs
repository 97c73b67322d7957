//! Declarations: enums, lifecycles, records, entity types, groups, actions, obligations.

use crate::generate::random::Random;
use crate::generate::scope::{ActionDecl, Decls, EntityDecl, EnumDecl, FieldDecl, ObligationDecl, RecordDecl, Sort};
use crate::generate::tour;

/// Declares everything; gives the source.
pub fn declare(random: &mut Random, decls: &mut Decls) -> String {
    let mut source = "const LIMIT: Int = 2 + 3\nconst NAME = \"deploy\"\n".to_owned();
    enums(random, decls, &mut source);
    for at in 0..random.between(1, 2) {
        let fields = fields(random, decls, &format!("f{at}"), (1, 4), Place::Record);
        source.push_str(&format!("record R{at} {{{}}}\n", show(&fields)));
        let fields = fields.into_iter().map(|(field, _)| field).collect();
        decls.records.push(RecordDecl { name: format!("R{at}"), fields });
    }
    entities(random, decls, &mut source);
    actions(random, decls, &mut source);
    for at in 0..random.between(1, 2) {
        let parameters: Vec<Sort> = (0..random.below(4)).map(|_| decls.sort(random, 2)).collect();
        let shown: Vec<String> =
            parameters.iter().enumerate().map(|(at, sort)| format!("p{at}: {}", decls.show(sort))).collect();
        source.push_str(&format!("obligation ob{at}({})\n", shown.join(", ")));
        decls.obligations.push(ObligationDecl { name: format!("ob{at}"), parameters });
    }
    source
}

fn enums(random: &mut Random, decls: &mut Decls, source: &mut String) {
    for at in 0..random.between(1, 3) {
        let name = format!("Kind{at}");
        let variants: Vec<String> = (0..random.between(3, 7)).map(|variant| format!("k{at}_{variant}")).collect();
        source.push_str(&format!("enum {name} {{ {} }}\n", variants.join(", ")));
        decls.enums.push(EnumDecl { name, variants, lifecycle: false });
    }
    if random.chance(70) {
        let variants: Vec<String> = (0..random.between(3, 5)).map(|state| format!("s{state}")).collect();
        source.push_str("lifecycle Life {\n");
        // A chain reaches every state, and the last one is final.
        for (at, pair) in variants.windows(2).enumerate() {
            let mut targets = vec![pair[1].clone()];
            for (to, other) in variants.iter().enumerate() {
                if to != at + 1 && random.chance(25) {
                    targets.push(other.clone());
                }
            }
            source.push_str(&format!("    {} -> {}\n", pair[0], targets.join(" | ")));
        }
        source.push_str(&format!("    final {}\n}}\n", variants[variants.len() - 1]));
        decls.enums.push(EnumDecl { name: "Life".to_owned(), variants, lifecycle: true });
    }
}

/// Where fields stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Record,
    Registered,
    Presented,
    Context,
}

fn fields(
    random: &mut Random,
    decls: &Decls,
    prefix: &str,
    (least, most): (usize, usize),
    place: Place,
) -> Vec<(FieldDecl, String)> {
    let count = random.between(least, most);
    (0..count)
        .map(|at| {
            let sort = decls.sort(random, 2);
            field(random, decls, format!("{prefix}_{at}"), sort, place)
        })
        .collect()
}

/// A field with its line.
fn field(random: &mut Random, decls: &Decls, name: String, sort: Sort, place: Place) -> (FieldDecl, String) {
    let mut ty = decls.show(&sort);
    if place != Place::Record && random.chance(40) {
        let bound = match sort {
            Sort::Int => Some(" in -5..=10"),
            Sort::Text => Some(" max 12"),
            Sort::Set(_) | Sort::List(_) | Sort::Map(_) => Some(" max 4"),
            _ => None,
        };
        if let Some(bound) = bound {
            ty.push_str(bound);
        }
    }
    let mut advisory = false;
    let mut line = format!("{name}: {ty}");
    if place == Place::Context {
        if random.chance(15) {
            line.push_str(" @kernel");
        } else if random.chance(8) {
            advisory = true;
            line.push_str(" @advisory");
        }
    }
    if place == Place::Registered {
        if random.chance(25) {
            line.push_str(" @presented");
        }
        if matches!(sort, Sort::Entity(_)) && random.chance(30) {
            line.push_str(" @owner");
        }
    }
    if random.chance(5) {
        line.push_str(" @sensitive");
    }
    (FieldDecl { name, sort, advisory }, line)
}

fn show(fields: &[(FieldDecl, String)]) -> String {
    fields.iter().map(|(_, line)| format!("\n    {line}")).collect::<String>() + "\n"
}

fn entities(random: &mut Random, decls: &mut Decls, source: &mut String) {
    for at in 0..random.between(3, 5) {
        // The first is a group of groups, the second approves, the third is presented.
        let (presented, approver) = (at == 2 || at > 2 && random.chance(30), at == 1);
        let parents: Vec<usize> = match at {
            0 => vec![0],
            _ if presented => Vec::new(),
            1 => vec![0],
            _ => vec![random.below(2)],
        };
        let name = format!("Ent{at}");
        let place = if presented { Place::Presented } else { Place::Registered };
        // All entities have some of these in common.
        let mut attributes = Vec::new();
        for (common, sort) in [("level", Sort::Int), ("tags", Sort::Text.set()), ("kind", Sort::Enum(0))] {
            if random.chance(70) {
                attributes.push(field(random, decls, common.to_owned(), sort, place));
            }
        }
        attributes.extend(fields(random, decls, &format!("a{at}"), (1, 4), place));
        let within: Vec<String> = parents.iter().map(|parent| format!("Ent{parent}")).collect();
        source.push_str(&format!(
            "{}{}entity {name}{}{} {{{}}}\n",
            if presented { "presented " } else { "" },
            if approver { "approver " } else { "" },
            if within.is_empty() { "" } else { " in " },
            within.join(", "),
            show(&attributes),
        ));
        let attributes = attributes.into_iter().map(|(field, _)| field).collect();
        decls.entities.push(EntityDecl { name, presented, approver, parents, attributes });
    }
}

fn actions(random: &mut Random, decls: &mut Decls, source: &mut String) {
    let grouped = random.chance(50);
    let shared = if grouped { fields(random, decls, "g", (1, 3), Place::Context) } else { Vec::new() };
    if grouped {
        source.push_str(&format!("action group Grp {{\n    context {{{}    }}\n}}\n", show(&shared)));
        decls.groups.push(("Grp".to_owned(), Vec::new(), shared.iter().map(|(field, _)| field.clone()).collect()));
    }
    for at in 0..random.between(1, 3) {
        let mut roles = || {
            let mut types: Vec<usize> =
                (0..if random.chance(45) { 2 } else { 1 }).map(|_| random.below(decls.entities.len())).collect();
            types.sort_unstable();
            types.dedup();
            types
        };
        let (subject, resource) = (roles(), roles());
        let names =
            |types: &[usize]| types.iter().map(|&ty| decls.entities[ty].name.clone()).collect::<Vec<_>>().join(" | ");
        let mut context = fields(random, decls, "c", (3, 9), Place::Context);
        if at == 0 || random.chance(60) {
            for (place, mut sort) in tour::sorts().into_iter().enumerate() {
                if random.chance(10) {
                    sort = sort.maybe();
                }
                context.push(field(random, decls, format!("t_{place}"), sort, Place::Context));
            }
            context.push(field(random, decls, "rec".to_owned(), Sort::Record(0), Place::Context));
            if let Some(life) = decls.enums.iter().position(|of| of.lifecycle) {
                for name in ["life", "next"] {
                    context.push(field(random, decls, name.to_owned(), Sort::Enum(life), Place::Context));
                }
            }
        }
        for (name, percent) in [("who", 20), ("crowd", 10)] {
            let presented: Vec<usize> = (0..decls.entities.len()).filter(|&at| decls.entities[at].presented).collect();
            if random.chance(percent) {
                let sort = Sort::Entity(*random.pick(&presented));
                let sort = if name == "crowd" { sort.set() } else { sort };
                context.push(field(random, decls, format!("{name}_{at}"), sort, Place::Context));
            }
        }
        let member = grouped && random.chance(70);
        if member {
            context.extend(shared.iter().cloned());
            decls.groups[0].1.push(at);
        }
        source.push_str(&format!(
            "action act{at}{} {{\n    subject: {}\n    resource: {}\n    context {{{}    }}\n}}\n",
            if member { " in Grp" } else { "" },
            names(&subject),
            names(&resource),
            show(&context),
        ));
        let context = context.into_iter().map(|(field, _)| field).collect();
        decls.actions.push(ActionDecl { name: format!("act{at}"), subject, resource, context });
    }
    if random.chance(50)
        && let Some(life) = decls.enums.iter().position(|of| of.lifecycle)
    {
        governed(random, decls, life, source);
    }
}

/// A governed record, and an action on it.
fn governed(random: &mut Random, decls: &mut Decls, life: usize, source: &mut String) {
    let mut attributes = fields(random, decls, "j", (1, 3), Place::Presented);
    attributes.push(field(random, decls, "total".to_owned(), Sort::Int, Place::Presented));
    let declared = show(&attributes);
    source.push_str(&format!(
        "record type Job governed by Life {{{declared}    invariant job_total {{\n        when resource.status is final\n        \
         require resource.total > 3\n        code TOO_MUCH\n        because \"{{resource}} is {{resource.status}}\"\n    }}\n}}\n"
    ));
    let mut attributes: Vec<FieldDecl> = attributes.into_iter().map(|(field, _)| field).collect();
    attributes.push(FieldDecl { name: "status".to_owned(), sort: Sort::Enum(life), advisory: false });
    let (job, name) = (decls.entities.len(), "Job".to_owned());
    decls.entities.push(EntityDecl { name, presented: true, approver: false, parents: Vec::new(), attributes });
    let mut context = fields(random, decls, "c", (2, 4), Place::Context);
    context.push(field(random, decls, "to".to_owned(), Sort::Enum(life), Place::Context));
    let subject = random.below(job);
    source.push_str(&format!(
        "action actj {{\n    subject: {}\n    resource: Job\n    context {{{}    }}\n}}\n",
        decls.entities[subject].name,
        show(&context)
    ));
    let context = context.into_iter().map(|(field, _)| field).collect();
    decls.actions.push(ActionDecl { name: "actj".to_owned(), subject: vec![subject], resource: vec![job], context });
}
