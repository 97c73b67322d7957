//! `pdl ci`: everything that has to hold before a change of policies is merged, as one command, so that a GitHub Action, a
//! GitLab job and a hook are a line each and can be tried without any of them.
//!
//! For each package: [`steps`] says what is looked at, in order, and each step says what came of it in one line, with
//! details where there are some. A step that can't say that all is well fails.

mod steps;
mod summary;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use self::steps::{Step, Verdict};
use super::args::ReportFormat;
use super::args::ci::CiArgs;
use super::check::Findings;
use super::load;
use super::output::{GREEN, Output, RED, paint};
use super::report;
use super::status::{Failure, Status};
use crate::diagnostic::render::clean;

/// What came of a package.
pub struct Package {
    /// What it is called in talk.
    pub name: String,
    /// What was looked at.
    pub steps: Vec<Step>,
}

/// Looks at all packages, and ends with what is worst.
pub fn run(args: &CiArgs, output: &mut Output) -> Result<Status, Failure> {
    let paths: Vec<PathBuf> = if args.paths.is_empty() { vec![load::around_here()?] } else { args.paths.clone() };
    let base = format!("merge-base:{}", args.base);
    // A base that there is not is told once, and before anything else.
    super::git::commit(&base)?;
    let mut findings = Findings::default();
    let mut packages = Vec::new();
    for path in &paths {
        packages.push(steps::package(path, &old(&base, path)?, args, &mut findings)?);
    }
    let verdict = packages.iter().flat_map(|package| &package.steps).map(|step| step.verdict).max();
    let verdict = verdict.unwrap_or(Verdict::Passed);
    if args.format == ReportFormat::Human {
        for package in &packages {
            output.data(&text(package, output.color_data()))?;
        }
    } else {
        output.data(&report::text(args.format, &findings.sources, &findings.diagnostics, findings.counts, false))?;
    }
    if let Some(file) = &args.summary {
        append(file, &summary::markdown(&packages, &base))?;
    }
    Ok(verdict.status())
}

/// Where a package was: at the same path from here.
fn old(base: &str, path: &Path) -> Result<PathBuf, Failure> {
    let refused = || Failure::usage(format!("`{}` does not lie below the current folder", path.display()));
    if super::files::is_stdin(path) {
        return Err(Failure::usage("standard input has no older version"));
    }
    let here = std::env::current_dir().map_err(|error| Failure::io("read", Path::new("."), &error))?;
    let inside = if path.is_absolute() { path.strip_prefix(&here).map_err(|_| refused())? } else { path };
    let inside = inside.to_str().ok_or_else(refused)?.replace('\\', "/");
    Ok(PathBuf::from(format!("git:{base}:./{inside}")))
}

fn text(package: &Package, color: bool) -> String {
    let mut out = format!("{}\n", clean(&package.name));
    for step in &package.steps {
        let word = match step.verdict.status() {
            Status::Success => paint(color, GREEN, "ok  "),
            _ => paint(color, RED, "FAIL"),
        };
        out.push_str(&format!("{word} {}: {}\n", step.title, clean(&step.line)));
        for line in step.details.lines() {
            out.push_str(&format!("     {line}\n"));
        }
    }
    out
}

fn append(file: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let written = options.append(true).create(true).open(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::io("write", file, &error))
}
