//! The arguments of `pdl replay`.

use std::path::PathBuf;

use clap::{Args as Arguments, ValueHint};

use super::{Format, values};
use crate::data::timestamp::Timestamp;
use crate::kernel::record::Principal;

/// `pdl replay`
#[derive(Arguments, Debug)]
pub struct ReplayArgs {
    /// What was decided: the folder of a kernel, one that its log was exported to, or a file with one request for each line; `-` is standard input
    #[arg(value_name = "LOG", value_hint = ValueHint::AnyPath)]
    pub log: PathBuf,
    /// The policy that decides now: a bundle, a source file, a folder with a pdl.toml, or git:REV:PATH
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub policy: PathBuf,
    /// Compare with what this policy decides, instead of with what was recorded
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub against: Option<PathBuf>,
    /// Compare the policy with itself if its shadow policies counted
    #[arg(long, conflicts_with = "against")]
    pub shadow: bool,
    /// The registered entities, in JSON; those of several files are loaded together
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub entities: Vec<PathBuf>,
    /// The kernel's field `now` of requests that have no facts
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub now: Option<Timestamp>,
    /// All fields that the kernel gives of requests that have no facts, in JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub facts: Option<PathBuf>,
    /// Without entities: take the attributes of registered types from the request
    #[arg(long, conflicts_with = "entities")]
    pub assume_presented: bool,
    /// Of a kernel: who reads its log, such as 'Person::"ann"'
    #[arg(long = "as", env = "PDL_PRINCIPAL", value_name = "PRINCIPAL", value_parser = values::principal)]
    pub who: Option<Principal>,
    /// How many examples are shown of each sort
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    pub examples: usize,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}
