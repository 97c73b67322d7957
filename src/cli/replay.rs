//! `pdl replay`: what was decided once, decided by another policy.

mod lines;
mod log;
mod tell;
mod work;

use std::path::{Path, PathBuf};

use self::lines::Lines;
pub use self::tell::Replayed;
use super::args::Format;
use super::args::replay::ReplayArgs;
use super::eval;
use super::files;
use super::output::Output;
use super::policy;
use super::progress::Bar;
use super::status::{Failure, Status};
use super::trouble;
use crate::bytecode::bundle::{LoadedBundle, SignaturePolicy};
use crate::data::timestamp::Timestamp;
use crate::replay::shadow::{self, Shadow};
use crate::replay::{Judge, Room, Side, Tally};
use crate::vm::decode::{Options, Unregistered};
use crate::vm::machine::Machine;

/// Replays, and says in the exit status whether something is more permitted than it was.
pub fn run(args: &ReplayArgs, output: &mut Output) -> Result<Status, Failure> {
    refuse_shared_stdin(args)?;
    let bundle = bundle(&args.policy, output)?;
    let old = args.against.as_ref().map(|path| self::bundle(path, output)).transpose()?;
    let against = match (args.shadow, &old) {
        (true, _) => Against::Shadow,
        (false, Some(_)) => Against::Old,
        (false, None) => Against::Recorded,
    };
    let world = World {
        entities: &args.entities,
        now: args.now,
        facts: args.facts.as_deref(),
        assume_presented: args.assume_presented,
        examples: args.examples,
    };
    let is_log = args.log.is_dir() && !files::is_stdin(&args.log);
    let tally = match is_log {
        true => log::tally(args, bundle)?,
        false => tally(&args.log, bundle, old, against, &world)?,
    };
    let replayed = Replayed { tally: &tally, row: if is_log { "entry" } else { "line" }, is_shadow: args.shadow };
    match args.format {
        Format::Human => output.data(&replayed.text(output))?,
        Format::Json => output.data(&format!("{:#}\n", replayed.document()))?,
    }
    if let Some(hint) = replayed.hint(args) {
        output.hint(hint);
    }
    Ok(status(&tally))
}

/// With what requests are decided, beside the policy.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Files of entities.
    pub entities: &'a [PathBuf],
    /// The time, for requests without facts.
    pub now: Option<Timestamp>,
    /// A file of facts, for requests without facts.
    pub facts: Option<&'a Path>,
    /// Whether attributes of registered types are taken from requests where there are no entities.
    pub assume_presented: bool,
    /// How many examples are kept of each sort.
    pub examples: usize,
}

/// What answers are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Those that the file has.
    Recorded,
    /// Those of another policy.
    Old,
    /// Those of the same policy; new ones are those that it would give if its shadow policies counted.
    Shadow,
}

/// Decides all requests of a file.
pub fn tally(
    log: &Path,
    new: LoadedBundle,
    old: Option<LoadedBundle>,
    against: Against,
    world: &World<'_>,
) -> Result<Tally, Failure> {
    let (new, old) = match against {
        Against::Shadow => (shadowed(&new)?, Some(policy::machine(new)?)),
        Against::Old => (policy::machine(new)?, old.map(policy::machine).transpose()?),
        Against::Recorded => (policy::machine(new)?, None),
    };
    load_entities([Some(&new), old.as_ref()].into_iter().flatten(), world.entities)?;
    let facts = eval::facts(world.facts, world.now, &new)?;
    let unregistered = if world.assume_presented { Unregistered::AssumePresented } else { Unregistered::Refused };
    let options = Options { unregistered, ..Options::STRICT };
    let (new_store, old_store) = (new.entities(), old.as_ref().map(Machine::entities));
    let mut judge = Judge::new(Side::new(&new, &new_store).reading(options));
    let mut shadow = None;
    if let (Some(old), Some(store)) = (&old, &old_store) {
        judge = judge.against(Side::new(old, store).reading(options));
        shadow = (against == Against::Shadow).then(|| Shadow::of(&old.image().program));
    }
    if let Some(shadow) = shadow {
        judge = judge.with_shadow(shadow);
    }
    if let Some(facts) = &facts {
        judge = judge.with_facts(facts);
    }
    let bar = Bar::bytes("replaying");
    let mut lines = Lines::open(log)?;
    let each = |part: &work::Part, room: &mut Room, tally: &mut Tally| part.judge(&judge, room, tally);
    let mut tally = work::over(|| lines.next(), each, world.examples, &bar)?;
    if let Some(shadow) = &shadow {
        tally.watch(shadow);
    }
    Ok(tally)
}

/// What permits more is worst; what could not be replayed may be anything.
#[must_use]
pub fn status(tally: &Tally) -> Status {
    match () {
        () if tally.is_widened() => Status::Widened,
        () if tally.changes() > 0 => Status::Changed,
        () if tally.left() > 0 => Status::Undecided,
        () => Status::Success,
    }
}

fn bundle(path: &Path, output: &mut Output) -> Result<LoadedBundle, Failure> {
    let bytes = policy::bundle_of(path, output)?;
    policy::read(path, &bytes, &SignaturePolicy::None)
}

/// The machine of a policy of which nothing is a shadow.
fn shadowed(bundle: &LoadedBundle) -> Result<Machine, Failure> {
    let program = bundle.program.program();
    if Shadow::of(program).rules().next().is_none() {
        return Err(Failure::new("the policy has no shadow policies"));
    }
    let program = shadow::live(program)
        .map_err(|error| Failure::new(format!("the policy can't run with its shadow policies: {error}")))?;
    policy::machine(LoadedBundle {
        program,
        manifest: bundle.manifest.clone(),
        name: bundle.name,
        signatures: Vec::new(),
        source_map: bundle.source_map.clone(),
        sources: None,
    })
}

fn load_entities<'m>(machines: impl Iterator<Item = &'m Machine>, paths: &[PathBuf]) -> Result<(), Failure> {
    if paths.is_empty() {
        return Ok(());
    }
    let (bytes, named) = eval::joined_entities(paths)?;
    for machine in machines {
        machine.load_entities(&bytes).map_err(|refused| {
            let package = machine.origin().map_or("", |origin| &origin.manifest.package);
            Failure::new(format!("the entities in {named} are refused by `{package}`:{}", trouble::faults(&refused)))
        })?;
    }
    Ok(())
}

/// Standard input can be read once.
fn refuse_shared_stdin(args: &ReplayArgs) -> Result<(), Failure> {
    let paths = [Some(&args.log), Some(&args.policy), args.against.as_ref(), args.facts.as_ref()];
    match paths.into_iter().flatten().chain(&args.entities).filter(|path| files::is_stdin(path)).count() {
        0 | 1 => Ok(()),
        _ => Err(Failure::usage("only one of the paths can be `-`, standard input")),
    }
}
