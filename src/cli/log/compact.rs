//! `pdl log archive` and `pdl log compact`: the oldest entries go to files that are verified, and only then from the store.

use std::path::Path;
use std::thread::available_parallelism;

use serde_json::json;

use super::super::args::Format;
use super::super::args::log::{ArchiveArgs, CompactArgs};
use super::super::output::Output;
use super::super::place::Place;
use super::super::progress::Bar;
use super::super::status::{Failure, Status};
use super::super::trouble;
use super::folder::Folder;
use crate::kernel::Kernel;
use crate::kernel::log::compact::Archive;
use crate::kernel::log::verify::Progress;
use crate::kernel::reading::Against;
use crate::log::note::Verifier;

/// Signs the head of the log, writes everything up to it to files, and verifies those.
pub fn archive(args: &ArchiveArgs, output: &mut Output) -> Result<Status, Failure> {
    let place = Place::new(&args.act.place.store);
    let (kernel, (_, verifier)) = (place.open()?, place.verifier()?);
    let known = [verifier];
    kernel.sign_checkpoint().map_err(|error| trouble::kernel(&error))?;
    let bar = Bar::new("exporting");
    let files = &mut Folder::new(&args.folder);
    let kept = kernel.export_log(&args.act.who, None, &known, files, &mut |progress| bar.show(progress));
    kept.map_err(|error| trouble::kernel(&error))?;
    drop(bar);
    let archive = verified(&kernel, &args.folder, &known)?;
    let folder = args.folder.display().to_string();
    match args.act.place.format {
        Format::Human => {
            output.say(&format!("verified {} entries in {folder}", archive.size()));
            output.hint("keep a copy where this machine is not, then drop them with `pdl log compact`");
        }
        Format::Json => output.data(&format!("{:#}\n", json!({ "size": archive.size(), "folder": folder })))?,
    }
    Ok(Status::Success)
}

/// Verifies the files of an archive, and drops the entries before an index that are in it.
pub fn run(args: &CompactArgs, output: &mut Output) -> Result<Status, Failure> {
    let place = Place::new(&args.act.place.store);
    let (kernel, (_, verifier)) = (place.open()?, place.verifier()?);
    let archive = verified(&kernel, &args.folder, &[verifier])?;
    let before = args.before.unwrap_or(archive.size());
    let bar = Bar::new("dropping");
    let mut dropped = None;
    loop {
        let told = kernel.compact_log(&args.act.who, &archive, before, &args.reason);
        let Some(entry) = told.map_err(|error| trouble::kernel(&error))? else { break };
        dropped = entry.body.get("before").and_then(serde_json::Value::as_u64).or(dropped);
        bar.show(Progress { done: dropped.unwrap_or_default(), of: before });
    }
    drop(bar);
    match (args.act.place.format, dropped) {
        (Format::Human, None) => output.say("there was nothing to drop: entries go 256 at a time"),
        (Format::Human, Some(before)) => {
            output.say(&format!("dropped the entries before {before}; the archive has them"));
        }
        (Format::Json, dropped) => output.data(&format!("{:#}\n", json!({ "dropped_before": dropped })))?,
    }
    Ok(Status::Success)
}

fn verified(kernel: &Kernel, folder: &Path, known: &[Verifier]) -> Result<Archive, Failure> {
    let bar = Bar::new("verifying");
    let against = Against { known, trusted: &[], threads: available_parallelism().map_or(1, usize::from) };
    let archive = kernel.archive(&mut Folder::existing(folder)?, &against, &mut |progress| bar.show(progress));
    archive.map_err(|error| trouble::kernel(&error))
}
