//! `pdl diff`: what a change of a policy means.

mod data;
pub mod tell;

use super::args::meaning::{DiffArgs, DiffFormat};
use super::decider::Decider;
use super::output::Output;
use super::policy::{self, Built, Warnings};
use super::report;
use super::solver::second;
use super::status::{Failure, Status};
use crate::analysis::diff::{self, Change, Diff, Options};
use crate::data::pattern::Pattern;
use crate::diagnostic::Diagnostics;

/// Compares two versions and says so in the exit status.
pub fn run(args: &DiffArgs, output: &mut Output) -> Result<Status, Failure> {
    let old = policy::build(&args.old, Warnings::Hidden, output)?;
    let new = policy::build(&args.new, Warnings::Hidden, output)?;
    let meaning = Meaning::of(&old, &new, args)?;
    let text = match (args.format, args.format.report()) {
        (_, Some(format)) => {
            let mut sink = Diagnostics::default();
            meaning.diagnostics().into_iter().for_each(|diagnostic| sink.push(diagnostic));
            let counts = sink.counts();
            report::text(format, &new.sources, &sink.finish(), counts, false)
        }
        (DiffFormat::Json, _) => format!("{}\n", data::document(&meaning)),
        (DiffFormat::Markdown, _) => tell::markdown(&meaning),
        _ => tell::human(&meaning, output.color_data()),
    };
    output.data(&text)?;
    Ok(meaning.status())
}

/// What a change means, and what of it is meant.
pub struct Meaning<'a> {
    /// The version of before.
    pub old: &'a Built,
    /// The version of after.
    pub new: &'a Built,
    /// What changes.
    pub diff: Diff,
    allowed: Vec<Pattern>,
}

impl<'a> Meaning<'a> {
    /// Compares two versions.
    pub fn of(old: &'a Built, new: &'a Built, args: &DiffArgs) -> Result<Meaning<'a>, Failure> {
        let options = Options { steps: args.steps, regions: args.regions, second: second(args.solver)? };
        Meaning::with(old, new, options, &args.allow_widening)
    }

    /// Compares two versions; widenings of actions or by rules that match a glob are meant.
    pub fn with(old: &'a Built, new: &'a Built, options: Options, allowed: &[String]) -> Result<Meaning<'a>, Failure> {
        let pattern = |glob: &String| {
            Pattern::glob(glob).map_err(|error| Failure::usage(format!("`{glob}` is no glob: {error}")))
        };
        let allowed = allowed.iter().map(pattern).collect::<Result<_, _>>()?;
        let mut decider = Decider::new(&[old, new])?;
        let diff = diff::diff(&old.policy, &new.policy, options, &mut decider);
        Ok(Meaning { old, new, diff, allowed })
    }

    /// Whether a change permits more, and nobody said that it may.
    #[must_use]
    pub fn is_unmeant(&self, change: &Change) -> bool {
        change.direction.widens() && !self.is_allowed(change)
    }

    /// Whether somebody said that more may be permitted here.
    #[must_use]
    pub fn is_allowed(&self, change: &Change) -> bool {
        let named = |name: &str| self.allowed.iter().any(|pattern| pattern.is_match(name));
        named(&change.kind.action) || change.responsible.iter().any(|rule| named(&rule.id))
    }

    /// How many changes permit more without being meant; what was not listed may be anything.
    #[must_use]
    pub fn unmeant(&self) -> usize {
        let listed = self.diff.changes.iter().filter(|change| self.is_unmeant(change)).count();
        let named = |name: &str| self.allowed.iter().any(|pattern| pattern.is_match(name));
        let cut = self.diff.cut.iter().filter(|(kind, direction)| direction.widens() && !named(&kind.action)).count();
        listed + cut
    }

    /// The exit status.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.unmeant() > 0 {
            Status::Widened
        } else if !self.diff.undecided.is_empty() {
            Status::Undecided
        } else if !self.diff.changes.is_empty() || !self.diff.schema.is_empty() {
            Status::Changed
        } else {
            Status::Success
        }
    }

    fn built(&self, side: usize) -> &Built {
        if side == 0 { self.old } else { self.new }
    }
}
