//! The arguments of `pdl ci`.

use std::path::PathBuf;

use clap::{Args as Arguments, ValueHint};

use super::ReportFormat;
use crate::data::timestamp::Timestamp;

/// `pdl ci`
#[derive(Arguments, Debug)]
pub struct CiArgs {
    /// Files, or folders with a pdl.toml [default: the package around the current folder]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Compare with where this branch and HEAD parted, such as origin/main
    #[arg(long, value_name = "REV")]
    pub base: String,
    /// More may be permitted of actions, or by rules, whose name matches this glob; can be given several times
    #[arg(long, value_name = "GLOB")]
    pub allow_widening: Vec<String>,
    /// Decide these requests by the old and by the new policy, one for each line
    #[arg(long, value_name = "FILE.jsonl", value_hint = ValueHint::FilePath)]
    pub requests: Vec<PathBuf>,
    /// The registered entities for these requests, in JSON; those of several files are loaded together
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub entities: Vec<PathBuf>,
    /// The kernel's field `now` of requests that have no facts
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub now: Option<Timestamp>,
    /// All fields that the kernel gives of requests that have no facts, in JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub facts: Option<PathBuf>,
    /// Append a summary in Markdown to this file
    #[arg(long, value_name = "FILE.md", value_hint = ValueHint::FilePath)]
    pub summary: Option<PathBuf>,
    /// How faults are shown, and what came of each step: beside them for people, else with the summary alone
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Human)]
    pub format: ReportFormat,
}
