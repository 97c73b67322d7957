//! `pdl kernel decide`: a decision that is in the log, and what comes with it.

use serde_json::{Map, Value, json};

use super::super::args::Format;
use super::super::args::kernel::DecideArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::{answer, eval, files};
use crate::base::limits::REQUEST_BYTES_MAX;
use crate::kernel::ask::Verdict;
use crate::kernel::permit::Permit;
use crate::vm::decide::Answer;

/// Decides, and says so in the exit status.
pub fn run(args: &DecideArgs, output: &mut Output) -> Result<Status, Failure> {
    if files::is_stdin(&args.request) && args.facts.as_deref().is_some_and(files::is_stdin) {
        return Err(Failure::usage("only one of the paths can be `-`, standard input"));
    }
    let request = files::read_up_to(&args.request, REQUEST_BYTES_MAX)
        .map_err(|error| Failure::io("read", &args.request, &error))?;
    let facts = args.facts.as_ref().map(|path| files::read(path, REQUEST_BYTES_MAX)).transpose()?;
    let kernel = Place::new(&args.act.place.store).open()?;
    let verdict = kernel.decide(&args.act.who, &request, facts.as_deref());
    tell(&verdict, &request, args.act.place.format, output)
}

/// Shows what a request came to, and gives the exit status that says so.
pub fn tell(verdict: &Verdict, request: &[u8], format: Format, output: &mut Output) -> Result<Status, Failure> {
    let text = match format {
        Format::Human => text(verdict, request, output.color_data()),
        Format::Json => format!("{}\n", document(verdict)?),
    };
    output.data(&text)?;
    Ok(match verdict.answer() {
        Answer::Allow => Status::Success,
        Answer::RequireApproval => Status::RequireApproval,
        // What is not in the log was not denied: the kernel does not work.
        Answer::Deny if verdict.entry.is_none() => Status::Fault,
        Answer::Deny => Status::Deny,
    })
}

fn text(verdict: &Verdict, request: &[u8], color: bool) -> String {
    let mut out = match &verdict.decision {
        Some(decision) => answer::text(decision, eval::asked(request).as_deref(), color),
        None => answer::denied(color),
    };
    let mut line = |name: &str, what: &str| out.push_str(&format!("  {name} {what}\n"));
    if let Some(trouble) = &verdict.trouble {
        line("the kernel itself denied:", &trouble.to_string());
    }
    if let Some(entry) = &verdict.entry {
        line("entry", entry);
    }
    if let Some(permit) = &verdict.permit {
        line("permit", &format!("{} until {}", permit.claims().id, permit.claims().expires));
        line("token", permit.token());
    }
    out
}

fn document(verdict: &Verdict) -> Result<Value, Failure> {
    let defect = |error: serde_json::Error| Failure::new(format!("the decision is not JSON: {error}"));
    let decision = match &verdict.decision {
        Some(decision) => serde_json::from_str(&decision.to_json()).map_err(defect)?,
        None => Value::Null,
    };
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| _ = members.insert(name.to_owned(), value);
    add("answer", verdict.answer().name().into());
    add("entry", verdict.entry.clone().into());
    add("permit", verdict.permit.as_ref().map_or(Value::Null, permit));
    add("trouble", verdict.trouble.as_ref().map(ToString::to_string).into());
    add("decision", decision);
    Ok(Value::Object(members))
}

fn permit(permit: &Permit) -> Value {
    let claims = permit.claims();
    json!({ "id": claims.id, "token": permit.token(), "action": claims.action, "expires": claims.expires.to_string() })
}
