//! The arguments of `pdl records`.

use std::path::PathBuf;

use clap::{Args as Arguments, Subcommand, ValueHint};

use super::kernel::ActArgs;
use super::values::{self, EntityRef};

/// `pdl records`
#[derive(Arguments, Debug)]
pub struct RecordsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RecordsCommand,
}

/// The commands of `pdl records`.
#[derive(Debug, Subcommand)]
pub enum RecordsCommand {
    /// List the records of a type, or the types
    List(RecordsListArgs),
    /// Show a record, and how it became what it is
    Show(RecordArgs),
    /// Make a record, if policy and lifecycle allow the request
    Create(MoveArgs),
    /// Change a record, if policy and lifecycle allow the request
    Step(StepArgs),
}

/// `pdl records list`
#[derive(Arguments, Debug)]
pub struct RecordsListArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The type [default: the types of which there are records]
    #[arg(value_name = "TYPE")]
    pub ty: Option<String>,
    /// Those with this status
    #[arg(long, value_name = "STATUS", requires = "ty")]
    pub status: Option<String>,
    /// Behind this id: to go on
    #[arg(long, value_name = "ID", requires = "ty")]
    pub after: Option<String>,
    /// At most so many
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    pub limit: u32,
}

/// `pdl records show`
#[derive(Arguments, Debug)]
pub struct RecordArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The record, such as 'Refund::"r-1"'
    #[arg(value_name = "RECORD", value_parser = values::entity)]
    pub record: EntityRef,
}

/// `pdl records create`
#[derive(Arguments, Debug)]
pub struct MoveArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The request, in JSON, whose resource is the record; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub request: PathBuf,
    /// Fields that the kernel gives, but for those that it knows itself, in JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub facts: Option<PathBuf>,
    /// What shows that it is right, in JSON: it is kept
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub evidence: Option<PathBuf>,
    /// Tell this once it is done, such as refund.paid=payload.json, with what is in the file, in JSON; several are several
    #[arg(long, value_name = "NAME=FILE")]
    pub announce: Vec<String>,
}

/// `pdl records step`
#[derive(Arguments, Debug)]
pub struct StepArgs {
    /// What is asked.
    #[command(flatten)]
    pub what: MoveArgs,
    /// Attributes that are set, in JSON, null for none; its status becomes what the request has as `to`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub set: Option<PathBuf>,
    /// An attribute of which people who are asked agree to whatever is set once they have agreed: who has, say
    #[arg(long, value_name = "ATTRIBUTE")]
    pub open: Vec<String>,
}
