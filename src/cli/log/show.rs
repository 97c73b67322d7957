//! `pdl log show`: one entry in full.

use serde_json::{Value, json};

use super::super::args::Format;
use super::super::args::log::ShowArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::{table, trouble};
use crate::diagnostic::render::clean;
use crate::kernel::entry::Entry;
use crate::kernel::log::commitment::Revealed;

/// Shows it as it was written, or with what is sensitive put back.
pub fn run(args: &ShowArgs, output: &mut Output) -> Result<Status, Failure> {
    let (kernel, who) = (Place::new(&args.act.place.store).open()?, &args.act.who);
    let found = if args.reveal {
        kernel.reveal(who, &args.entry)
    } else {
        kernel.entry(who, &args.entry).map(|entry| Revealed { entry, erased: Vec::new() })
    };
    let Revealed { entry, erased } = found.map_err(|error| trouble::kernel(&error))?;
    match args.act.place.format {
        Format::Human => {
            let mut facts = vec![
                ("entry", entry.id.clone()),
                ("index", entry.index.to_string()),
                ("time", entry.time.to_string()),
                ("kind", entry.kind.name().to_owned()),
            ];
            facts.extend(entry.links.iter().map(|(name, id)| (name.as_str(), id.clone())));
            output.data(&table::facts(&facts))?;
            let body = format!("{:#}", document(&entry)?["body"]);
            output.data(&body.lines().map(|line| format!("{}\n", clean(line))).collect::<String>())?;
            for place in erased {
                output.say(&format!("what was at {place} is erased"));
            }
        }
        // As it was written, byte for byte: what its leaf in the tree is the hash of.
        Format::Json if !args.reveal => {
            output.bytes(&entry.to_bytes())?;
            output.data("\n")?;
        }
        Format::Json => {
            output.data(&format!("{:#}\n", json!({ "entry": document(&entry)?, "erased": erased })))?;
        }
    }
    Ok(Status::Success)
}

/// The entry as a document, its members in the order of the log.
fn document(entry: &Entry) -> Result<Value, Failure> {
    serde_json::from_slice(&entry.to_bytes()).map_err(|error| Failure::new(format!("the entry is not JSON: {error}")))
}
