//! `pdl records`: what has a lifecycle and is kept by the kernel.

use std::path::Path;

use serde_json::json;

use super::args::Format;
use super::args::records::{MoveArgs, RecordArgs, RecordsArgs, RecordsCommand, RecordsListArgs, StepArgs};
use super::exact::Exact;
use super::kernel::decide::{self, Next};
use super::output::Output;
use super::place::Place;
use super::status::{Failure, Status};
use super::{entries, files, table, trouble};
use crate::base::limits::REQUEST_BYTES_MAX;
use crate::diagnostic::render::clean;
use crate::kernel::records::Record;
use crate::kernel::records::change::{Changed, Move};
use crate::kernel::{Kernel, KernelError};
use crate::vm::decision::EntityName;

/// How many changes of a record are shown.
const HISTORY_MAX: u32 = 100;

/// Does what was asked.
pub fn run(args: &RecordsArgs, output: &mut Output) -> Result<Status, Failure> {
    match &args.command {
        RecordsCommand::List(args) => list(args, output),
        RecordsCommand::Show(args) => show(args, output),
        RecordsCommand::Create(args) => {
            let (request, facts) = decide::documents(&args.request, args.facts.as_deref())?;
            asked(args, Move::create(request.clone()), &request, facts, output)
        }
        RecordsCommand::Step(args) => step(args, output),
    }
}

fn failed(error: KernelError) -> Failure {
    trouble::kernel(&error)
}

fn open(store: &Path) -> Result<Kernel, Failure> {
    Place::new(store).open()
}

fn list(args: &RecordsListArgs, output: &mut Output) -> Result<Status, Failure> {
    let (kernel, who) = (open(&args.act.place.store)?, &args.act.who);
    let Some(ty) = &args.ty else {
        let types = kernel.record_types(who).map_err(failed)?;
        match args.act.place.format {
            Format::Human if types.is_empty() => output.say("there are no records"),
            Format::Human => output.data(&types.iter().map(|ty| format!("{}\n", clean(ty))).collect::<String>())?,
            Format::Json => output.data(&format!("{:#}\n", json!({ "types": types })))?,
        }
        return Ok(Status::Success);
    };
    let records = kernel.records(who, ty, args.status.as_deref(), args.after.clone(), args.limit).map_err(failed)?;
    match args.act.place.format {
        Format::Human if records.is_empty() => output.say(&format!("there are no records of the type {ty}")),
        Format::Human => {
            let row = |record: &Record| {
                let end = if record.is_final { "for good" } else { "" };
                vec![record.id.clone(), record.status.clone(), end.to_owned(), record.version.to_string()]
            };
            let rows: Vec<Vec<String>> = records.iter().map(row).collect();
            output.data(&table::text(output, &["ID", "STATUS", "", "VERSION"], &rows))?;
        }
        Format::Json => {
            let list = Exact::List(records.iter().map(document).collect());
            output.data(&format!("{:#}\n", Exact::from(json!({})).with("records", list)))?;
        }
    }
    Ok(Status::Success)
}

fn show(args: &RecordArgs, output: &mut Output) -> Result<Status, Failure> {
    let (kernel, who) = (open(&args.act.place.store)?, &args.act.who);
    let (ty, id) = (&args.record.ty, &args.record.id);
    let name = EntityName { ty: ty.clone(), id: id.clone() };
    let record = kernel.record(who, ty, id).map_err(failed)?;
    let record = record.ok_or_else(|| Failure::new(format!("there is no record {name}")))?;
    let history = kernel.history(who, ty, id, None, HISTORY_MAX).map_err(failed)?;
    match args.act.place.format {
        Format::Human => {
            let mut facts = vec![
                ("record", name.to_string()),
                ("status", record.status.clone()),
                ("version", record.version.to_string()),
            ];
            let properties = Exact::read(&record.properties);
            let properties = properties.members().iter().filter(|(name, _)| *name != "status");
            let named: Vec<(String, String)> =
                properties.map(|(name, value)| (format!(".{name}"), value.shown())).collect();
            facts.extend(named.iter().map(|(name, value)| (name.as_str(), value.clone())));
            output.data(&table::facts(&facts))?;
            output.data(&entries::table(output, &history))?;
        }
        Format::Json => {
            let changes: Vec<&str> = history.iter().map(|entry| entry.id.as_str()).collect();
            let document = document(&record).with("history", json!(changes));
            output.data(&format!("{document:#}\n"))?;
        }
    }
    Ok(Status::Success)
}

fn document(record: &Record) -> Exact {
    let document = json!({
        "type": record.ty,
        "id": record.id,
        "status": record.status,
        "final": record.is_final,
        "version": record.version,
        "properties": null,
        "entry": record.entry,
    });
    Exact::from(document).with("properties", Exact::read(&record.properties))
}

fn step(args: &StepArgs, output: &mut Output) -> Result<Status, Failure> {
    let (request, facts) = decide::documents(&args.what.request, args.what.facts.as_deref())?;
    let set = args.set.as_deref().map_or_else(|| Ok("{}".to_owned()), text)?;
    let moved = args.open.iter().fold(Move::step(request.clone(), set), Move::leaving_open);
    asked(&args.what, moved, &request, facts, output)
}

fn text(path: &Path) -> Result<String, Failure> {
    let bytes = files::read(path, REQUEST_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("`{}` is not UTF-8", files::shown(path))))
}

fn asked(
    args: &MoveArgs,
    mut wanted: Move,
    request: &[u8],
    facts: Option<Vec<u8>>,
    output: &mut Output,
) -> Result<Status, Failure> {
    wanted.facts = facts;
    wanted.evidence = args.evidence.as_deref().map(text).transpose()?;
    for announced in &args.announce {
        let (name, path) = announced
            .split_once('=')
            .ok_or_else(|| Failure::usage("an announcement is a name and a file: `--announce NAME=FILE`"))?;
        wanted = wanted.announcing(name, text(Path::new(path))?);
    }
    let kernel = open(&args.act.place.store)?;
    let format = args.act.place.format;
    match kernel.change(&args.act.who, &[wanted]) {
        Changed::Undone { verdict, .. } => decide::tell(&verdict, request, None, Next::Again, format, output),
        Changed::Done(moved) => {
            let moved = moved.first().ok_or_else(|| Failure::new("the kernel did nothing"))?;
            let record = &moved.record;
            let name = format!("{} is {}", EntityName { ty: record.ty.clone(), id: record.id.clone() }, record.status);
            decide::tell(
                &moved.verdict,
                request,
                Some(("record", document(record), clean(&name))),
                Next::Again,
                format,
                output,
            )
        }
    }
}
