//! The one definition of the command line: help, completions and the man page come from it.
//!
//! These are the arguments as they are written; what they mean together is the commands' business.

pub mod approvals;
pub mod ci;
pub mod events;
pub mod kernel;
pub mod log;
pub mod meaning;
pub mod records;
pub mod replay;
pub mod scopes;
pub mod values;

use std::path::PathBuf;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::data::timestamp::Timestamp;

const EXIT: &str = "\
Exit status:
  0  all is well; of a decision: ALLOW
  1  a fault was found, or what was asked for could not be done
  2  a wrong command line
  3  of a decision: REQUIRE_APPROVAL
  4  of a decision: DENY; the kernel refuses what was asked for
  5  something has changed, and nothing is more permitted than before
  6  something is more permitted than before
  7  a claim is refuted
  8  nothing worse was found, and not everything could be looked at
  9  the log does not verify";

/// A policy definition language for autonomous agents.
#[derive(Debug, Parser)]
#[command(name = "pdl", version, max_term_width = 100, after_help = EXIT, subcommand_required = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colour; `auto` heeds terminals and NO_COLOR
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check policies and report all faults at once
    Check(CheckArgs),
    /// Compile a package to a bundle
    Build(BuildArgs),
    /// Decide a request: exit status 0 is ALLOW, 3 REQUIRE_APPROVAL, 4 DENY
    Eval(EvalArgs),
    /// Run the tests of a package
    Test(TestArgs),
    /// Decide again what was decided once, by another policy: 6 if something is more permitted
    Replay(replay::ReplayArgs),
    /// Say what a change means: 0 nothing, proved; 5 something; 6 more is permitted than before
    Diff(meaning::DiffArgs),
    /// Prove what holds of every request: 0 proved, 7 a claim is refuted, 8 undecided
    Verify(meaning::VerifyArgs),
    /// Say why a request is answered as it is, and what would be allowed; or who can do what
    Explain(meaning::ExplainArgs),
    /// Look at everything that has to hold before a change is merged
    Ci(ci::CiArgs),
    /// Show what a bundle is
    Inspect(InspectArgs),
    /// Put sources into their canonical form
    Fmt(FmtArgs),
    /// Write pages about policies from their sources, or fill regions of pages
    Doc(DocArgs),
    /// List the standard library, or print a module of it
    Std(StdArgs),
    /// Sign a bundle
    Sign(SignArgs),
    /// Make a key pair for signing bundles
    Keygen(KeygenArgs),
    /// Write a small package to begin with
    Init(InitArgs),
    /// Run the Execution Kernel: make it, give it a policy, ask it
    Kernel(kernel::KernelArgs),
    /// Use permits that the kernel gave
    Permits(kernel::PermitsArgs),
    /// Approve or deny what agents ask for
    Approvals(approvals::ApprovalsArgs),
    /// Make, show and end bounded grants
    Scopes(scopes::ScopesArgs),
    /// List, make and change what has a lifecycle
    Records(records::RecordsArgs),
    /// Hand out what is to be told of records
    Events(events::EventsArgs),
    /// Change the entities that the kernel decides with, and show those of any time
    Registry(kernel::RegistryArgs),
    /// Read, verify and export the log of the kernel
    Log(log::LogArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the man page
    #[command(hide = true)]
    Man(ManArgs),
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How faults are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people: the source with arrows
    Human,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of a GitHub workflow
    Github,
    /// A Code Quality report of GitLab
    Gitlab,
}

/// How results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// JSON
    Json,
}

/// `pdl check`
#[derive(Arguments, Debug)]
pub struct CheckArgs {
    /// Files, or folders with a pdl.toml; `-` is standard input [default: the package around the current folder]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// How faults are shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Human)]
    pub format: ReportFormat,
    /// Explain a code, such as E0301, instead
    #[arg(long, value_name = "CODE", conflicts_with_all = ["paths", "format"])]
    pub explain: Option<String>,
}

/// `pdl build`
#[derive(Arguments, Debug)]
pub struct BuildArgs {
    /// A file, or a folder with a pdl.toml; `-` is standard input [default: the package around the current folder]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
    /// Where to write the bundle; `-` is standard output
    #[arg(short, long, value_name = "FILE.pdlb", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Leave out sources and places: the bundle's name stays the same
    #[arg(long)]
    pub strip: bool,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}

/// `pdl eval`
#[derive(Arguments, Debug)]
pub struct EvalArgs {
    /// A bundle, a source file, or a folder with a pdl.toml; `-` is standard input
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub policy: PathBuf,
    /// The request, in JSON; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub request: PathBuf,
    /// The registered entities, in JSON; those of several files are loaded together
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub entities: Vec<PathBuf>,
    /// One request for each line; exit status 0 once all are answered
    #[arg(long)]
    pub jsonl: bool,
    /// The kernel's field `now`, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub now: Option<Timestamp>,
    /// All fields that the kernel gives, in JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub facts: Option<PathBuf>,
    /// Without entities: take the attributes of registered types from the request
    #[arg(long, conflicts_with = "entities")]
    pub assume_presented: bool,
    /// Refuse the policy unless this key signed it; several keys all have to
    #[arg(long, value_name = "KEY.pub", value_hint = ValueHint::FilePath)]
    pub require_signature: Vec<PathBuf>,
    /// How decisions are shown [default: human, with --jsonl json]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

/// `pdl test`
#[derive(Arguments, Debug)]
pub struct TestArgs {
    /// A file, or a folder with a pdl.toml; `-` is standard input [default: the package around the current folder]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
    /// Run only tests whose `module: name` contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Also decide the cases of this file of JSON lines, each with what is expected
    #[arg(long, value_name = "FILE.jsonl", value_hint = ValueHint::FilePath)]
    pub cases: Vec<PathBuf>,
    /// Show which rules, conditions and rows of tables no test covers
    #[arg(long)]
    pub coverage: bool,
    /// Change one thing of the policy at a time, and fail if no test notices
    #[arg(long, conflicts_with_all = ["coverage", "coverage_min"])]
    pub mutate: bool,
    /// Fail if less than this is covered, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub coverage_min: Option<u8>,
    /// Measure or change this module, such as std.scopes, instead of the package's own
    #[arg(long, value_name = "NAME")]
    pub module: Vec<String>,
    /// How results are shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}

/// `pdl inspect`
#[derive(Arguments, Debug)]
pub struct InspectArgs {
    /// The bundle; `-` is standard input
    #[arg(value_name = "FILE.pdlb", value_hint = ValueHint::FilePath)]
    pub bundle: PathBuf,
    /// Show the program as assembly
    #[arg(long)]
    pub disassemble: bool,
    /// Refuse the bundle unless this key signed it; several keys all have to
    #[arg(long, value_name = "KEY.pub", value_hint = ValueHint::FilePath)]
    pub require_signature: Vec<PathBuf>,
    /// How it is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}

/// `pdl sign`
#[derive(Arguments, Debug)]
pub struct SignArgs {
    /// The bundle
    #[arg(value_name = "FILE.pdlb", value_hint = ValueHint::FilePath)]
    pub bundle: PathBuf,
    /// The private key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key: PathBuf,
    /// Where to write the signed bundle; `-` is standard output [default: in place]
    #[arg(short, long, value_name = "FILE.pdlb", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}

/// `pdl fmt`
#[derive(Arguments, Debug)]
pub struct FmtArgs {
    /// Files, or folders with a pdl.toml; `-` is standard input [default: the package around the current folder]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Only say what would change, with exit status 1 if anything would
    #[arg(long)]
    pub check: bool,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}

/// `pdl doc`
#[derive(Arguments, Debug)]
pub struct DocArgs {
    /// A file, or a folder with a pdl.toml; `-` is standard input [default: the package around the current folder]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
    /// The folder for the pages and their index [default: pages go to standard output]
    #[arg(short, long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    /// A module, such as std.scopes; several are several pages [default: all of the package's own]
    #[arg(long, value_name = "NAME")]
    pub module: Vec<String>,
    /// Fill the regions of a page that is written by hand, in place; several are several pages
    #[arg(long, value_name = "FILE.md", value_hint = ValueHint::FilePath, conflicts_with_all = ["output", "module"])]
    pub fill: Vec<PathBuf>,
    /// Only say which pages would change, with exit status 1 if any would
    #[arg(long)]
    pub check: bool,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}

/// `pdl std`
#[derive(Arguments, Debug)]
pub struct StdArgs {
    /// The module, such as std.time: its source is printed
    pub module: Option<String>,
    /// Print the entities that ship with the module instead
    #[arg(long, requires = "module")]
    pub entities: bool,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}

/// `pdl keygen`
#[derive(Arguments, Debug)]
pub struct KeygenArgs {
    /// Where to write the private key; the public one is written beside it, as FILE.pub
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}

/// `pdl init`
#[derive(Arguments, Debug)]
pub struct InitArgs {
    /// The folder; made if it is not there
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub path: PathBuf,
    /// The package's name [default: that of the folder]
    #[arg(long)]
    pub name: Option<String>,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}

/// `pdl completions`
#[derive(Arguments, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `pdl man`
#[derive(Arguments, Debug)]
pub struct ManArgs {
    /// Of one command instead of all of `pdl`: `kernel`, or `kernel init`
    pub command: Vec<String>,
}
