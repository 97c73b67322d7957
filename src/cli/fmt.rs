//! `pdl fmt`: every source in its one canonical form.

use std::path::PathBuf;

use serde_json::json;

use super::args::{FmtArgs, Format, ReportFormat};
use super::files;
use super::load::{self, Source};
use super::output::Output;
use super::report;
use super::status::{Failure, Status};
use crate::base::limits::SOURCE_BYTES_MAX;
use crate::base::span::SourceMap;
use crate::diagnostic::Diagnostics;
use crate::syntax::{format, parse};

/// Rewrites the files of each path, or says which would change; a faulty file is left as it is and its faults shown.
pub fn run(args: &FmtArgs, output: &mut Output) -> Result<Status, Failure> {
    let paths: Vec<PathBuf> = if args.paths.is_empty() { vec![load::around_here()?] } else { args.paths.clone() };
    let mut tally = Tally::default();
    for path in &paths {
        for source in load::own_sources(path)? {
            one(&source, args, &mut tally, output)?;
        }
    }
    let is_stdin_alone = paths.iter().all(|path| files::is_stdin(path));
    let is_text_shown = is_stdin_alone && !args.check;
    match args.format {
        Format::Json if is_text_shown => {}
        Format::Json => output.data(&tally.document())?,
        Format::Human if is_stdin_alone => {}
        Format::Human => output.talk(&tally.talk(args.check)),
    }
    Ok(if !tally.faulty.is_empty() || args.check && !tally.changed.is_empty() {
        Status::Fault
    } else {
        Status::Success
    })
}

/// What became of the files, by name.
#[derive(Default)]
struct Tally {
    changed: Vec<String>,
    unchanged: Vec<String>,
    faulty: Vec<String>,
}

impl Tally {
    fn talk(&self, is_check: bool) -> String {
        let word = if is_check { "would change" } else { "changed" };
        let files = self.changed.len() + self.unchanged.len() + self.faulty.len();
        let mut text = format!("{} of {} {word}", self.changed.len(), report::count(files, "file"));
        if !self.faulty.is_empty() {
            text.push_str(&format!(", {} faulty and left alone", self.faulty.len()));
        }
        text.push('\n');
        text
    }

    fn document(&self) -> String {
        let document = json!({ "changed": self.changed, "unchanged": self.unchanged, "faulty": self.faulty });
        format!("{document:#}\n")
    }
}

fn one(source: &Source, args: &FmtArgs, tally: &mut Tally, output: &mut Output) -> Result<(), Failure> {
    let bytes =
        files::read_up_to(&source.path, SOURCE_BYTES_MAX).map_err(|error| Failure::io("read", &source.path, &error))?;
    let name = load::display_name(&source.path);
    let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() <= SOURCE_BYTES_MAX);
    let Some((text, formatted)) = text.and_then(|text| Some((text, format::format(text).ok()?))) else {
        show_faults(&name, &bytes, output);
        tally.faulty.push(name);
        return Ok(());
    };
    let is_changed = text != formatted;
    if files::is_stdin(&source.path) && !args.check {
        output.data(&formatted)?;
    } else if is_changed {
        if !args.check {
            files::replace(&source.path, formatted.as_bytes())?;
        }
        if args.format == Format::Human {
            output.data(&format!("{name}\n"))?;
        }
    }
    if is_changed {
        tally.changed.push(name)
    } else {
        tally.unchanged.push(name)
    }
    Ok(())
}

fn show_faults(name: &str, bytes: &[u8], output: &mut Output) {
    let (mut sources, mut sink) = (SourceMap::default(), Diagnostics::default());
    parse::parse_bytes(&mut sources, name, bytes, &mut sink);
    let counts = sink.counts();
    let text = report::text(ReportFormat::Human, &sources, &sink.finish(), counts, output.color_talk());
    output.talk(&text);
}
