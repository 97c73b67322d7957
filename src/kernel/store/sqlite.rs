//! A store in a file, by SQLite: the one that is built in.
//!
//! The file is written ahead (`-wal` beside it) and synced with every transaction. Whoever has it open has it alone: what the
//! kernel holds in memory would not follow what another process writes.
//!
//! What SQLite does not notice, the store does. Rows have sums over their columns, so that a bit that changed in the file is
//! an error and not another value. If the end of what was written ahead was cut off or damaged, that looks to SQLite like a
//! transaction that was never finished; so a third file, the [tip] (`-tip`), says how far the store was. A
//! database that is not as far is refused, and so is one without its tip. After a database was restored from a backup, it
//! takes somebody who says that this is meant: [`Sqlite::accept`].
//!
//! The form of the file has a version, the number of steps in `store/sqlite/`. A file of an earlier version is brought to
//! this one when it is opened; one of a later version, or of another program, is refused and not changed.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod tip;
mod transaction;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode, OpenFlags, ffi};

use self::tip::{Beside, Place, Said, Tip};
use self::transaction::Transaction;
use super::{Store, StoreError, Tx};

/// What says that a file is ours: `PDLK`.
const APPLICATION_ID: i64 = 0x5044_4c4b;
/// What was done to the form of the file, step by step. A step never changes once it was published.
const STEPS: &[&str] = &[include_str!("sqlite/1.sql"), include_str!("sqlite/2.sql"), include_str!("sqlite/3.sql")];
/// After so many steps, stores had no tip yet.
const STEPS_WITHOUT_TIP: usize = 2;
/// How long somebody else may have the file before opening it is an error.
const BUSY: Duration = Duration::from_millis(250);
/// What [`StoreError::Unavailable`] says then.
pub const IN_USE: &str = "somebody else has it open";
/// More statements than there are, so that each is prepared once.
const STATEMENTS: usize = 64;

/// How a connection is set up before anything is read. That only one process has the file comes first: then SQLite needs
/// no memory shared with others. Temporary files would be copies of what may have to be forgotten. 16 MB of pages are held in
/// memory, and 32 MB are written ahead before they are moved: pages that change often are then moved once. What a transaction
/// changes beyond that is written ahead before its end.
const SETUP: &str = "
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA cache_size = -16384;
    PRAGMA wal_autocheckpoint = 8192;
    PRAGMA journal_size_limit = 67108864;
";

/// A file system of SQLite other than that of the system.
#[derive(Clone, Debug)]
pub struct Vfs {
    /// Its name.
    pub name: String,
    /// For what is not SQLite's.
    pub beside: Arc<dyn Beside>,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most pages that the file may have, 4,096 bytes each, if it is not to grow as it likes.
    pub pages_max: Option<u32>,
    /// The file system of SQLite to use, if it is not that of the system.
    pub vfs: Option<Vfs>,
}

impl Options {
    /// A file of the system that grows as it likes.
    pub const PLAIN: Options = Options { pages_max: None, vfs: None };
}

/// A store in a file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    tip: Tip,
    // INVARIANT: what the tip says, and the database unless it is not `is_level`.
    place: Place,
    // Whether the last transaction did not fail while it was made durable. If it did, the database may be ahead of the tip.
    is_level: bool,
    // What was erased is in the file that is written ahead until that is cut.
    has_erased: bool,
}

/// What an operator has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// How many transactions were acknowledged, if that is known.
    pub acknowledged: Option<u64>,
    /// How many are there.
    pub found: u64,
}

impl Sqlite {
    /// Makes a store where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if there is something already, [`StoreError::Unavailable`] if the file can't be made.
    pub fn create(path: impl AsRef<Path>, options: &Options) -> Result<Sqlite, StoreError> {
        #[cfg(unix)]
        if options.vfs.is_none() {
            tip::make(path.as_ref())?;
        }
        let connection = connect(path.as_ref(), options, OpenFlags::SQLITE_OPEN_CREATE)?;
        match steps_done(&connection)? {
            // A file without content is what is left if somebody was stopped here.
            0 => Sqlite::set_up(connection, path.as_ref(), options, 0),
            _ => Err(StoreError::Unknown("it is there already".to_owned())),
        }
    }

    /// Opens a store that is there.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if the file is not a store or one of a later version, [`StoreError::Corrupt`] if it is
    /// damaged or not as far as it was, [`StoreError::Unavailable`] if it can't be read or somebody else has it.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Sqlite, StoreError> {
        let (connection, done) = existing(path.as_ref(), options)?;
        let mut store = Sqlite::set_up(connection, path.as_ref(), options, done)?;
        let reached = transaction::reached(&store.connection)?;
        let said = store.tip.read()?;
        if tip::is_behind(said, reached)? {
            store.tip.write(reached.place)?;
        }
        store.place = reached.place;
        Ok(store)
    }

    /// Opens a store that is not as far as it was, or has lost its tip, and makes what it holds what holds from now on. That
    /// is for an operator who knows why: a backup was restored, say. Everything that was done behind is lost, and whoever
    /// was told that it was done does not learn of it here.
    ///
    /// # Errors
    /// As [`Sqlite::open`]; [`StoreError::Corrupt`] if what is there is not whole in itself.
    pub fn accept(path: impl AsRef<Path>, options: &Options) -> Result<(Sqlite, Accepted), StoreError> {
        let (connection, done) = existing(path.as_ref(), options)?;
        let mut store = Sqlite::set_up(connection, path.as_ref(), options, done)?;
        store.check()?;
        let found = transaction::reached(&store.connection)?.place.number;
        let acknowledged = match store.tip.read()? {
            Said::Place { place, .. } => Some(place.number),
            Said::Nothing | Said::Damaged => None,
        };
        // A transaction of its own, with a number that was never used: until the tip tells of it, the store stays refused.
        let number = found.max(acknowledged.unwrap_or_default()).saturating_add(1);
        store.connection.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
        let moved = transaction::move_to(&store.connection, number);
        let committed = moved.and_then(|()| store.commit());
        if let Err(error) = committed {
            store.roll_back();
            return Err(error);
        }
        let reached = transaction::reached(&store.connection)?;
        store.tip.go_on(reached)?;
        store.place = reached.place;
        Ok((store, Accepted { acknowledged, found }))
    }

    /// The store, brought to the newest form. Its place is not known yet, unless it was made here.
    fn set_up(connection: Connection, path: &Path, options: &Options, done: usize) -> Result<Sqlite, StoreError> {
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
        let tip = Tip::of(path, options.vfs.as_ref().map(|vfs| &vfs.beside))?;
        let place = Place { number: 0, mark: [0; 16] };
        let mut store = Sqlite { connection, tip, place, is_level: true, has_erased: false };
        store.migrate(done)?;
        Ok(store)
    }

    /// Does the steps that were not done yet. The file is locked from here on.
    fn migrate(&mut self, done: usize) -> Result<(), StoreError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
        let migrated = self.do_steps(done).and_then(|()| self.commit());
        migrated.inspect_err(|_| self.roll_back())
    }

    fn do_steps(&mut self, done: usize) -> Result<(), StoreError> {
        let version = STEPS.len();
        if done == version {
            // A file that is up to date is not written to.
            return Ok(());
        }
        STEPS.iter().skip(done).try_for_each(|step| self.connection.execute_batch(step)).map_err(fault)?;
        if done < STEPS_WITHOUT_TIP {
            // Its tip is made before the store is: a store whose tip is missing has lost it.
            match self.tip.read()? {
                Said::Nothing | Said::Place { place: Place { number: 0, .. }, .. } => {}
                Said::Place { .. } | Said::Damaged => {
                    let why = "it has nothing of what its tip says was acknowledged";
                    return Err(StoreError::Corrupt(why.to_owned()));
                }
            }
            self.place = transaction::begin(&self.connection)?;
            self.tip.begin(self.place)?;
        }
        let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}");
        self.connection.execute_batch(&mark).map_err(fault)
    }

    /// Has the tip say how far the database is, if that is not known for sure.
    fn level(&mut self) -> Result<(), StoreError> {
        if !self.is_level {
            let reached = transaction::reached(&self.connection)?;
            if tip::is_behind(Said::Place { place: self.place, is_torn: false }, reached)? {
                self.tip.write(reached.place)?;
                self.place = reached.place;
            }
            self.is_level = true;
        }
        Ok(())
    }

    /// Gives up a transaction, if there is one. Should that fail, the next one can't begin.
    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Counts the transaction that is under way.
    fn step(&self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Err(transaction::lost());
        }
        let full = || StoreError::Full("no store has more transactions".to_owned());
        transaction::move_to(&self.connection, self.place.number.checked_add(1).ok_or_else(full)?)
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

    /// Gives the room that is free in the file back to the system. The whole store is copied for that, in memory.
    ///
    /// # Errors
    /// [`StoreError::Full`] if there is no room for a copy; then nothing was done.
    pub fn shrink(&mut self) -> Result<(), StoreError> {
        self.roll_back();
        self.level()?;
        self.connection.execute_batch("VACUUM").map_err(fault)?;
        self.cut()
    }

    /// Moves everything into the file itself and cuts what was written ahead, so that it holds nothing of the past.
    fn cut(&mut self) -> Result<(), StoreError> {
        let cut = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = self.connection.query_row(cut, (), |row| row.get(0)).map_err(fault)?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Unavailable("the file is in use".to_owned())) }
    }
}

/// Opens the database of a store, and says how many steps were done to it.
fn existing(path: &Path, options: &Options) -> Result<(Connection, usize), StoreError> {
    let connection = connect(path, options, OpenFlags::empty())?;
    match steps_done(&connection)? {
        // Not made here: a store that was cut to nothing is not a new one.
        0 => Err(StoreError::Unknown("there is nothing in it".to_owned())),
        done => Ok((connection, done)),
    }
}

fn connect(path: &Path, options: &Options, more: OpenFlags) -> Result<Connection, StoreError> {
    // Without names that are URIs: a path is a path.
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE | more;
    let connection = match &options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.name.as_str()),
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
        self.level()?;
        let begin = |connection: &Connection| connection.prepare_cached("BEGIN IMMEDIATE")?.execute(());
        begin(&self.connection).map_err(fault)?;
        let mut guard = Guard { store: self, is_finished: false };
        let mut tx = Transaction::new(&guard.store.connection);
        work(&mut tx)?;
        let (has_changed, has_erased, has_large) = (tx.has_changed, tx.has_erased, tx.has_large);
        drop(tx);
        if has_changed {
            guard.store.step()?;
        }
        // From here on until the tip is written, it is not known how far the store is.
        guard.store.is_level = !has_changed;
        guard.store.commit()?;
        guard.is_finished = true;
        guard.store.level()?;
        guard.store.has_erased |= has_erased;
        if guard.store.has_erased {
            // It did happen, so an error here would be a lie; the next transaction tries again, and so does closing.
            guard.store.has_erased = guard.store.cut().is_err();
        }
        if has_large {
            // Its pages took the place of those that are used; without them, the next transaction is only slower.
            let _ = guard.store.connection.execute_batch("PRAGMA shrink_memory");
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
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => StoreError::Unavailable(IN_USE.to_owned()),
            _ => StoreError::Unavailable(text),
        },
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..)
        | Error::InvalidColumnType(..) => StoreError::Corrupt(text),
        _ => StoreError::Unavailable(text),
    }
}
