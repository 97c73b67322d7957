//! The file of `--permit`: where the token of a permit goes instead of to everybody who looks at the screen.
//!
//! It is made before anything is decided. A permit whose token can't be written is lost, and an approval with it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use super::super::files::{self, Access};
use super::super::status::Failure;
use crate::kernel::ask::Verdict;

/// A file that waits for a token. It goes again if none comes.
#[derive(Debug)]
pub struct Keep<'a> {
    path: &'a Path,
    file: File,
    is_filled: bool,
}

impl<'a> Keep<'a> {
    /// Makes the file, if one was asked for; it must not be there yet.
    pub fn new(path: Option<&'a Path>) -> Result<Option<Keep<'a>>, Failure> {
        let made = |path| Ok(Keep { path, file: files::begin(path, Access::Owner)?, is_filled: false });
        path.map(made).transpose()
    }

    /// Writes the token, if there is one, and gives the file that it is in.
    pub fn fill(mut self, verdict: &Verdict) -> Result<Option<&'a Path>, Failure> {
        let Some(permit) = &verdict.permit else { return Ok(None) };
        let mut write = || {
            self.file.write_all(permit.token().as_bytes())?;
            self.file.write_all(b"\n")?;
            self.file.sync_all()
        };
        write().map_err(|error| Failure::io("write", self.path, &error))?;
        self.is_filled = true;
        Ok(Some(self.path))
    }
}

impl Drop for Keep<'_> {
    fn drop(&mut self) {
        if !self.is_filled {
            let _ = fs::remove_file(self.path);
        }
    }
}
