//! `pdl log tail` and `pdl log query`: entries by kind, link and time.

use super::super::args::Format;
use super::super::args::log::{QueryArgs, TailArgs};
use super::super::args::values::Moment;
use super::super::entries;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::system::System;
use crate::data::timestamp::Timestamp;
use crate::kernel::entry::Entry;
use crate::kernel::environment::Environment as _;
use crate::kernel::log::search::Search;

/// Shows the last entries, the newest last, as `tail` does.
pub fn tail(args: &TailArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let (mut entries, _) = entries::find(&kernel, &args.act.who, Search { limit: args.limit, ..Search::default() })?;
    entries.reverse();
    shown(&entries, args.act.place.format, output)
}

/// Looks for entries, the newest first.
pub fn run(args: &QueryArgs, output: &mut Output) -> Result<Status, Failure> {
    let (kernel, now) = (Place::new(&args.act.place.store).open()?, System.now());
    let search = Search {
        kinds: args.kind.clone(),
        link: args.link.clone(),
        from: time(args.since, now)?,
        until: time(args.until, now)?,
        before: args.before,
        limit: args.limit,
    };
    let (entries, next) = entries::find(&kernel, &args.act.who, search)?;
    let status = shown(&entries, args.act.place.format, output)?;
    if let Some(next) = next {
        output.hint(&format!("there may be more: `--before {next}` goes on"));
    }
    Ok(status)
}

fn time(moment: Option<Moment>, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let before = || Failure::usage("that is before all times");
    moment.map(|moment| moment.before(now).ok_or_else(before)).transpose()
}

/// A table, or the entries themselves, a line each: byte for byte what the log has.
fn shown(entries: &[Entry], format: Format, output: &mut Output) -> Result<Status, Failure> {
    match format {
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
