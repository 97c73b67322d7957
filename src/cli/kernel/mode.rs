//! `pdl kernel mode`: how capabilities are enforced.

use serde_json::{Value, json};

use super::super::args::Format;
use super::super::args::kernel::ModeArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::{table, trouble};
use crate::kernel::modes::Enforced;
use crate::vm::decision::EntityName;

/// Has a capability enforced in another way, or says how all are.
pub fn run(args: &ModeArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let who = &args.act.who;
    let (Some(capability), Some(mode)) = (&args.capability, args.mode) else {
        let enforced = kernel.enforced(who).map_err(|error| trouble::kernel(&error))?;
        return shown(&enforced, args.act.place.format, output);
    };
    let entry = kernel.set_mode(who, capability, mode).map_err(|error| trouble::kernel(&error))?;
    match args.act.place.format {
        Format::Human => output.say(&format!("{capability} is {} from now on ({entry})", mode.name())),
        Format::Json => {
            let document = json!({ "capability": capability, "mode": mode.name(), "entry": entry });
            output.data(&format!("{document:#}\n"))?;
        }
    }
    Ok(Status::Success)
}

fn shown(enforced: &[Enforced], format: Format, output: &mut Output) -> Result<Status, Failure> {
    let by = |one: &Enforced| EntityName { ty: one.by.ty().to_owned(), id: one.by.id().to_owned() }.to_string();
    match format {
        Format::Human => {
            let row = |one: &Enforced| {
                vec![one.capability.clone(), one.mode.name().to_owned(), by(one), table::time(one.since)]
            };
            let rows: Vec<Vec<String>> = enforced.iter().map(row).collect();
            if !rows.is_empty() {
                output.data(&table::text(output, &["CAPABILITY", "MODE", "BY", "SINCE"], &rows))?;
            }
            output.say(if rows.is_empty() { "every capability is strict" } else { "every other capability is strict" });
        }
        Format::Json => {
            let list = enforced.iter().map(|one| {
                json!({
                    "capability": one.capability, "mode": one.mode.name(), "by": by(one),
                    "since": one.since.to_string(), "entry": one.entry,
                })
            });
            output.data(&format!("{:#}\n", json!({ "modes": list.collect::<Vec<Value>>() })))?;
        }
    }
    Ok(Status::Success)
}
