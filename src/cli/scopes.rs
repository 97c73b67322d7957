//! `pdl scopes`: bounded grants, and what is left of them.

use serde_json::{Value, json};

use super::args::Format;
use super::args::scopes::{ScopeRequestArgs, ScopesArgs, ScopesCommand, ScopesListArgs};
use super::kernel::decide::{self, Next};
use super::output::Output;
use super::place::Place;
use super::status::{Failure, Status};
use super::system::System;
use super::{table, trouble};
use crate::data::timestamp::Timestamp;
use crate::kernel::environment::Environment as _;
use crate::kernel::scope::Scope;

/// Does what was asked.
pub fn run(args: &ScopesArgs, output: &mut Output) -> Result<Status, Failure> {
    match &args.command {
        ScopesCommand::List(args) => list(args, output),
        ScopesCommand::Show(args) => {
            let kernel = Place::new(&args.act.place.store).open()?;
            let scope = kernel.scope(&args.act.who, &args.scope).map_err(|error| trouble::kernel(&error))?;
            let none = || Failure::new(format!("there is no scope {}", args.scope));
            shown(&scope.ok_or_else(none)?, args.act.place.format, output)
        }
        ScopesCommand::Create(args) => asked(args, Doing::Create, output),
        ScopesCommand::End(args) => asked(args, Doing::End, output),
        ScopesCommand::Revoke(args) => {
            let kernel = Place::new(&args.act.place.store).open()?;
            let revoked = kernel.revoke_scope(&args.act.who, &args.scope, &args.reason);
            shown(&revoked.map_err(|error| trouble::kernel(&error))?, args.act.place.format, output)
        }
    }
}

fn list(args: &ScopesListArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let scopes =
        kernel.scopes(&args.act.who, args.status, None, args.limit).map_err(|error| trouble::kernel(&error))?;
    let now = System.now();
    match args.act.place.format {
        Format::Human if scopes.is_empty() => output.say("there are no scopes"),
        Format::Human => {
            let rows: Vec<Vec<String>> = scopes.iter().map(|scope| row(scope, now)).collect();
            let heads = ["SCOPE", "STATUS", "INCIDENT", "BY", "ATTEMPTS", "COST", "UNTIL"];
            output.data(&table::text(output, &heads, &rows))?;
        }
        Format::Json => {
            let list: Vec<Value> = scopes.iter().map(|scope| document(scope, now)).collect();
            output.data(&format!("{:#}\n", json!({ "scopes": list })))?;
        }
    }
    Ok(Status::Success)
}

fn attempts(scope: &Scope) -> String {
    match scope.attempts_reserved {
        0 => format!("{} of {}", scope.attempts_used, scope.max_attempts),
        reserved => format!("{} and {reserved} running of {}", scope.attempts_used, scope.max_attempts),
    }
}

fn cost(scope: &Scope) -> String {
    if scope.attempts_reserved == 0 {
        return format!("{} of {}", scope.cost_used, scope.max_cost);
    }
    format!("{} and {} reserved of {}", scope.cost_used, scope.cost_reserved, scope.max_cost)
}

fn row(scope: &Scope, now: Timestamp) -> Vec<String> {
    let (status, until) = (scope.status_at(now).name().to_owned(), table::time(scope.expires_at));
    let (incident, by) = (scope.incident.clone(), scope.created_by.clone());
    vec![scope.id.clone(), status, incident, by, attempts(scope), cost(scope), until]
}

fn shown(scope: &Scope, format: Format, output: &mut Output) -> Result<Status, Failure> {
    let now = System.now();
    let list = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    let text = match format {
        Format::Human => table::facts(&[
            ("scope", scope.id.clone()),
            ("status", scope.status_at(now).name().to_owned()),
            ("incident", scope.incident.clone()),
            ("intent", scope.intent.clone()),
            ("actions", list(&scope.allowed_actions)),
            ("agents", list(&scope.target_agents)),
            ("attempts", attempts(scope)),
            ("cost", cost(scope)),
            ("made", format!("{} by {}", table::time(scope.created_at), scope.created_by)),
            ("until", table::time(scope.expires_at)),
        ]),
        Format::Json => format!("{:#}\n", document(scope, now)),
    };
    output.data(&text)?;
    Ok(Status::Success)
}

/// A scope as a document. Money is a text, for no digit of it may be lost.
fn document(scope: &Scope, now: Timestamp) -> Value {
    json!({
        "id": scope.id,
        "status": scope.status_at(now).name(),
        "incident": scope.incident,
        "intent": scope.intent,
        "allowed_actions": scope.allowed_actions,
        "target_agents": scope.target_agents,
        "max_attempts": scope.max_attempts,
        "attempts_used": scope.attempts_used,
        "attempts_reserved": scope.attempts_reserved,
        "max_cost": scope.max_cost.to_string(),
        "cost_used": scope.cost_used.to_string(),
        "cost_reserved": scope.cost_reserved.to_string(),
        "created_at": scope.created_at.to_string(),
        "created_by": scope.created_by,
        "expires_at": scope.expires_at.to_string(),
    })
}

/// What a request is to do with a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Create,
    End,
}

fn asked(args: &ScopeRequestArgs, doing: Doing, output: &mut Output) -> Result<Status, Failure> {
    let (request, facts) = decide::documents(&args.request, args.facts.as_deref())?;
    let kernel = Place::new(&args.act.place.store).open()?;
    let who = &args.act.who;
    let scoping = match doing {
        Doing::Create => kernel.create_scope(who, &request, facts.as_deref()),
        Doing::End => kernel.end_scope(who, &request, facts.as_deref()),
    };
    let more = scoping.scope.as_ref().map(|scope| ("scope", document(scope, System.now()).into(), scope.id.clone()));
    decide::tell(&scoping.verdict, &request, more, Next::Again, args.act.place.format, output)
}
