//! Proofs that are kept: one line for each, the digest of all that it depends on. A key that is there was proved; nothing
//! else is kept, so that a file that was cut off or is gone costs time and nothing more.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::analysis::verify::Memory;
use crate::base::limits::SOURCE_BYTES_MAX;
use crate::cli::files;
use crate::cli::status::Failure;

/// What was proved.
#[derive(Debug, Default)]
pub struct Cache {
    file: Option<PathBuf>,
    known: BTreeSet<String>,
    /// What this run used or proved: what is not is forgotten.
    used: std::cell::RefCell<BTreeSet<String>>,
}

impl Cache {
    /// The proofs of a folder; of none, nothing.
    pub fn open(folder: Option<&Path>) -> Result<Cache, Failure> {
        let Some(folder) = folder else { return Ok(Cache::default()) };
        fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
        let file = folder.join("proofs");
        let known = match file.exists() {
            false => BTreeSet::new(),
            true => {
                let bytes = files::read(&file, SOURCE_BYTES_MAX)?;
                String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
            }
        };
        Ok(Cache { file: Some(file), known, used: std::cell::RefCell::default() })
    }

    /// Writes what is known now.
    pub fn close(self) -> Result<(), Failure> {
        let Some(file) = &self.file else { return Ok(()) };
        let text: String = self.used.borrow().iter().flat_map(|key| [key.as_str(), "\n"]).collect();
        // Beside it first, so that nobody reads half of it.
        let beside = file.with_extension("new");
        fs::write(&beside, text).map_err(|error| Failure::io("write", &beside, &error))?;
        fs::rename(&beside, file).map_err(|error| Failure::io("write", file, &error))
    }
}

impl Memory for Cache {
    fn is_proved(&self, key: &str) -> bool {
        let known = self.known.contains(key);
        if known {
            self.used.borrow_mut().insert(key.to_owned());
        }
        known
    }

    fn proved(&mut self, key: &str) {
        self.used.borrow_mut().insert(key.to_owned());
    }
}
