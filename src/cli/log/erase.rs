//! `pdl log erase`: the sensitive values of an entry are forgotten, and that they were is an entry.

use serde_json::{Value, json};

use super::super::args::Format;
use super::super::args::log::EraseArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::trouble;

/// Erases. What is erased can't be had back.
pub fn run(args: &EraseArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let told = kernel.erase(&args.act.who, &args.entry, &args.reason).map_err(|error| trouble::kernel(&error))?;
    let places: Vec<&String> = told
        .iter()
        .filter_map(|entry| entry.body.get("contents")?.as_object())
        .flat_map(|members| members.keys())
        .collect();
    match args.act.place.format {
        Format::Human if places.is_empty() => output.say("there was nothing to erase"),
        Format::Human => {
            for place in &places {
                output.data(&format!("{place}\n"))?;
            }
            output.say("erased what was there; the entry stands as it was written");
        }
        Format::Json => {
            let entry = told.as_ref().map_or(Value::Null, |entry| entry.id.clone().into());
            output.data(&format!("{:#}\n", json!({ "entry": entry, "erased": places })))?;
        }
    }
    Ok(Status::Success)
}
