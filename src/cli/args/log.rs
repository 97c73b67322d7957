//! The arguments of `pdl log`.

use std::path::PathBuf;

use clap::{Args as Arguments, Subcommand, ValueHint};

use super::kernel::{ActArgs, PlaceArgs};
use super::values::{self, Moment};
use crate::kernel::entry::Kind;
use crate::kernel::record::Principal;

/// `pdl log`
#[derive(Arguments, Debug)]
pub struct LogArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: LogCommand,
}

/// The commands of `pdl log`.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Show the last entries
    Tail(TailArgs),
    /// Look for entries, the newest first
    Query(QueryArgs),
    /// Show one entry in full
    Show(ShowArgs),
    /// Sign the head of the log, and print that checkpoint
    Checkpoint(PlaceArgs),
    /// Prove that an entry is in the log, or that the log has only grown
    Prove(ProveArgs),
    /// Verify that everything is as it was written: 9 if it is not
    Verify(VerifyArgs),
    /// Make every decision of the log again: 9 if one comes out otherwise
    Replay(ReplayArgs),
    /// Write the log to files that others can verify
    Export(ExportArgs),
    /// Write the log to files, sign for it, and verify them: then entries can be dropped
    Archive(ArchiveArgs),
    /// Drop the oldest entries, as far as an archive has them
    Compact(CompactArgs),
    /// Forget the sensitive values of an entry
    Erase(EraseArgs),
}

/// Who reads a log, and where: who has its files need not be anybody.
#[derive(Arguments, Debug)]
pub struct ByArgs {
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Who acts, such as 'Person::"ann"'
    #[arg(
        long = "as",
        env = "PDL_PRINCIPAL",
        required_unless_present = "files",
        value_name = "PRINCIPAL",
        value_parser = values::principal
    )]
    pub who: Option<Principal>,
}

/// Where a log is read: the one of a kernel by who may, or an exported one by whoever has its files.
#[derive(Arguments, Debug)]
pub struct ReadArgs {
    /// Who, and where.
    #[command(flatten)]
    pub by: ByArgs,
    /// Read a log that was exported to this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub files: Option<PathBuf>,
    /// The public key of that log, with its name [default: the kernel's log.pub]
    #[arg(long, value_name = "log.pub", value_hint = ValueHint::FilePath, requires = "files")]
    pub key: Option<PathBuf>,
}

/// `pdl log tail`
#[derive(Arguments, Debug)]
pub struct TailArgs {
    /// Who, and where.
    #[command(flatten)]
    pub read: ReadArgs,
    /// So many
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 20)]
    pub limit: u32,
}

/// `pdl log query`
#[derive(Arguments, Debug)]
pub struct QueryArgs {
    /// Who, and where.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Of this kind, such as decision; several are any of them
    #[arg(long, value_name = "KIND", value_parser = values::kind())]
    pub kind: Vec<Kind>,
    /// That belong to this entry
    #[arg(long, value_name = "ENTRY")]
    pub link: Option<String>,
    /// Not before: 2026-01-31T12:00:00Z, 2026-01-31, or 2h for two hours ago
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub since: Option<Moment>,
    /// Not after
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub until: Option<Moment>,
    /// Before this index: to go on
    #[arg(long, value_name = "INDEX")]
    pub before: Option<u64>,
    /// At most so many
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    pub limit: u32,
}

/// `pdl log show`
#[derive(Arguments, Debug)]
pub struct ShowArgs {
    /// Who, and where.
    #[command(flatten)]
    pub read: ReadArgs,
    /// The entry: its id, or its index
    pub entry: String,
    /// Put back what is sensitive, where it was not erased
    #[arg(long)]
    pub reveal: bool,
}

/// `pdl log prove`
#[derive(Arguments, Debug)]
pub struct ProveArgs {
    /// Who, and where.
    #[command(flatten)]
    pub read: ReadArgs,
    /// The entry: its id, or its index
    #[arg(required_unless_present = "since", conflicts_with = "since")]
    pub entry: Option<String>,
    /// Prove that the log has only grown since a checkpoint of so many entries
    #[arg(long, value_name = "SIZE")]
    pub since: Option<u64>,
    /// Up to the checkpoint of so many entries [default: the last one]
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["since", "files"])]
    pub size: Option<u64>,
    /// The folder of an archive, for an entry that was dropped
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = ["since", "files"])]
    pub archive: Option<PathBuf>,
}

/// `pdl log verify`
#[derive(Arguments, Debug)]
pub struct VerifyArgs {
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Hold it against a checkpoint that was kept elsewhere; several are several
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub checkpoint: Vec<PathBuf>,
    /// Verify a log that was exported to this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub files: Option<PathBuf>,
    /// Verify the archive in this folder too, and that it has what was dropped
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "files")]
    pub archive: Option<PathBuf>,
    /// The public key of the log, with its name [default: the kernel's log.pub]
    #[arg(long, value_name = "log.pub", value_hint = ValueHint::FilePath)]
    pub key: Option<PathBuf>,
}

/// `pdl log replay`
#[derive(Arguments, Debug)]
pub struct ReplayArgs {
    /// Who, and where.
    #[command(flatten)]
    pub by: ByArgs,
    /// From this entry on
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    pub from: u64,
    /// On so many threads [default: as many as the machine has]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Replay a log that was exported to this folder, with `--replayable`
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub files: Option<PathBuf>,
    /// A bundle that is not among the files; several are several
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "files")]
    pub bundle: Vec<PathBuf>,
    /// Registered entities that are not among the files, in JSON; several are those of several times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "files")]
    pub entities: Vec<PathBuf>,
}

/// `pdl log export`
#[derive(Arguments, Debug)]
pub struct ExportArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The folder for the files
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// Up to the checkpoint of so many entries [default: one of all of them, signed for it]
    #[arg(long, value_name = "NUMBER")]
    pub size: Option<u64>,
    /// With the bundles and the entities that decisions were made with, so that others can replay the log
    #[arg(long)]
    pub replayable: bool,
    /// With what is sensitive and with requests that could not be read, as far as they were not erased
    #[arg(long)]
    pub reveal: bool,
}

/// `pdl log archive`
#[derive(Arguments, Debug)]
pub struct ArchiveArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The folder for the files; one that has an earlier archive gets what is new
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
}

/// `pdl log compact`
#[derive(Arguments, Debug)]
pub struct CompactArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The folder of the archive
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// Those before this index [default: all that are in the archive]
    #[arg(long, value_name = "INDEX")]
    pub before: Option<u64>,
    /// Why: it stands in the log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `pdl log erase`
#[derive(Arguments, Debug)]
pub struct EraseArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The entry: its id, or its index
    pub entry: String,
    /// Why: it stands in the log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}
