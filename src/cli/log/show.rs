//! `pdl log show`: one entry in full.

use std::path::Path;

use serde_json::{Value, json};

use super::super::args::Format;
use super::super::args::log::ShowArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::{table, trouble};
use super::folder::{Folder, with_files};
use crate::diagnostic::render::clean;
use crate::kernel::entry::Entry;
use crate::kernel::log::LogError;
use crate::kernel::log::commitment::{Revealed, reveal_from};
use crate::kernel::log::export::Files as _;
use crate::kernel::replay::exported::content_path;

/// Shows it as it was written, or with what is sensitive put back.
pub fn run(args: &ShowArgs, output: &mut Output) -> Result<Status, Failure> {
    let (Revealed { entry, erased }, gone) = match (&args.read.files, &args.read.by.who) {
        (Some(folder), _) => (exported(args, folder)?, "is not among the files, or erased"),
        (None, None) => return Err(Failure::usage("say who reads the log, with `--as` or PDL_PRINCIPAL")),
        (None, Some(who)) => {
            let kernel = Place::new(&args.read.by.place.store).open()?;
            let found = if args.reveal {
                kernel.reveal(who, &args.entry)
            } else {
                kernel.entry(who, &args.entry).map(|entry| Revealed { entry, erased: Vec::new() })
            };
            (found.map_err(|error| trouble::kernel(&error))?, "is erased")
        }
    };
    match args.read.by.place.format {
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
                output.say(&format!("what was at {place} {gone}"));
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

/// The entry of an exported log, with what its commitments hide if that is wanted and was exported too.
fn exported(args: &ShowArgs, folder: &Path) -> Result<Revealed, Failure> {
    let entry = with_files(&args.read, folder, |log| {
        log.entry(&args.entry).map(|proved| proved.entry).map_err(|error| trouble::log(&error))
    })?;
    if !args.reveal {
        return Ok(Revealed { entry, erased: Vec::new() });
    }
    let mut files = Folder::existing(folder)?;
    let content = &mut |digest| files.read(&content_path(digest)).map_err(LogError::Exported);
    reveal_from(entry, content).map_err(|error| trouble::log(&error))
}

/// The entry as a document, its members in the order of the log.
fn document(entry: &Entry) -> Result<Value, Failure> {
    serde_json::from_slice(&entry.to_bytes()).map_err(|error| Failure::new(format!("the entry is not JSON: {error}")))
}
