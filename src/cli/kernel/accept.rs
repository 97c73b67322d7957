//! `pdl kernel accept`: a store that is behind what was acknowledged is what holds from now on.

use serde_json::json;

use super::super::args::Format;
use super::super::args::kernel::PlaceArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};

/// Accepts it, and says how much is gone.
pub fn run(args: &PlaceArgs, output: &mut Output) -> Result<Status, Failure> {
    let accepted = Place::new(&args.store).accept()?;
    match args.format {
        Format::Human => {
            let there = match accepted.acknowledged {
                Some(number) => format!("of {number} transactions {} are there", accepted.found),
                None => format!("{} transactions are there; how many there were is not known", accepted.found),
            };
            output.say(&format!("accepted: {there}"));
            if accepted.acknowledged.is_none_or(|number| number > accepted.found) {
                output.hint("what was spent may be there unspent: let permits and gates end before agents go on");
            }
        }
        Format::Json => {
            let document = json!({ "acknowledged": accepted.acknowledged, "found": accepted.found });
            output.data(&format!("{document:#}\n"))?;
        }
    }
    Ok(Status::Success)
}
