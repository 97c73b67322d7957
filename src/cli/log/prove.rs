//! `pdl log checkpoint` and `pdl log prove`: what others need to be shown that nothing was changed.

use serde_json::json;

use super::super::args::Format;
use super::super::args::kernel::PlaceArgs;
use super::super::args::log::ProveArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::trouble;

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
    let (kernel, who) = (Place::new(&args.act.place.store).open()?, &args.act.who);
    let proof = match (&args.entry, args.since) {
        (Some(entry), _) => {
            kernel.prove(who, entry, args.size).map(|(_, proof)| (proof.to_string(), Some(proof.index)))
        }
        (None, since) => kernel.prove_growth(since.unwrap_or(0)).map(|proof| (proof.to_string(), None)),
    };
    let (proof, index) = proof.map_err(|error| trouble::kernel(&error))?;
    match args.act.place.format {
        Format::Human => output.data(&proof)?,
        Format::Json => output.data(&format!("{:#}\n", json!({ "index": index, "proof": proof })))?,
    }
    Ok(Status::Success)
}
