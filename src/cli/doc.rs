//! `pdl doc`: pages about modules, and regions of pages that people write.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::args::{DocArgs, Format, ReportFormat};
use super::files;
use super::load;
use super::output::Output;
use super::report;
use super::status::{Failure, Status};
use crate::base::limits::SOURCE_BYTES_MAX;
use crate::data::similar::best_match;
use crate::diagnostic::{Diagnostics, render};
use crate::document::library::Library;
use crate::document::page::{self, Page};
use crate::document::region;
use crate::types::check::check;

/// Writes pages, fills regions, or says what would change.
pub fn run(args: &DocArgs, output: &mut Output) -> Result<Status, Failure> {
    if args.check && args.output.is_none() && args.fill.is_empty() {
        return Err(Failure::usage("`--check` needs `--output FOLDER` or `--fill FILE.md`: it says what would change"));
    }
    let (title, library) = library(args, output)?;
    let mut tally = Tally::default();
    if !args.fill.is_empty() {
        for path in &args.fill {
            fill(&library, path, args, &mut tally, output)?;
        }
        return tally.end(args, output);
    }
    let places = places(&library, &args.module)?;
    let mut pages = page::pages(&library, &places);
    let Some(folder) = &args.output else { return print(&pages, args.format, output) };
    pages.push(page::index(&title, &library, &places));
    if !args.check {
        fs::create_dir_all(folder).map_err(|error| Failure::io("make the folder", folder, &error))?;
    }
    for page in &pages {
        let path = folder.join(&page.file);
        let old = if path.is_file() { Some(files::read(&path, SOURCE_BYTES_MAX)?) } else { None };
        let is_changed = old.as_deref() != Some(page.text.as_bytes());
        settle(&path, &page.text, is_changed, None, args, &mut tally, output)?;
    }
    tally.end(args, output)
}

/// The modules that there are, and what they are called together. The standard library needs no package.
fn library(args: &DocArgs, output: &mut Output) -> Result<(String, Library), Failure> {
    let standard = || Ok(("The standard library".to_owned(), Library::standard()));
    let path = match &args.path {
        Some(path) => path.clone(),
        None if !args.module.is_empty() && args.module.iter().all(|name| name.starts_with("std.")) => {
            return standard();
        }
        None => match load::around_here() {
            Ok(path) => path,
            Err(_) if !args.fill.is_empty() => return standard(),
            Err(failure) => return Err(failure),
        },
    };
    let mut sink = Diagnostics::default();
    let loaded = load::load(&path, &mut sink)?;
    let package = loaded.package.filter(|package| check(package, &mut sink).is_some());
    let counts = sink.counts();
    let Some(package) = package else {
        let list = sink.finish();
        output.talk(&report::text(ReportFormat::Human, &loaded.sources, &list, counts, output.color_talk()));
        return Err(Failure::new(format!("`{}` is faulty: {}", loaded.name, render::summary(counts))));
    };
    let title = match &*package.version {
        // A single file has none.
        "0.0.0" => package.name.to_string(),
        version => format!("{} {version}", package.name),
    };
    Ok((title, Library::of(&package)))
}

/// The places of the modules that are asked for, each once.
fn places(library: &Library, names: &[String]) -> Result<Vec<usize>, Failure> {
    if names.is_empty() {
        let own = library.modules.iter().enumerate().filter(|(_, module)| module.own);
        return Ok(own.map(|(place, _)| place).collect());
    }
    let mut places = Vec::new();
    for name in names {
        let Some(place) = library.place(name) else {
            let failure = Failure::new(format!("there is no module `{name}`"));
            return Err(match best_match(name, library.names()) {
                Some(best) => failure.help(format!("did you mean `{best}`?")),
                None => failure.help("it is one of the package, of `std`, or of a dependency that the package uses"),
            });
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(places)
}

fn print(pages: &[Page], format: Format, output: &mut Output) -> Result<Status, Failure> {
    match format {
        Format::Human => {
            let texts: Vec<&str> = pages.iter().map(|page| &*page.text).collect();
            output.data(&texts.join("\n"))?;
        }
        Format::Json => {
            let page = |page: &Page| json!({ "module": page.module, "file": page.file, "text": page.text });
            let pages: Vec<_> = pages.iter().map(page).collect();
            output.data(&format!("{:#}\n", json!({ "pages": pages })))?;
        }
    }
    Ok(Status::Success)
}

/// Fills the regions of a page. A faulty page is left as it is, and its faults are shown.
fn fill(library: &Library, path: &Path, args: &DocArgs, tally: &mut Tally, output: &mut Output) -> Result<(), Failure> {
    let bytes = files::read(path, SOURCE_BYTES_MAX)?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(Failure::new(format!("`{}` is not UTF-8", files::shown(path))));
    };
    let name = load::display_name(path);
    match region::fill(library, &text) {
        Ok(filled) => {
            let changed: Vec<String> = filled
                .regions
                .iter()
                .filter(|region| region.changed)
                .map(|region| format!("{name}:{}: {}", region.line, region.asks))
                .collect();
            settle(path, &filled.text, filled.text != text, Some(changed), args, tally, output)
        }
        Err(faults) => {
            for fault in faults {
                let failure = Failure::new(format!("{name}:{}: {}", fault.line, fault.message));
                output.failure(&match fault.help {
                    Some(help) => failure.help(help),
                    None => failure,
                });
            }
            tally.faulty.push(name);
            Ok(())
        }
    }
}

/// Writes a page that changes, or only names it; of a page with regions, by their lines.
fn settle(
    path: &Path,
    text: &str,
    is_changed: bool,
    regions: Option<Vec<String>>,
    args: &DocArgs,
    tally: &mut Tally,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = load::display_name(path);
    if !is_changed {
        tally.unchanged.push(name);
        return Ok(());
    }
    if files::is_stdin(path) && !args.check {
        output.data(text)?;
    } else if !args.check {
        files::replace(path, text.as_bytes())?;
    }
    if args.format == Format::Human && !files::is_stdin(path) {
        let lines = regions.filter(|regions| !regions.is_empty()).unwrap_or_else(|| vec![name.clone()]);
        lines.iter().try_for_each(|line| output.data(&format!("{line}\n")))?;
    }
    tally.changed.push(name);
    Ok(())
}

/// What became of the pages, by name.
#[derive(Default)]
struct Tally {
    changed: Vec<String>,
    unchanged: Vec<String>,
    faulty: Vec<String>,
}

impl Tally {
    fn end(&self, args: &DocArgs, output: &mut Output) -> Result<Status, Failure> {
        let is_text_shown = args.fill.iter().any(|path| files::is_stdin(path)) && !args.check;
        match args.format {
            Format::Human => {
                let word = if args.check { "would change" } else { "changed" };
                let pages = self.changed.len() + self.unchanged.len() + self.faulty.len();
                let mut text = format!("{} of {} {word}", self.changed.len(), report::count(pages, "page"));
                if !self.faulty.is_empty() {
                    text.push_str(&format!(", {} faulty and left alone", self.faulty.len()));
                }
                output.talk(&format!("{text}\n"));
            }
            Format::Json if is_text_shown => {}
            Format::Json => {
                let document = json!({ "changed": self.changed, "unchanged": self.unchanged, "faulty": self.faulty });
                output.data(&format!("{document:#}\n"))?;
            }
        }
        let is_stale = args.check && !self.changed.is_empty();
        Ok(if self.faulty.is_empty() && !is_stale { Status::Success } else { Status::Fault })
    }
}
