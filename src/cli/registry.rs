//! `pdl registry`: the entities that the kernel decides with, those of today and those of any day.

mod history;
mod show;

use serde_json::json;

use super::args::Format;
use super::args::kernel::{PlaceArgs, RegistryArgs, RegistryCommand, RegistryLoadArgs, RegistryPatchArgs};
use super::output::Output;
use super::place::Place;
use super::status::{Failure, Status};
use super::{eval, files, trouble};
use crate::base::limits::ENTITIES_BYTES_MAX;

/// Does what was asked.
pub fn run(args: &RegistryArgs, output: &mut Output) -> Result<Status, Failure> {
    match &args.command {
        RegistryCommand::Load(args) => load(args, output),
        RegistryCommand::Patch(args) => patch(args, output),
        RegistryCommand::Show(args) => show::run(args, output),
        RegistryCommand::History(args) => history::run(args, output),
    }
}

fn load(args: &RegistryLoadArgs, output: &mut Output) -> Result<Status, Failure> {
    if args.entities.iter().filter(|path| files::is_stdin(path)).count() > 1 {
        return Err(Failure::usage("only one of the paths can be `-`, standard input"));
    }
    let (document, names) = eval::joined_entities(&args.entities)?;
    let kernel = Place::new(&args.act.place.store).open()?;
    let version = kernel.load_entities(&args.act.who, &document);
    let version = version.map_err(|error| trouble::of_entities(&error, &names))?;
    told(version, &args.act.place, output)
}

fn patch(args: &RegistryPatchArgs, output: &mut Output) -> Result<Status, Failure> {
    let patch = files::read(&args.patch, ENTITIES_BYTES_MAX)?;
    let kernel = Place::new(&args.act.place.store).open()?;
    let names = format!("`{}`", files::shown(&args.patch));
    let version = kernel.patch_entities(&args.act.who, &patch);
    let version = version.map_err(|error| trouble::of_entities(&error, &names))?;
    told(version, &args.act.place, output)
}

fn told(version: u64, place: &PlaceArgs, output: &mut Output) -> Result<Status, Failure> {
    match place.format {
        Format::Human => output.say(&format!("version {version} of the registry decides")),
        Format::Json => output.data(&format!("{:#}\n", json!({ "version": version })))?,
    }
    Ok(Status::Success)
}
