//! `pdl kernel init`: a folder with keys, settings and the beginning of a log.

use serde_json::json;

use super::super::args::Format;
use super::super::args::kernel::KernelInitArgs;
use super::super::key;
use super::super::output::Output;
use super::super::place::Place;
use super::super::place::settings::Settings;
use super::super::status::{Failure, Status};
use super::super::trouble;
use crate::kernel::govern::operators::check_founders;

/// Makes a kernel. Never overwrites.
pub fn run(args: &KernelInitArgs, output: &mut Output) -> Result<Status, Failure> {
    let origin = match &args.origin {
        Some(origin) => origin.clone(),
        // Two logs of one name could be taken for two histories of one.
        None => format!("pdl.local/{}", &key::hex(&key::random()?)[..16]),
    };
    let settings = Settings {
        origin,
        start_within: args.start_within,
        run_within: args.run_within,
        signers: args.require_signature.iter().map(|path| key::read_public(path)).collect::<Result<_, _>>()?,
    };
    let founders = args.founder.clone();
    check_founders(&founders).map_err(|error| trouble::kernel(&error))?;
    let place = Place::new(&args.place.store);
    place.create(&settings)?;
    drop(place.found(founders)?);
    let (origin, verifier) = place.verifier()?;
    match args.place.format {
        Format::Human => {
            output.data(&format!("{verifier}\n"))?;
            output.say(&format!("made a kernel in {}; the log is {origin}, its key above", place.folder().display()));
            output.hint("give it a policy with `pdl kernel activate`");
        }
        Format::Json => {
            let folder = place.folder().display().to_string();
            let document = json!({ "folder": folder, "origin": origin, "log_key": verifier.to_string() });
            output.data(&format!("{document:#}\n"))?;
        }
    }
    Ok(Status::Success)
}
