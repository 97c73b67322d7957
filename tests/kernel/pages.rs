//! What the page of the log says: every kind of entry has its section, and its check in Python tells what is proved.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pdl::Digest;
use pdl::kernel::entry::Kind;
use pdl::log::checkpoint::Checkpoint;
use pdl::log::note::Signer;
use pdl::log::offline::{Consistency, Inclusion};
use pdl::log::proof;
use pdl::log::tile::{Content, Tile, write_entries, write_hashes};
use pdl::log::tree::{Frontier, Node, leaf_hash};

use super::room::Room;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kernel/log.md")).expect("the page is there")
}

#[test]
fn every_kind_of_entry_is_on_the_page() {
    let page = page();
    for kind in Kind::ALL {
        let heading = format!("\n### `{}`\n", kind.name());
        assert_eq!(page.matches(&heading).count(), 1, "{}", kind.name());
        assert!(page.contains(&format!("\n| `{}` | ", kind.name())), "{} is in the table of kinds", kind.name());
    }
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    assert!(headings.iter().all(|name| Kind::of_name(name).is_some()), "{headings:?}");
}

fn run(command: &str, arguments: &[&str]) -> Option<Output> {
    let output = Command::new(command).args(arguments).output();
    if output.is_err() {
        // Where everything is looked at, everything has to be there.
        assert!(std::env::var_os("CI").is_none(), "{command} is not there");
        eprintln!("{command} is not there: the check in Python was not tried");
    }
    output.ok()
}

const ORIGIN: &str = "pdl.example/log";

/// A log whose entries are numbered, signed at every size.
struct Grown {
    nodes: BTreeMap<Node, Digest>,
    /// The checkpoint of so many entries.
    signed: Vec<String>,
}

/// An entry of such a log, as far as the check looks at it.
fn entry(index: u64) -> String {
    let (kind, before) = if index == 600 { ("log.compacted", 512) } else { ("decision", 0) };
    format!("{{\"body\":{{\"before\":{before}}},\"index\":{index},\"kind\":\"{kind}\"}}")
}

fn grown(size: u64, signer: &Signer) -> Grown {
    let (mut tree, mut nodes) = (Frontier::default(), BTreeMap::new());
    let sign = |tree: &Frontier| {
        let head =
            Checkpoint { origin: ORIGIN.to_owned(), size: tree.size(), root: tree.root(), extensions: Vec::new() };
        signer.sign(&head.to_string()).expect("it can be signed")
    };
    let mut signed = vec![sign(&tree)];
    for index in 0..size {
        tree.append(leaf_hash(entry(index).as_bytes()), |node, hash| _ = nodes.insert(node, hash));
        signed.push(sign(&tree));
    }
    Grown { nodes, signed }
}

/// Files, the script, and keys: the one that signs, and another one.
struct Desk {
    room: Room,
    signer: Signer,
    key: String,
    wrong_key: String,
    has_openssl: bool,
}

impl Desk {
    fn new() -> Desk {
        let [signer, other] = [7, 8].map(|seed| Signer::from_seed(ORIGIN, &[seed; 32]).expect("it is a name"));
        let room = Room::new();
        let keys = [("log.pub", &signer), ("other.pub", &other)].map(|(name, signer)| {
            fs::write(room.path(name), signer.verifier().to_string()).expect("there is room");
            room.path(name).display().to_string()
        });
        let [key, wrong_key] = keys;
        Desk { room, signer, key, wrong_key, has_openssl: run("openssl", &["version"]).is_some() }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.room.path(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("there is room");
        fs::write(&path, bytes).expect("there is room");
        path.display().to_string()
    }

    /// Whether it is as it should be, and what is said; `None` where there is no Python.
    fn check(&self, arguments: &[&str]) -> Option<(bool, String)> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kernel/check.py");
        let arguments: Vec<&str> = [script.to_str().expect("it is text")].iter().chain(arguments).copied().collect();
        let output = run("python3", &arguments)?;
        let said = if output.status.success() { output.stdout } else { output.stderr };
        let said = String::from_utf8_lossy(&said).into_owned();
        // It says no, and does not fall over.
        assert!(output.status.success() || said.starts_with("no: "), "{said}");
        Some((output.status.success(), said))
    }
}

#[test]
fn the_check_in_python_tells_what_is_proved() {
    let desk = Desk::new();
    let log = grown(11, &desk.signer);
    let checkpoint = &log.signed[11];
    for index in [0, 6, 10] {
        let hashes = proof::inclusion(index, 11, |node| log.nodes.get(&node).copied()).expect("it is in it");
        let proof = Inclusion { index, hashes, checkpoint: checkpoint.clone() }.to_string();
        let (whole, proof_file) = (desk.put("entry", entry(index).as_bytes()), desk.put("proof", proof.as_bytes()));
        let is_sound = |entry: &str, proof: &str| desk.check(&[entry, proof]).map(|(is_sound, _)| is_sound);
        let Some((sound, said)) = desk.check(&[&whole, &proof_file]) else { return };
        assert!(sound && said == format!("entry {index} is among the 11 of pdl.example/log\n"), "{said}");
        let line = desk.put("line", format!("{}\n", entry(index)).as_bytes());
        assert_eq!(is_sound(&line, &proof_file), Some(true));
        if desk.has_openssl {
            let (sound, said) = desk.check(&[&whole, &proof_file, &desk.key]).expect("it was there");
            assert!(sound && said.ends_with("and its head is signed\n"), "{said}");
            let (sound, said) = desk.check(&[&whole, &proof_file, &desk.wrong_key]).expect("it was there");
            assert!(!sound && said == "no: the head is not signed with this key\n", "{said}");
        }
        let changed = desk.put("changed", entry(index + 1).as_bytes());
        assert_eq!(is_sound(&changed, &proof_file), Some(false));
        for (from, to) in [
            (format!("index {index}\n"), format!("index {}\n", index ^ 1)),
            (format!("index {index}\n"), "index 11\n".to_owned()),
            ("\n11\n".to_owned(), "\n27\n".to_owned()),
        ] {
            let moved = proof.replacen(&from, &to, 1);
            assert_ne!(moved, proof);
            let moved = desk.put("moved", moved.as_bytes());
            assert_eq!(is_sound(&whole, &moved), Some(false), "{from} {to}");
        }
    }
}

#[test]
fn the_check_in_python_tells_that_a_log_has_grown() {
    let desk = Desk::new();
    let log = grown(11, &desk.signer);
    for (old, size) in [(1, 1), (1, 2), (3, 7), (4, 7), (6, 8), (8, 11), (7, 11), (11, 11)] {
        let hashes = proof::consistency(old, size, |node| log.nodes.get(&node).copied()).expect("it has grown");
        let at = |size: u64| &log.signed[usize::try_from(size).expect("it is small")];
        let proof = Consistency { old, hashes, checkpoint: at(size).clone() }.to_string();
        let (kept, proof_file) = (desk.put("kept", at(old).as_bytes()), desk.put("proof", proof.as_bytes()));
        let mut arguments = vec![kept.as_str(), &proof_file];
        arguments.extend(Some(desk.key.as_str()).filter(|_| desk.has_openssl));
        let Some((sound, said)) = desk.check(&arguments) else { return };
        assert!(sound && said.starts_with(&format!("the {size} of pdl.example/log begin with the {old} of")), "{said}");
        // Another head of then, and one of another size; another head of now; a hash less and one more.
        let is_sound = |kept: &str, proof: &str| {
            let (kept, proof) = (desk.put("other", kept.as_bytes()), desk.put("moved", proof.as_bytes()));
            desk.check(&[&kept, &proof]).expect("it was there").0
        };
        let root = |note: &str| note.split('\n').nth(2).expect("it has a root").to_owned();
        let others = [
            (at(old).replacen(&root(at(old)), &root(at(size + 1 - old.min(2))), 1), proof.clone()),
            (at(old - 1).clone(), proof.clone()),
            (at(old).clone(), proof.replacen(&root(at(size)), &root(at(size - 1)), 1)),
            (at(old).clone(), proof.replacen("\n\n", &format!("\n{}\n\n", root(at(1))), 1)),
        ];
        for (other, moved) in others.iter().filter(|(other, moved)| (other, moved) != (at(old), &proof)) {
            assert!(!is_sound(other, moved), "{old} {size}: {other}{moved}");
        }
    }
}

/// The files of the log: what lies at each path.
fn files(log: &Grown, size: u64) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for tile in Tile::all(size) {
        let from = tile.index * 256;
        let numbers = from..from + u64::from(tile.width);
        let bytes = match tile.content {
            Content::Entries => {
                let entries: Vec<String> = numbers.map(entry).collect();
                write_entries(entries.iter().map(String::as_bytes)).expect("they are short")
            }
            Content::Hashes(level) => {
                let hash = |index| log.nodes[&Node { level: level * 8, index }];
                write_hashes(&numbers.map(hash).collect::<Vec<_>>())
            }
        };
        files.insert(tile.to_string(), bytes);
    }
    let note = &log.signed[usize::try_from(size).expect("it is small")];
    files.insert("checkpoint".to_owned(), note.clone().into_bytes());
    files
}

#[test]
fn the_check_in_python_tells_that_files_are_one_log() {
    let desk = Desk::new();
    let log = grown(700, &desk.signer);
    let lay = |name: &str, files: &BTreeMap<String, Vec<u8>>| {
        files.iter().for_each(|(path, bytes)| drop(desk.put(&format!("{name}/{path}"), bytes)));
        desk.room.path(name).display().to_string()
    };
    for size in [0, 1, 255, 256, 257, 512, 700] {
        let folder = lay(&format!("log{size}"), &files(&log, size));
        let mut arguments = vec![folder.as_str()];
        arguments.extend(Some(desk.key.as_str()).filter(|_| desk.has_openssl));
        let Some((sound, said)) = desk.check(&arguments) else { return };
        assert!(
            sound && said.starts_with(&format!("the {size} entries of {ORIGIN} are what its head says\n")),
            "{said}"
        );
        if desk.has_openssl {
            assert!(!desk.check(&[&folder, &desk.wrong_key]).expect("it was there").0);
        }
    }
    let whole = files(&log, 700);
    // Each file without a byte, with another one, and not there at all.
    let mut number = 0;
    for (path, bytes) in &whole {
        let mut changed = bytes.clone();
        // The signature of the checkpoint is looked at with a key only; this is its size.
        let place = if path == "checkpoint" { ORIGIN.len() + 1 } else { changed.len() - 4 };
        changed[place] ^= 1;
        for other in [Some(changed), Some(bytes[..bytes.len() - 1].to_vec()), None] {
            if path == "checkpoint" && other.as_ref().is_none_or(|other| other.len() < bytes.len()) {
                continue;
            }
            let mut files = whole.clone();
            match other {
                Some(bytes) => drop(files.insert(path.clone(), bytes)),
                None => drop(files.remove(path)),
            }
            number += 1;
            let (sound, said) = desk.check(&[&lay(&format!("other{number}"), &files)]).expect("it was there");
            // The first one may have been dropped: an entry says so.
            let is_told = path == "tile/entries/000" && !files.contains_key(path);
            assert_eq!(sound, is_told, "{path}: {said}");
            assert!(!is_told || said.ends_with("; 256 were dropped\n"), "{said}");
        }
    }
    // Two that no entry tells of: there were 600 entries then.
    let mut files = files(&log, 600);
    files.remove("tile/entries/000");
    let (sound, said) = desk.check(&[&lay("young", &files)]).expect("it was there");
    assert!(!sound && said.contains("the entries 0 to 255 are not there, and the log does not say why"), "{said}");
}

#[test]
fn the_check_in_python_opens_what_was_committed_to() {
    let desk = Desk::new();
    let content = [&[9; 32][..], b"\"eve@example.com\""].concat();
    let file = desk.put("content", &content);
    let Some((sound, said)) = desk.check(&["--opens", &file]) else { return };
    assert_eq!((sound, said), (true, format!("{} is a commitment to \"eve@example.com\"\n", Digest::of(&content))));
}
