//! Where the files of a package are read: on this disk, or in a revision of a repository.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::revision::Revision;
use crate::cli::files;
use crate::cli::status::Failure;

/// What a path begins with that names a revision.
const REVISION: &str = "git:";

/// A tree of files.
pub trait Tree {
    /// Whether there is such a folder.
    fn is_folder(&self, path: &Path) -> bool;
    /// Whether there is such a file.
    fn is_file(&self, path: &Path) -> bool;
    /// Reads a file: whole, or one byte more than the limit, for a caller who reports that.
    fn read_up_to(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure>;
    /// Whether a file begins with these bytes, if that can be said without reading all of it.
    fn begins_with(&self, path: &Path, start: &[u8]) -> Result<bool, Failure>;
    /// What is in a folder, by name, and whether it is a folder.
    fn list(&self, folder: &Path) -> Result<BTreeSet<(OsString, bool)>, Failure>;
    /// The one path of all that lead to the same place.
    fn real(&self, path: &Path) -> Result<PathBuf, Failure>;
    /// A path as a person finds it.
    fn shown(&self, path: &Path) -> String;

    /// Reads a file of at most so many bytes.
    fn read(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
        let bytes = self.read_up_to(path, bytes_max)?;
        if bytes.len() > bytes_max {
            return Err(Failure::new(format!("`{}` has more than {bytes_max} bytes", self.shown(path))));
        }
        Ok(bytes)
    }
}

/// The tree that a path leads into, and the path there.
pub fn of(path: &Path) -> Result<(Box<dyn Tree>, PathBuf), Failure> {
    match path.to_str().and_then(|text| text.strip_prefix(REVISION)) {
        Some(named) => {
            let (revision, inside) = Revision::open(named)?;
            Ok((Box::new(revision), inside))
        }
        None => Ok((Box::new(Disk), path.to_owned())),
    }
}

/// This disk, and standard input for `-`.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Tree for Disk {
    fn is_folder(&self, path: &Path) -> bool {
        !files::is_stdin(path) && path.is_dir()
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn read_up_to(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
        files::read_up_to(path, bytes_max).map_err(|error| Failure::io("read", path, &error))
    }

    fn begins_with(&self, path: &Path, start: &[u8]) -> Result<bool, Failure> {
        let mut found = Vec::new();
        fs::File::open(path)
            .and_then(|file| file.take(start.len() as u64).read_to_end(&mut found))
            .map_err(|error| Failure::io("read", path, &error))?;
        Ok(found == start)
    }

    fn list(&self, folder: &Path) -> Result<BTreeSet<(OsString, bool)>, Failure> {
        let fail = |error: std::io::Error| Failure::io("read", folder, &error);
        let mut entries = BTreeSet::new();
        for entry in fs::read_dir(folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            entries.insert((entry.file_name(), entry.file_type().map_err(fail)?.is_dir()));
        }
        Ok(entries)
    }

    fn real(&self, path: &Path) -> Result<PathBuf, Failure> {
        fs::canonicalize(path).map_err(|error| Failure::io("read", path, &error))
    }

    /// With `/`, without a `./` in front, and without a way in and out again.
    fn shown(&self, path: &Path) -> String {
        let short: PathBuf = shortened(path).into_iter().skip_while(|part| *part == Component::CurDir).collect();
        // Where a link lies on the way, `..` does not lead back.
        let is_same = match (fs::canonicalize(path), fs::canonicalize(&short)) {
            (Ok(path), Ok(short)) => path == short,
            _ => false,
        };
        files::shown(if is_same { &short } else { path }).replace('\\', "/")
    }
}

/// The parts of a path without a way in and out again.
pub fn shortened(path: &Path) -> Vec<Component<'_>> {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        let follows_name = matches!(parts.last(), Some(Component::Normal(_)));
        match part {
            Component::CurDir if !parts.is_empty() => {}
            Component::ParentDir if follows_name => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts
}
