//! `pdl approvals`: what people are asked, and what they say.

use serde_json::json;

use super::args::Format;
use super::args::approvals::{ApprovalsArgs, ApprovalsCommand, GateArgs, GatesArgs, VoteArgs};
use super::exact::Exact;
use super::output::Output;
use super::place::Place;
use super::status::{Failure, Status};
use super::system::System;
use super::{table, trouble};
use crate::base::hash::Digest;
use crate::data::timestamp::Timestamp;
use crate::diagnostic::render::clean;
use crate::kernel::KernelError;
use crate::kernel::environment::Environment as _;
use crate::kernel::gate::{Asked, Gate, GateState, Verdict};

/// Does what was asked.
pub fn run(args: &ApprovalsArgs, output: &mut Output) -> Result<Status, Failure> {
    match &args.command {
        ApprovalsCommand::List(args) => list(args, output),
        ApprovalsCommand::Show(args) => {
            let kernel = Place::new(&args.act.place.store).open()?;
            let gate = there(kernel.gate(&args.act.who, &args.gate), &args.gate)?;
            shown(&gate, args.act.place.format, output)
        }
        ApprovalsCommand::Approve(args) => vote(args, Verdict::Approve, output),
        ApprovalsCommand::Deny(args) => vote(args, Verdict::Deny, output),
        ApprovalsCommand::Withdraw(args) => withdraw(args, output),
    }
}

fn failed(error: KernelError) -> Failure {
    trouble::kernel(&error)
}

fn there(gate: Result<Option<Gate>, KernelError>, id: &str) -> Result<Gate, Failure> {
    gate.map_err(failed)?
        .ok_or_else(|| Failure::new(format!("there is no gate {id}")).help("`pdl approvals list` names them"))
}

fn list(args: &GatesArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let states: Vec<GateState> = match &args.state[..] {
        [] => vec![GateState::Pending, GateState::Approved],
        states => states.to_vec(),
    };
    let mut gates = Vec::new();
    for state in states {
        gates.extend(kernel.gates(&args.act.who, Some(state), None, args.limit).map_err(failed)?);
    }
    gates.sort_by(|one, other| one.id.cmp(&other.id));
    let now = System.now();
    match args.act.place.format {
        Format::Human => {
            let rows: Vec<Vec<String>> = gates.iter().map(|gate| row(gate, now)).collect();
            if rows.is_empty() {
                output.say("nobody is asked anything");
            } else {
                output.data(&table::text(output, &["GATE", "STATE", "BY", "NEEDED", "UNTIL"], &rows))?;
            }
        }
        Format::Json => {
            let list = Exact::List(gates.iter().map(|gate| document(gate, now)).collect());
            output.data(&format!("{:#}\n", Exact::from(json!({})).with("gates", list)))?;
        }
    }
    Ok(Status::Success)
}

fn row(gate: &Gate, now: Timestamp) -> Vec<String> {
    let needed: Vec<String> = gate.asked.iter().map(|asked| needed(gate, asked)).collect();
    let (state, until) = (gate.state_at(now).to_string(), table::time(gate.expires));
    vec![gate.id.clone(), state, gate.requester.to_string(), needed.join(", "), until]
}

/// `release.managers: 1 of 2 from Team::"managers"`
fn needed(gate: &Gate, asked: &Asked) -> String {
    format!("{}: {} of {} from {}", asked.rule, agreed(gate, asked), asked.quorum, asked.from)
}

/// How many votes agree. Whether each still counts is looked at when the gate is spent.
fn agreed(gate: &Gate, asked: &Asked) -> usize {
    gate.votes.iter().filter(|vote| vote.rule == asked.rule && vote.verdict == Verdict::Approve).count()
}

fn shown(gate: &Gate, format: Format, output: &mut Output) -> Result<Status, Failure> {
    let now = System.now();
    match format {
        Format::Human => {
            output.data(&format!("gate: {}\nstate: {}\n", gate.id, gate.state_at(now)))?;
            // It is made for people: nothing in it is obeyed, and nothing is cut.
            output.data(&gate.shown())?;
            for vote in &gate.votes {
                let voter = clean(&vote.voter.to_string());
                output.data(&format!("vote: {} {} {} at {}\n", vote.verdict.name(), vote.rule, voter, vote.at))?;
            }
        }
        Format::Json => output.data(&format!("{:#}\n", document(gate, now)))?,
    }
    Ok(Status::Success)
}

/// A gate as a document.
pub fn document(gate: &Gate, now: Timestamp) -> Exact {
    let asked = gate.asked.iter().map(|asked| {
        json!({
            "rule": asked.rule, "message": asked.message, "from": asked.from.to_string(),
            "quorum": asked.quorum, "agreed": agreed(gate, asked), "distinct": asked.distinct,
        })
    });
    let votes = gate.votes.iter().map(|vote| {
        json!({
            "voter": vote.voter.to_string(), "rule": vote.rule,
            "verdict": vote.verdict.name(), "at": vote.at.to_string(),
        })
    });
    let document = json!({
        "id": gate.id,
        "state": gate.state_at(now).name(),
        "requester": gate.requester.to_string(),
        "decision": gate.decision,
        "binding": gate.binding.to_string(),
        "request": null,
        "asked": asked.collect::<Vec<_>>(),
        "votes": votes.collect::<Vec<_>>(),
        "opened": gate.opened.to_string(),
        "expires": gate.expires.to_string(),
    });
    Exact::from(document).with("request", Exact::read(&gate.request))
}

fn vote(args: &VoteArgs, verdict: Verdict, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let gate = match kernel.gate(&args.act.who, &args.gate) {
        // A vote of whom nobody asks is refused as the vote that it is, and that is what the log says.
        Err(KernelError::Forbidden(_)) => {
            let (rule, binding) = (args.rule.as_deref().unwrap_or_default(), args.binding.unwrap_or(Digest([0; 32])));
            let gate = kernel.vote(&args.act.who, &args.gate, rule, verdict, binding).map_err(failed)?;
            return told(&gate, args.act.place.format, output);
        }
        gate => there(gate, &args.gate)?,
    };
    let rule = match (&args.rule, &gate.asked[..]) {
        (Some(rule), _) => rule.clone(),
        (None, [only]) => only.rule.clone(),
        (None, several) => {
            let rules: Vec<&str> = several.iter().map(|asked| asked.rule.as_str()).collect();
            return Err(
                Failure::usage("several rules ask for approval").help(format!("`--rule`: {}", rules.join(", ")))
            );
        }
    };
    // A gate is of one binding for ever; who was shown another one says so.
    let binding = args.binding.unwrap_or(gate.binding);
    let gate = kernel.vote(&args.act.who, &args.gate, &rule, verdict, binding).map_err(failed)?;
    told(&gate, args.act.place.format, output)
}

fn withdraw(args: &GateArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let gate = kernel.withdraw(&args.act.who, &args.gate).map_err(failed)?;
    told(&gate, args.act.place.format, output)
}

fn told(gate: &Gate, format: Format, output: &mut Output) -> Result<Status, Failure> {
    match format {
        Format::Human => {
            let needed: Vec<String> = gate.asked.iter().map(|asked| needed(gate, asked)).collect();
            output.say(&format!("{} is {} ({})", gate.id, gate.state, needed.join(", ")));
            if gate.state == GateState::Approved {
                output.hint(&match gate.has_effects {
                    false => format!("who asked spends it with `pdl kernel spend {}`", gate.id),
                    true => "who asked asks for the same change again".to_owned(),
                });
            }
        }
        Format::Json => output.data(&format!("{:#}\n", document(gate, System.now())))?,
    }
    Ok(Status::Success)
}
