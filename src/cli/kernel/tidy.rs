//! `pdl kernel tidy`: what is over and old is removed. The log stays as it is.

use serde_json::{Map, json};

use super::super::args::Format;
use super::super::args::kernel::TidyArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::report::count;
use super::super::status::{Failure, Status};
use super::super::trouble;
use crate::kernel::retain::Old;

/// What is removed where nobody says what: all that says no more than the log does.
const USUAL: [Old; 4] = [Old::Permits, Old::Gates, Old::Scopes, Old::Events];

/// Removes it, and says how much that was.
pub fn run(args: &TidyArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let what = if args.what.is_empty() { &USUAL[..] } else { &args.what };
    let mut removed = Map::new();
    for old in what {
        let number = kernel.tidy(&args.act.who, *old, args.older_than).map_err(|error| trouble::kernel(&error))?;
        if args.act.place.format == Format::Human && number > 0 {
            output.say(&format!("{}: removed {}", old.name(), count(number as usize, "object")));
        }
        removed.insert(old.name().to_owned(), number.into());
    }
    match args.act.place.format {
        Format::Human if removed.values().all(|number| *number == json!(0)) => {
            output.say("nothing is over and that old")
        }
        Format::Human => {}
        Format::Json => output.data(&format!("{:#}\n", json!({ "removed": removed })))?,
    }
    Ok(Status::Success)
}
