//! What a transcript can't show: readers that go away, streams that are closed, files that must not be read.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::Room;

/// A source with many faults, so that its report is larger than any pipe holds.
fn faulty() -> String {
    let mut text = String::from("module faulty\n");
    for at in 0..400 {
        text.push_str(&format!("const limit_{at}: Missing = \"{}\"\n", "x".repeat(300)));
    }
    text
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let room = Room::new("broken-pipe");
    fs::write(room.path().join("faulty.pdl"), faulty()).expect("a file can be written");
    for format in ["human", "json", "sarif", "github"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pdl"))
            .current_dir(room.path())
            .args(["check", "--format", format, "faulty.pdl"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command can be run");
        let mut first = String::new();
        let mut reader = BufReader::with_capacity(16, child.stdout.take().expect("it has an output"));
        reader.read_line(&mut first).expect("there is a first line");
        drop(reader);
        let output = child.wait_with_output().expect("the command ends");
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!first.is_empty());
        assert_eq!(output.status.code(), Some(1), "{format}: the status is that of the faults: {talk}");
        assert!(!talk.contains("roken pipe") && !talk.contains("panic"), "{format}: nothing is said about it: {talk}");
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let output = Command::new(env!("CARGO_BIN_EXE_pdl"))
        .args(["check", "--explain", "E0101"])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .expect("the command can be run");
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(talk.starts_with("error: can't write to standard output"), "{talk}");
}

#[cfg(unix)]
#[test]
fn a_file_that_must_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let room = Room::new("unreadable");
    let path = room.path().join("secret.pdl");
    fs::write(&path, "module secret\n").expect("a file can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("its mode can be set");
    if fs::read(&path).is_ok() {
        // Whoever may read everything can't see the difference.
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_pdl"))
        .current_dir(room.path())
        .args(["check", "secret.pdl"])
        .output()
        .expect("the command can be run");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: can't read `secret.pdl`: permission denied\n");
}
