//! The installed `git`, asked about revisions: which commit one is, which files it has, and what is in them.
//!
//! What neighbours may rely on: no shell is used and nothing is written; what somebody wrote reaches git only as a revision
//! that can't be an option, and from then on commits and files are named by their ids. Files are what was committed: no
//! filter, no line ends changed, no replacement.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::status::Failure;
use crate::base::limits::{REVISION_BYTES_MAX, REVISION_LIST_BYTES_MAX};

/// What asks for the merge base of `HEAD` and another revision instead of for that revision itself.
const MERGE_BASE: &str = "merge-base:";

/// What a file of a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A link, which is not followed.
    Link,
    /// Another repository within this one.
    Submodule,
}

/// A file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<'a> {
    /// What it is.
    pub kind: Kind,
    /// The id of its contents.
    pub id: &'a str,
    /// Its path from the root of the repository.
    pub path: &'a str,
}

/// The id of the commit that a revision is: `main`, `HEAD~1`, `merge-base:origin/main`.
pub fn commit(revision: &str) -> Result<String, Failure> {
    let name = revision.strip_prefix(MERGE_BASE).unwrap_or(revision);
    let is_option = name.starts_with('-');
    if name.is_empty() || is_option || name.len() > REVISION_BYTES_MAX || name.contains(char::is_control) {
        return Err(Failure::usage(format!("`{revision}` can't be a revision")));
    }
    // Says what is wrong where this is no repository, or not one that git trusts.
    answer(&["rev-parse", "--git-dir"])?;
    let commit = resolved(name).map_err(|_| {
        Failure::new(format!("there is no commit `{name}` in this repository"))
            .help("perhaps it was not fetched: `git fetch`, and in CI `fetch-depth: 0`")
    })?;
    if name.len() == revision.len() {
        return Ok(commit);
    }
    let head = resolved("HEAD")?;
    answer(&["merge-base", &head, &commit]).map_err(|_| {
        Failure::new(format!("`HEAD` and `{name}` have no commit in common")).help(
            "a shallow clone does not know where branches parted: `git fetch --unshallow`, and in CI `fetch-depth: 0`",
        )
    })
}

fn resolved(name: &str) -> Result<String, Failure> {
    let commit = answer(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")])?;
    if commit.is_empty() || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::new(format!("git does not say which commit `{name}` is")));
    }
    Ok(commit)
}

/// The current folder from the root of the repository: empty, or `policies/release/`.
pub fn prefix() -> Result<String, Failure> {
    answer(&["rev-parse", "--show-prefix"])
}

/// Goes through all files and folders of a commit, in no certain order. What has a name that is no text is left out.
pub fn list(commit: &str, mut each: impl FnMut(Listed<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut child = git(&["ls-tree", "-r", "-t", "-z", "--full-tree", commit])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| not_started(&error))?;
    let output = child.stdout.take().ok_or_else(|| Failure::new("git gives nothing"))?;
    let gone = |error: std::io::Error| Failure::new(format!("git can't be read: {error}"));
    let mut output = BufReader::with_capacity(1 << 16, output).take(REVISION_LIST_BYTES_MAX);
    let mut row = Vec::new();
    let mut result = Ok(());
    while result.is_ok() {
        row.clear();
        if output.read_until(0, &mut row).map_err(gone)? == 0 {
            break;
        }
        if row.pop() != Some(0) {
            result = Err(Failure::new("the commit has too many files"));
        } else if let Some(listed) = std::str::from_utf8(&row).ok().and_then(listed) {
            result = each(listed);
        }
    }
    if result.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(gone)?;
    result?;
    if output.limit() == 0 {
        return Err(Failure::new("the commit has too many files"));
    }
    if !status.success() {
        return Err(Failure::new(format!("git can't list the files of commit `{commit}`")));
    }
    Ok(())
}

/// `100644 blob 4f2b…<TAB>release.pdl`
fn listed(row: &str) -> Option<Listed<'_>> {
    let (about, path) = row.split_once('\t')?;
    let mut words = about.split(' ');
    let (mode, ty, id) = (words.next()?, words.next()?, words.next()?);
    let kind = match (mode, ty) {
        ("120000", _) => Kind::Link,
        (_, "tree") => Kind::Folder,
        (_, "commit") => Kind::Submodule,
        _ => Kind::File,
    };
    Some(Listed { kind, id, path })
}

/// Reads the contents of files by their ids, one after the other, with one `git` for all.
#[derive(Debug)]
pub struct Contents {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Contents {
    /// Starts it.
    pub fn open() -> Result<Contents, Failure> {
        let mut child = git(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| not_started(&error))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Contents { child, input, output: BufReader::new(output) }),
            _ => Err(Failure::new("git gives nothing")),
        }
    }

    /// The contents of an id: whole, or `None` if they have more than so many bytes.
    pub fn read(&mut self, id: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, Failure> {
        let gone = |error: std::io::Error| Failure::new(format!("git can't be read: {error}"));
        writeln!(self.input, "{id}").and_then(|()| self.input.flush()).map_err(gone)?;
        let mut head = String::new();
        (&mut self.output).take(1_024).read_line(&mut head).map_err(gone)?;
        // `<id> blob <size>`, or `<id> missing`.
        let size = head.trim_end().split_once(" blob ").and_then(|(_, size)| size.parse::<u64>().ok());
        let size =
            size.ok_or_else(|| Failure::new(format!("git has no file `{id}`")).help("is the clone complete?"))?;
        if size > bytes_max as u64 {
            // What follows is read past, so that the next one is found.
            let whole = size.saturating_add(1);
            std::io::copy(&mut (&mut self.output).take(whole), &mut std::io::sink()).map_err(gone)?;
            return Ok(None);
        }
        let mut bytes = Vec::new();
        (&mut self.output).take(size).read_to_end(&mut bytes).map_err(gone)?;
        let mut end = [0];
        self.output.read_exact(&mut end).map_err(gone)?;
        if bytes.len() as u64 != size || end != *b"\n" {
            return Err(Failure::new("git ends too early"));
        }
        Ok(Some(bytes))
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line of what git says.
fn answer(arguments: &[&str]) -> Result<String, Failure> {
    let output = git(arguments).stdin(Stdio::null()).output().map_err(|error| not_started(&error))?;
    if !output.status.success() {
        let talk = String::from_utf8_lossy(&output.stderr);
        let why = talk.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
        return Err(Failure::new(format!("git: {}", if why.is_empty() { "it fails" } else { why })));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn git(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(["--no-pager", "--no-replace-objects"]).args(arguments);
    command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
    command
}

fn not_started(error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new("git is not installed").help("revisions are read with it"),
        _ => Failure::new(format!("git can't be started: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_an_option_is_no_revision() {
        for bad in ["", "-h", "--output=x", "merge-base:", "merge-base:--all", "a\nb", &"x".repeat(2_000)] {
            let failure = commit(bad).expect_err("it is refused before git is asked");
            assert_eq!(failure.status().code(), 2, "{bad}");
        }
    }

    #[test]
    fn rows_are_taken_apart() {
        let row = |text| listed(text).map(|listed| (listed.kind, listed.id.to_owned(), listed.path.to_owned()));
        assert_eq!(row("100644 blob 4f\ta b/ä.pdl"), Some((Kind::File, "4f".to_owned(), "a b/ä.pdl".to_owned())));
        assert_eq!(row("040000 tree 5e\ta"), Some((Kind::Folder, "5e".to_owned(), "a".to_owned())));
        assert_eq!(row("120000 blob 6d\ta"), Some((Kind::Link, "6d".to_owned(), "a".to_owned())));
        assert_eq!(row("160000 commit 7c\ta"), Some((Kind::Submodule, "7c".to_owned(), "a".to_owned())));
        assert_eq!(row("nothing"), None);
    }
}
