//! The corpus of the fuzzers, replayed: each file through the same function that the fuzzer calls.

#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let entries = fs::read_dir(folder).expect("the corpus can be listed");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.sort();
    assert!(files.len() >= 3, "{name} has a corpus");
    for file in files {
        let bytes = fs::read(&file).expect("a file of the corpus can be read");
        // What is found is found under the name of its file.
        println!("{}", file.display());
        target(&bytes);
    }
}

#[test]
fn parse() {
    replay("parse", targets::parse);
}

#[test]
fn check() {
    replay("check", targets::check);
    targets::check(targets::POLICY.as_bytes());
}

#[test]
fn bundle() {
    replay("bundle", targets::bundle);
}

#[test]
fn machine() {
    replay("machine", targets::machine);
}

#[test]
fn request() {
    replay("request", targets::request);
}
