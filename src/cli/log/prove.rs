//! `pdl log checkpoint` and `pdl log prove`: what others need to be shown that nothing was changed.

use serde_json::json;

use super::super::args::Format;
use super::super::args::kernel::ActArgs;
use super::super::args::log::ProveArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use crate::kernel::log::append::Log;
use crate::kernel::log::prove::{consistency, inclusion};

/// Signs the head of the log. Prints the checkpoint: it is worth something once somebody else has it.
pub fn checkpoint(args: &ActArgs, output: &mut Output) -> Result<Status, Failure> {
    let place = Place::new(&args.place.store);
    let (signer, log) = (place.signer()?, Log::default());
    let kept = place.work(|tx| log.checkpoint(tx, &signer))?;
    match args.place.format {
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
    let place = Place::new(&args.place.store);
    let (proof, index) = place.work(|tx| match (&args.entry, args.since) {
        (Some(entry), _) => inclusion(tx, entry).map(|(_, proof)| (proof.to_string(), Some(proof.index))),
        (None, since) => consistency(tx, since.unwrap_or(0)).map(|proof| (proof.to_string(), None)),
    })?;
    match args.place.format {
        Format::Human => output.data(&proof)?,
        Format::Json => output.data(&format!("{:#}\n", json!({ "index": index, "proof": proof })))?,
    }
    Ok(Status::Success)
}
