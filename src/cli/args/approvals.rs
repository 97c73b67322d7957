//! The arguments of `pdl approvals`.

use clap::{Args as Arguments, Subcommand};

use super::kernel::ActArgs;
use super::values;
use crate::base::hash::Digest;
use crate::kernel::gate::GateState;

/// `pdl approvals`
#[derive(Arguments, Debug)]
pub struct ApprovalsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ApprovalsCommand,
}

/// The commands of `pdl approvals`.
#[derive(Debug, Subcommand)]
pub enum ApprovalsCommand {
    /// List the gates at which people are asked
    List(GatesArgs),
    /// Show what is asked for, and who has voted
    Show(GateArgs),
    /// Agree to what is asked for
    Approve(VoteArgs),
    /// Refuse what is asked for
    Deny(VoteArgs),
    /// Take back what you asked for
    Withdraw(GateArgs),
}

/// `pdl approvals list`
#[derive(Arguments, Debug)]
pub struct GatesArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// Those of which this has become [default: pending and approved]
    #[arg(long, value_name = "STATE", value_parser = values::gate_state())]
    pub state: Vec<GateState>,
    /// At most so many of each
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    pub limit: u32,
}

/// `pdl approvals show` and `withdraw`
#[derive(Arguments, Debug)]
pub struct GateArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The gate
    pub gate: String,
}

/// `pdl approvals approve` and `deny`
#[derive(Arguments, Debug)]
pub struct VoteArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The gate
    pub gate: String,
    /// For which rule [default: the only one that asks]
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// What you were shown: the binding; a gate of another one is left alone
    #[arg(long, value_name = "sha256:…", value_parser = values::digest)]
    pub binding: Option<Digest>,
}
