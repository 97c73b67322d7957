//! The real command, as scripts see it: transcripts of what is printed and of how it ends.
//!
//! A case is a folder in tests/cases/cli with a file `commands` and whatever the commands read. It is copied to a
//! folder of its own and run there, line by line; the transcript is the snapshot. Besides `pdl` a few words prepare
//! files, so that no shell is needed: see `prepare`.

mod broken;
mod change_safety;
mod commands;
mod forms;
mod pull_request;
mod readme;
mod repository;
mod revisions;
mod tour;
mod transcript;

use std::fs;
use std::path::{Path, PathBuf};

/// A folder for one test, removed when it is done.
pub struct Room(PathBuf);

impl Room {
    pub fn new(name: &str) -> Room {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the test can be made");
        Room(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder of a case can be listed") {
        let path = entry.expect("a folder of a case can be listed").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a file of a case can be copied");
        }
    }
}
