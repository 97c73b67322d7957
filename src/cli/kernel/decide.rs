//! `pdl kernel decide`: a decision that is in the log, and what comes with it.

use std::path::Path;

use serde_json::{Value, json};

use super::super::args::Format;
use super::super::args::kernel::DecideArgs;
use super::super::exact::Exact;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::system::System;
use super::super::{answer, approvals, eval, files};
use super::keep::Keep;
use crate::base::limits::REQUEST_BYTES_MAX;
use crate::diagnostic::render::clean;
use crate::kernel::ask::Verdict;
use crate::kernel::environment::Environment as _;
use crate::kernel::gate::Gate;
use crate::kernel::permit::Permit;
use crate::vm::decide::Answer;

/// Decides, and says so in the exit status.
pub fn run(args: &DecideArgs, output: &mut Output) -> Result<Status, Failure> {
    let (request, facts) = documents(&args.request, args.facts.as_deref())?;
    let kernel = Place::new(&args.act.place.store).open()?;
    let keep = Keep::new(args.permit.as_deref())?;
    let verdict = kernel.decide(&args.act.who, &request, facts.as_deref());
    let kept = keep.map_or(Ok(None), |keep| keep.fill(&verdict))?;
    tell(&verdict, &request, None, Next::Spend(kept), args.act.place.format, output)
}

/// Reads a request and facts. A request that is too long is the kernel's to refuse.
pub fn documents(request: &Path, facts: Option<&Path>) -> Result<(Vec<u8>, Option<Vec<u8>>), Failure> {
    if files::is_stdin(request) && facts.is_some_and(files::is_stdin) {
        return Err(Failure::usage("only one of the paths can be `-`, standard input"));
    }
    let read = files::read_up_to(request, REQUEST_BYTES_MAX).map_err(|error| Failure::io("read", request, &error))?;
    let facts = facts.map(|path| files::read(path, REQUEST_BYTES_MAX)).transpose()?;
    Ok((read, facts))
}

/// What else came of a request than its verdict: what it is called, itself, and its id.
pub type More = (&'static str, Exact, String);

/// How whoever asked goes on once people have agreed.
#[derive(Clone, Copy, Debug)]
pub enum Next<'a> {
    /// With the gate they get a permit. Its token is in the file, or shown.
    Spend(Option<&'a Path>),
    /// They ask for the very same again.
    Again,
}

/// Shows what a request came to, and gives the exit status that says so. A token that is kept in a file is not shown.
pub fn tell(
    verdict: &Verdict,
    request: &[u8],
    more: Option<More>,
    next: Next<'_>,
    format: Format,
    output: &mut Output,
) -> Result<Status, Failure> {
    let kept = match next {
        Next::Spend(kept) => kept,
        Next::Again => None,
    };
    let text = match format {
        Format::Human => text(verdict, request, more.as_ref(), kept, output.color_data()),
        Format::Json => format!("{}\n", document(verdict, more, kept)),
    };
    output.data(&text)?;
    if let (Answer::RequireApproval, Some(gate), Format::Human) = (verdict.answer(), &verdict.gate, format) {
        go_on(gate, next, output);
    }
    Ok(match verdict.answer() {
        Answer::Allow => Status::Success,
        Answer::RequireApproval => Status::RequireApproval,
        // What is not in the log was not denied: the kernel does not work.
        Answer::Deny if verdict.entry.is_none() => Status::Fault,
        Answer::Deny => Status::Deny,
    })
}

/// Says how it goes on where people are asked.
fn go_on(gate: &Gate, next: Next<'_>, output: &mut Output) {
    let id = &gate.id;
    output.hint(&format!("`pdl approvals show {id} --as WHO` shows those who are asked what they agree to"));
    for asked in &gate.asked {
        let (quorum, from) = (asked.quorum, &asked.from);
        let rule = if gate.asked.len() > 1 { format!(" --rule {}", asked.rule) } else { String::new() };
        output.hint(&format!("{quorum} of {from} agree with `pdl approvals approve {id}{rule} --as WHO`"));
    }
    match next {
        Next::Spend(_) => output.hint(&format!("then `pdl kernel spend {id}`, by who asked, gives the permit")),
        Next::Again => output.hint("then ask for the very same again"),
    }
}

fn text(verdict: &Verdict, request: &[u8], more: Option<&More>, kept: Option<&Path>, color: bool) -> String {
    let decided =
        verdict.decision.as_ref().map(|decision| answer::text(decision, eval::asked(request).as_deref(), color));
    let mut out = match (&verdict.trouble, decided) {
        (None, decided) => decided.unwrap_or_else(|| answer::denied(color)),
        // What the kernel says counts, and comes first.
        (Some(trouble), decided) => {
            let decided = decided.map_or_else(String::new, |decided| format!("policy says: {decided}"));
            format!("{}  the kernel itself: {}\n{decided}", answer::denied(color), clean(&trouble.to_string()))
        }
    };
    let mut line = |name: &str, what: &str| out.push_str(&format!("  {name} {what}\n"));
    if let Some(entry) = &verdict.entry {
        line("entry", entry);
    }
    if let Some(gate) = &verdict.gate {
        line("gate", &format!("{}, {} until {}", gate.id, gate.state, gate.expires));
    }
    if let Some((name, _, id)) = more {
        line(name, id);
    }
    if let Some(permit) = &verdict.permit {
        line("permit", &format!("{} until {}", permit.claims().id, permit.claims().expires));
        match kept {
            Some(path) => line("token", &format!("in {}", files::shown(path))),
            None => line("token", permit.token()),
        }
    }
    out
}

fn document(verdict: &Verdict, more: Option<More>, kept: Option<&Path>) -> Exact {
    let decision = match &verdict.decision {
        Some(decision) => Exact::read(&decision.to_json()),
        None => Value::Null.into(),
    };
    let mut members = Vec::new();
    let mut add = |name: &str, value: Exact| members.push((name.to_owned(), value));
    add("answer", Value::from(verdict.answer().name()).into());
    add("entry", Value::from(verdict.entry.clone()).into());
    add("permit", verdict.permit.as_ref().map_or(Value::Null, |given| permit(given, kept)).into());
    add("gate", verdict.gate.as_ref().map_or(Value::Null.into(), |gate| approvals::document(gate, System.now())));
    if let Some((name, value, _)) = more {
        add(name, value);
    }
    add("trouble", Value::from(verdict.trouble.as_ref().map(ToString::to_string)).into());
    add("decision", decision);
    Exact::Object(members)
}

fn permit(permit: &Permit, kept: Option<&Path>) -> Value {
    let claims = permit.claims();
    let token = kept.is_none().then(|| permit.token());
    json!({ "id": claims.id, "token": token, "action": claims.action, "expires": claims.expires.to_string() })
}
