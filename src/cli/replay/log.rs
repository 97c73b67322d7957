//! The log of a kernel, decided by another policy: with the entities that there were at each decision.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::limits::ENTITIES_BYTES_MAX;
use crate::bytecode::bundle::LoadedBundle;
use crate::cli::args::replay::ReplayArgs;
use crate::cli::files;
use crate::cli::log::Folder;
use crate::cli::place::Place;
use crate::cli::policy;
use crate::cli::progress::Bar;
use crate::cli::status::Failure;
use crate::cli::trouble;
use crate::kernel::log::export::CHECKPOINT;
use crate::kernel::replay::against::Logged;
use crate::kernel::replay::exported::{Given, replay_files_against};
use crate::kernel::replay::{Gap, Options, Outcome};
use crate::replay::judge::decided;
use crate::replay::{Lost, Recorded, Row, Tally, Unreplayed};
use crate::vm::machine::Decided;

/// Decides everything that was asked in a log.
pub fn tally(args: &ReplayArgs, new: LoadedBundle) -> Result<Tally, Failure> {
    let is_given =
        [args.against.is_some(), args.shadow, args.assume_presented, args.now.is_some(), args.facts.is_some()];
    let is_exported = args.log.join(CHECKPOINT).is_file() && args.log.join("tile").is_dir();
    if is_given.contains(&true) || !args.entities.is_empty() && !is_exported {
        let message = "a log of a kernel says itself what was decided, with which entities and facts";
        return Err(Failure::usage(message).help("give `--policy`, `--as` and `--examples` alone"));
    }
    let policy = Arc::new(policy::machine(new)?);
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let options = Options { threads, named_max: args.examples, ..Options::default() };
    let shared = Mutex::new(Tally::new(args.examples));
    let bar = Bar::new("replaying");
    let look = |logged: &Logged<'_>, answer: &mut Decided<'_>| {
        let recorded = Recorded {
            answer: logged.answer,
            kind: Some(logged.kind),
            rules: Some(logged.rules()),
            gates: Some(logged.gates()),
        };
        let row = Row { request: logged.request, facts: logged.facts, recorded: Some(recorded) };
        let mut tally = shared.lock().unwrap_or_else(PoisonError::into_inner);
        decided(logged.index(), &row, answer, &mut tally);
    };
    let progress = &mut |progress| bar.show(progress);
    let report = if is_exported {
        let entities = args.entities.iter().map(|path| files::read(path, ENTITIES_BYTES_MAX));
        let given = Given { bundles: Vec::new(), entities: entities.collect::<Result<_, _>>()? };
        replay_files_against(&mut Folder::new(&args.log), given, &policy, &options, &look, progress)
    } else {
        let Some(who) = &args.who else {
            return Err(Failure::usage("say who reads the log, with `--as` or PDL_PRINCIPAL"));
        };
        Place::new(&args.log).open()?.replay_against(who, &policy, &options, &look, progress)
    };
    drop(bar);
    let report = report.map_err(|error| trouble::kernel(&error))?;
    let mut tally = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut named = std::collections::BTreeMap::new();
    for finding in report.findings {
        if let Outcome::NotReplayed(gap) = finding.outcome {
            named.insert(finding.index, Unreplayed { lost: lost(gap.gap), why: gap.why });
        }
    }
    tally.leave(report.not_replayed.iter().map(|(gap, number)| (lost(*gap), *number)), named);
    Ok(tally)
}

/// What a gap of a log is among what can't be replayed.
fn lost(gap: Gap) -> Lost {
    match gap {
        Gap::Erased | Gap::Hidden => Lost::Erased,
        Gap::Kernel | Gap::Kept => Lost::Kernel,
        Gap::NotKept => Lost::TooLong,
        Gap::Governing => Lost::Governing,
        Gap::Bundle | Gap::Version | Gap::Damaged | Gap::Panicked => Lost::Damaged,
    }
}
