//! Answers that are kept between runs: for each question, which is named by the digest of all that it depends on, what
//! was found out.
//!
//! A file is believed as a whole or not at all: it ends in the digest of what stands before, so that one that was cut
//! off, garbled or written by another version costs time and nothing more. Against somebody who writes it on purpose
//! that is no help: that *there is no such request* can't be checked but by asking again. A request that is kept is
//! asked of the machine before it is shown, whoever wrote it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::analysis::request::Request;
use crate::analysis::verify::{Kept, Memory};
use crate::base::hash::Digest;
use crate::base::limits::SOURCE_BYTES_MAX;
use crate::cli::files;
use crate::cli::status::Failure;

/// How a file begins: its form and the version that wrote it.
const HEAD: &str = concat!("pdl answers 2, by pdl ", env!("CARGO_PKG_VERSION"));

/// What was found out.
#[derive(Debug, Default)]
pub struct Cache {
    file: Option<PathBuf>,
    known: BTreeMap<String, Kept>,
    /// What this run found out anew.
    found: BTreeMap<String, Kept>,
    /// What this run used of what was known: what it did not is forgotten.
    used: RefCell<BTreeSet<String>>,
}

impl Cache {
    /// What a folder has of the package of this name; without a folder, nothing.
    pub fn open(folder: Option<&Path>, package: &str) -> Result<Cache, Failure> {
        let Some(folder) = folder else { return Ok(Cache::default()) };
        fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
        let name = Digest::of(package.as_bytes()).to_string();
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let file = folder.join(format!("{name}.answers"));
        let known = match file.exists() {
            false => None,
            true => {
                let error = |error| Failure::io("read", &file, &error);
                let bytes = files::read_up_to(&file, SOURCE_BYTES_MAX).map_err(error)?;
                std::str::from_utf8(&bytes).ok().and_then(read)
            }
        };
        Ok(Cache { file: Some(file), known: known.unwrap_or_default(), ..Cache::default() })
    }

    /// Writes what this run used and found out.
    pub fn close(self) -> Result<(), Failure> {
        let Some(file) = &self.file else { return Ok(()) };
        let used = self.used.borrow();
        let used = used.iter().filter_map(|question| Some((question, self.known.get(question)?)));
        let mut all: BTreeMap<&String, &Kept> = used.collect();
        all.extend(&self.found);
        // Beside it first, so that nobody reads half of it.
        let beside = file.with_extension(format!("{}.new", std::process::id()));
        fs::write(&beside, written(&all)).map_err(|error| Failure::io("write", &beside, &error))?;
        fs::rename(&beside, file).map_err(|error| Failure::io("write", file, &error))
    }
}

impl Memory for Cache {
    fn recall(&self, question: &str) -> Option<Kept> {
        let known = self.known.get(question)?;
        self.used.borrow_mut().insert(question.to_owned());
        Some(known.clone())
    }

    fn keep(&mut self, question: &str, answer: &Kept) {
        if self.file.is_some() {
            self.found.insert(question.to_owned(), answer.clone());
        }
    }
}

/// A line for each answer, between the head and the digest of all that stands before it.
fn written(all: &BTreeMap<&String, &Kept>) -> String {
    let mut text = format!("{HEAD}\n");
    for (question, answer) in all {
        let line = match answer {
            Kept::Nothing => json!([question, "nothing"]),
            Kept::Something(None) => json!([question, "something"]),
            Kept::Something(Some(Request { request, facts, entities })) => {
                json!([question, "something", request, facts, entities])
            }
            Kept::Unknown(reason) => json!([question, "unknown", reason]),
        };
        let _ = writeln!(text, "{line}");
    }
    let digest = Digest::of(text.as_bytes());
    let _ = writeln!(text, "{digest}");
    text
}

/// The answers of a file; nothing if any of it is not as it was written.
fn read(text: &str) -> Option<BTreeMap<String, Kept>> {
    let (above, digest) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let above = text.get(..above.len() + 1)?;
    if Digest::of(above.as_bytes()).to_string() != digest {
        return None;
    }
    let mut lines = above.lines();
    if lines.next() != Some(HEAD) {
        return None;
    }
    lines.map(|line| answer(&serde_json::from_str::<Vec<Value>>(line).ok()?)).collect()
}

fn answer(parts: &[Value]) -> Option<(String, Kept)> {
    let parts: Vec<&str> = parts.iter().map(Value::as_str).collect::<Option<_>>()?;
    let (question, kept) = match parts[..] {
        [question, "nothing"] => (question, Kept::Nothing),
        [question, "something"] => (question, Kept::Something(None)),
        [question, "something", request, facts, entities] => {
            let [request, facts, entities] = [request, facts, entities].map(str::to_owned);
            (question, Kept::Something(Some(Request { request, facts, entities })))
        }
        [question, "unknown", reason] => (question, Kept::Unknown(reason.to_owned())),
        _ => return None,
    };
    Some((question.to_owned(), kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> BTreeMap<String, Kept> {
        let request = Request { request: "{}".to_owned(), facts: "{ \"a\": 1 }".to_owned(), entities: "[]".to_owned() };
        [Kept::Nothing, Kept::Something(None), Kept::Something(Some(request)), Kept::Unknown("steps\n".to_owned())]
            .into_iter()
            .enumerate()
            .map(|(number, kept)| (format!("key {number}"), kept))
            .collect()
    }

    fn text_of(all: &BTreeMap<String, Kept>) -> String {
        written(&all.iter().collect())
    }

    #[test]
    fn what_is_written_is_read() {
        for all in [some(), BTreeMap::new()] {
            assert_eq!(read(&text_of(&all)), Some(all));
        }
    }

    #[test]
    fn what_was_cut_off_or_garbled_is_not_believed() {
        let text = text_of(&some());
        for end in 0..text.len() {
            assert_eq!(text.get(..end).and_then(read), None, "{end}");
        }
        for (at, _) in text.char_indices() {
            let mut garbled = text.clone().into_bytes();
            garbled[at] ^= 1;
            assert_eq!(String::from_utf8(garbled).ok().as_deref().and_then(read), None, "{at}");
        }
        assert_eq!(read(&format!("{text}\n")), None);
        assert_eq!(read(&text.repeat(2)), None);
    }

    /// With the right digest at its end.
    fn signed(above: &str) -> String {
        format!("{above}{}\n", Digest::of(above.as_bytes()))
    }

    #[test]
    fn what_another_version_wrote_is_not_believed() {
        let line = "[\"key\",\"nothing\"]\n";
        assert_eq!(read(&signed(&format!("{HEAD}\n{line}"))).map(|all| all.len()), Some(1));
        for head in ["pdl answers 1, by pdl 0.0.1", "pdl answers 2, by pdl 99.0.0", "", "[]"] {
            assert_eq!(read(&signed(&format!("{head}\n{line}"))), None, "{head}");
        }
        for line in
            ["[\"key\"]", "[\"key\",\"proved\"]", "[1,\"nothing\"]", "{}", "key nothing", "[\"key\",\"unknown\"]"]
        {
            assert_eq!(read(&signed(&format!("{HEAD}\n{line}\n"))), None, "{line}");
        }
    }
}
