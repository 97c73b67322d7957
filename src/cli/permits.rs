//! `pdl permits`: what a permit is for starts, once, and ends.

use std::io::Read as _;

use serde_json::json;

use super::args::Format;
use super::args::kernel::{PermitsArgs, PermitsCommand, StartArgs};
use super::files;
use super::output::Output;
use super::place::Place;
use super::status::{Failure, Status};
use super::trouble;
use crate::base::limits::{PERMIT_BYTES_MAX, REQUEST_BYTES_MAX};
use crate::kernel::KernelError;
use crate::kernel::permit::PermitState;

/// Does what was asked.
pub fn run(args: &PermitsArgs, output: &mut Output) -> Result<Status, Failure> {
    match &args.command {
        PermitsCommand::Start(args) => start(args, output),
        PermitsCommand::Complete(args) => {
            let token = token(&args.token)?;
            let kernel = Place::new(&args.act.place.store).open()?;
            let done = kernel.complete(&args.act.who, &token);
            told(done, PermitState::Completed, args.act.place.format, output)
        }
        PermitsCommand::Fail(args) => {
            let token = token(&args.token)?;
            let kernel = Place::new(&args.act.place.store).open()?;
            let done = kernel.fail(&args.act.who, &token);
            told(done, PermitState::Failed, args.act.place.format, output)
        }
    }
}

fn start(args: &StartArgs, output: &mut Output) -> Result<Status, Failure> {
    if args.token == "-" && files::is_stdin(&args.request) {
        return Err(Failure::usage("only one of permit and request can be `-`, standard input"));
    }
    let token = token(&args.token)?;
    let request = files::read(&args.request, REQUEST_BYTES_MAX)?;
    let kernel = Place::new(&args.act.place.store).open()?;
    let done = kernel.start(&args.act.who, &token, &request).map(|_| ());
    told(done, PermitState::Started, args.act.place.format, output)
}

/// The permit that was given, or the one on standard input: there nobody sees it among the processes.
fn token(given: &str) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    let limit = PERMIT_BYTES_MAX as u64 + 2;
    std::io::stdin()
        .lock()
        .take(limit)
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(format!("can't read the permit: {error}")))?;
    Ok(text.trim().to_owned())
}

fn told(
    done: Result<(), KernelError>,
    state: PermitState,
    format: Format,
    output: &mut Output,
) -> Result<Status, Failure> {
    done.map_err(|error| trouble::kernel(&error))?;
    match format {
        Format::Human => output.say(state.name()),
        Format::Json => output.data(&format!("{:#}\n", json!({ "state": state.name() })))?,
    }
    Ok(Status::Success)
}
