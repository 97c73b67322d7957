//! `pdl kernel`: makes a kernel, gives it a policy, asks it.

mod accept;
mod activate;
pub mod decide;
mod info;
mod init;
mod keep;
mod mode;
mod operators;
mod spend;
mod sweep;
mod tidy;

use super::args::kernel::{KernelArgs, KernelCommand};
use super::output::Output;
use super::status::{Failure, Status};

/// Does what was asked.
pub fn run(args: &KernelArgs, output: &mut Output) -> Result<Status, Failure> {
    match &args.command {
        KernelCommand::Init(args) => init::run(args, output),
        KernelCommand::Activate(args) => activate::run(args, output),
        KernelCommand::Info(args) => info::run(args, output),
        KernelCommand::Decide(args) => decide::run(args, output),
        KernelCommand::Spend(args) => spend::run(args, output),
        KernelCommand::Mode(args) => mode::run(args, output),
        KernelCommand::Operators(args) => operators::run(args, output),
        KernelCommand::Sweep(args) => sweep::run(args, output),
        KernelCommand::Tidy(args) => tidy::run(args, output),
        KernelCommand::Accept(args) => accept::run(args, output),
    }
}
