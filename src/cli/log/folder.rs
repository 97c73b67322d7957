//! The files of an exported log, in a folder.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::super::args::log::ReadArgs;
use super::super::files;
use super::super::place::{self, Place};
use super::super::status::Failure;
use super::super::trouble;
use crate::kernel::log::export::Files;
use crate::kernel::log::exported::Exported;
use crate::log::note::Verifier;

/// The files of an exported log.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Those of a folder, which need not be there yet.
    #[must_use]
    pub fn new(path: &Path) -> Folder {
        Folder(path.to_owned())
    }

    /// Those of a folder that is there.
    pub fn existing(path: &Path) -> Result<Folder, Failure> {
        if path.is_dir() {
            return Ok(Folder::new(path));
        }
        Err(Failure::new(format!("there is no folder `{}`", files::shown(path)))
            .help("an exported log is the folder that `pdl log export` or `pdl log archive` wrote"))
    }

    /// The bundles and contents that lie there beside the log, by their paths.
    pub fn objects(&self) -> Result<Vec<String>, Failure> {
        let mut paths = Vec::new();
        for kind in ["bundle", "content"] {
            let folder = self.0.join(kind);
            let fail = |error: std::io::Error| Failure::io("read", &folder, &error);
            let files = match fs::read_dir(&folder) {
                Ok(files) => files,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(fail(error)),
            };
            for file in files {
                paths.push(format!("{kind}/{}", file.map_err(fail)?.file_name().to_string_lossy()));
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Where a file of the log is: below the folder and nowhere else.
    fn path(&self, path: &str) -> Result<PathBuf, String> {
        let is_below = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if is_below { Ok(self.0.join(path)) } else { Err(format!("`{path}` is no path of a log")) }
    }
}

impl Files for Folder {
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.path(path)?;
        let fail = |error: std::io::Error| Failure::io("write", &path, &error).message;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fail)?;
        }
        fs::write(&path, bytes).map_err(fail)
    }

    fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let path = self.path(path)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::io("read", &path, &error).message),
        }
    }
}

/// The name of a log and its key: those of a file, or of the kernel that is there.
pub fn key(place: &Place, file: Option<&Path>, is_exported: bool) -> Result<(String, Verifier), Failure> {
    match file {
        Some(path) => {
            let key = place::public_key(path)?;
            Ok((key.name().to_owned(), key))
        }
        None => place.verifier().map_err(|failure| match is_exported {
            true => Failure::new(failure.message).help("say whose log it is, with `--key log.pub`"),
            false => failure,
        }),
    }
}

/// Does something with the files of an exported log, whose head is signed.
pub fn with_files<T>(
    args: &ReadArgs,
    folder: &Path,
    work: impl FnOnce(&mut Exported<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (origin, verifier) = key(&Place::new(&args.by.place.store), args.key.as_deref(), true)?;
    let mut files = Folder::existing(folder)?;
    let mut log = Exported::open(&mut files, &origin, &[verifier]).map_err(|error| trouble::log(&error))?;
    work(&mut log)
}
