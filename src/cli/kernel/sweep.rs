//! `pdl kernel sweep`: what nobody has ended in time ends. Nothing relies on when; it is for a timer of the system.

use serde_json::json;

use super::super::args::Format;
use super::super::args::kernel::ActArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::report::count;
use super::super::status::{Failure, Status};
use super::super::{table, trouble};

/// Sweeps, and shows what has ended.
pub fn run(args: &ActArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.place.store).open()?;
    let ended = kernel.sweep().map_err(|error| trouble::kernel(&error))?;
    match args.place.format {
        Format::Human => {
            let rows: Vec<Vec<String>> =
                ended.iter().map(|(id, state)| vec![id.clone(), state.name().to_owned()]).collect();
            if !rows.is_empty() {
                output.data(&table::text(output, &["ID", "BECAME"], &rows))?;
            }
            output.say(&format!("ended {}", count(rows.len(), "permit")));
        }
        Format::Json => {
            let list: Vec<_> = ended.iter().map(|(id, state)| json!({ "id": id, "state": state.name() })).collect();
            output.data(&format!("{:#}\n", json!({ "ended": list })))?;
        }
    }
    Ok(Status::Success)
}
