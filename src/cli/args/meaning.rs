//! The arguments of `pdl diff`, `pdl verify` and `pdl explain`.

use std::path::PathBuf;

use clap::{Args as Arguments, ValueEnum, ValueHint};

use super::ReportFormat;

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
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    pub regions: usize,
    /// How many steps a question may take before it stays undecided
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000)]
    pub steps: u64,
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
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000)]
    pub steps: u64,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Human)]
    pub format: ReportFormat,
}
