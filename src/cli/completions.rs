//! `pdl completions`: what a shell needs to complete our arguments.

use clap::CommandFactory as _;

use super::args::{Args, CompletionsArgs};
use super::output::Output;
use super::status::{Failure, Status};

/// Prints the script for a shell.
pub fn run(args: &CompletionsArgs, output: &mut Output) -> Result<Status, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "pdl", &mut script);
    output.bytes(&script)?;
    Ok(Status::Success)
}
