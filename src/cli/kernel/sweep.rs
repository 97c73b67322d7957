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
    let swept = kernel.sweep(&args.who).map_err(|error| trouble::kernel(&error))?;
    let permits = swept.permits.iter().map(|(id, state)| (id.as_str(), state.name()));
    let gates = swept.gates.iter().map(|id| (id.as_str(), "expired or escalated"));
    let scopes = swept.scopes.iter().map(|id| (id.as_str(), "expired"));
    let ended: Vec<(&str, &str)> = permits.chain(gates).chain(scopes).collect();
    match args.place.format {
        Format::Human => {
            let rows: Vec<Vec<String>> =
                ended.iter().map(|(id, state)| vec![(*id).to_owned(), (*state).to_owned()]).collect();
            if !rows.is_empty() {
                output.data(&table::text(output, &["ID", "BECAME"], &rows))?;
            }
            output.say(&format!("swept {}", count(rows.len(), "thing")));
        }
        Format::Json => {
            let list: Vec<_> = ended.iter().map(|(id, state)| json!({ "id": id, "state": state })).collect();
            output.data(&format!("{:#}\n", json!({ "ended": list, "signed": swept.signed })))?;
        }
    }
    if let (Some(size), Format::Human) = (swept.signed, args.place.format) {
        output.say(&format!("signed for {size} entries"));
    }
    for (kind, id, why) in &swept.failed {
        output.say(&format!("the {kind} {id} can't be swept: {why}"));
    }
    Ok(if swept.failed.is_empty() { Status::Success } else { Status::Fault })
}
