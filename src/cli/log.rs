//! `pdl log`: reads, proves, verifies and exports what happened.

mod compact;
mod erase;
mod export;
mod folder;
mod prove;
mod query;
mod replay;
mod show;
mod verify;

pub use self::folder::Folder;
use super::args::log::{LogArgs, LogCommand};
use super::output::Output;
use super::status::{Failure, Status};

/// Does what was asked.
pub fn run(args: &LogArgs, output: &mut Output) -> Result<Status, Failure> {
    match &args.command {
        LogCommand::Tail(args) => query::tail(args, output),
        LogCommand::Query(args) => query::run(args, output),
        LogCommand::Show(args) => show::run(args, output),
        LogCommand::Checkpoint(args) => prove::checkpoint(args, output),
        LogCommand::Prove(args) => prove::run(args, output),
        LogCommand::Verify(args) => verify::run(args, output),
        LogCommand::Replay(args) => replay::run(args, output),
        LogCommand::Export(args) => export::run(args, output),
        LogCommand::Archive(args) => compact::archive(args, output),
        LogCommand::Compact(args) => compact::run(args, output),
        LogCommand::Erase(args) => erase::run(args, output),
    }
}
