//! The language reference, docs/language, compiled and run: what it shows is what happens. Pages of the same form under
//! tests/cases/semantics hold the corners that the reference does not dwell on.
//!
//! What stands behind the backticks of a fence says what it is:
//!
//! | fence | what it is |
//! | --- | --- |
//! | `pdl` | a whole file that is clean |
//! | `pdl,continues` | more of the file before |
//! | `pdl,module` | another file of the same package |
//! | `pdl,warns W0701` | a file of which nothing but this is said |
//! | `pdl,wrong E0401` | a file with this fault and no other |
//! | `json,entities`, `json,facts` | what the requests after it are decided with, until the next program |
//! | `json,request` | a request to the last program; the decision before it is forgotten |
//! | `json,decision` | a part of the decision on it |
//!
//! Other fences are not looked at. Tests in a program are run by the command `pdl test`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pdl::bytecode::verify::{Limits, verify};
use pdl::compile::compile;
use pdl::diagnostic::{Diagnostics, compact};
use pdl::types::typed::TypedPolicy;
use pdl::vm::decode::Options;
use pdl::vm::machine::{Machine, Question, Scratch};
use serde_json::Value;

use crate::check::check;
use crate::cli::Room;

/// A fence with its place.
struct Fence {
    kind: String,
    line: usize,
    text: String,
}

fn fences(page: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else { continue };
        let inside = lines.by_ref().take_while(|(_, line)| !line.starts_with("```"));
        let text = inside.flat_map(|(_, line)| [line, "\n"]).collect();
        fences.push(Fence { kind: kind.to_owned(), line: at + 1, text });
    }
    fences
}

/// A program of one or more files, with what is asked of it.
struct Program {
    expected: String,
    line: usize,
    files: Vec<String>,
    questions: Vec<Fence>,
}

fn programs(page: &str) -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    for fence in fences(page) {
        match (fence.kind.as_str(), programs.last_mut()) {
            ("pdl,continues", Some(program)) => {
                if let Some(file) = program.files.last_mut() {
                    file.push('\n');
                    file.push_str(&fence.text);
                }
            }
            ("pdl,module", Some(program)) => program.files.push(fence.text),
            (kind, _) if kind == "pdl" || kind.starts_with("pdl,") => {
                let expected = kind.rsplit(' ').next().filter(|_| kind.contains(' ')).unwrap_or_default().to_owned();
                let plain = matches!(kind.split(' ').next(), Some("pdl" | "pdl,warns" | "pdl,wrong"));
                assert!(plain, "line {}: no such fence: {kind}", fence.line);
                programs.push(Program { expected, line: fence.line, files: vec![fence.text], questions: Vec::new() });
            }
            (kind, Some(program)) if kind.starts_with("json,") => program.questions.push(fence),
            _ => {}
        }
    }
    programs
}

/// Whether all that is expected is there: members of objects, and all elements of arrays.
pub fn is_part(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().all(|(key, value)| found.get(key).is_some_and(|found| is_part(value, found)))
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(one, other)| is_part(one, other))
        }
        (one, other) => one == other,
    }
}

/// A machine for what was checked; on failure what the compiler or the verifier says.
pub fn machine_of(policy: &TypedPolicy) -> Result<Machine, String> {
    let mut sink = Diagnostics::default();
    let compiled = compile(policy, &mut sink).ok_or_else(|| compact::render(&policy.sources, &sink.finish()))?;
    let program = verify(compiled.program, &Limits::STANDARD).map_err(|error| error.to_string())?;
    Machine::new(program).map_err(|error| format!("{error:?}"))
}

impl Program {
    /// Checks the program and asks it its questions; gives what is wrong.
    fn look(&self, wrong: &mut Vec<String>) {
        let named = |(at, text): (usize, &String)| (format!("file{at}.pdl"), text.clone());
        let files: Vec<(String, String)> = self.files.iter().enumerate().map(named).collect();
        let (policy, found, sources) = check(&files);
        let codes: Vec<&str> = found.iter().map(|diagnostic| diagnostic.code.id()).collect();
        let is_as_said = match self.expected.as_str() {
            "" => codes.is_empty(),
            expected => !codes.is_empty() && codes.iter().all(|code| *code == expected),
        };
        if !is_as_said {
            let shown = compact::render(&sources, &found);
            wrong.push(format!("line {}: expected {:?}, found\n{shown}", self.line, self.expected));
            return;
        }
        let Some(policy) = policy else { return };
        let machine = match machine_of(&policy) {
            Ok(machine) => machine,
            Err(why) => return wrong.push(format!("line {}: does not compile: {why}", self.line)),
        };
        let mut scratch = Scratch::default();
        let (mut facts, mut request): (Option<&str>, Option<&str>) = (None, None);
        for fence in &self.questions {
            match fence.kind.as_str() {
                "json,entities" => {
                    if let Err(faults) = machine.load_entities(fence.text.as_bytes()) {
                        wrong.push(format!("line {}: {}", fence.line, faults.faults()[0]));
                    }
                }
                "json,facts" => facts = Some(&fence.text),
                "json,request" => request = Some(&fence.text),
                "json,decision" => {
                    let request = request.expect("a request stands before a decision").as_bytes();
                    let facts = facts.map(str::as_bytes);
                    let question = Question { request, facts, options: Options::STRICT };
                    let found = machine.decide(question, &mut scratch).decision().to_json();
                    let expected: Value = serde_json::from_str(&fence.text).expect("a decision is JSON");
                    let found: Value = serde_json::from_str(&found).expect("a decision is JSON");
                    if !is_part(&expected, &found) {
                        wrong.push(format!("line {}: decided\n{found:#}", fence.line));
                    }
                }
                other => wrong.push(format!("line {}: no such fence: {other}", fence.line)),
            }
        }
        if !policy.tests.is_empty() {
            self.run_tests(wrong);
        }
    }

    fn run_tests(&self, wrong: &mut Vec<String>) {
        let room = Room::new(&format!("book-{}", self.line));
        let path = match self.files.as_slice() {
            [only] => {
                let path = room.path().join("page.pdl");
                fs::write(&path, only).expect("it can be written");
                path
            }
            files => {
                let manifest = "[package]\nname = \"page\"\nversion = \"1.0.0\"\nlanguage = \"2026\"\n";
                fs::write(room.path().join("pdl.toml"), manifest).expect("it can be written");
                for (at, text) in files.iter().enumerate() {
                    fs::write(room.path().join(format!("file{at}.pdl")), text).expect("it can be written");
                }
                room.path().to_owned()
            }
        };
        let run = Command::new(env!("CARGO_BIN_EXE_pdl")).arg("test").arg(&path).output().expect("pdl runs");
        if !run.status.success() {
            let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
            wrong.push(format!("line {}: its tests:\n{out}{err}", self.line));
        }
    }
}

/// The sources of all sound programs of the reference, each with its page.
pub fn sound_programs() -> Vec<(String, Vec<(String, String)>)> {
    let mut all = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page can be read");
        for program in programs(&text) {
            if program.expected.starts_with('E') {
                continue;
            }
            let named = |(at, text): (usize, String)| (format!("file{at}.pdl"), text);
            let files = program.files.into_iter().enumerate().map(named).collect();
            all.push((format!("{}:{}", page.display(), program.line), files));
        }
    }
    all
}

fn pages() -> Vec<PathBuf> {
    pages_in("docs/language")
}

fn pages_in(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

#[test]
fn every_example_is_as_it_says() {
    hold(pages());
}

#[test]
fn every_corner_is_as_it_says() {
    hold(pages_in("tests/cases/semantics"));
}

fn hold(pages: Vec<PathBuf>) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page can be read");
        let mut faults = Vec::new();
        for program in programs(&text) {
            count += 1;
            program.look(&mut faults);
        }
        let name = page.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        wrong.extend(faults.into_iter().map(|fault| format!("{name}, {fault}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 0, "there are examples");
}

/// The index leads to every page.
#[test]
fn every_page_is_in_the_index() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language");
    let index = fs::read_to_string(folder.join("README.md")).expect("docs/language has an index");
    for page in pages() {
        let name = page.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        assert!(
            name == "README.md" || index.contains(&format!("({name})")),
            "{name} is not in docs/language/README.md"
        );
    }
}

/// The table of limits has every limit with its value.
#[test]
fn limits_are_those_of_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("a file of the tree can be read");
    let page = read("docs/language/limits.md");
    let told: Vec<(&str, String)> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            Some((cells.next()?.trim_end_matches('`'), cells.next()?.replace(',', "")))
        })
        .collect();
    let sources = read("src/base/limits.rs");
    let declared: Vec<(&str, String)> = sources
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("pub const ")?.split_once(':')?;
            let (_, value) = rest.trim_end_matches(';').split_once('=')?;
            Some((name, value_of(value, &sources).to_string()))
        })
        .collect();
    for limit in &declared {
        assert!(told.contains(limit), "docs/language/limits.md has a row for {limit:?}");
    }
    assert_eq!(told.len(), declared.len(), "docs/language/limits.md has rows for limits only");
}

/// The value of a constant: digits, `a << b`, `a - b`, parentheses, or the name of another one.
fn value_of(text: &str, sources: &str) -> u64 {
    let text = text.trim().trim_start_matches('(').trim_end_matches(')').trim();
    if let Some((left, right)) = text.split_once(" - ") {
        return value_of(left, sources) - value_of(right, sources);
    }
    if let Some((left, right)) = text.split_once("<<") {
        return value_of(left, sources) << value_of(right, sources);
    }
    if let Ok(value) = text.replace('_', "").parse() {
        return value;
    }
    let line = sources.lines().find(|line| line.starts_with(&format!("pub const {text}:")));
    let value = line.and_then(|line| line.trim_end_matches(';').split_once('=')).expect("a limit names another one");
    value_of(value.1, sources)
}
