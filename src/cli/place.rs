//! Where a kernel lives: a folder with its state, its keys and its settings.
//!
//! ```text
//! .pdl/
//!   kernel.db     objects, log and contents; kernel.db-wal beside it while it is open
//!   kernel.db-tip how far the state was, so that nothing is lost in silence
//!   kernel.toml   the settings
//!   permit.key    the key of permits: whoever has it can make them
//!   log.key       the key of checkpoints: whoever has it can sign another history
//!   log.pub       its public half, as C2SP signed-note has it: for everybody
//!   .gitignore    none of this belongs into a repository
//! ```
//!
//! Keys are for their owner alone; a key that others can read is refused. The command trusts the system with who may
//! read and write this folder, and believes whoever may who they say they are.

pub mod settings;

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use self::settings::Settings;
use super::files::{self, Access};
use super::key;
use super::status::Failure;
use super::system::System;
use super::trouble;
use crate::base::limits::{KEY_FILE_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::kernel::govern::operators::Operator;
use crate::kernel::log::LogError;
use crate::kernel::permit::Issuer;
use crate::kernel::store::sqlite::{Accepted, IN_USE, Options, Sqlite};
use crate::kernel::store::{Store as _, StoreError, Tx};
use crate::kernel::{self, Kernel};
use crate::log::note::{Signer, Verifier};

const STATE: &str = "kernel.db";
/// The files of the state: what the store has, and what lies beside it.
const STATE_FILES: [&str; 3] = [STATE, "kernel.db-tip", "kernel.db-wal"];
const SETTINGS: &str = "kernel.toml";
const PERMIT_KEY: &str = "permit.key";
const LOG_KEY: &str = "log.key";
const LOG_PUBLIC: &str = "log.pub";
const IGNORE: &str = ".gitignore";

/// How long a command waits for another one that has the kernel open, and how long between two tries.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The folder of a kernel.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
}

impl Place {
    /// The place at a path, whether there is a kernel or not.
    #[must_use]
    pub fn new(folder: &Path) -> Place {
        Place { folder: folder.to_owned() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes folder, keys and settings of a new kernel, and an empty store. Nothing is overwritten; if it fails, nothing that
    /// was made is left.
    pub fn create(&self, settings: &Settings) -> Result<(), Failure> {
        for name in STATE_FILES.into_iter().chain([SETTINGS, PERMIT_KEY, LOG_KEY, LOG_PUBLIC]) {
            files::refuse_existing(&self.folder.join(name)).map_err(|failure| {
                failure.help("a kernel is there; another one needs another folder: `--store DIR`")
            })?;
        }
        make_folder(&self.folder)?;
        let mut made = Vec::new();
        self.fill(settings, &mut made).inspect_err(|_| {
            for path in &made {
                let _ = fs::remove_file(path);
            }
        })
    }

    fn fill(&self, settings: &Settings, made: &mut Vec<PathBuf>) -> Result<(), Failure> {
        let mut make = |name: &str, bytes: &[u8], access: Access| {
            let path = self.folder.join(name);
            files::create(&path, bytes, access)?;
            made.push(path);
            Ok(())
        };
        let ignore = self.folder.join(IGNORE);
        if !ignore.exists() {
            make(IGNORE, b"*\n", Access::Everybody)?;
        }
        let log_key = key::generate()?;
        let public = signer(&settings.origin, &log_key.to_bytes())?.verifier().to_string();
        make(PERMIT_KEY, key::permit_text(&key::random()?).as_bytes(), Access::Owner)?;
        make(LOG_KEY, key::private_text(&log_key).as_bytes(), Access::Owner)?;
        make(LOG_PUBLIC, format!("{public}\n").as_bytes(), Access::Everybody)?;
        make(SETTINGS, settings.to_text().as_bytes(), Access::Everybody)?;
        made.extend(STATE_FILES.map(|name| self.folder.join(name)));
        Sqlite::create(self.folder.join(STATE), &Options::PLAIN).map_err(|error| trouble::store(self, &error))?;
        Ok(())
    }

    /// Opens the kernel. While it is open nobody else can open it.
    pub fn open(&self) -> Result<Kernel, Failure> {
        self.found(Vec::new())
    }

    /// Opens the kernel, which these govern if nobody does yet.
    pub fn found(&self, founders: Vec<Operator>) -> Result<Kernel, Failure> {
        let store = self.store()?;
        let settings = self.settings()?;
        let issuer = Issuer::shared(&self.read_key(PERMIT_KEY, key::read_permit)?)
            .ok_or_else(|| Failure::new(format!("`{}` is too short", self.shown(PERMIT_KEY))))?;
        // Who keeps that key elsewhere signs there.
        let signer = self.folder.join(LOG_KEY).exists().then(|| self.signer()).transpose()?;
        let settings = kernel::Settings {
            bundles: settings.bundles()?,
            founders,
            issuer,
            start_within: settings.start_within,
            run_within: settings.run_within,
            origin: settings.origin,
            signer,
        };
        Kernel::open(Box::new(store), Arc::new(System), settings).map_err(|error| trouble::kernel(&error))
    }

    /// Opens the state alone. Who has it now may be a command that is done in a moment; so it is tried again for a while.
    pub fn store(&self) -> Result<Sqlite, Failure> {
        self.require()?;
        let began = Instant::now();
        loop {
            match Sqlite::open(self.folder.join(STATE), &Options::PLAIN) {
                Err(StoreError::Unavailable(why)) if why == IN_USE && began.elapsed() < PATIENCE => {
                    thread::sleep(PAUSE)
                }
                done => return done.map_err(|error| self.unwritable().unwrap_or_else(|| trouble::open(self, &error))),
            }
        }
    }

    /// Opens a state that is not as far as it was, and has what is there hold from now on.
    pub fn accept(&self) -> Result<Accepted, Failure> {
        self.require()?;
        let accepted = Sqlite::accept(self.folder.join(STATE), &Options::PLAIN);
        accepted.map(|(_, accepted)| accepted).map_err(|error| trouble::store(self, &error))
    }

    /// Does something with the state alone, in one transaction.
    pub fn work<T>(&self, mut work: impl FnMut(&mut dyn Tx) -> Result<T, LogError>) -> Result<T, Failure> {
        let mut store = self.store()?;
        let mut done = None;
        let written = store.transact(&mut |tx| match work(tx) {
            Ok(value) => {
                done = Some(Ok(value));
                Ok(())
            }
            Err(error) => {
                done = Some(Err(error.clone()));
                Err(error.into())
            }
        });
        match (done, written) {
            (Some(Err(error)), _) => Err(trouble::log(&error)),
            (_, Err(error)) => Err(trouble::store(self, &error)),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(Failure::new("the store did nothing")),
        }
    }

    /// The settings.
    pub fn settings(&self) -> Result<Settings, Failure> {
        self.require()?;
        let path = self.folder.join(SETTINGS);
        let bytes = files::read(&path, MANIFEST_BYTES_MAX)?;
        let text = String::from_utf8_lossy(&bytes);
        Settings::parse(&text).map_err(|why| Failure::new(format!("`{}`: {why}", path.display())))
    }

    /// Who signs the head of the log.
    pub fn signer(&self) -> Result<Signer, Failure> {
        let origin = self.settings()?.origin;
        signer(&origin, &self.read_key(LOG_KEY, key::read_private)?.to_bytes())
    }

    /// The name of the log, and whose checkpoints of it are taken.
    pub fn verifier(&self) -> Result<(String, Verifier), Failure> {
        self.require()?;
        let (settings, verifier) = (self.settings()?, public_key(&self.folder.join(LOG_PUBLIC))?);
        if verifier.name() != settings.origin {
            let why = format!("`{}` is the key of another log than `{SETTINGS}` names", self.shown(LOG_PUBLIC));
            return Err(Failure::new(why));
        }
        Ok((settings.origin, verifier))
    }

    fn read_key<T>(&self, name: &str, read: impl FnOnce(&Path) -> Result<T, Failure>) -> Result<T, Failure> {
        self.require()?;
        let path = self.folder.join(name);
        files::refuse_shared(&path)?;
        read(&path)
    }

    /// What is wrong where the state can't be written: a kernel writes also what it is asked. Nothing is left behind.
    fn unwritable(&self) -> Option<Failure> {
        let state = self.folder.join(STATE);
        let probe = self.folder.join(".writable");
        let tried = OpenOptions::new().append(true).open(&state).map_err(|error| (state, error)).and_then(|_| {
            let made = OpenOptions::new().write(true).create_new(true).open(&probe);
            let _ = fs::remove_file(&probe);
            made.map(drop).map_err(|error| (self.folder.clone(), error))
        });
        let (path, error) = tried.err()?;
        let is_denied = matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
        is_denied.then(|| {
            Failure::io("write", &path, &error).help(
                "a kernel keeps what it is asked, too: to look into one that is not yours to write, copy its folder",
            )
        })
    }

    fn shown(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Says what to do where there is no kernel, before anything else fails over it.
    fn require(&self) -> Result<(), Failure> {
        if self.folder.join(SETTINGS).is_file() {
            return Ok(());
        }
        Err(Failure::new(format!("there is no kernel in `{}`", self.folder.display()))
            .help("make one with `pdl kernel init`, or say where it is with `--store` or PDL_KERNEL"))
    }
}

/// The public key of a log, from a file of one line.
pub fn public_key(path: &Path) -> Result<Verifier, Failure> {
    let bytes = files::read(path, KEY_FILE_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    Verifier::parse(text.trim()).map_err(|error| {
        Failure::new(format!("`{}` is not the public key of a log: {error}", files::shown(path)))
            .help("it is one line: the name of the log, `+`, eight digits, `+`, and the key")
    })
}

fn signer(origin: &str, seed: &[u8; 32]) -> Result<Signer, Failure> {
    Signer::from_seed(origin, seed).map_err(|error| {
        Failure::new(format!("`{origin}` can't name a log: {error}"))
            .help("a name is what no other log has, such as example.com/pdl")
    })
}

/// Makes a folder that is for its owner alone. One that is there stays as it is.
fn make_folder(folder: &Path) -> Result<(), Failure> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|error| Failure::io("make", folder, &error))
}
