//! What is looked at before a change is merged: faults, tests, what the change means, and what it does to known requests.

use std::path::Path;

use crate::analysis::diff::Options;
use crate::analysis::verify as verify_options;
use crate::cli::args::ReportFormat;
use crate::cli::args::ci::CiArgs;
use crate::cli::check::Findings;
use crate::cli::diff::{Meaning, tell};
use crate::cli::files;
use crate::cli::load::{self, tree};
use crate::cli::output::Output;
use crate::cli::policy::{self, Built, Warnings};
use crate::cli::replay::{self, World};
use crate::cli::report;
use crate::cli::status::{Failure, Status};
use crate::cli::test;
use crate::cli::verify::{self, Cache};
use crate::diagnostic::{Counts, Diagnostic, Diagnostics, render};

use super::Package;

/// How many examples are shown of what has changed.
const EXAMPLES: usize = 3;

/// What came of a step, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All is well.
    Passed,
    /// It could not be found out whether all is well.
    Undecided,
    /// Something is more permitted than before.
    Widened,
    /// A claim does not hold.
    Refuted,
    /// Something is wrong.
    Failed,
}

impl Verdict {
    /// The exit status.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Verdict::Passed => Status::Success,
            Verdict::Undecided => Status::Undecided,
            Verdict::Widened => Status::Widened,
            Verdict::Refuted => Status::Refuted,
            Verdict::Failed => Status::Fault,
        }
    }
}

/// Something that was looked at.
pub struct Step {
    /// What: `check`.
    pub title: String,
    /// What came of it.
    pub verdict: Verdict,
    /// The same in a few words.
    pub line: String,
    /// More of it, as it is shown on a terminal; may be empty.
    pub details: String,
}

impl Step {
    fn new(title: impl Into<String>, verdict: Verdict, line: impl Into<String>) -> Step {
        Step { title: title.into(), verdict, line: line.into(), details: String::new() }
    }

    fn with(self, details: String) -> Step {
        Step { details, ..self }
    }
}

/// Looks at a package; `old` is where it was.
pub fn package(path: &Path, old: &Path, args: &CiArgs, findings: &mut Findings) -> Result<Package, Failure> {
    let mut sink = Diagnostics::default();
    let loaded = load::load(path, &mut sink)?;
    let (name, sources) = (loaded.name.clone(), loaded.sources.clone());
    let built = policy::compiled(loaded, &mut sink);
    let counts = sink.counts();
    let list = sink.finish();
    let shown = shown(&sources, &list, counts);
    findings.add(&sources, counts, list);
    let Some(built) = built else {
        let step = Step::new("check", Verdict::Failed, render::summary(counts)).with(shown);
        return Ok(Package { name, steps: vec![step] });
    };
    let line = if counts == Counts::default() { "no faults".to_owned() } else { render::summary(counts) };
    let mut steps = vec![Step::new("check", Verdict::Passed, line).with(shown), tests(&built, findings)?];
    steps.push(claims(&built, findings)?);
    let mut silent = Output::plain();
    steps.extend(changes(&built, old, args, findings, &mut silent)?);
    Ok(Package { name, steps })
}

fn tests(built: &Built, findings: &mut Findings) -> Result<Step, Failure> {
    let (all, failures) = test::failures(built)?;
    let mut sink = Diagnostics::default();
    failures.into_iter().for_each(|failure| sink.push(failure));
    let counts = sink.counts();
    let list = sink.finish();
    let shown = shown(&built.sources, &list, counts);
    findings.add(&built.sources, counts, list);
    Ok(match counts.errors {
        0 => Step::new("test", Verdict::Passed, format!("{} passed", report::count(all, "test"))),
        errors => {
            let line = format!("{} in {}", report::count(errors, "fault"), report::count(all, "test"));
            Step::new("test", Verdict::Failed, line).with(shown)
        }
    })
}

/// What the change means, and what it does to known requests.
fn changes(
    built: &Built,
    old: &Path,
    args: &CiArgs,
    findings: &mut Findings,
    output: &mut Output,
) -> Result<Vec<Step>, Failure> {
    let (tree, inside) = tree::of(old)?;
    if !tree.is_folder(&inside) && !tree.is_file(&inside) {
        return Ok(vec![Step::new("diff", Verdict::Passed, "the package is new: there is nothing to compare it with")]);
    }
    let before = match policy::build(old, Warnings::Hidden, output) {
        Ok(before) => before,
        Err(failure) => {
            let line = format!("it can't be compared with what it was: {}", failure.message);
            return Ok(vec![Step::new("diff", Verdict::Undecided, line)]);
        }
    };
    let difference = diff(&before, built, args, findings)?;
    // What is more permitted was found and is meant, or was not found at all.
    let is_meant = difference.verdict == Verdict::Passed && !args.allow_widening.is_empty();
    let mut steps = vec![difference];
    for file in &args.requests {
        let mut step = requests(file, &before, built, args, output)?;
        if is_meant && step.verdict == Verdict::Widened {
            step.verdict = Verdict::Passed;
        }
        steps.push(step);
    }
    Ok(steps)
}

/// Whether the two say the same of every request.
fn diff(old: &Built, new: &Built, args: &CiArgs, findings: &mut Findings) -> Result<Step, Failure> {
    let program = |built: &Built| policy::program_of(&built.bundle()?);
    if program(old)? == program(new)? {
        return Ok(Step::new("diff", Verdict::Passed, "the program is the same, and so is every answer"));
    }
    let meaning = Meaning::with(old, new, Options::default(), &args.allow_widening)?;
    let verdict = match meaning.status() {
        Status::Success | Status::Changed => Verdict::Passed,
        Status::Widened => Verdict::Widened,
        _ => Verdict::Undecided,
    };
    let told = meaning.diagnostics();
    report_on(new, told, findings);
    let is_same = meaning.diff.is_equivalent();
    let details = if is_same { String::new() } else { tell::human(&meaning, false) };
    Ok(Step::new("diff", verdict, meaning.verdict()).with(details))
}

/// Whether what is claimed holds.
fn claims(built: &Built, findings: &mut Findings) -> Result<Step, Failure> {
    let found = verify::verified(built, verify_options::Options::default(), &mut Cache::default())?;
    let verdict = match verify::status(&found) {
        Status::Success => Verdict::Passed,
        Status::Refuted => Verdict::Refuted,
        _ => Verdict::Undecided,
    };
    let told: Vec<Diagnostic> = found.iter().filter_map(verify::diagnostic).collect();
    let details = if told.is_empty() { String::new() } else { verify::human(built, &found, false) };
    report_on(built, told, findings);
    Ok(Step::new("verify", verdict, verify::summary(&found)).with(details))
}

fn report_on(built: &Built, told: Vec<Diagnostic>, findings: &mut Findings) {
    let mut sink = Diagnostics::default();
    told.into_iter().for_each(|diagnostic| sink.push(diagnostic));
    let counts = sink.counts();
    findings.add(&built.sources, counts, sink.finish());
}

/// What known requests are answered by both.
fn requests(file: &Path, old: &Built, new: &Built, args: &CiArgs, output: &Output) -> Result<Step, Failure> {
    let loaded = |built: &Built| policy::loaded_bundle(&built.bundle()?);
    let world = World {
        entities: &args.entities,
        now: args.now,
        facts: args.facts.as_deref(),
        assume_presented: false,
        examples: EXAMPLES,
    };
    let tally = replay::tally(file, loaded(new)?, Some(loaded(old)?), replay::Against::Old, &world)?;
    let title = format!("replay of {}", files::shown(file));
    let replayed = replay::Replayed { tally: &tally, row: "line", is_shadow: false };
    let verdict = match replay::status(&tally) {
        Status::Success | Status::Changed => Verdict::Passed,
        Status::Widened => Verdict::Widened,
        _ => Verdict::Undecided,
    };
    let details = if tally.changes() + tally.left() == 0 { String::new() } else { replayed.text(output) };
    Ok(Step::new(title, verdict, replayed.line()).with(details))
}

fn shown(sources: &crate::base::span::SourceMap, list: &[Diagnostic], counts: Counts) -> String {
    report::text(ReportFormat::Human, sources, list, counts, false)
}
