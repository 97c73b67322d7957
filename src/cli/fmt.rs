//! `pdl fmt`: every source in its one canonical form.

use std::path::PathBuf;

use super::args::{FmtArgs, ReportFormat};
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
            tally.files += 1;
            one(&source, args.check, &mut tally, output)?;
        }
    }
    let is_stdin_alone = paths.iter().all(|path| files::is_stdin(path));
    if !is_stdin_alone {
        output.talk(&tally.talk(args.check));
    }
    Ok(if tally.faulty > 0 || args.check && tally.changed > 0 { Status::Fault } else { Status::Success })
}

#[derive(Default)]
struct Tally {
    files: usize,
    changed: usize,
    faulty: usize,
}

impl Tally {
    fn talk(&self, is_check: bool) -> String {
        let word = if is_check { "would change" } else { "changed" };
        let mut text = format!("{} of {} {word}", self.changed, report::count(self.files, "file"));
        if self.faulty > 0 {
            text.push_str(&format!(", {} faulty and left alone", self.faulty));
        }
        text.push('\n');
        text
    }
}

fn one(source: &Source, is_check: bool, tally: &mut Tally, output: &mut Output) -> Result<(), Failure> {
    let bytes =
        files::read_up_to(&source.path, SOURCE_BYTES_MAX).map_err(|error| Failure::io("read", &source.path, &error))?;
    let name = load::display_name(&source.path);
    let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() <= SOURCE_BYTES_MAX);
    let Some((text, formatted)) = text.and_then(|text| Some((text, format::format(text).ok()?))) else {
        tally.faulty += 1;
        show_faults(&name, &bytes, output);
        return Ok(());
    };
    let is_changed = text != formatted;
    tally.changed += usize::from(is_changed);
    if files::is_stdin(&source.path) && !is_check {
        return output.data(&formatted);
    }
    if is_changed {
        if !is_check {
            files::replace(&source.path, formatted.as_bytes())?;
        }
        output.data(&format!("{name}\n"))?;
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
