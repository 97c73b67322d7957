//! `pdl events`: what is to be told once it is durable, and telling it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::args::Format;
use super::args::events::{DeliverArgs, EventsArgs, EventsCommand, EventsListArgs};
use super::exact::Exact;
use super::output::Output;
use super::place::Place;
use super::report::count;
use super::status::{Failure, Status};
use super::{files, table, trouble};
use crate::kernel::outbox::OutboxEvent;

/// Does what was asked.
pub fn run(args: &EventsArgs, output: &mut Output) -> Result<Status, Failure> {
    match &args.command {
        EventsCommand::List(args) => list(args, output),
        EventsCommand::Deliver(args) => deliver(args, output),
    }
}

fn list(args: &EventsListArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let delivered = if args.all { None } else { Some(false) };
    let events = kernel.events(&args.act.who, delivered, args.after, args.limit);
    let events = events.map_err(|error| trouble::kernel(&error))?;
    match args.act.place.format {
        Format::Human if events.is_empty() => output.say("nothing is to be told"),
        Format::Human => {
            let row = |event: &OutboxEvent| {
                let state = match (event.delivered, &event.trouble) {
                    (true, _) => "delivered".to_owned(),
                    (false, None) => "waits".to_owned(),
                    (false, Some(why)) => format!("waits, tried {}: {why}", count(tries(event), "time")),
                };
                let (number, time) = (event.number.to_string(), table::time(event.time));
                vec![number, time, event.name.clone(), format!("{} {}", event.ty, event.id), state]
            };
            let rows: Vec<Vec<String>> = events.iter().map(row).collect();
            output.data(&table::text(output, &["NUMBER", "TIME", "EVENT", "OF", "STATE"], &rows))?;
        }
        Format::Json => {
            let list = Exact::List(events.iter().map(document).collect());
            output.data(&format!("{:#}\n", Exact::from(json!({})).with("events", list)))?;
        }
    }
    Ok(Status::Success)
}

fn tries(event: &OutboxEvent) -> usize {
    usize::try_from(event.attempts).unwrap_or(usize::MAX)
}

fn document(event: &OutboxEvent) -> Exact {
    let document = json!({
        "number": event.number,
        "name": event.name,
        "type": event.ty,
        "id": event.id,
        "entry": event.entry,
        "time": event.time.to_string(),
        "payload": null,
        "delivered": event.delivered,
        "attempts": event.attempts,
        "trouble": event.trouble,
    });
    Exact::from(document).with("payload", Exact::read(&event.payload))
}

/// What whoever takes an event is told: a line.
fn line(event: &OutboxEvent) -> String {
    let document = json!({
        "number": event.number, "name": event.name, "type": event.ty, "id": event.id, "entry": event.entry,
        "time": event.time.to_string(), "payload": null,
    });
    format!("{}\n", Exact::from(document).with("payload", Exact::read(&event.payload)))
}

fn deliver(args: &DeliverArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let delivery = kernel.deliver(&args.act.who, &mut |event| match &args.to {
        Some(program) => hand_over(program, &line(event)),
        None => print(&line(event), output),
    });
    let delivery = delivery.map_err(|error| trouble::kernel(&error))?;
    output.say(&format!("delivered {}", count(usize::try_from(delivery.delivered).unwrap_or(usize::MAX), "event")));
    Ok(match delivery.stopped {
        None => Status::Success,
        Some((event, why)) => {
            output.say(&format!("the event {} was not taken, and all behind it wait: {why}", event.number));
            Status::Fault
        }
    })
}

/// Printed is taken, unless nobody reads it any more.
fn print(line: &str, output: &mut Output) -> Result<(), String> {
    output.data(line).and_then(|()| output.flush()).map_err(|failure| failure.message)?;
    if output.is_closed() { Err("nobody reads it".to_owned()) } else { Ok(()) }
}

/// A program takes an event by ending with 0.
fn hand_over(program: &Path, line: &str) -> Result<(), String> {
    let shown = files::shown(program);
    let failed = |error: std::io::Error| format!("`{shown}`: {error}");
    // What it prints is talk: data is what this command prints itself.
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(failed)?;
    // One that does not read to the end may have taken it all the same: how it ends says so.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(line.as_bytes()));
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}
