//! The arguments of `pdl scopes`.

use std::path::PathBuf;

use clap::{Args as Arguments, Subcommand, ValueHint};

use super::kernel::ActArgs;
use super::values;
use crate::kernel::scope::ScopeStatus;

/// `pdl scopes`
#[derive(Arguments, Debug)]
pub struct ScopesArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ScopesCommand,
}

/// The commands of `pdl scopes`.
#[derive(Debug, Subcommand)]
pub enum ScopesCommand {
    /// List the scopes
    List(ScopesListArgs),
    /// Show what is left of a scope
    Show(ScopeArgs),
    /// Make a scope, if policy allows the request
    Create(ScopeRequestArgs),
    /// End a scope, if policy allows the request
    End(ScopeRequestArgs),
    /// Take a scope back, as an operator whose role it is, whatever policy says
    Revoke(ScopeRevokeArgs),
}

/// `pdl scopes list`
#[derive(Arguments, Debug)]
pub struct ScopesListArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// Those of which this has become [default: all]
    #[arg(long, value_name = "STATUS", value_parser = values::scope_status())]
    pub status: Option<ScopeStatus>,
    /// At most so many
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    pub limit: u32,
}

/// `pdl scopes show`
#[derive(Arguments, Debug)]
pub struct ScopeArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The scope
    pub scope: String,
}

/// `pdl scopes create` and `end`
#[derive(Arguments, Debug)]
pub struct ScopeRequestArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The request, in JSON; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub request: PathBuf,
    /// Fields that the kernel gives, but for those that it knows itself, in JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub facts: Option<PathBuf>,
}

/// `pdl scopes revoke`
#[derive(Arguments, Debug)]
pub struct ScopeRevokeArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The scope
    pub scope: String,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}
