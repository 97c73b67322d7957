//! What is done in a transaction, in SQL.

use rusqlite::blob::Blob;
use rusqlite::{CachedStatement, Connection, MAIN_DB, OptionalExtension as _, Params, Row, ToSql, params};

use super::super::{
    Object, Pieces, Query, StoreError, Tx, conflict, content_bytes_fit, content_fits, entry_fits, node_conflict,
    object_fits, other_pieces,
};
use super::fault;
use super::tip::{Place, Reached};
use crate::base::hash::{Digest, Hasher};
use crate::base::limits::CONTENT_BYTES_MAX;
use crate::log::tree::Node;

const GET: &str = "SELECT kind, key, version, state, due_ms, body, sum FROM objects WHERE kind = ?1 AND key = ?2";
const PUT_NEW: &str =
    "INSERT INTO objects (kind, key, version, state, due_ms, body, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (kind, key) DO NOTHING";
const PUT: &str = "UPDATE objects SET version = ?3, state = ?4, due_ms = ?5, body = ?6, sum = ?7
    WHERE kind = ?1 AND key = ?2 AND version = ?3 - 1";
const REMOVE: &str = "DELETE FROM objects WHERE kind = ?1 AND key = ?2 AND version = ?3";
const UNDO_ADDED: &str = "DELETE FROM objects WHERE kind = ?1 AND key = ?2";
const UNDO_REPLACED: &str = "UPDATE objects SET version = ?3, state = ?4, due_ms = ?5, body = ?6, sum = ?7
    WHERE kind = ?1 AND key = ?2";
const LOG_SIZE: &str = "SELECT coalesce(max(position) + 1, 0) FROM entries";
const APPEND: &str = "INSERT INTO entries (position, id, kind, entry, sum) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (id) DO NOTHING";
const UNDO_APPENDED: &str = "DELETE FROM entries WHERE position = ?1";
const ENTRIES: &str =
    "SELECT position, id, kind, entry, sum FROM entries WHERE position >= ?1 ORDER BY position LIMIT ?2";
const LISTED: &str = "SELECT position, id || ' ' || kind FROM entries WHERE position >= ?1 ORDER BY position LIMIT ?2";
const ENTRIES_OF: &str = "SELECT position, id, kind, entry, sum FROM entries WHERE kind = ?3 AND position >= ?1
    ORDER BY position LIMIT ?2";
const DROPPED: &str = "SELECT count, sum FROM dropped WHERE only = 0";
const DROP: &str = "DELETE FROM entries WHERE position < ?1";
const SET_DROPPED: &str = "INSERT INTO dropped (only, count, sum) VALUES (0, ?1, ?2)
    ON CONFLICT (only) DO UPDATE SET count = excluded.count, sum = excluded.sum";
const INDEX_OF: &str = "SELECT position FROM entries WHERE id = ?1";
const PUT_NODE: &str = "INSERT INTO nodes (level, position, hash, sum) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (level, position) DO NOTHING";
const UNDO_NODE: &str = "DELETE FROM nodes WHERE level = ?1 AND position = ?2";
const NODE: &str = "SELECT level, position, hash, sum FROM nodes WHERE level = ?1 AND position = ?2";
const NODES: &str = "SELECT level, position, hash, sum FROM nodes WHERE level = ?1 AND position >= ?2 AND position < ?3
    ORDER BY position";
const PUT_CONTENT: &str = "INSERT INTO contents (digest, content) VALUES (?1, ?2) ON CONFLICT (digest) DO NOTHING";
const PUT_LARGE: &str =
    "INSERT INTO contents (digest, content) VALUES (?1, zeroblob(?2)) ON CONFLICT (digest) DO NOTHING";
const CONTENT: &str = "SELECT digest, content FROM contents WHERE digest = ?1";
const CONTENT_BYTES: &str = "SELECT rowid, length(content) FROM contents WHERE digest = ?1";
const ERASE_CONTENT: &str = "DELETE FROM contents WHERE digest = ?1";

/// A content of as many bytes is moved between the file and its owner in place: in a statement there would be two more of it
/// in memory. And it leaves so many pages there that it is worth giving them back.
const LARGE_BYTES_MIN: usize = 1 << 20;

const REACHED: &str = "SELECT number, mark, before, sum FROM place WHERE only = 0";
const BEGIN: &str = "INSERT INTO place (only, number, mark, before, sum) VALUES (0, 0, ?1, ?1, ?2)";
const MOVE_TO: &str = "UPDATE place SET number = ?1, mark = ?2, before = ?3, sum = ?4 WHERE only = 0";

/// A transaction that is under way.
pub(super) struct Transaction<'c> {
    pub(super) connection: &'c Connection,
    pub(super) has_changed: bool,
    pub(super) has_erased: bool,
    pub(super) has_large: bool,
    /// How many entries the log has, once somebody has asked: every entry that is appended asks more than once.
    log_size: Option<u64>,
    /// The last leaf that was read or written, which every entry that is appended asks for.
    leaf: Option<(Node, Digest)>,
    undo: UndoLog,
    often: Often<'c>,
}

/// The statements of nearly every work, found once in a transaction: to look one up takes a good part of what it does.
#[derive(Default)]
struct Often<'c> {
    append: Option<CachedStatement<'c>>,
    put_new: Option<CachedStatement<'c>>,
    put_node: Option<CachedStatement<'c>>,
}

/// How the parts of a transaction that are under way are undone.
///
/// A savepoint of SQLite before each would do, but then SQLite copies every page that a part changes first, four kilobytes of
/// it for a row. Nearly all parts are kept. So what was done is written down here, and undone row by row. Where what was
/// there before is gone for good and may be much, there is a savepoint after all, from that moment on.
#[derive(Debug, Default)]
struct UndoLog {
    /// In how many parts, one in another, the transaction is.
    depth: usize,
    // INVARIANT: empty outside of parts.
    steps: Vec<Undo>,
    /// How many savepoints there were, so that each has a name of its own.
    savepoints: u64,
}

/// A change, as it has to be undone.
#[derive(Debug)]
enum Undo {
    /// An object that was not there.
    Added {
        kind: String,
        key: String,
    },
    /// An object as it was.
    Replaced(Box<Object>),
    Appended(i64),
    Node {
        level: u8,
        position: i64,
    },
    /// A content that was not there.
    Content(Digest),
    /// What was done behind this savepoint.
    Savepoint(String),
}

/// SQLite gives a whole transaction up after some errors. Whatever would follow would be done at once and for itself.
pub(super) fn lost() -> StoreError {
    StoreError::Unavailable("the transaction was lost to an earlier error".to_owned())
}

impl<'c> Transaction<'c> {
    pub(super) fn new(connection: &'c Connection) -> Transaction<'c> {
        let undo = UndoLog::default();
        Transaction {
            connection,
            has_changed: false,
            has_erased: false,
            has_large: false,
            log_size: None,
            leaf: None,
            undo,
            often: Often::default(),
        }
    }
}

impl<'c> Transaction<'c> {
    /// A statement, if there is a transaction for it.
    fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, StoreError> {
        if self.connection.is_autocommit() {
            return Err(lost());
        }
        self.connection.prepare_cached(sql).map_err(fault)
    }

    /// How many rows were changed.
    fn change(&mut self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        let changed = self.statement(sql)?.execute(params).map_err(fault)?;
        self.has_changed |= changed > 0;
        Ok(changed)
    }

    /// The same of a statement that is in every work.
    fn change_often(
        &mut self,
        which: impl for<'o> Fn(&'o mut Often<'c>) -> &'o mut Option<CachedStatement<'c>>,
        sql: &str,
        params: impl Params,
    ) -> Result<usize, StoreError> {
        if self.connection.is_autocommit() {
            return Err(lost());
        }
        let statement = match which(&mut self.often) {
            Some(statement) => statement,
            none => none.insert(self.connection.prepare_cached(sql).map_err(fault)?),
        };
        let changed = statement.execute(params).map_err(fault)?;
        self.has_changed |= changed > 0;
        Ok(changed)
    }

    /// The one row of a statement, read; if there is one.
    fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<Result<T, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        self.statement(sql)?.query_row(params, read).optional().map_err(fault)?.transpose()
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<Result<T, StoreError>>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.statement(sql)?;
        let rows = statement.query_map(params, read).map_err(fault)?;
        rows.map(|row| row.map_err(fault)?).collect()
    }
}

/// Undoes what was done since its beginning unless it is told to keep it: when the work panics, too.
struct Part<'t, 'c> {
    tx: &'t mut Transaction<'c>,
    since: usize,
    keep: bool,
}

impl Drop for Part<'_, '_> {
    fn drop(&mut self) {
        if !self.keep && self.tx.undo_since(self.since).is_err() && !self.tx.connection.is_autocommit() {
            // Then nothing of the transaction may stay.
            let _ = self.tx.connection.execute_batch("ROLLBACK");
        }
        self.tx.undo.depth = self.tx.undo.depth.saturating_sub(1);
        if self.tx.undo.depth == 0 {
            // It stands or falls with the whole transaction from here on.
            self.tx.undo.steps.clear();
        }
    }
}

impl Transaction<'_> {
    /// Undoes what was done since there were so many steps, from the last to the first.
    fn undo_since(&mut self, since: usize) -> Result<(), StoreError> {
        (self.log_size, self.leaf) = (None, None);
        let mut steps = self.undo.steps.split_off(since.min(self.undo.steps.len()));
        // What came behind a savepoint is undone with it.
        let first = steps.iter().position(|step| matches!(step, Undo::Savepoint(_)));
        if let Some(at) = first
            && let Some(Undo::Savepoint(name)) = steps.drain(at..).next()
        {
            self.execute_once(&format!("ROLLBACK TO {name}; RELEASE {name}"))?;
        }
        steps.into_iter().rev().try_for_each(|step| self.undo(step))
    }

    fn undo(&mut self, step: Undo) -> Result<(), StoreError> {
        let changed = match &step {
            Undo::Added { kind, key } => self.change(UNDO_ADDED, (kind, key))?,
            Undo::Replaced(before) => {
                let Object { kind, key, state, due_ms, body, version } = &**before;
                let signed = i64::try_from(*version).map_err(|_| lost())?;
                let sum = object_sum(before, *version);
                self.change(UNDO_REPLACED, params![kind, key, signed, state, due_ms, body, sum])?
            }
            Undo::Appended(position) => self.change(UNDO_APPENDED, (position,))?,
            Undo::Node { level, position } => self.change(UNDO_NODE, (level, position))?,
            Undo::Content(digest) => self.change(ERASE_CONTENT, (digest.0,))?,
            // Undone before, with all that came behind it.
            Undo::Savepoint(_) => 1,
        };
        // What is not as it was left can't be brought back to how it was.
        if changed == 1 { Ok(()) } else { Err(lost()) }
    }

    /// Remembers how a change is undone, if it can be without the whole transaction.
    fn remember(&mut self, undo: impl FnOnce() -> Undo) {
        if self.undo.depth > 0 {
            self.undo.steps.push(undo());
        }
    }

    /// Has SQLite itself remember how to undo what follows.
    fn save(&mut self) -> Result<(), StoreError> {
        if self.undo.depth > 0 {
            self.undo.savepoints = self.undo.savepoints.wrapping_add(1);
            let name = format!("part_{}", self.undo.savepoints);
            self.execute_once(&format!("SAVEPOINT {name}"))?;
            self.undo.steps.push(Undo::Savepoint(name));
        }
        Ok(())
    }

    /// Keeps a content that is large. Whether there was none of it before.
    fn put_large(
        &mut self,
        digest: Digest,
        bytes: usize,
        write: impl FnOnce(&mut Blob<'_>) -> Result<(), StoreError>,
    ) -> Result<bool, StoreError> {
        self.has_large = true;
        let bytes = i64::try_from(bytes).map_err(|_| StoreError::Full("no content is longer".to_owned()))?;
        if self.change(PUT_LARGE, (digest.0, bytes))? == 0 {
            return Ok(false);
        }
        let row = self.connection.last_insert_rowid();
        let blob = self.connection.blob_open(MAIN_DB, c"contents", c"content", row, false).map_err(fault);
        let written = blob.and_then(|mut blob| {
            write(&mut blob)?;
            blob.close().map_err(fault)
        });
        written.inspect_err(|_| {
            // Some of it may be there, under the digest of all of it: then nothing of the transaction may stay.
            if !self.connection.is_autocommit() {
                let _ = self.connection.execute_batch("ROLLBACK");
            }
        })?;
        Ok(true)
    }

    /// A content that is large.
    fn large(&mut self, digest: Digest, row: i64, bytes: usize) -> Result<Vec<u8>, StoreError> {
        self.has_large = true;
        let mut content = vec![0; bytes];
        let blob = self.connection.blob_open(MAIN_DB, c"contents", c"content", row, true).map_err(fault)?;
        blob.read_at_exact(&mut content, 0).map_err(fault)?;
        if Digest::of(&content) == digest { Ok(content) } else { Err(changed_content(digest)) }
    }

    /// Does what is seldom done, and changes no row.
    fn execute_once(&self, sql: &str) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Err(lost());
        }
        self.connection.execute_batch(sql).map_err(fault)
    }
}

impl Tx for Transaction<'_> {
    fn part(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Err(lost());
        }
        let since = self.undo.steps.len();
        self.undo.depth = self.undo.depth.saturating_add(1);
        let mut part = Part { tx: self, since, keep: false };
        work(part.tx)?;
        // A work may pass over that the transaction was lost; nobody is told that it was done.
        if part.tx.connection.is_autocommit() {
            return Err(lost());
        }
        part.keep = true;
        Ok(())
    }

    fn get(&mut self, kind: &str, key: &str) -> Result<Option<Object>, StoreError> {
        self.row(GET, (kind, key), read_object)
    }

    fn put(&mut self, object: &Object) -> Result<u64, StoreError> {
        object_fits((&object.kind, &object.key), &object.state, &object.body)?;
        let refused = || conflict(&object.kind, &object.key);
        let version = object.version.checked_add(1).ok_or_else(refused)?;
        let signed = i64::try_from(version).map_err(|_| refused())?;
        let before = match object.version {
            1.. if self.undo.depth > 0 => Some(self.get(&object.kind, &object.key)?.ok_or_else(refused)?),
            _ => None,
        };
        let sum = object_sum(object, version);
        let Object { kind, key, state, due_ms, body, .. } = object;
        let row = params![kind, key, signed, state, due_ms, body, sum];
        let changed = match object.version {
            0 => self.change_often(|often| &mut often.put_new, PUT_NEW, row)?,
            _ => self.change(PUT, row)?,
        };
        if changed != 1 {
            return Err(refused());
        }
        self.remember(|| match before {
            Some(before) => Undo::Replaced(Box::new(before)),
            None => Undo::Added { kind: kind.clone(), key: key.clone() },
        });
        Ok(version)
    }

    fn remove(&mut self, kind: &str, key: &str, version: u64) -> Result<(), StoreError> {
        let signed = i64::try_from(version).map_err(|_| conflict(kind, key))?;
        self.save()?;
        let changed = self.change(REMOVE, (kind, key, signed))?;
        if changed == 1 { Ok(()) } else { Err(conflict(kind, key)) }
    }

    fn find(&mut self, query: &Query) -> Result<Vec<Object>, StoreError> {
        let (sql, params) = find_sql(query);
        self.rows(&sql, params.as_slice(), read_object)
    }

    fn log_size(&mut self) -> Result<u64, StoreError> {
        match self.log_size {
            // Of a transaction that is lost nothing is known.
            Some(size) if !self.connection.is_autocommit() => Ok(size),
            _ => {
                let size = self.row(LOG_SIZE, (), |row| Ok(unsigned(row.get(0)?)))?.unwrap_or_default();
                self.log_size = Some(size);
                Ok(size)
            }
        }
    }

    fn append(&mut self, id: &str, kind: &str, entry: &[u8]) -> Result<u64, StoreError> {
        entry_fits(id, kind, entry)?;
        let index = self.log_size()?;
        let position = i64::try_from(index).map_err(|_| StoreError::Full("no log is longer".to_owned()))?;
        let sum = entry_sum(position, id, kind, entry);
        let changed = self.change_often(|often| &mut often.append, APPEND, (position, id, kind, entry, sum))?;
        if changed != 1 {
            return Err(conflict("entry", id));
        }
        self.remember(|| Undo::Appended(position));
        self.log_size = index.checked_add(1);
        Ok(index)
    }

    fn dropped(&mut self) -> Result<u64, StoreError> {
        Ok(self.row(DROPPED, (), read_dropped)?.unwrap_or_default())
    }

    fn drop_entries(&mut self, before: u64) -> Result<u64, StoreError> {
        let dropped = self.dropped()?;
        let before = before.min(self.log_size()?.saturating_sub(1));
        let Some(count) = before.checked_sub(dropped).filter(|count| *count > 0) else { return Ok(dropped) };
        let signed = i64::try_from(before).map_err(|_| missing_entry())?;
        self.save()?;
        let deleted = self.change(DROP, (signed,))?;
        if u64::try_from(deleted) != Ok(count) {
            return Err(missing_entry());
        }
        self.has_erased = true;
        self.change(SET_DROPPED, (signed, dropped_sum(before)))?;
        Ok(before)
    }

    fn entries(&mut self, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let from = from.max(self.dropped()?);
        let Ok(start) = i64::try_from(from) else { return Ok(Vec::new()) };
        let found = self.rows(ENTRIES, (start, limit), read_entry)?;
        let is_whole = (from..).zip(&found).all(|(index, (position, _))| index == *position);
        let is_there = !found.is_empty() || limit == 0 || self.log_size()? <= from;
        if is_whole && is_there { Ok(found) } else { Err(missing_entry()) }
    }

    fn each_entry(&mut self, from: u64, limit: u32, show: &mut dyn FnMut(u64, &[u8])) -> Result<(), StoreError> {
        let from = from.max(self.dropped()?);
        let Ok(start) = i64::try_from(from) else { return Ok(()) };
        let mut next = from;
        {
            let mut statement = self.statement(ENTRIES)?;
            let mut rows = statement.query((start, limit)).map_err(fault)?;
            while let Some(row) = rows.next().map_err(fault)? {
                let (index, entry) = see_entry(row).map_err(fault)??;
                if index != next {
                    return Err(missing_entry());
                }
                show(index, entry);
                next = next.saturating_add(1);
            }
        }
        let is_there = next > from || limit == 0 || self.log_size()? <= from;
        if is_there { Ok(()) } else { Err(missing_entry()) }
    }

    fn listed(&mut self, from: u64, limit: u32) -> Result<Vec<(u64, String)>, StoreError> {
        let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
        self.rows(LISTED, (from, limit), |row| {
            let (position, listed) = (unsigned(row.get(0)?), row.get(1)?);
            Ok(position.map(|position| (position, listed)))
        })
    }

    fn entries_of(&mut self, kind: &str, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
        self.rows(ENTRIES_OF, (from, limit, kind), read_entry)
    }

    fn index_of(&mut self, id: &str) -> Result<Option<u64>, StoreError> {
        self.row(INDEX_OF, (id,), |row| Ok(unsigned(row.get(0)?)))
    }

    fn put_node(&mut self, node: Node, hash: Digest) -> Result<(), StoreError> {
        let position = i64::try_from(node.index).map_err(|_| StoreError::Full("no tree is wider".to_owned()))?;
        let row = (node.level, position, hash.0, node_sum(node, &hash));
        let changed = self.change_often(|often| &mut often.put_node, PUT_NODE, row)?;
        if changed == 1 {
            self.remember(|| Undo::Node { level: node.level, position });
            if node.level == 0 {
                self.leaf = Some((node, hash));
            }
            return Ok(());
        }
        if self.node(node)? == Some(hash) { Ok(()) } else { Err(node_conflict(node)) }
    }

    fn node(&mut self, node: Node) -> Result<Option<Digest>, StoreError> {
        let Ok(position) = i64::try_from(node.index) else { return Ok(None) };
        if let Some((_, hash)) = self.leaf.filter(|(leaf, _)| *leaf == node && !self.connection.is_autocommit()) {
            return Ok(Some(hash));
        }
        let found = self.row(NODE, (node.level, position), read_node)?;
        Ok(found.map(|(_, hash)| hash))
    }

    fn nodes(&mut self, level: u8, from: u64, count: u32) -> Result<Vec<Option<Digest>>, StoreError> {
        let end = from.saturating_add(count.into());
        let mut nodes = vec![None; usize::try_from(count).unwrap_or_default()];
        // Beyond what SQLite counts to there are none.
        let (Ok(start), Ok(behind)) = (i64::try_from(from), i64::try_from(end)) else { return Ok(nodes) };
        for (node, hash) in self.rows(NODES, (level, start, behind), read_node)? {
            let place = node.index.checked_sub(from).and_then(|place| nodes.get_mut(usize::try_from(place).ok()?));
            if let Some(place) = place {
                *place = Some(hash);
            }
        }
        Ok(nodes)
    }

    fn put_content(&mut self, content: &[u8]) -> Result<Digest, StoreError> {
        content_fits(content)?;
        let digest = Digest::of(content);
        let is_new = if content.len() >= LARGE_BYTES_MIN {
            self.put_large(digest, content.len(), |blob| blob.write_all_at(content, 0).map_err(fault))?
        } else {
            self.change(PUT_CONTENT, (digest.0, content))? > 0
        };
        if is_new {
            self.remember(|| Undo::Content(digest));
        }
        Ok(digest)
    }

    fn put_pieces(&mut self, content: &dyn Pieces) -> Result<Digest, StoreError> {
        let (digest, bytes) = (content.digest(), content.bytes());
        if bytes < LARGE_BYTES_MIN {
            let mut whole = Vec::with_capacity(bytes);
            content.write(&mut |piece| whole.extend_from_slice(piece));
            return if self.put_content(&whole)? == digest { Ok(digest) } else { Err(other_pieces()) };
        }
        content_bytes_fit(bytes)?;
        let is_new = self.put_large(digest, bytes, |blob| {
            let (mut hasher, mut at, mut done) = (Hasher::default(), 0_usize, Ok(()));
            content.write(&mut |piece| {
                if done.is_ok() {
                    hasher.add(piece);
                    done = blob.write_all_at(piece, at).map_err(fault);
                    at = at.saturating_add(piece.len());
                }
            });
            done?;
            if at == bytes && hasher.finish() == digest { Ok(()) } else { Err(other_pieces()) }
        })?;
        if is_new {
            self.remember(|| Undo::Content(digest));
        }
        Ok(digest)
    }

    fn content(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let place = self.row(CONTENT_BYTES, (digest.0,), |row| {
            let (at, bytes): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(unsigned(bytes).map(|bytes| (at, bytes)))
        })?;
        let Some((row, bytes)) = place else { return Ok(None) };
        match usize::try_from(bytes) {
            Ok(bytes) if bytes < LARGE_BYTES_MIN => self.row(CONTENT, (digest.0,), read_content),
            Ok(bytes) if bytes <= CONTENT_BYTES_MAX => self.large(digest, row, bytes).map(Some),
            _ => Err(changed_content(digest)),
        }
    }

    fn erase_content(&mut self, digest: Digest) -> Result<bool, StoreError> {
        self.save()?;
        let changed = self.change(ERASE_CONTENT, (digest.0,))?;
        self.has_erased |= changed > 0;
        Ok(changed > 0)
    }
}

/// How far the database is.
pub(super) fn reached(connection: &Connection) -> Result<Reached, StoreError> {
    let read = |row: &Row<'_>| {
        let number: i64 = row.get(0)?;
        let reached = unsigned(number)
            .and_then(|number| Ok(Reached { place: Place { number, mark: mark(row, 1)? }, before: mark(row, 2)? }));
        let sum: i64 = row.get(3)?;
        Ok(reached.and_then(|reached| summed(reached, || "the place".to_owned(), sum, reached_sum(&reached))))
    };
    let mut statement = connection.prepare_cached(REACHED).map_err(fault)?;
    let row = statement.query_row((), read).optional().map_err(fault)?;
    row.ok_or_else(|| StoreError::Corrupt("it does not say how far it is".to_owned()))?
}

fn mark(row: &Row<'_>, at: usize) -> Result<[u8; 16], StoreError> {
    row.get(at).map_err(fault)
}

/// Sixteen random bytes.
fn random(connection: &Connection) -> Result<[u8; 16], StoreError> {
    let mut statement = connection.prepare_cached("SELECT randomblob(16)").map_err(fault)?;
    statement.query_row((), |row| row.get(0)).map_err(fault)
}

/// Says of a new store that nothing was done to it.
pub(super) fn begin(connection: &Connection) -> Result<Place, StoreError> {
    let mark = random(connection)?;
    let reached = Reached { place: Place { number: 0, mark }, before: mark };
    connection.execute(BEGIN, (mark, reached_sum(&reached))).map_err(fault)?;
    Ok(reached.place)
}

/// Says that the database is as far as so many transactions.
pub(super) fn move_to(connection: &Connection, number: u64) -> Result<(), StoreError> {
    let before = reached(connection)?.place.mark;
    let reached = Reached { place: Place { number, mark: random(connection)? }, before };
    let signed = i64::try_from(number).map_err(|_| StoreError::Full("no store has more transactions".to_owned()))?;
    let mut statement = connection.prepare_cached(MOVE_TO).map_err(fault)?;
    statement.execute((signed, reached.place.mark, before, reached_sum(&reached))).map_err(fault).map(drop)
}

/// Only what is asked for is in the text, so that each has the index that suits it.
fn find_sql(query: &Query) -> (String, Vec<(&str, &dyn ToSql)>) {
    let mut sql = String::from("SELECT kind, key, version, state, due_ms, body, sum FROM objects WHERE kind = :kind");
    let mut params: Vec<(&str, &dyn ToSql)> = vec![(":kind", &query.kind), (":limit", &query.limit)];
    if let Some(state) = &query.state {
        sql.push_str(" AND state = :state");
        params.push((":state", state));
    }
    if let Some(until) = &query.due_until_ms {
        sql.push_str(" AND due_ms <= :until");
        params.push((":until", until));
    }
    if let Some(after) = &query.after {
        sql.push_str(" AND key > :after");
        params.push((":after", after));
    }
    sql.push_str(" ORDER BY key LIMIT :limit");
    (sql, params)
}

/// Reads every row of every table.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0)).map_err(fault)?;
    if verdict != "ok" {
        return Err(StoreError::Corrupt(verdict));
    }
    let each = |sql: &str, look: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<Result<(), StoreError>>| {
        let mut statement = connection.prepare(sql).map_err(fault)?;
        let mut rows = statement.query(()).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            look(row).map_err(fault)??;
        }
        Ok(())
    };
    each("SELECT kind, key, version, state, due_ms, body, sum FROM objects", &mut |row| {
        Ok(read_object(row)?.map(drop))
    })?;
    let mut next = 0..;
    each("SELECT count, sum FROM dropped", &mut |row| Ok(read_dropped(row)?.map(|dropped| next = dropped..)))?;
    each("SELECT position, id, kind, entry, sum FROM entries ORDER BY position", &mut |row| {
        let position = read_entry(row)?.map(|(position, _)| position);
        Ok(position.and_then(|position| if next.next() == Some(position) { Ok(()) } else { Err(missing_entry()) }))
    })?;
    each("SELECT level, position, hash, sum FROM nodes", &mut |row| Ok(read_node(row)?.map(drop)))?;
    each("SELECT digest, content FROM contents", &mut |row| Ok(read_content(row)?.map(drop)))
}

#[cold]
fn missing_entry() -> StoreError {
    StoreError::Corrupt("an entry is missing".to_owned())
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt(format!("{number} is no number of ours")))
}

/// A row whose sum is not that of its columns was not written by us.
fn summed<T>(value: T, what: impl FnOnce() -> String, found: i64, expected: i64) -> Result<T, StoreError> {
    if found == expected { Ok(value) } else { Err(StoreError::Corrupt(format!("{} has changed", what()))) }
}

fn read_object(row: &Row<'_>) -> rusqlite::Result<Result<Object, StoreError>> {
    let version = match unsigned(row.get(2)?) {
        Ok(version) => version,
        Err(error) => return Ok(Err(error)),
    };
    let object = Object {
        kind: row.get(0)?,
        key: row.get(1)?,
        version,
        state: row.get(3)?,
        due_ms: row.get(4)?,
        body: row.get(5)?,
    };
    let what = format!("the {} {}", object.kind, object.key);
    let expected = object_sum(&object, version);
    Ok(summed(object, || what, row.get(6)?, expected))
}

fn read_dropped(row: &Row<'_>) -> rusqlite::Result<Result<u64, StoreError>> {
    let (count, sum) = (unsigned(row.get(0)?), row.get(1)?);
    Ok(count.and_then(|count| summed(count, || "the number of dropped entries".to_owned(), sum, dropped_sum(count))))
}

fn read_entry(row: &Row<'_>) -> rusqlite::Result<Result<(u64, Vec<u8>), StoreError>> {
    Ok(see_entry(row)?.map(|(position, entry)| (position, entry.to_owned())))
}

fn see_entry<'r>(row: &'r Row<'_>) -> rusqlite::Result<Result<(u64, &'r [u8]), StoreError>> {
    let position: i64 = row.get(0)?;
    let entry = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
    let text = |at: usize| row.get_ref(at)?.as_str().map_err(rusqlite::Error::from);
    let expected = entry_sum(position, text(1)?, text(2)?, entry);
    let entry = summed(entry, || format!("the entry {position}"), row.get(4)?, expected);
    Ok(entry.and_then(|entry| Ok((unsigned(position)?, entry))))
}

fn read_node(row: &Row<'_>) -> rusqlite::Result<Result<(Node, Digest), StoreError>> {
    let level: u8 = row.get(0)?;
    let index = match unsigned(row.get(1)?) {
        Ok(index) => index,
        Err(error) => return Ok(Err(error)),
    };
    let (node, hash) = (Node { level, index }, Digest(row.get(2)?));
    Ok(summed((node, hash), || format!("the node {level}/{index}"), row.get(3)?, node_sum(node, &hash)))
}

fn read_content(row: &Row<'_>) -> rusqlite::Result<Result<Vec<u8>, StoreError>> {
    let digest = Digest(row.get(0)?);
    let content: Vec<u8> = row.get(1)?;
    if Digest::of(&content) == digest { Ok(Ok(content)) } else { Ok(Err(changed_content(digest))) }
}

#[cold]
fn changed_content(digest: Digest) -> StoreError {
    StoreError::Corrupt(format!("the content {digest} has changed"))
}

/// The sum of a row: the beginning of a digest. It finds accidents; against intent there is the tree of the log.
fn sum(parts: &[&[u8]]) -> i64 {
    let Digest(bytes) = Digest::of_parts(parts);
    let [a, b, c, d, e, f, g, h, ..] = bytes;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// How long something is, so that no two rows are the same bytes in a row.
fn length(bytes: &[u8]) -> [u8; 8] {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes()
}

fn object_sum(object: &Object, version: u64) -> i64 {
    let Object { kind, key, state, due_ms, body, .. } = object;
    let due = due_ms.unwrap_or_default().to_be_bytes();
    sum(&[
        b"object",
        &version.to_be_bytes(),
        &[u8::from(due_ms.is_some())],
        &due,
        &length(kind.as_bytes()),
        kind.as_bytes(),
        &length(key.as_bytes()),
        key.as_bytes(),
        &length(state.as_bytes()),
        state.as_bytes(),
        body,
    ])
}

fn entry_sum(position: i64, id: &str, kind: &str, entry: &[u8]) -> i64 {
    let (id, kind) = (id.as_bytes(), kind.as_bytes());
    sum(&[b"entry", &position.to_be_bytes(), &length(id), id, &length(kind), kind, entry])
}

fn reached_sum(Reached { place: Place { number, mark }, before }: &Reached) -> i64 {
    sum(&[b"place", &number.to_be_bytes(), mark, before])
}

fn dropped_sum(count: u64) -> i64 {
    sum(&[b"dropped", &count.to_be_bytes()])
}

fn node_sum(node: Node, hash: &Digest) -> i64 {
    sum(&[b"node", &[node.level], &node.index.to_be_bytes(), &hash.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing that is asked for needs a look at every row.
    #[test]
    fn everything_is_found_by_an_index() {
        let connection = Connection::open_in_memory().expect("there is memory");
        super::super::STEPS.iter().try_for_each(|step| connection.execute_batch(step)).expect("it is SQL");
        let plan = |sql: &str| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("it is SQL");
            // The parameters are not bound; a plan is made without them.
            let mut rows = statement.raw_query();
            let mut steps = Vec::new();
            while let Some(row) = rows.next().expect("it has a plan") {
                steps.push(row.get::<_, String>(3).expect("a plan is text"));
            }
            steps.join("; ")
        };
        let some = |is_there: bool| is_there.then(|| "x".to_owned());
        for at in 0..8_u8 {
            let (state, after) = (some(at & 1 > 0), some(at & 2 > 0));
            let due_until_ms = (at & 4 > 0).then_some(1);
            let query = Query { kind: "gate".to_owned(), state, due_until_ms, after, limit: 1 };
            let plan = plan(&find_sql(&query).0);
            assert!(plan.contains("USING INDEX") && !plan.contains("SCAN"), "{query:?}: {plan}");
            // Only what is due may have to be sorted, and that is little.
            assert!(at & 4 > 0 || !plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
        }
        for sql in [
            GET,
            PUT,
            REMOVE,
            ENTRIES,
            ENTRIES_OF,
            DROP,
            DROPPED,
            INDEX_OF,
            NODE,
            CONTENT,
            CONTENT_BYTES,
            ERASE_CONTENT,
            UNDO_ADDED,
            UNDO_REPLACED,
            UNDO_APPENDED,
            UNDO_NODE,
        ] {
            let plan = plan(sql);
            assert!(plan.contains("SEARCH") && !plan.contains("SCAN") && !plan.contains("TEMP"), "{sql}: {plan}");
        }
        // The largest key of a table is looked up.
        assert_eq!(plan(LOG_SIZE), "SEARCH entries");
    }
}
