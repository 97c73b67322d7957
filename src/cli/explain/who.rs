//! `--who-can` and `--what-can`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::registry;
use crate::analysis::explain::who::{Asking, Can, Open, Who, who};
use crate::analysis::question::{Kind, kinds};
use crate::analysis::request::Request;
use crate::cli::args::Format;
use crate::cli::args::meaning::ExplainArgs;
use crate::cli::args::values::{EntityRef, entity};
use crate::cli::decider::{Decider, Standing, answer};
use crate::cli::diff::tell;
use crate::cli::output::Output;
use crate::cli::policy::Built;
use crate::cli::status::{Failure, Status};
use crate::cli::table;
use crate::diagnostic::render::clean;
use crate::types::typed::{Answer, TypedPolicy};

/// Conditions that are told of everybody of a type, and of one.
const MOST: [usize; 2] = [8, 3];

/// Answers; what is undecided is said in the exit status.
pub fn run(args: &ExplainArgs, built: &Built, output: &mut Output) -> Result<Status, Failure> {
    let (open, given, chosen) = asked(args, &built.policy)?;
    let id: Arc<str> = given.id.as_str().into();
    let registry = registry(args, built)?;
    let mut standing = Standing::new(built, &args.entities)?;
    let mut decider = Decider::new(&[built])?;
    let mut result = Who::default();
    for kind in chosen {
        let among = registry.as_ref();
        let asking = Asking { id: &id, open, registry: among, most: MOST, steps: args.steps };
        let mut machine = |request: &Request| match among {
            Some(_) => answer(&standing.decision(request.request.as_bytes(), Some(request.facts.as_bytes()))),
            None => decider.decision(0, request).map_or(Answer::Deny, |decision| answer(&decision)),
        };
        who(&built.policy, &kind, asking, &mut machine, &mut result);
    }
    let by = |can: &Can| (can.kind.clone(), can.who.clone(), can.answer != Answer::Allow);
    result.list.sort_by_key(by);
    result.conditions.sort_by_key(by);
    let text = match args.format {
        Format::Human => human(&result, open, registry.is_some(), output),
        Format::Json => format!("{}\n", document(&result, open)),
    };
    output.data(&text)?;
    Ok(if result.undecided.is_empty() { Status::Success } else { Status::Undecided })
}

/// Who is left open, who is given, and the kinds of requests that this is about.
fn asked(args: &ExplainArgs, policy: &TypedPolicy) -> Result<(Open, EntityRef, Vec<Kind>), Failure> {
    let (open, given, action) = match (&args.who_can, &args.what_can) {
        (Some(words), _) => {
            let [action, resource] = &words[..] else {
                return Err(Failure::usage("an action and a resource are asked for"));
            };
            let resource = entity(resource).map_err(|why| Failure::usage(format!("`{resource}`: {why}")))?;
            let known = policy.actions.iter().find(|def| *def.wire == **action || *def.qualified == **action);
            let known = known.ok_or_else(|| Failure::new(format!("there is no action `{action}`")))?;
            (Open::Subject, resource, Some(known.wire.clone()))
        }
        (None, Some(subject)) => (Open::Resource, subject.clone(), None),
        (None, None) => return Err(Failure::usage("a request is asked for")),
    };
    let ty = policy.entity_types.iter().find(|def| *def.wire == *given.ty || *def.qualified == *given.ty);
    let ty = ty.ok_or_else(|| Failure::new(format!("there is no entity type `{}`", given.ty)))?.wire.clone();
    let fits = |kind: &Kind| {
        let side = if open == Open::Subject { &kind.resource } else { &kind.subject };
        *side == ty && action.as_ref().is_none_or(|action| kind.action == *action)
    };
    Ok((open, given, kinds(policy).into_iter().filter(fits).collect()))
}

fn name(can: &Can, open: Open) -> String {
    let ty = if open == Open::Subject { &can.kind.subject } else { &can.kind.resource };
    match &can.who {
        Some(id) => format!("{ty}::{}", crate::analysis::display::quoted(id)),
        None => format!("any {ty}"),
    }
}

fn when(can: &Can) -> String {
    let many = can.conditions.len() > 1;
    let one = |text: &String| match (text.as_str(), many) {
        ("", _) => "always".to_owned(),
        (text, true) if text.contains(' ') => format!("({text})"),
        (text, _) => text.to_owned(),
    };
    let mut all: Vec<String> = can.conditions.iter().map(one).collect();
    if can.cut {
        all.push("…".to_owned());
    }
    all.join(" or ")
}

fn human(result: &Who, open: Open, listed: bool, output: &Output) -> String {
    let mut out = String::new();
    let heads: &[&str] = match open {
        Open::Subject => &["SUBJECT", "ANSWER", "WHEN"],
        Open::Resource => &["ACTION", "RESOURCE", "ANSWER", "WHEN"],
    };
    let row = |can: &Can| {
        let mut row = vec![name(can, open), tell::answer(can.answer).to_owned(), when(can)];
        if open == Open::Resource {
            row.insert(0, can.kind.action.to_string());
        }
        row
    };
    let mut tell = |all: &[Can], nobody: &str| {
        if all.is_empty() {
            out.push_str(nobody);
        } else {
            out.push_str(&table::text(output, heads, &all.iter().map(row).collect::<Vec<_>>()));
        }
    };
    tell(&result.conditions, if open == Open::Subject { "nobody\n" } else { "nothing\n" });
    if listed && !result.list.is_empty() {
        tell(&[], "\nOf the entities that are loaded:\n\n");
        tell(&result.list, "");
    }
    for why in &result.undecided {
        out.push_str(&format!("undecided: {}\n", clean(why)));
    }
    out
}

fn document(result: &Who, open: Open) -> Value {
    let one = |can: &Can| {
        json!({
            "action": &*can.kind.action,
            "subject": &*can.kind.subject,
            "resource": &*can.kind.resource,
            "id": can.who.as_deref(),
            "answer": tell::answer(can.answer),
            "conditions": can.conditions,
            "complete": !can.cut,
        })
    };
    json!({
        "open": if open == Open::Subject { "subject" } else { "resource" },
        "conditions": result.conditions.iter().map(one).collect::<Vec<_>>(),
        "list": result.list.iter().map(one).collect::<Vec<_>>(),
        "undecided": result.undecided,
    })
}
