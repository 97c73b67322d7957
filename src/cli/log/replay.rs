//! `pdl log replay`: every decision of the log is made again, and has to come out as it was recorded.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde_json::json;

use super::super::args::Format;
use super::super::args::log::ReplayArgs;
use super::super::output::{GREEN, Output, RED, paint};
use super::super::place::Place;
use super::super::progress::Bar;
use super::super::status::{Failure, Status};
use super::super::trouble;
use super::folder::Folder;
use crate::base::limits::{BUNDLE_BYTES_MAX, ENTITIES_BYTES_MAX};
use crate::diagnostic::render::clean;
use crate::kernel::replay::exported::{Given, replay_files};
use crate::kernel::replay::{Finding, Gap, Options, Outcome, Report};

/// Replays the log, and ends with 9 if anything speaks against it.
pub fn run(args: &ReplayArgs, output: &mut Output) -> Result<Status, Failure> {
    let threads = args.threads.and_then(|number| NonZeroUsize::new(number.into()));
    let threads = threads.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let options = Options { from: args.from, threads, ..Options::default() };
    let bar = Bar::new("replaying");
    let progress = &mut |progress| bar.show(progress);
    let report = match (&args.files, &args.by.who) {
        (Some(folder), _) => {
            let given = Given {
                bundles: files(&args.bundle, BUNDLE_BYTES_MAX)?,
                entities: files(&args.entities, ENTITIES_BYTES_MAX)?,
            };
            replay_files(&mut Folder::existing(folder)?, given, &options, progress)
        }
        (None, Some(who)) => Place::new(&args.by.place.store).open()?.replay(who, &options, progress),
        (None, None) => return Err(Failure::usage("say who replays the log, with `--as` or PDL_PRINCIPAL")),
    };
    let report = report.map_err(|error| trouble::kernel(&error))?;
    drop(bar);
    match args.by.place.format {
        Format::Human => {
            output.data(&text(&report, output.color_data()))?;
            if args.files.is_some() {
                missing(&report, output);
            }
        }
        Format::Json => output.data(&format!("{:#}\n", document(&report)))?,
    }
    Ok(if report.is_sound() { Status::Success } else { Status::Unverified })
}

/// Says how to come by what is not among the files.
fn missing(report: &Report, output: &mut Output) {
    for (gap, what) in [
        (Gap::Bundle, "the bundles, or give them with `--bundle`"),
        (Gap::Version, "the entities, or give them with `--entities`"),
    ] {
        if report.not_replayed.contains_key(&gap) {
            output.hint(&format!("have the log exported with `--replayable`: then it has {what}"));
        }
    }
    if report.not_replayed.contains_key(&Gap::Hidden) {
        output.hint("have it exported with `--reveal`, by who may read what is hidden: then it has that too");
    }
}

fn files(paths: &[PathBuf], most: usize) -> Result<Vec<Vec<u8>>, Failure> {
    paths.iter().map(|path| super::super::files::read(path, most)).collect()
}

fn text(report: &Report, color: bool) -> String {
    let mut out = String::new();
    // What is left for one reason is told once.
    let mut left: Vec<(&Finding, usize)> = Vec::new();
    for finding in &report.findings {
        match finding.outcome {
            Outcome::Different(_) => {
                out.push_str(&format!("{} {}\n", paint(color, RED, "found:"), clean(&finding.to_string())));
            }
            Outcome::NotReplayed(_) => match left.iter_mut().find(|(first, _)| first.outcome == finding.outcome) {
                Some((_, others)) => *others = others.saturating_add(1),
                None => left.push((finding, 0)),
            },
        }
    }
    for (finding, others) in left {
        let others = if others == 0 { String::new() } else { format!(" ({others} more for the same reason)") };
        out.push_str(&format!("left: {}{others}\n", clean(&finding.to_string())));
    }
    let word = if report.is_sound() { paint(color, GREEN, "replayed") } else { paint(color, RED, "replayed") };
    let Report { entries, decisions, same, different, .. } = report;
    out.push_str(&format!(
        "{word} {same} of {decisions} decisions as they were, {different} otherwise, of {entries} entries\n"
    ));
    for (gap, number) in &report.not_replayed {
        out.push_str(&format!("not replayed {number}: {gap}\n"));
    }
    if report.dropped > 0 {
        out.push_str(&format!(
            "not looked at: the {} entries that were dropped are in the archive only\n",
            report.dropped
        ));
    }
    out
}

fn document(report: &Report) -> serde_json::Value {
    let not_replayed: BTreeMap<&str, u64> =
        report.not_replayed.iter().map(|(gap, number)| (gap.name(), *number)).collect();
    json!({
        "sound": report.is_sound(),
        "whole": report.is_whole(),
        "entries": report.entries,
        "dropped": report.dropped,
        "decisions": report.decisions,
        "same": report.same,
        "different": report.different,
        "not_replayed": not_replayed,
        "findings": report.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
