//! `pdl permits`: what a permit is for starts, once, and ends.

use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};

use super::args::Format;
use super::args::kernel::{PermitsArgs, PermitsCommand, PermitsListArgs, SettledAs, StartArgs};
use super::files;
use super::output::Output;
use super::place::Place;
use super::status::{Failure, Status};
use super::{table, trouble};
use crate::base::limits::{PERMIT_BYTES_MAX, REQUEST_BYTES_MAX};
use crate::kernel::KernelError;
use crate::kernel::permit::PermitState;
use crate::kernel::running::{Issued, Outcome};

/// Does what was asked.
pub fn run(args: &PermitsArgs, output: &mut Output) -> Result<Status, Failure> {
    match &args.command {
        PermitsCommand::List(args) => list(args, output),
        PermitsCommand::Start(args) => start(args, output),
        PermitsCommand::Complete(args) => {
            let token = token(&args.token)?;
            let kernel = Place::new(&args.act.place.store).open()?;
            let done = match args.cost {
                Some(cost) => kernel.complete_at_cost(&args.act.who, &token, cost),
                None => kernel.complete(&args.act.who, &token),
            };
            told(done, PermitState::Completed, args.act.place.format, output)
        }
        PermitsCommand::Fail(args) => {
            let token = token(&args.token)?;
            let kernel = Place::new(&args.act.place.store).open()?;
            let done = kernel.fail(&args.act.who, &token);
            told(done, PermitState::Failed, args.act.place.format, output)
        }
        PermitsCommand::Settle(args) => {
            let (outcome, state) = match (args.outcome, args.cost) {
                (SettledAs::Completed, cost) => (Outcome::Completed(cost), PermitState::Completed),
                (SettledAs::Failed, None) => (Outcome::Failed, PermitState::Failed),
                (SettledAs::Failed, Some(_)) => return Err(Failure::usage("what failed costs nothing")),
            };
            let kernel = Place::new(&args.act.place.store).open()?;
            let done = kernel.settle_permit(&args.act.who, &args.permit, outcome, &args.reason);
            told(done, state, args.act.place.format, output)
        }
    }
}

fn list(args: &PermitsListArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let states: &[PermitState] =
        if args.state.is_empty() { &[PermitState::Issued, PermitState::Started] } else { &args.state };
    let mut permits = Vec::new();
    for state in states {
        permits.extend(
            kernel.permits(&args.act.who, Some(*state), None, args.limit).map_err(|error| trouble::kernel(&error))?,
        );
    }
    permits.sort_by(|one, other| one.id.cmp(&other.id));
    match args.act.place.format {
        Format::Human if permits.is_empty() => output.say("there are no such permits"),
        Format::Human => {
            let row = |permit: &Issued| {
                let due = permit.due.map_or_else(String::new, table::time);
                let scope = permit.scope.as_ref().map_or_else(String::new, |(id, cost)| format!("{id} for {cost}"));
                let (state, action) = (permit.state.name().to_owned(), permit.action.clone());
                vec![permit.id.clone(), state, action, table::time(permit.issued), due, scope]
            };
            let rows: Vec<Vec<String>> = permits.iter().map(row).collect();
            output.data(&table::text(output, &["PERMIT", "STATE", "ACTION", "ISSUED", "UNTIL", "SCOPE"], &rows))?;
        }
        Format::Json => {
            let list: Vec<Value> = permits.iter().map(document).collect();
            output.data(&format!("{:#}\n", json!({ "permits": list })))?;
        }
    }
    Ok(Status::Success)
}

fn document(permit: &Issued) -> Value {
    let scope = permit.scope.as_ref().map(|(id, cost)| json!({ "id": id, "cost": cost.to_string() }));
    json!({
        "id": permit.id,
        "state": permit.state.name(),
        "action": permit.action,
        "decision": permit.decision,
        "issued": permit.issued.to_string(),
        "until": permit.due.map(|due| due.to_string()),
        "gate": permit.gate,
        "scope": scope,
    })
}

fn start(args: &StartArgs, output: &mut Output) -> Result<Status, Failure> {
    if args.token == "-" && files::is_stdin(&args.request) {
        return Err(Failure::usage("only one of permit and request can be `-`, standard input"));
    }
    let token = token(&args.token)?;
    let request = files::read(&args.request, REQUEST_BYTES_MAX)?;
    let kernel = Place::new(&args.act.place.store).open()?;
    let done = kernel.start(&args.act.who, &token, &request).map(|_| ());
    told(done, PermitState::Started, args.act.place.format, output)
}

/// The permit that was given, or the one on standard input: there nobody sees it among the processes.
fn token(given: &str) -> Result<String, Failure> {
    if given != "-" {
        if Path::new(given).is_file() {
            let why = format!("`{given}` is a file, and the permit is given itself");
            return Err(Failure::usage(why).help(format!("`-` reads it from standard input: `- < {given}`")));
        }
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    let limit = PERMIT_BYTES_MAX as u64 + 2;
    std::io::stdin()
        .lock()
        .take(limit)
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(format!("can't read the permit: {error}")))?;
    Ok(text.trim().to_owned())
}

fn told(
    done: Result<(), KernelError>,
    state: PermitState,
    format: Format,
    output: &mut Output,
) -> Result<Status, Failure> {
    done.map_err(|error| trouble::kernel(&error))?;
    match format {
        Format::Human => output.say(state.name()),
        Format::Json => output.data(&format!("{:#}\n", json!({ "state": state.name() })))?,
    }
    Ok(Status::Success)
}
