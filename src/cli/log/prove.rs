//! `pdl log checkpoint` and `pdl log prove`: what others need to be shown that nothing was changed.

use std::path::Path;

use serde_json::json;

use super::super::args::Format;
use super::super::args::kernel::PlaceArgs;
use super::super::args::log::ProveArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::trouble;
use super::folder::{Folder, key, with_files};
use crate::kernel::entry::Entry;
use crate::kernel::log::LogError;
use crate::kernel::log::exported::{Exported, Proved};

/// Signs the head of the log. Prints the checkpoint: it is worth something once somebody else has it.
pub fn checkpoint(args: &PlaceArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.store).open()?;
    let kept = kernel.sign_checkpoint().map_err(|error| trouble::kernel(&error))?;
    match args.format {
        Format::Human => {
            output.data(&kept.note)?;
            output.say(&format!("signed for {} entries; keep it where the log is not", kept.size));
        }
        Format::Json => {
            output.data(&format!("{:#}\n", json!({ "size": kept.size, "checkpoint": kept.note })))?;
        }
    }
    Ok(Status::Success)
}

/// Prints a proof, a text that stands alone.
pub fn run(args: &ProveArgs, output: &mut Output) -> Result<Status, Failure> {
    let (proof, index) = match (&args.read.files, &args.read.by.who) {
        (Some(folder), _) => with_files(&args.read, folder, |log| {
            let proof = match (&args.entry, args.since) {
                (Some(entry), _) => log.entry(entry).map(|Proved { proof, .. }| (proof.to_string(), Some(proof.index))),
                (None, since) => log.growth(since.unwrap_or(0)).map(|proof| (proof.to_string(), None)),
            };
            proof.map_err(|error| trouble::log(&error))
        })?,
        (None, None) => return Err(Failure::usage("say who reads the log, with `--as` or PDL_PRINCIPAL")),
        (None, Some(who)) => {
            let place = Place::new(&args.read.by.place.store);
            let kernel = place.open()?;
            let dropped = match (&args.archive, &args.entry) {
                (Some(folder), Some(entry)) => in_archive(&place, folder, entry)?,
                _ => None,
            };
            let proof = match (dropped, &args.entry, args.since) {
                (Some(entry), _, _) => {
                    let proof = kernel.prove_dropped(who, &entry, args.size);
                    proof.map(|proof| (proof.to_string(), Some(proof.index)))
                }
                (None, Some(entry), _) => {
                    kernel.prove(who, entry, args.size).map(|(_, proof)| (proof.to_string(), Some(proof.index)))
                }
                (None, None, since) => kernel.prove_growth(since.unwrap_or(0)).map(|proof| (proof.to_string(), None)),
            };
            proof.map_err(|error| trouble::kernel(&error))?
        }
    };
    match args.read.by.place.format {
        Format::Human => output.data(&proof)?,
        Format::Json => output.data(&format!("{:#}\n", json!({ "index": index, "proof": proof })))?,
    }
    Ok(Status::Success)
}

/// The entry of an archive, if it is there: what is younger is in the store.
fn in_archive(place: &Place, folder: &Path, name: &str) -> Result<Option<Entry>, Failure> {
    let (origin, verifier) = key(place, None, false)?;
    let mut files = Folder::existing(folder)?;
    let mut log = Exported::open(&mut files, &origin, &[verifier]).map_err(|error| trouble::log(&error))?;
    match log.entry(name) {
        Ok(Proved { entry, .. }) => Ok(Some(entry)),
        Err(LogError::NoEntry(_)) => Ok(None),
        Err(fault) => Err(trouble::log(&fault)),
    }
}
