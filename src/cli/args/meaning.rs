//! The arguments of `pdl diff`, `pdl verify` and `pdl explain`.

use std::path::PathBuf;

use clap::{Args as Arguments, ValueEnum, ValueHint};

use super::values::{EntityRef, entity};
use super::{Format, ReportFormat, time};
use crate::analysis::question::Second;
use crate::analysis::smt::Program;
use crate::data::timestamp::Timestamp;

/// How a difference is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people
    Human,
    /// One JSON document
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// Annotations of GitHub
    Github,
    /// Code quality of GitLab
    Gitlab,
    /// Markdown, for a comment on a pull request
    Markdown,
}

impl DiffFormat {
    /// The form of diagnostics that it is, if it is one.
    #[must_use]
    pub fn report(self) -> Option<ReportFormat> {
        match self {
            DiffFormat::Sarif => Some(ReportFormat::Sarif),
            DiffFormat::Github => Some(ReportFormat::Github),
            DiffFormat::Gitlab => Some(ReportFormat::Gitlab),
            DiffFormat::Human | DiffFormat::Json | DiffFormat::Markdown => None,
        }
    }
}

/// Another solver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Solver {
    /// z3
    Z3,
    /// cvc5
    Cvc5,
}

impl Solver {
    /// The program, with the time that it has for a question.
    #[must_use]
    pub fn second(self) -> Second {
        let program = match self {
            Solver::Z3 => Program::Z3,
            Solver::Cvc5 => Program::Cvc5,
        };
        Second { program, seconds: 10 }
    }
}

/// `pdl diff`
#[derive(Arguments, Debug)]
pub struct DiffArgs {
    /// The policy of before: a source file, a folder with a pdl.toml, a bundle with its sources, or git:REV:PATH
    #[arg(value_hint = ValueHint::AnyPath)]
    pub old: PathBuf,
    /// The policy of after
    #[arg(value_hint = ValueHint::AnyPath)]
    pub new: PathBuf,
    /// More may be permitted of actions, or by rules, whose name matches this glob; can be given several times
    #[arg(long, value_name = "GLOB")]
    pub allow_widening: Vec<String>,
    /// How many regions are listed for each kind of request and direction
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    pub regions: usize,
    /// How many steps a question may take before it stays undecided
    #[arg(long, value_name = "NUMBER", default_value_t = 5_000_000)]
    pub steps: u64,
    /// Ask another solver where a question stays undecided; it has to be installed
    #[arg(long, value_enum, value_name = "SOLVER")]
    pub solver: Option<Solver>,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DiffFormat::Human)]
    pub format: DiffFormat,
}

/// `pdl verify`
#[derive(Arguments, Debug)]
pub struct VerifyArgs {
    /// A source file, a folder with a pdl.toml, a bundle with its sources, or git:REV:PATH [default: the package around
    /// the current folder]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
    /// Look at the rules of included modules too, not at the package's own alone
    #[arg(long)]
    pub all: bool,
    /// Keep proofs in this folder, and take them from there where nothing has changed
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub cache: Option<PathBuf>,
    /// How many steps a question may take before it stays undecided
    #[arg(long, value_name = "NUMBER", default_value_t = 5_000_000)]
    pub steps: u64,
    /// Ask another solver where a question stays undecided; it has to be installed
    #[arg(long, value_enum, value_name = "SOLVER")]
    pub solver: Option<Solver>,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Human)]
    pub format: ReportFormat,
}

/// `pdl explain`
#[derive(Arguments, Debug)]
pub struct ExplainArgs {
    /// A source file, a folder with a pdl.toml, a bundle with its sources, or git:REV:PATH
    #[arg(value_hint = ValueHint::AnyPath)]
    pub path: PathBuf,
    /// The request, in JSON; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present_any = ["who_can", "what_can"])]
    pub request: Option<PathBuf>,
    /// Who can do this action to this resource, such as deploy 'Service::"web"'
    #[arg(long, num_args = 2, value_names = ["ACTION", "RESOURCE"], conflicts_with_all = ["request", "what_can", "facts", "now"])]
    pub who_can: Option<Vec<String>>,
    /// What this subject can do, such as 'Agent::"ci"'
    #[arg(long, value_name = "SUBJECT", value_parser = entity, conflicts_with_all = ["request", "facts", "now"])]
    pub what_can: Option<EntityRef>,
    /// The registered entities, in JSON; those of several files are loaded together
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub entities: Vec<PathBuf>,
    /// The kernel's field `now`, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub now: Option<Timestamp>,
    /// All fields that the kernel gives, in JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub facts: Option<PathBuf>,
    /// How many steps are spent on each question before it stays undecided
    #[arg(long, value_name = "NUMBER", default_value_t = 5_000_000)]
    pub steps: u64,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}
