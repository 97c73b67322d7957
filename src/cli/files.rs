//! Reading and writing files, with limits and with failures that name the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::status::Failure;

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever the system's defaults let.
    Everybody,
    /// Its owner alone.
    Owner,
}

/// Whether a path means standard input.
#[must_use]
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a file, or standard input for `-`, of at most so many bytes.
pub fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let fail = |error: io::Error| Failure::io("read", path, &error);
    let bytes = read_up_to(path, bytes_max).map_err(fail)?;
    if bytes.len() > bytes_max {
        return Err(Failure::new(format!("`{}` has more than {bytes_max} bytes", shown(path))));
    }
    Ok(bytes)
}

/// Reads a file, or standard input for `-`: whole, or one byte more than the limit, for a caller who reports that.
pub fn read_up_to(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = bytes_max as u64 + 1;
    if is_stdin(path) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        // A folder opens like a file on some systems and fails only when it is read.
        if fs::metadata(path)?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// How a path is named in messages.
#[must_use]
pub fn shown(path: &Path) -> String {
    if is_stdin(path) { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// Fails where there is such a file already.
pub fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(Failure::io("write", path, &io::ErrorKind::AlreadyExists.into())),
        Err(_) => Ok(()),
    }
}

/// Fails where others than its owner may read a file that is to be secret.
#[cfg(unix)]
pub fn refuse_shared(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).map_err(|error| Failure::io("read", path, &error))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` is a secret that others have access to (its mode is {mode:04o})", path.display()))
        .help(format!("`chmod 600 {}`; if others may have read it, make another", path.display())))
}

/// Fails where others than its owner may read a file that is to be secret; here the system is not asked.
#[cfg(not(unix))]
pub fn refuse_shared(_: &Path) -> Result<(), Failure> {
    Ok(())
}

/// Makes an empty file that must not be there yet.
pub fn begin(path: &Path, access: Access) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    restrict(&mut options, access);
    options.open(path).map_err(|error| Failure::io("write", path, &error))
}

/// Writes a file that must not be there yet.
pub fn create(path: &Path, bytes: &[u8], access: Access) -> Result<(), Failure> {
    let mut file = begin(path, access)?;
    let mut write = || -> io::Result<()> {
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| Failure::io("write", path, &error))
}

/// Writes a file whole or not at all: whoever reads it meanwhile sees the old one.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    // A device or a pipe, such as /dev/stdout, is written to and never replaced.
    if fs::metadata(path).is_ok_and(|data| !data.is_file()) {
        return fs::write(path, bytes).map_err(|error| Failure::io("write", path, &error));
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = target.with_file_name(name);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(bytes)?;
        if let Ok(old) = fs::metadata(&target) {
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&temporary, &target)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&temporary);
        Failure::io("write", path, &error)
    })
}

#[cfg(unix)]
fn restrict(options: &mut OpenOptions, access: Access) {
    use std::os::unix::fs::OpenOptionsExt as _;
    if access == Access::Owner {
        options.mode(0o600);
    }
}

#[cfg(not(unix))]
fn restrict(_: &mut OpenOptions, _: Access) {}
