//! A store in a file, by SQLite: the one that is built in.
//!
//! The file is written ahead (`-wal` beside it) and synced with every transaction. Whoever has it open has it alone: what the
//! kernel holds in memory would not follow what another process writes.
//!
//! What SQLite does not notice, the store does: rows have sums over their columns, so that a bit that changed in the
//! file is an error and not another value. What it can't notice is that the end of the file that is written ahead was cut
//! off; to SQLite that looks like a transaction that was never finished. Who wants to know that a log did not shrink
//! keeps a checkpoint of it elsewhere.
//!
//! The form of the file has a version, the number of steps in `store/sqlite/`. A file of an earlier version is brought to
//! this one when it is opened; one of a later version, or of another program, is refused and not changed.

#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod transaction;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode, OpenFlags, ffi};

use self::transaction::Transaction;
use super::{Store, StoreError, Tx};

/// What says that a file is ours: `PDLK`.
const APPLICATION_ID: i64 = 0x5044_4c4b;
/// What was done to the form of the file, step by step. A step never changes once it was published.
const STEPS: &[&str] = &[include_str!("sqlite/1.sql")];
/// How long somebody else may have the file before opening it is an error.
const BUSY: Duration = Duration::from_millis(250);
/// More statements than there are, so that each is prepared once.
const STATEMENTS: usize = 64;

/// How a connection is set up before anything is read. That only one process has the file comes first: then SQLite needs
/// no memory shared with others. Temporary files would be copies of what may have to be forgotten. 64 MB of pages are held in
/// memory, and 32 MB are written ahead before they are moved: pages that change often are then moved once.
const SETUP: &str = "
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 8192;
    PRAGMA journal_size_limit = 67108864;
";

/// How a store is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The most pages that the file may have, 4,096 bytes each, if it is not to grow as it likes.
    pub pages_max: Option<u32>,
    /// The name of the file system of SQLite to use, if it is not that of the system.
    pub vfs: Option<String>,
}

impl Options {
    /// A file of the system that grows as it likes.
    pub const PLAIN: Options = Options { pages_max: None, vfs: None };
}

/// A store in a file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    // What was erased is in the file that is written ahead until that is cut.
    has_erased: bool,
}

impl Sqlite {
    /// Makes a store where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if there is something already, [`StoreError::Unavailable`] if the file can't be made.
    pub fn create(path: impl AsRef<Path>, options: &Options) -> Result<Sqlite, StoreError> {
        let connection = connect(path.as_ref(), options, OpenFlags::SQLITE_OPEN_CREATE)?;
        match steps_done(&connection)? {
            // A file without content is what is left if somebody was stopped here.
            0 => Sqlite::set_up(connection, options, 0),
            _ => Err(StoreError::Unknown("it is there already".to_owned())),
        }
    }

    /// Opens a store that is there.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if the file is not a store or one of a later version, [`StoreError::Corrupt`] if it is
    /// damaged, [`StoreError::Unavailable`] if it can't be read or somebody else has it.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Sqlite, StoreError> {
        let connection = connect(path.as_ref(), options, OpenFlags::empty())?;
        match steps_done(&connection)? {
            // Not made here: a store that was cut to nothing is not a new one.
            0 => Err(StoreError::Unknown("there is nothing in it".to_owned())),
            done => Sqlite::set_up(connection, options, done),
        }
    }

    fn set_up(connection: Connection, options: &Options, done: usize) -> Result<Sqlite, StoreError> {
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0)).map_err(fault)?;
        if mode != "wal" {
            return Err(StoreError::Unavailable(format!("it can't be written ahead, only `{mode}`")));
        }
        if let Some(pages) = options.pages_max {
            let limit = format!("PRAGMA max_page_count = {pages}");
            let most: u32 = connection.query_row(&limit, (), |row| row.get(0)).map_err(fault)?;
            if most != pages {
                return Err(StoreError::Full(format!("it has more than {pages} pages")));
            }
        }
        let mut store = Sqlite { connection, has_erased: false };
        store.migrate(done)?;
        Ok(store)
    }

    /// Does the steps that were not done yet. The file is locked from here on.
    fn migrate(&mut self, done: usize) -> Result<(), StoreError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
        let steps = STEPS.iter().skip(done).try_for_each(|step| self.connection.execute_batch(step));
        let marked = steps.and_then(|()| {
            let version = STEPS.len();
            let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}; COMMIT");
            // A file that is up to date is not written to.
            self.connection.execute_batch(if done == version { "COMMIT" } else { &mark })
        });
        marked.map_err(|error| {
            self.roll_back();
            fault(error)
        })
    }

    /// Gives up a transaction, if there is one. Should that fail, the next one can't begin.
    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Err(transaction::lost());
        }
        self.connection.prepare_cached("COMMIT").and_then(|mut statement| statement.execute(())).map_err(|error| {
            self.roll_back();
            fault(error)
        })?;
        Ok(())
    }

    /// Moves everything into the file itself and cuts what was written ahead, so that it holds nothing of the past.
    fn cut(&mut self) -> Result<(), StoreError> {
        let cut = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = self.connection.query_row(cut, (), |row| row.get(0)).map_err(fault)?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Unavailable("the file is in use".to_owned())) }
    }
}

fn connect(path: &Path, options: &Options, more: OpenFlags) -> Result<Connection, StoreError> {
    // Without names that are URIs: a path is a path.
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE | more;
    let connection = match &options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str()),
        None => Connection::open_with_flags(path, flags),
    };
    let connection = connection.map_err(fault)?;
    connection.busy_timeout(BUSY).map_err(fault)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(SETUP).map_err(fault)?;
    Ok(connection)
}

/// How many steps were done to a file; an error if it is not ours. The file is not changed.
fn steps_done(connection: &Connection) -> Result<usize, StoreError> {
    let number = |sql: &str| connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    let application = number("PRAGMA application_id").map_err(fault)?;
    let version = number("PRAGMA user_version").map_err(fault)?;
    let tables = number("SELECT count(*) FROM sqlite_schema").map_err(fault)?;
    match (application, usize::try_from(version), tables) {
        (0, Ok(0), 0) => Ok(0),
        (APPLICATION_ID, Ok(version), 1..) if version > STEPS.len() => {
            Err(StoreError::Unknown(format!("its form has version {version}, the newest known is {}", STEPS.len())))
        }
        (APPLICATION_ID, Ok(version @ 1..), 1..) => Ok(version),
        _ => Err(StoreError::Unknown("it is a database of something else".to_owned())),
    }
}

/// Gives a transaction up unless it was finished: when the work panics, too.
struct Guard<'s> {
    store: &'s mut Sqlite,
    is_finished: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.store.roll_back();
        }
    }
}

impl Store for Sqlite {
    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.roll_back();
        let begin = |connection: &Connection| connection.prepare_cached("BEGIN IMMEDIATE")?.execute(());
        begin(&self.connection).map_err(fault)?;
        let mut guard = Guard { store: self, is_finished: false };
        let mut tx = Transaction { connection: &guard.store.connection, has_erased: false };
        work(&mut tx)?;
        let has_erased = tx.has_erased;
        guard.store.commit()?;
        guard.is_finished = true;
        guard.store.has_erased |= has_erased;
        if guard.store.has_erased {
            // It did happen, so an error here would be a lie; the next transaction tries again, and so does closing.
            guard.store.has_erased = guard.store.cut().is_err();
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.roll_back();
        transaction::check(&self.connection)
    }
}

/// What an error of SQLite is to us.
#[cold]
fn fault(error: Error) -> StoreError {
    let text = error.to_string();
    match error {
        Error::SqliteFailure(cause, _) => match (cause.code, cause.extended_code) {
            (_, ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS) => StoreError::Corrupt(text),
            (ErrorCode::DatabaseCorrupt, _) => StoreError::Corrupt(text),
            (ErrorCode::NotADatabase, _) => StoreError::Unknown("it is not a database".to_owned()),
            (ErrorCode::DiskFull, _) => StoreError::Full(text),
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => {
                StoreError::Unavailable("somebody else has it open".to_owned())
            }
            _ => StoreError::Unavailable(text),
        },
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..)
        | Error::InvalidColumnType(..) => StoreError::Corrupt(text),
        _ => StoreError::Unavailable(text),
    }
}
