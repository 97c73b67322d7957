//! The files of a revision, as a tree: `git:REV:PATH`.
//!
//! `REV` is what git calls a revision, or `merge-base:REV` for the commit where `HEAD` and it parted. `PATH` begins at the
//! root of the repository, or with `./` or `../` at the current folder, as git has it. Sources, packages and bundles are
//! there; links are not followed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::tree::{Tree, shortened};
use crate::base::limits::REVISION_FILES_MAX;
use crate::cli::git::{self, Contents, Kind};
use crate::cli::status::Failure;

/// A revision.
#[derive(Debug)]
pub struct Revision {
    /// As it was written: `git:main`.
    name: String,
    /// The files that a package may have, and folders, by their path from the root; the root is empty.
    entries: BTreeMap<String, Entry>,
    contents: RefCell<Option<Contents>>,
}

#[derive(Clone, Debug)]
struct Entry {
    kind: Kind,
    id: String,
}

impl Revision {
    /// Opens what is written behind `git:`, and gives the path in it.
    pub fn open(written: &str) -> Result<(Revision, PathBuf), Failure> {
        let (revision, path) = taken_apart(written).ok_or_else(|| {
            Failure::usage(format!("`git:{written}` names no path in a revision"))
                .help("write `git:REV:PATH`, such as `git:main:policies` or `git:merge-base:main:.`")
        })?;
        let commit = git::commit(revision)?;
        let from_here = [".", ".."].contains(&path) || path.starts_with("./") || path.starts_with("../");
        let path = if from_here { Path::new(&git::prefix()?).join(path) } else { PathBuf::from(path) };
        let mut entries = BTreeMap::from([(String::new(), Entry { kind: Kind::Folder, id: String::new() })]);
        let wanted = inside(&path);
        git::list(&commit, |listed| {
            let is_wanted = wanted.as_deref() == Some(listed.path);
            let is_package = matches!(listed.path.rsplit('/').next(), Some("pdl.toml"))
                || [".pdl", ".pdlb"].iter().any(|ending| listed.path.ends_with(ending));
            if is_wanted || is_package || listed.kind == Kind::Folder {
                entries.insert(listed.path.to_owned(), Entry { kind: listed.kind, id: listed.id.to_owned() });
            }
            if entries.len() > REVISION_FILES_MAX {
                return Err(Failure::new(format!(
                    "the revision has more than {REVISION_FILES_MAX} folders and sources"
                )));
            }
            Ok(())
        })?;
        Ok((Revision { name: format!("git:{revision}"), entries, contents: RefCell::new(None) }, path))
    }

    fn entry(&self, path: &Path) -> Option<&Entry> {
        self.entries.get(&inside(path)?)
    }
}

impl Tree for Revision {
    fn is_folder(&self, path: &Path) -> bool {
        self.entry(path).is_some_and(|entry| entry.kind == Kind::Folder)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.entry(path).is_some_and(|entry| entry.kind == Kind::File)
    }

    fn read_up_to(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
        let refused = |why: &str| Failure::new(format!("can't read `{}`: {why}", self.shown(path)));
        let entry = self.entry(path).ok_or_else(|| {
            refused("there is no such file")
                .help("paths begin at the root of the repository; one that begins with `./` does here")
        })?;
        match entry.kind {
            Kind::File => {}
            Kind::Folder => return Err(refused("it is a folder")),
            Kind::Link => return Err(refused("it is a link, and links are not followed in a revision")),
            Kind::Submodule => return Err(refused("it is another repository")),
        }
        let mut open = self.contents.borrow_mut();
        let contents = match &mut *open {
            Some(contents) => contents,
            none => none.insert(Contents::open()?),
        };
        match contents.read(&entry.id, bytes_max)? {
            Some(bytes) => Ok(bytes),
            None => Err(refused(&format!("it has more than {bytes_max} bytes"))),
        }
    }

    /// Bundles are named as such in a revision.
    fn begins_with(&self, _: &Path, _: &[u8]) -> Result<bool, Failure> {
        Ok(false)
    }

    fn list(&self, folder: &Path) -> Result<BTreeSet<(OsString, bool)>, Failure> {
        let Some(folder) = inside(folder) else { return Ok(BTreeSet::new()) };
        let prefix = if folder.is_empty() { folder } else { format!("{folder}/") };
        let below = self.entries.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
        let names = below.filter_map(|(path, entry)| {
            let name = path.strip_prefix(&prefix).filter(|name| !name.is_empty() && !name.contains('/'))?;
            Some((OsString::from(name), entry.kind == Kind::Folder))
        });
        Ok(names.collect())
    }

    fn real(&self, path: &Path) -> Result<PathBuf, Failure> {
        let real = inside(path).map(PathBuf::from);
        real.ok_or_else(|| Failure::new(format!("`{}` lies outside of the repository", path.display())))
    }

    fn shown(&self, path: &Path) -> String {
        let path = inside(path).unwrap_or_else(|| path.display().to_string());
        format!("{}:{path}", self.name)
    }
}

/// The revision and the path of `main:policies`, `merge-base:main:policies`.
fn taken_apart(written: &str) -> Option<(&str, &str)> {
    let start = if written.starts_with("merge-base:") { "merge-base:".len() } else { 0 };
    let end = start + written.get(start..)?.find(':')?;
    Some((written.get(..end)?, written.get(end + 1..)?))
}

/// A path from the root of the repository; `None` if it leads out of it.
fn inside(path: &Path) -> Option<String> {
    let mut names = Vec::new();
    for part in shortened(path) {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => names.push(name.to_str()?),
            _ => return None,
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_and_paths_are_told_apart() {
        assert_eq!(taken_apart("main:a/b"), Some(("main", "a/b")));
        assert_eq!(taken_apart("merge-base:origin/main:."), Some(("merge-base:origin/main", ".")));
        assert_eq!(taken_apart("HEAD~1:"), Some(("HEAD~1", "")));
        assert_eq!(taken_apart("main:a:b"), Some(("main", "a:b")));
        assert_eq!(taken_apart("main"), None);
        assert_eq!(taken_apart("merge-base:main"), None);
    }

    #[test]
    fn paths_stay_in_the_repository() {
        let inside = |path: &str| inside(Path::new(path));
        assert_eq!(inside("a/./b/../c").as_deref(), Some("a/c"));
        assert_eq!(inside(".").as_deref(), Some(""));
        assert_eq!(inside("a/../..").as_deref(), None);
        assert_eq!(inside("/etc/passwd").as_deref(), None);
    }
}
