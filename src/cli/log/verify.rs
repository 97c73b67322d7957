//! `pdl log verify`: whether everything is as it was written.

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::json;

use super::super::args::Format;
use super::super::args::log::VerifyArgs;
use super::super::files;
use super::super::output::{GREEN, Output, RED, paint};
use super::super::place::{self, Place};
use super::super::progress::Bar;
use super::super::report::count;
use super::super::status::{Failure, Status};
use crate::diagnostic::render::clean;
use crate::kernel::log::export::{Files, verify_files};
use crate::kernel::log::verify::{Options, Report, verify};
use crate::log::note::NOTE_BYTES_MAX;

/// Verifies the log of a store, or one that was exported, and ends with 9 if anything is not as it was.
pub fn run(args: &VerifyArgs, output: &mut Output) -> Result<Status, Failure> {
    let place = Place::new(&args.place.store);
    let (origin, verifier) = match &args.key {
        Some(path) => {
            let key = place::public_key(path)?;
            (key.name().to_owned(), key)
        }
        None => place.verifier()?,
    };
    let trusted = args.checkpoint.iter().map(|path| note(path)).collect::<Result<Vec<_>, _>>()?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options { origin: &origin, known: &[verifier], trusted: &trusted, threads };
    let bar = Bar::new("verifying");
    let report = match &args.files {
        Some(folder) => verify_files(&mut Folder::new(folder), &options, &mut |progress| bar.show(progress))
            .map_err(|error| Failure::new(error.to_string()))?,
        None => place.work(|tx| Ok(verify(tx, &options, &mut |progress| bar.show(progress))?))?,
    };
    drop(bar);
    match args.place.format {
        Format::Human => tell(&report, output)?,
        Format::Json => output.data(&format!("{:#}\n", document(&report, &origin)))?,
    }
    Ok(if report.is_sound() { Status::Success } else { Status::Unverified })
}

fn note(path: &Path) -> Result<String, Failure> {
    let bytes = files::read(path, NOTE_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("`{}` is not UTF-8", files::shown(path))))
}

fn tell(report: &Report, output: &mut Output) -> Result<(), Failure> {
    for finding in &report.findings {
        output.data(&format!("{} {}\n", paint(output.color_data(), RED, "found:"), clean(&finding.to_string())))?;
    }
    if report.more {
        output.data("and more than that\n")?;
    }
    if report.is_sound() {
        let word = paint(output.color_data(), GREEN, "verified");
        let signed = match report.checkpoints {
            0 => "none of them signed for".to_owned(),
            number => format!("{} of them signed for by {}", report.covered, count(number as usize, "checkpoint")),
        };
        let dropped = match report.dropped {
            0 => String::new(),
            number => format!("; {} dropped, and known by their hashes only", entries(number)),
        };
        output.data(&format!("{word} {}, {signed}{dropped}\nroot {}\n", entries(report.size), report.root))
    } else {
        let word = paint(output.color_talk(), RED, "the log does not verify:");
        output.talk(&format!("{word} {}\n", count(report.findings.len(), "finding")));
        Ok(())
    }
}

fn entries(number: u64) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

fn document(report: &Report, origin: &str) -> serde_json::Value {
    json!({
        "origin": origin,
        "sound": report.is_sound(),
        "entries": report.size,
        "dropped": report.dropped,
        "root": report.root.to_string(),
        "signed": report.covered,
        "checkpoints": report.checkpoints,
        "findings": report.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "more": report.more,
    })
}

/// The files of an exported log.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Those of a folder.
    #[must_use]
    pub fn new(path: &Path) -> Folder {
        Folder(path.to_owned())
    }

    /// Where a file of the log is: below the folder and nowhere else.
    fn path(&self, path: &str) -> Result<PathBuf, String> {
        let is_below = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if is_below { Ok(self.0.join(path)) } else { Err(format!("`{path}` is no path of a log")) }
    }
}

impl Files for Folder {
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.path(path)?;
        let fail = |error: std::io::Error| format!("can't write `{}`: {error}", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fail)?;
        }
        fs::write(&path, bytes).map_err(fail)
    }

    fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let path = self.path(path)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("can't read `{}`: {error}", path.display())),
        }
    }
}
