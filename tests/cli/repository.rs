//! A real git repository for one test, and `pdl` run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::Room;

/// A repository in a folder that is removed with it.
pub struct Repository {
    room: Room,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Repository {
    /// An empty repository with the branch `main`.
    pub fn new(name: &str) -> Repository {
        let repository = Repository { room: Room::new(name) };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    pub fn path(&self) -> &Path {
        self.room.path()
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Replaces a text of a file that stands there once.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join(name)).expect("the file is there");
        assert_eq!(text.matches(from).count(), 1, "{from} stands in {name} once");
        self.write(name, &text.replace(from, to));
    }

    /// Commits everything.
    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.path()).args(arguments);
        alone(&mut command);
        let output = command.output().expect("these tests need git");
        let said = said(&output);
        assert_eq!(said.status, 0, "git {arguments:?}: {}", said.err);
        said.out
    }

    /// Runs `pdl` at the root.
    pub fn pdl(&self, arguments: &[&str]) -> Said {
        self.pdl_in("", arguments)
    }

    /// Runs `pdl` in a folder.
    pub fn pdl_in(&self, folder: &str, arguments: &[&str]) -> Said {
        pdl(&self.path().join(folder), arguments)
    }
}

/// Runs `pdl` in a folder.
pub fn pdl(folder: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pdl"));
    command.current_dir(folder).args(arguments).env_remove("PDL_KERNEL").env_remove("PDL_PRINCIPAL");
    for name in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITLAB_CI"] {
        command.env_remove(name);
    }
    alone(&mut command);
    said(&command.output().expect("pdl can be run"))
}

/// Whose settings this machine has makes no difference, and no repository around this one is found.
fn alone(command: &mut Command) {
    let above = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    command.env("GIT_CEILING_DIRECTORIES", above).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Ann").env(format!("GIT_{role}_EMAIL"), "ann@example.com");
        command.env(format!("GIT_{role}_DATE"), "2026-01-31T12:00:00Z");
    }
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
}

fn said(output: &Output) -> Said {
    Said {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
