//! The command `pdl`: one file per command.
//!
//! Arguments are defined once in `args`; a command gets its own part of them and an `output::Output` and says with
//! which `status::Status` the process ends. Data goes to standard output, talk to standard error. Nothing in here
//! decides, checks or compiles anything itself, and nothing below reads files, clocks or the environment.

mod answer;
mod approvals;
mod args;
mod build;
mod check;
mod ci;
mod completions;
mod decider;
mod diff;
mod doc;
mod entries;
mod eval;
mod events;
mod exact;
mod explain;
mod files;
mod fmt;
mod git;
mod init;
mod inspect;
mod kernel;
mod key;
mod keygen;
mod library;
mod load;
mod log;
mod man;
mod manifest;
mod output;
mod permits;
mod place;
mod policy;
mod progress;
mod records;
mod registry;
mod replay;
mod report;
mod scopes;
mod sign;
mod solver;
mod status;
mod system;
mod table;
mod test;
mod trouble;
mod verify;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use self::args::{Args, Command};
use self::output::Output;
use self::status::{Failure, Status};

/// The stack of the thread that works, in bytes: what nests within its limits never comes near it.
const STACK_BYTES: usize = 256 << 20;

/// Runs the command and gives its exit status.
#[must_use]
pub fn main() -> ExitCode {
    let args = match parse() {
        Ok(args) => args,
        // Help and version are asked for and end with 0, a wrong command line with 2; a closed pipe changes neither.
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Status::Usage.into() } else { Status::Success.into() };
        }
    };
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || run(args));
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(status)) => status.into(),
        // Its message is on standard error already.
        Ok(Err(_)) => {
            let _ = std::io::stderr().write_all(b"error: this is a defect of pdl: please report it with the input\n");
            ExitCode::from(101)
        }
        Err(_) => Status::Fault.into(),
    }
}

/// Reads the command line. Its faults are shown in colour as everything else is, so the choice is looked for first.
fn parse() -> Result<Args, clap::Error> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let choice = words.iter().enumerate().find_map(|(at, word)| match word.to_str()? {
        "--color" => words.get(at + 1)?.to_str(),
        word => word.strip_prefix("--color="),
    });
    let choice = match choice {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    };
    let matches = Args::command().color(choice).try_get_matches_from(words)?;
    Args::from_arg_matches(&matches)
}

fn run(args: Args) -> Status {
    let mut output = Output::new(args.color);
    let result = command(args.command, &mut output).and_then(|status| output.flush().map(|()| status));
    match result {
        Ok(status) => status,
        Err(failure) => {
            // What was found before the failure is still worth reading.
            let _ = output.flush();
            output.failure(&failure);
            failure.status()
        }
    }
}

fn command(command: Command, output: &mut Output) -> Result<Status, Failure> {
    match command {
        Command::Check(args) => check::run(&args, output),
        Command::Build(args) => build::run(&args, output),
        Command::Eval(args) => eval::run(&args, output),
        Command::Test(args) => test::run(&args, output),
        Command::Replay(args) => replay::run(&args, output),
        Command::Diff(args) => diff::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Explain(args) => explain::run(&args, output),
        Command::Ci(args) => ci::run(&args, output),
        Command::Inspect(args) => inspect::run(&args, output),
        Command::Fmt(args) => fmt::run(&args, output),
        Command::Doc(args) => doc::run(&args, output),
        Command::Std(args) => library::run(&args, output),
        Command::Sign(args) => sign::run(&args, output),
        Command::Keygen(args) => keygen::run(&args, output),
        Command::Init(args) => init::run(&args, output),
        Command::Kernel(args) => kernel::run(&args, output),
        Command::Permits(args) => permits::run(&args, output),
        Command::Events(args) => events::run(&args, output),
        Command::Approvals(args) => approvals::run(&args, output),
        Command::Scopes(args) => scopes::run(&args, output),
        Command::Records(args) => records::run(&args, output),
        Command::Registry(args) => registry::run(&args, output),
        Command::Log(args) => log::run(&args, output),
        Command::Completions(args) => completions::run(&args, output),
        Command::Man(args) => man::run(&args, output),
    }
}
