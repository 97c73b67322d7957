//! `pdl log export`: the log as files, laid out as C2SP tlog-tiles has it.

use serde_json::json;

use super::super::args::Format;
use super::super::args::log::ExportArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::progress::Bar;
use super::super::status::{Failure, Status};
use super::super::trouble;
use super::folder::Folder;

/// Writes the files up to a checkpoint.
pub fn run(args: &ExportArgs, output: &mut Output) -> Result<Status, Failure> {
    let place = Place::new(&args.act.place.store);
    let (kernel, (_, verifier)) = (place.open()?, place.verifier()?);
    if args.size.is_none() {
        kernel.sign_checkpoint().map_err(|error| trouble::kernel(&error))?;
    }
    let bar = Bar::new("exporting");
    let (files, known) = (&mut Folder::new(&args.folder), [verifier]);
    let kept = kernel
        .export_log(&args.act.who, args.size, &known, files, &mut |progress| bar.show(progress))
        .map_err(|error| trouble::kernel(&error))?;
    drop(bar);
    let beside = match args.replayable {
        true => kernel.export_replayable(&args.act.who, kept.size, files).map_err(|error| trouble::kernel(&error))?,
        false => 0,
    };
    let revealed = match args.reveal {
        true => {
            let bar = Bar::new("revealing");
            let progress = &mut |progress| bar.show(progress);
            let written = kernel.export_revealed(&args.act.who, kept.size, files, progress);
            written.map_err(|error| trouble::kernel(&error))?
        }
        false => 0,
    };
    let folder = args.folder.display().to_string();
    match args.act.place.format {
        Format::Human => {
            output.say(&format!("wrote {} entries to {folder}", kept.size));
            output.hint("others verify it with `pdl log verify --files FOLDER --key log.pub`");
            if args.replayable {
                output.say(&format!("and {beside} files of what its decisions were made with"));
                output.hint("others replay it with `pdl log replay --files FOLDER`");
            }
            if args.reveal {
                output.say(&format!("and {revealed} files of what its commitments hide: whoever has them can read it"));
            }
        }
        Format::Json => output.data(&format!(
            "{:#}\n",
            json!({ "size": kept.size, "folder": folder, "replayable": beside, "revealed": revealed })
        ))?,
    }
    Ok(Status::Success)
}
