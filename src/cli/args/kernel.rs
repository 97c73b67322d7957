//! The arguments of the commands of the Execution Kernel.

use std::path::PathBuf;

use clap::{Args as Arguments, Subcommand, ValueEnum, ValueHint};

use super::Format;
use super::values::{self, Moment};
use crate::base::hash::Digest;
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::kernel::govern::operators::Operator;
use crate::kernel::modes::Mode;
use crate::kernel::permit::PermitState;
use crate::kernel::record::Principal;
use crate::kernel::retain::Old;

/// Where a kernel is.
#[derive(Arguments, Clone, Debug)]
pub struct PlaceArgs {
    /// The folder of the kernel
    #[arg(long, env = "PDL_KERNEL", default_value = ".pdl", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub store: PathBuf,
    /// How the result is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
}

/// Where a kernel is, and who acts.
#[derive(Arguments, Clone, Debug)]
pub struct ActArgs {
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Who acts, such as 'Person::"ann"'
    #[arg(long = "as", env = "PDL_PRINCIPAL", required = true, value_name = "PRINCIPAL", value_parser = values::principal)]
    pub who: Principal,
}

/// `pdl kernel`
#[derive(Arguments, Debug)]
pub struct KernelArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: KernelCommand,
}

/// The commands of `pdl kernel`.
#[derive(Debug, Subcommand)]
pub enum KernelCommand {
    /// Make a kernel: its folder, its keys, its log
    Init(KernelInitArgs),
    /// Let a policy decide from now on
    Activate(ActivateArgs),
    /// Say what decides, and what there is
    Info(PlaceArgs),
    /// Decide a request: 0 ALLOW, with a permit; 3 REQUIRE_APPROVAL; 4 DENY
    Decide(DecideArgs),
    /// Ask for a permit by a gate at which people have agreed: exit status as of decide
    Spend(SpendArgs),
    /// Say how capabilities are enforced, or have one enforced in another way
    Mode(ModeArgs),
    /// Say who governs the kernel, appoint and remove them
    Operators(OperatorsArgs),
    /// End what nobody has ended in time, and sign the head of the log once an hour
    Sweep(ActArgs),
    /// Remove what is over and old; the log stays as it is
    Tidy(TidyArgs),
    /// Go on with a backup that was put back: what was done behind it is lost
    Accept(PlaceArgs),
}

/// `pdl kernel init`
#[derive(Arguments, Debug)]
pub struct KernelInitArgs {
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Who governs it at first, and as what: 'Person::"ann"=admin,policy_manager'; without roles, all that go together
    #[arg(long, required = true, value_name = "PRINCIPAL[=ROLES]", value_parser = values::operator)]
    pub founder: Vec<Operator>,
    /// The name of the log in its checkpoints, such as example.com/pdl [default: one that is made up]
    #[arg(long, value_name = "NAME")]
    pub origin: Option<String>,
    /// How long a permit can be started
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = values::duration)]
    pub start_within: Duration,
    /// How long what was started may take
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = values::duration)]
    pub run_within: Duration,
    /// Take only policies that this key has signed; several keys all have to
    #[arg(long, value_name = "KEY.pub", value_hint = ValueHint::FilePath)]
    pub require_signature: Vec<PathBuf>,
}

/// `pdl kernel activate`
#[derive(Arguments, Debug)]
pub struct ActivateArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// A bundle, a source file, a folder with a pdl.toml; `-` is standard input
    #[arg(value_hint = ValueHint::AnyPath, required_unless_present = "kept")]
    pub policy: Option<PathBuf>,
    /// A bundle that has decided before, by its name
    #[arg(long, value_name = "sha256:…", conflicts_with = "policy", value_parser = values::digest)]
    pub kept: Option<Digest>,
    /// The entities to decide with, in JSON; those of several files are loaded together [default: those that are there]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub entities: Vec<PathBuf>,
}

/// `pdl kernel decide`
#[derive(Arguments, Debug)]
pub struct DecideArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The request, in JSON; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub request: PathBuf,
    /// Fields that the kernel gives, but for those that it knows itself, in JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub facts: Option<PathBuf>,
    /// Write the token of the permit to this new file, for its owner alone, instead of showing it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub permit: Option<PathBuf>,
}

/// `pdl kernel mode`
#[derive(Arguments, Debug)]
pub struct ModeArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The name of an action [default: all of which somebody has ever said it]
    #[arg(requires = "mode")]
    pub capability: Option<String>,
    /// How it is enforced from now on
    #[arg(value_parser = values::mode())]
    pub mode: Option<Mode>,
}

/// `pdl kernel operators`
#[derive(Arguments, Debug)]
pub struct OperatorsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: OperatorsCommand,
}

/// The commands of `pdl kernel operators`.
#[derive(Debug, Subcommand)]
pub enum OperatorsCommand {
    /// List who governs the kernel
    List(ActArgs),
    /// Appoint somebody, or change what they are
    Appoint(AppointArgs),
    /// Remove somebody
    Remove(RemoveArgs),
}

/// `pdl kernel operators appoint`
#[derive(Arguments, Debug)]
pub struct AppointArgs {
    /// Who acts, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// Who, and as what: 'Person::"bob"=policy_manager,responder'; without roles, all that go together
    #[arg(required = true, value_name = "PRINCIPAL[=ROLES]", value_parser = values::operator)]
    pub operators: Vec<Operator>,
    /// They are programs
    #[arg(long)]
    pub automated: bool,
    /// They do nothing for now
    #[arg(long)]
    pub suspended: bool,
}

/// `pdl kernel operators remove`
#[derive(Arguments, Debug)]
pub struct RemoveArgs {
    /// Who acts, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// Who
    #[arg(required = true, value_name = "PRINCIPAL", value_parser = values::principal)]
    pub principals: Vec<Principal>,
}

/// `pdl kernel tidy`
#[derive(Arguments, Debug)]
pub struct TidyArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// How old it has to be, such as 90d
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub older_than: Duration,
    /// What [default: permits, gates, scopes and events]
    #[arg(long, value_name = "KIND", value_parser = values::old())]
    pub what: Vec<Old>,
}

/// `pdl kernel spend`
#[derive(Arguments, Debug)]
pub struct SpendArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The gate
    pub gate: String,
    /// Fields that the kernel gives, but for those that it knows itself, as they are today, in JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub facts: Option<PathBuf>,
    /// Write the token of the permit to this new file, for its owner alone, instead of showing it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub permit: Option<PathBuf>,
}

/// `pdl permits`
#[derive(Arguments, Debug)]
pub struct PermitsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PermitsCommand,
}

/// The commands of `pdl permits`.
#[derive(Debug, Subcommand)]
pub enum PermitsCommand {
    /// List the permits, the newest last
    List(PermitsListArgs),
    /// Say that a request is about to run: 0 only if it may
    Start(StartArgs),
    /// Say that what was started ran
    Complete(CompleteArgs),
    /// Say that what was started failed
    Fail(EndArgs),
    /// Say what became of something that was started and that nobody ended, as an operator who has looked
    Settle(SettleArgs),
}

/// `pdl permits list`
#[derive(Arguments, Debug)]
pub struct PermitsListArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// Those of which this has become [default: issued and started]
    #[arg(long, value_name = "STATE", value_parser = values::permit_state())]
    pub state: Vec<PermitState>,
    /// At most so many of each
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    pub limit: u32,
}

/// `pdl permits complete`
#[derive(Arguments, Debug)]
pub struct CompleteArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The permit; `-` reads it from standard input
    pub token: String,
    /// What it really cost, of its scope [default: what was reserved]
    #[arg(long, value_name = "AMOUNT", value_parser = values::decimal)]
    pub cost: Option<Decimal>,
}

/// `pdl permits start`
#[derive(Arguments, Debug)]
pub struct StartArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The permit; `-` reads it from standard input
    pub token: String,
    /// What is about to run: the request, in JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub request: PathBuf,
}

/// `pdl permits fail`
#[derive(Arguments, Debug)]
pub struct EndArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The permit; `-` reads it from standard input
    pub token: String,
}

/// `pdl permits settle`
#[derive(Arguments, Debug)]
pub struct SettleArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The permit, by its id
    pub permit: String,
    /// What became of it
    #[arg(value_enum)]
    pub outcome: SettledAs,
    /// Why that is known: it stands in the log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// What it really cost, of its scope [default: what was reserved]
    #[arg(long, value_name = "AMOUNT", value_parser = values::decimal)]
    pub cost: Option<Decimal>,
}

/// What became of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SettledAs {
    /// It ran
    Completed,
    /// It failed
    Failed,
}

/// `pdl registry`
#[derive(Arguments, Debug)]
pub struct RegistryArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RegistryCommand,
}

/// The commands of `pdl registry`.
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    /// Replace all entities
    Load(RegistryLoadArgs),
    /// Add, replace and remove single entities
    Patch(RegistryPatchArgs),
    /// Show the entities of now, or of a time
    Show(RegistryShowArgs),
    /// List the versions that there were, the newest first
    History(RegistryHistoryArgs),
}

/// `pdl registry load`
#[derive(Arguments, Debug)]
pub struct RegistryLoadArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The entities, in JSON; those of several files are loaded together; `-` is standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub entities: Vec<PathBuf>,
}

/// `pdl registry patch`
#[derive(Arguments, Debug)]
pub struct RegistryPatchArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// The patch, in JSON: { "upsert": [entities], "remove": [{ "type", "id" }] }; `-` is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub patch: PathBuf,
}

/// `pdl registry show`
#[derive(Arguments, Debug)]
pub struct RegistryShowArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// As it was then: 2026-01-31T12:00:00Z, 2026-01-31, or 3d for three days ago
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub at: Option<Moment>,
    /// This version
    #[arg(long, value_name = "NUMBER", conflicts_with = "at")]
    pub version: Option<u64>,
    /// One entity, such as 'Agent::"ci"'; several are several
    #[arg(long, value_name = "ENTITY", value_parser = values::entity)]
    pub entity: Vec<values::EntityRef>,
}

/// `pdl registry history`
#[derive(Arguments, Debug)]
pub struct RegistryHistoryArgs {
    /// Who, and where.
    #[command(flatten)]
    pub act: ActArgs,
    /// At most so many
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
    pub limit: u32,
}
