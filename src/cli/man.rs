//! `pdl man`: the man page, for whoever packages `pdl`.

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::args::{Args, ManArgs};
use super::output::Output;
use super::status::{Failure, Status};

/// Prints the page of `pdl`, or of one command, in roff.
pub fn run(args: &ManArgs, output: &mut Output) -> Result<Status, Failure> {
    let mut command = Args::command();
    command.build();
    for name in &args.command {
        let found = command.find_subcommand(name).cloned();
        let Some(found) = found else {
            return Err(Failure::usage(format!("there is no command `{}`", args.command.join(" "))));
        };
        command = found;
    }
    let mut page = Vec::new();
    // Writing to memory does not fail.
    Man::new(command).render(&mut page).map_err(|error| Failure::new(error.to_string()))?;
    output.bytes(&page)?;
    Ok(Status::Success)
}
