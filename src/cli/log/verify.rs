//! `pdl log verify`: whether everything is as it was written.

use std::path::Path;

use serde_json::json;

use super::super::args::Format;
use super::super::args::log::VerifyArgs;
use super::super::files;
use super::super::output::{GREEN, Output, RED, paint};
use super::super::place::Place;
use super::super::progress::Bar;
use super::super::report::count;
use super::super::status::{Failure, Status};
use super::folder::{self, Folder};
use crate::diagnostic::render::clean;
use crate::kernel::log::export::{CHECKPOINT, Files as _, verify_files};
use crate::kernel::log::finding::Finding;
use crate::kernel::log::verify::{Options, Report, verify};
use crate::kernel::replay::exported::is_of_its_path;
use crate::log::note::NOTE_BYTES_MAX;

/// Verifies the log of a store, or one that was exported, and ends with 9 if anything is not as it was.
pub fn run(args: &VerifyArgs, output: &mut Output) -> Result<Status, Failure> {
    let place = Place::new(&args.place.store);
    let (origin, verifier) = folder::key(&place, args.key.as_deref(), args.files.is_some())?;
    let mut trusted = args.checkpoint.iter().map(|path| note(path)).collect::<Result<Vec<_>, _>>()?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let known = [verifier];
    let bar = Bar::new("verifying");
    let in_files = |files: &mut Folder, trusted: &[String]| {
        let options = Options { origin: &origin, known: &known, trusted, threads };
        let mut report = verify_files(files, &options, &mut |progress| bar.show(progress))
            .map_err(|error| Failure::new(error.to_string()))?;
        // What others replay it with is named by its digest.
        for path in files.objects()? {
            let bytes = files.read(&path).map_err(Failure::new)?;
            if !bytes.is_some_and(|bytes| is_of_its_path(&path, &bytes)) {
                let why = "it is not what its name says".to_owned();
                report.findings.push(Finding::File { path, why });
            }
        }
        Ok::<_, Failure>(report)
    };
    let (report, archived) = match (&args.files, &args.archive) {
        (Some(folder), _) => (in_files(&mut Folder::existing(folder)?, &trusted)?, None),
        (None, archive) => {
            let archived = match archive {
                Some(folder) => {
                    let mut files = Folder::existing(folder)?;
                    let archived = in_files(&mut files, &trusted)?;
                    // What the archive was signed for has to be in the log.
                    let head = files.read(CHECKPOINT).map_err(Failure::new)?;
                    trusted.extend(head.and_then(|note| String::from_utf8(note).ok()));
                    Some(archived)
                }
                None => None,
            };
            let options = Options { origin: &origin, known: &known, trusted: &trusted, threads };
            let report = place.work(|tx| Ok(verify(tx, &options, &mut |progress| bar.show(progress))?))?;
            (report, archived)
        }
    };
    drop(bar);
    let told = Told::of(report, archived);
    match args.place.format {
        Format::Human => tell(&told, output)?,
        Format::Json => output.data(&format!("{:#}\n", document(&told, &origin)))?,
    }
    Ok(if told.is_sound { Status::Success } else { Status::Unverified })
}

/// What is told of a log, and of its archive if there is one.
struct Told {
    report: Report,
    findings: Vec<String>,
    is_sound: bool,
    /// How many entries the archive has, if it was verified.
    archived: Option<u64>,
}

impl Told {
    fn of(report: Report, archived: Option<Report>) -> Told {
        let mut findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        let mut is_sound = report.is_sound();
        if let Some(archived) = &archived {
            is_sound &= archived.is_sound();
            let mut of_archive: Vec<Finding> = archived.findings.clone();
            // What is in neither.
            if archived.dropped > 0 {
                of_archive.push(Finding::Missing { from: 0, to: archived.dropped });
            }
            if archived.is_sound() && archived.size < report.dropped {
                of_archive.push(Finding::Missing { from: archived.size, to: report.dropped });
            }
            is_sound &= of_archive.is_empty();
            findings.extend(of_archive.iter().map(|finding| format!("of the archive: {finding}")));
        }
        Told { report, findings, is_sound, archived: archived.map(|archived| archived.size) }
    }
}

fn note(path: &Path) -> Result<String, Failure> {
    let bytes = files::read(path, NOTE_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("`{}` is not UTF-8", files::shown(path))))
}

fn tell(told: &Told, output: &mut Output) -> Result<(), Failure> {
    let Told { report, findings, is_sound, archived } = told;
    for finding in findings {
        output.data(&format!("{} {}\n", paint(output.color_data(), RED, "found:"), clean(finding)))?;
    }
    if report.more {
        output.data("and more than that\n")?;
    }
    if *is_sound {
        let word = paint(output.color_data(), GREEN, "verified");
        let signed = match report.checkpoints {
            0 => "none of them signed for".to_owned(),
            number => format!("{} of them signed for by {}", report.covered, count(number as usize, "checkpoint")),
        };
        let dropped = match (report.dropped, archived) {
            (0, None) => String::new(),
            (0, Some(number)) => format!("; the archive has {} of them", entries(*number)),
            (number, None) => format!("; {} dropped, and known by their hashes only", entries(number)),
            (number, Some(_)) => format!("; {} dropped, and in the archive", entries(number)),
        };
        output.data(&format!("{word} {}, {signed}{dropped}\nroot {}\n", entries(report.size), report.root))
    } else {
        let word = paint(output.color_talk(), RED, "the log does not verify:");
        output.talk(&format!("{word} {}\n", count(findings.len(), "finding")));
        Ok(())
    }
}

fn entries(number: u64) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

fn document(told: &Told, origin: &str) -> serde_json::Value {
    let Told { report, findings, is_sound, archived } = told;
    json!({
        "origin": origin,
        "sound": is_sound,
        "entries": report.size,
        "dropped": report.dropped,
        "archived": archived,
        "root": report.root.to_string(),
        "signed": report.covered,
        "checkpoints": report.checkpoints,
        "findings": findings,
        "more": report.more,
    })
}
