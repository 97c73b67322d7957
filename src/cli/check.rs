//! `pdl check`: all faults of all packages at once, and nothing else.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::args::{CheckArgs, ReportFormat};
use super::load;
use super::output::Output;
use super::report;
use super::status::{Failure, Status};
use crate::base::span::{FileId, SourceMap};
use crate::diagnostic::{Code, Counts, Diagnostic, Diagnostics, explain, render};
use crate::types;
use crate::types::typed::TypedPolicy;

/// Checks each path as a package of its own, or explains a code.
pub fn run(args: &CheckArgs, output: &mut Output) -> Result<Status, Failure> {
    if let Some(code) = &args.explain {
        return explain_code(code, output);
    }
    let paths: Vec<PathBuf> = if args.paths.is_empty() { vec![load::around_here()?] } else { args.paths.clone() };
    let mut run = Run::default();
    let mut failures = Vec::new();
    for path in &paths {
        if let Err(failure) = run.package(path) {
            failures.push(failure);
        }
    }
    let Findings { sources, diagnostics, counts } = &run.findings;
    output.data(&report::text(args.format, sources, diagnostics, *counts, output.color_data()))?;
    if args.format == ReportFormat::Human {
        run.talk.iter().for_each(|line| output.say(line));
    }
    failures.iter().for_each(|failure| output.failure(failure));
    if failures.iter().any(|failure| failure.status() == Status::Usage) {
        return Ok(Status::Usage);
    }
    Ok(if run.findings.counts.errors > 0 || !failures.is_empty() { Status::Fault } else { Status::Success })
}

fn explain_code(code: &str, output: &mut Output) -> Result<Status, Failure> {
    let Some(code) = Code::parse(code) else {
        return Err(
            Failure::new(format!("there is no code `{code}`")).help("a code is a letter and four digits: E0301")
        );
    };
    output.data(&explain::text(code))?;
    Ok(Status::Success)
}

/// What was found in all packages so far.
#[derive(Default)]
struct Run {
    findings: Findings,
    talk: Vec<String>,
}

/// Diagnostics of several packages, as one list over one map of sources.
#[derive(Debug, Default)]
pub struct Findings {
    /// All sources.
    pub sources: SourceMap,
    /// What was found in them.
    pub diagnostics: Vec<Diagnostic>,
    /// How many there are, those too that are not in the list because there were too many.
    pub counts: Counts,
}

impl Run {
    fn package(&mut self, path: &Path) -> Result<(), Failure> {
        let start = Instant::now();
        let mut sink = Diagnostics::default();
        let loaded = load::load(path, &mut sink)?;
        let policy = loaded.package.as_ref().and_then(|package| types::check::check(package, &mut sink));
        let counts = sink.counts();
        self.talk.push(match &policy {
            Some(policy) => good(&loaded.name, policy, counts, start.elapsed()),
            None => report::verdict(&loaded.name, counts),
        });
        self.findings.add(&loaded.sources, counts, sink.finish());
        Ok(())
    }
}

impl Findings {
    /// Adds those of a package.
    pub fn add(&mut self, sources: &SourceMap, counts: Counts, diagnostics: Vec<Diagnostic>) {
        let before = self.sources.iter().count() as u32;
        for (_, file) in sources.iter() {
            self.sources.add(file.name.clone(), &file.text);
        }
        let shift = |file: &mut FileId| file.0 += before;
        self.diagnostics.extend(diagnostics.into_iter().map(|mut diagnostic| {
            shift(&mut diagnostic.primary.span.file);
            diagnostic.secondary.iter_mut().for_each(|label| shift(&mut label.span.file));
            diagnostic.fix.iter_mut().for_each(|fix| shift(&mut fix.span.file));
            diagnostic
        }));
        self.counts.errors += counts.errors;
        self.counts.warnings += counts.warnings;
        self.counts.notes += counts.notes;
    }
}

/// `checked acme-release: 3 modules, 4 actions, 12 rules, 5 tests in 11 ms`
fn good(name: &str, policy: &TypedPolicy, counts: Counts, time: Duration) -> String {
    let modules = policy.modules.iter().filter(|module| module.own).count();
    let rules = policy.policies.iter().filter(|of| policy.modules[of.module.index()].own).map(|of| of.rules.len());
    let invariants = policy.invariants.iter().filter(|of| policy.modules[of.module.index()].own).count();
    let mut parts = vec![
        report::count(modules, "module"),
        report::count(policy.actions.len(), "action"),
        report::count(rules.sum::<usize>() + invariants, "rule"),
        report::count(policy.tests.len(), "test"),
    ];
    if counts.warnings > 0 {
        parts.push(render::summary(counts));
    }
    format!("checked {name}: {} in {} ms\n", parts.join(", "), time.as_millis())
}
