//! `pdl log tail` and `pdl log query`: entries by kind, link and time.

use super::super::args::Format;
use super::super::args::log::{QueryArgs, ReadArgs, TailArgs};
use super::super::args::values::Moment;
use super::super::entries;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::system::System;
use super::super::trouble;
use super::folder::with_files;
use crate::data::timestamp::Timestamp;
use crate::kernel::entry::Entry;
use crate::kernel::environment::Environment as _;
use crate::kernel::log::search::Search;

/// Shows the last entries, the newest last, as `tail` does.
pub fn tail(args: &TailArgs, output: &mut Output) -> Result<Status, Failure> {
    let search = Search { limit: args.limit, ..Search::default() };
    let Found { mut entries, .. } = find(&args.read, search, output)?;
    entries.reverse();
    shown(&entries, args.read.by.place.format, output)
}

/// Looks for entries, the newest first.
pub fn run(args: &QueryArgs, output: &mut Output) -> Result<Status, Failure> {
    let now = System.now();
    let search = Search {
        kinds: args.kind.clone(),
        link: args.link.clone(),
        from: time(args.since, now)?,
        until: time(args.until, now)?,
        before: args.before,
        limit: args.limit,
    };
    let Found { entries, next } = find(&args.read, search, output)?;
    let status = shown(&entries, args.read.by.place.format, output)?;
    if let Some(next) = next {
        output.hint(&format!("there may be more: `--before {next}` goes on"));
    }
    Ok(status)
}

/// Entries, and where to go on.
struct Found {
    entries: Vec<Entry>,
    next: Option<u64>,
}

/// Looks in the log of a kernel, or in the files of one.
fn find(args: &ReadArgs, search: Search, output: &mut Output) -> Result<Found, Failure> {
    let (entries, next) = match (&args.files, &args.by.who) {
        (None, Some(who)) => entries::find(&Place::new(&args.by.place.store).open()?, who, search)?,
        (None, None) => return Err(Failure::usage("say who reads the log, with `--as` or PDL_PRINCIPAL")),
        (Some(folder), _) => with_files(args, folder, |log| {
            let found = entries::find_by(search, |search| log.search(search).map_err(|error| trouble::log(&error)))?;
            if log.first() > 0 && found.1.is_none() {
                output.say(&format!("the first {} entries are not in these files", log.first()));
            }
            Ok(found)
        })?,
    };
    Ok(Found { entries, next })
}

fn time(moment: Option<Moment>, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let before = || Failure::usage("that is before all times");
    moment.map(|moment| moment.before(now).ok_or_else(before)).transpose()
}

/// A table, or the entries themselves, a line each: byte for byte what the log has.
fn shown(entries: &[Entry], format: Format, output: &mut Output) -> Result<Status, Failure> {
    match format {
        Format::Human if entries.is_empty() => output.say("there are no such entries"),
        Format::Human => output.data(&entries::table(output, entries))?,
        Format::Json => {
            for entry in entries {
                output.bytes(&entry.to_bytes())?;
                output.bytes(b"\n")?;
            }
        }
    }
    Ok(Status::Success)
}
