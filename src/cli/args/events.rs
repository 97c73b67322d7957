//! The arguments of `pdl events`.

use std::path::PathBuf;

use clap::{Args as Arguments, Subcommand, ValueHint};

use super::kernel::ActArgs;

/// `pdl events`
#[derive(Arguments, Debug)]
pub struct EventsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: EventsCommand,
}

/// The commands of `pdl events`.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// List the events that wait
    List(EventsListArgs),
    /// Hand out the events that wait, in order, each at least once
    Deliver(DeliverArgs),
}

/// `pdl events list`
#[derive(Arguments, Debug)]
pub struct EventsListArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// Those that were delivered as well
    #[arg(long)]
    pub all: bool,
    /// Behind this number: to go on
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub after: u64,
    /// At most so many
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    pub limit: u32,
}

/// `pdl events deliver`
#[derive(Arguments, Debug)]
pub struct DeliverArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// Run this program for each of them, with the event on its standard input: it has taken it if it ends with 0 [default:
    /// print them, a line of JSON each]
    #[arg(long, value_name = "PROGRAM", value_hint = ValueHint::ExecutablePath)]
    pub to: Option<PathBuf>,
}
