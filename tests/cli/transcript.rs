//! Runs the cases and holds them against their transcripts.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use pdl::bytecode::bundle::Section;
use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::permit::Issuer;
use pdl::kernel::record::Principal;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::{Kernel, Settings};
use pdl::{Digest, LoadOptions};
use regex_automata::dfa::regex::Regex;

use super::{Room, copy};

/// What differs from run to run or from version to version of the compiler, and what is written instead.
const FILTERS: &[(&str, &str)] = &[
    ("in [0-9]+ ms", "in [time] ms"),
    ("sha256:[0-9a-f]{64}", "sha256:[digest]"),
    ("public-key:[0-9a-f]{64}", "public-key:[digits]"),
    ("private-key:[0-9a-f]{64}", "private-key:[digits]"),
    ("as [0-9a-f]{16}", "as [key id]"),
    ("by [0-9a-f]{16}", "by [key id]"),
    (r#""signer": "[0-9a-f]{16}""#, r#""signer": "[key id]""#),
    ("  [0-9a-f]{16}  [0-9a-f]{64}", "  [key id]  [digits]"),
    ("[0-9,]+ bytes", "[size] bytes"),
    (r#""bytes": [0-9]+"#, r#""bytes": [size]"#),
    ("at most [0-9,]+ steps", "at most [number] steps"),
    (r#""cost": [0-9]+"#, r#""cost": [number]"#),
    (r#""pay": [0-9]+"#, r#""pay": [number]"#),
    (" +[0-9,]+  7 rules", "  [number]  7 rules"),
    ("pdl [0-9]+[.][0-9]+[.][0-9]+", "pdl [version]"),
];

/// What differs from kernel to kernel, in cases whose names begin with `kernel`.
const KERNEL_FILTERS: &[(&str, &str)] = &[
    ("bundle/[0-9a-f]{64}", "bundle/[digest]"),
    ("content/[0-9a-f]{64}", "content/[digest]"),
    ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z", "[time]"),
    ("(ent|gate|permit|scope)_[0-9A-Z]{26}", "[id]"),
    (r"pdlp1[.][0-9A-Za-z_-]+[.][0-9A-Za-z_-]+", "[token]"),
    (r"[+][0-9a-f]{8}[+][0-9A-Za-z+/]+=*", "+[key]"),
    ("[0-9A-Za-z+/]{90,}=*", "[signature]"),
    ("[0-9A-Za-z+/]{43}=", "[hash]"),
];

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/cli");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("tests/cases/cli can be listed")
        .map(|entry| entry.expect("it can be listed").file_name().into_string().expect("names are UTF-8"))
        .filter(|name| folder.join(name).join("commands").exists())
        .collect();
    names.sort();
    assert!(!names.is_empty(), "there are cases");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../cases/cli");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let (filters, kernel_filters) = (made(FILTERS), made(KERNEL_FILTERS));
    settings.bind(|| {
        // One that differs keeps no other from being looked at.
        let differs = |name: &String| {
            let mut transcript = filtered(&filters, run(&folder.join(name), name));
            if name.starts_with("kernel") {
                transcript = filtered(&kernel_filters, transcript);
            }
            std::panic::catch_unwind(|| insta::assert_snapshot!(name.as_str(), transcript)).is_err()
        };
        let different: Vec<String> = names.into_iter().filter(differs).collect();
        assert!(different.is_empty(), "transcripts that differ: {}", different.join(", "));
    });
}

fn made(filters: &[(&str, &'static str)]) -> Vec<(Regex, &'static str)> {
    filters.iter().map(|&(pattern, to)| (Regex::new(pattern).expect("a filter is a regular expression"), to)).collect()
}

/// A text without what differs from kernel to kernel.
pub fn redacted(text: &str) -> String {
    static ALL: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| made(&[FILTERS, KERNEL_FILTERS].concat()));
    filtered(&ALL, text.to_owned())
}

fn filtered(filters: &[(Regex, &str)], mut text: String) -> String {
    for (pattern, to) in filters {
        let places: Vec<_> = pattern.find_iter(text.as_bytes()).map(|found| found.range()).collect();
        places.into_iter().rev().for_each(|place| text.replace_range(place, to));
    }
    text
}

fn run(case: &Path, name: &str) -> String {
    let room = Room::new(name);
    copy(case, room.path());
    let commands = fs::read_to_string(case.join("commands")).expect("a case has commands");
    let _ = fs::remove_file(room.path().join("commands"));
    let mut transcript = String::new();
    for line in commands.lines() {
        if line.is_empty() || line.starts_with('#') {
            let _ = writeln!(transcript, "{line}");
            continue;
        }
        let _ = writeln!(transcript, "$ {line}");
        let words = seen(line, &transcript);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if !prepare(&words, room.path(), &mut transcript) {
            pdl(&words, room.path(), &mut transcript);
        }
    }
    transcript
}

/// The words of a line. `@ent`, `@gate`, `@permit`, `@scope` and `@pdlp1` are the last such id, or token, that was printed.
fn seen(line: &str, transcript: &str) -> Vec<String> {
    let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let last = |word: &str| {
        let found = transcript
            .split(|c: char| !is_id(c))
            .rfind(|id| id.strip_prefix(word).is_some_and(|rest| rest.starts_with(['_', '.']) && rest.len() > 26));
        found.unwrap_or_else(|| panic!("nothing of the kind @{word} was printed")).to_owned()
    };
    line.split_whitespace().map(|word| word.strip_prefix('@').map_or_else(|| word.to_owned(), last)).collect()
}

/// The words besides `pdl`; false where it is none of them.
fn prepare(words: &[&str], room: &Path, transcript: &mut String) -> bool {
    let read = |file: &str| fs::read(room.join(file)).expect("the file of a command can be read");
    let write = |file: &str, bytes: &[u8]| fs::write(room.join(file), bytes).expect("a file can be written");
    match words {
        // cat FILE: shows it.
        ["cat", file] => transcript.push_str(&String::from_utf8_lossy(&read(file))),
        // copy FILE TO
        ["copy", file, to] => write(to, &read(file)),
        // cut FILE PLACE TO: what stands before the place.
        ["cut", file, place, to] => {
            let content = read(file);
            write(to, &content[..at(&content, place)]);
        }
        // flip FILE PLACE TO: the last bit of the byte there.
        ["flip", file, place, to] => {
            let mut content = read(file);
            let place = at(&content, place);
            content[place] ^= 1;
            write(to, &content);
        }
        // set FILE PLACE VALUE TO: the byte there.
        ["set", file, place, value, to] => {
            let mut content = read(file);
            let place = at(&content, place);
            content[place] = value.parse().expect("the value of a byte");
            write(to, &content);
        }
        // replace FILE FROM TO: everywhere in the file, with as many bytes.
        ["replace", file, from, to] => {
            assert_eq!(from.len(), to.len(), "what is replaced keeps its length");
            let mut content = read(file);
            let mut places = 0;
            for at in 0..content.len().saturating_sub(from.len() - 1) {
                if content[at..].starts_with(from.as_bytes()) {
                    content[at..at + from.len()].copy_from_slice(to.as_bytes());
                    places += 1;
                }
            }
            assert!(places > 0, "{from} is not in {file}");
            write(file, &content);
        }
        // fill FILE WORD TEXT: the text where the word stands.
        ["fill", file, word, text] => {
            let content = String::from_utf8(read(file)).expect("what is filled is text");
            assert!(content.contains(word), "{word} is not in {file}");
            write(file, content.replace(word, text).as_bytes());
        }
        // compare ONE OTHER: whether they are the same.
        ["compare", one, other] => {
            let same = if read(one) == read(other) { "the same" } else { "different" };
            let _ = writeln!(transcript, "{same}");
        }
        // spoil FOLDER KIND: the first of its files there has another byte.
        ["spoil", folder, kind] => {
            let files = fs::read_dir(room.join(folder).join(kind)).expect("it can be listed");
            let mut files: Vec<_> = files.map(|file| file.expect("it can be listed").path()).collect();
            files.sort();
            let mut content = fs::read(&files[0]).expect("it can be read");
            *content.last_mut().expect("it is not empty") ^= 1;
            fs::write(&files[0], content).expect("it can be written");
        }
        // mode FILE: who may read it.
        ["mode", file] => {
            let _ = writeln!(transcript, "{}", mode(&room.join(file)));
        }
        // grow FOLDER TIMES: the log of the kernel there, by as many denials of what is no request.
        ["grow", folder, times] => grow(&room.join(folder), times.parse().expect("a number")),
        // list: all files, sorted.
        ["list"] => {
            let mut names: Vec<String> = fs::read_dir(room)
                .expect("the room can be listed")
                .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            let _ = writeln!(transcript, "{}", names.join(" "));
        }
        _ => return false,
    }
    true
}

/// The clock, and ids that nothing else has.
#[derive(Debug, Default)]
struct World(AtomicU64);

impl Environment for World {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is behind 1970");
        Timestamp::from_millis(since.as_millis() as i64).expect("it is a time")
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        let digest = Digest::of(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes()).0;
        buffer.iter_mut().zip(digest).for_each(|(byte, chance)| *byte = chance);
        Ok(())
    }
}

fn grow(folder: &Path, times: usize) {
    let store = Sqlite::open(folder.join("kernel.db"), &Options::PLAIN).expect("it opens");
    let settings = Settings {
        bundles: LoadOptions::UNSIGNED,
        founders: Vec::new(),
        issuer: Issuer::shared(&[7; 32]).expect("it is long enough"),
        start_within: Duration(60_000),
        run_within: Duration(60_000),
        origin: "example.com/log".to_owned(),
        signer: None,
    };
    let kernel = Kernel::open(Box::new(store), Arc::new(World::default()), settings).expect("it opens");
    let who = Principal::new("Agent", "bot").expect("it is short");
    (0..times).for_each(|_| drop(kernel.decide(&who, b"{}", None)));
}

/// A place in a bundle: a byte, counted from the end if negative, or `section:byte`.
fn at(bundle: &[u8], place: &str) -> usize {
    let (start, byte) = match place.split_once(':') {
        Some((section, byte)) => (section_start(bundle, section), byte),
        None if place.starts_with('-') => (bundle.len(), place),
        None => (0, place),
    };
    (start as i64 + byte.parse::<i64>().expect("the number of a byte")) as usize
}

/// As docs/bundle.md says: eight bytes, then a row of 44 for each section with its number and where it begins.
fn section_start(bundle: &[u8], name: &str) -> usize {
    let section = Section::ALL.into_iter().find(|section| section.name() == name).expect("the name of a section");
    let row = bundle[8..].chunks_exact(44).find(|row| row[..2] == section.kind().to_le_bytes());
    let start = &row.expect("the bundle has such a section")[4..8];
    u32::from_le_bytes(start.try_into().expect("four bytes")) as usize
}

#[cfg(unix)]
fn mode(path: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).expect("the file is there").permissions().mode();
    format!("{:04o}", mode & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> String {
    "0600".to_owned()
}

/// `[NAME=VALUE…] pdl ARGUMENTS… [< FILE]`
fn pdl(words: &[&str], room: &Path, transcript: &mut String) {
    let start = words.iter().position(|word| *word == "pdl").unwrap_or_else(|| panic!("no such command: {words:?}"));
    let (words, input) = match words.iter().position(|word| *word == "<") {
        Some(at) => (&words[..at], fs::read(room.join(words[at + 1])).expect("the input of a command can be read")),
        None => (words, Vec::new()),
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_pdl"));
    command.current_dir(room).args(&words[start + 1..]);
    for name in ["NO_COLOR", "PDL_KERNEL", "PDL_PRINCIPAL"] {
        command.env_remove(name);
    }
    for setting in &words[..start] {
        let (name, value) = setting.split_once('=').expect("NAME=VALUE stands before `pdl`");
        command.env(name, value);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be run");
    let mut stdin = child.stdin.take().expect("it has an input");
    // A command that does not read its input may end before it is written.
    let _ = stdin.write_all(&input);
    drop(stdin);
    let output = child.wait_with_output().expect("the command ends");
    show(transcript, "", &output.stdout);
    show(transcript, "2> ", &output.stderr);
    let status = output.status.code().map_or("a signal".to_owned(), |code| code.to_string());
    let _ = writeln!(transcript, "exit {status}\n");
}

/// Escape sequences are shown as `^[`, so that colour can be seen.
fn show(transcript: &mut String, mark: &str, bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines() {
        let _ = writeln!(transcript, "{}", format!("{mark}{line}").trim_end().replace('\x1b', "^["));
    }
}
