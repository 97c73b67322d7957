//! A disk that forgets what was not synced, as a file system of SQLite.
//!
//! What is written is seen at once, as it is in the cache of a system. When the power goes, each file falls back to how it
//! was synced last, and of what was written since then any part may have come through: some writes and not others, whole
//! or cut off.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use pdl::kernel::store::sqlite::tip::Beside;
use sqlite_vfs::{DatabaseHandle, LockKind, OpenAccess, OpenOptions, Vfs, WalDisabled, register};

use super::Chance;

/// What a disk does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing, as long as there is power.
    None,
    /// It says that it has synced, and has not.
    Deaf,
    /// The same, of all files but the tip.
    DeafButForTip,
    /// The same, of the tip alone.
    DeafToTip,
    /// Sometimes syncing fails; then what was to be synced may be lost, though it is seen until the power goes.
    Failing,
    /// Sometimes there is no room.
    Full,
}

#[derive(Debug, Default)]
struct File {
    /// What is there after an outage whatever happens; `None` if the file may be gone.
    synced: Option<Vec<u8>>,
    seen: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Change::Write(at, bytes) => {
                file.resize(file.len().max(at + bytes.len()), 0);
                file[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Change::Length(length) => file.resize(*length, 0),
        }
    }
}

#[derive(Debug)]
struct State {
    files: BTreeMap<String, File>,
    fault: Fault,
    /// How many bytes all files may have; without a number, as many as they like.
    capacity: Option<usize>,
    /// After how many more writes and syncs the power goes.
    power: u64,
    chance: u64,
}

/// A disk.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// A disk without power, and a file system of this name on it.
    pub fn new(name: &str) -> Disk {
        let state = State { files: BTreeMap::new(), fault: Fault::None, capacity: None, power: 0, chance: 1 };
        let disk = Disk(Arc::new(Mutex::new(state)));
        register(name, disk.clone(), false).expect("a file system can be added");
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panicked with it")
    }

    /// Throws everything away.
    pub fn clear(&self) {
        self.state().files.clear();
    }

    /// Gives it power for so many writes and syncs, with a fault. Before that it goes through the outage.
    pub fn power(&self, power: u64, fault: Fault, chance: &mut Chance) {
        let mut state = self.state();
        state.files.retain(|_, file| {
            let File { synced, changes, .. } = std::mem::take(file);
            let Some(mut seen) = synced.or_else(|| (chance.below(2) == 0).then(Vec::new)) else { return false };
            let manner = chance.below(4);
            let until = chance.below(changes.len() as u64 + 1) as usize;
            for (at, change) in changes.iter().enumerate() {
                match (manner, change) {
                    (0, _) => {}
                    (1, change) if at < until => change.apply(&mut seen),
                    (2, change) if chance.below(2) == 0 => change.apply(&mut seen),
                    (3, Change::Write(from, bytes)) => {
                        let cut = chance.below(bytes.len() as u64 + 1) as usize;
                        Change::Write(*from, bytes[..cut].to_owned()).apply(&mut seen);
                    }
                    _ => {}
                }
            }
            *file = File { synced: Some(seen.clone()), seen, changes: Vec::new() };
            true
        });
        state.power = power;
        state.fault = fault;
        state.chance = chance.below(u64::MAX);
    }

    /// Leaves so much room and no more, until it is said otherwise.
    #[cfg(feature = "compiler")]
    pub fn leave_room(&self, bytes: Option<usize>) {
        let mut state = self.state();
        state.capacity = bytes.map(|bytes| state.used() + bytes);
    }

    pub fn has_power(&self) -> bool {
        self.state().power > 0
    }

    /// Whether a file is there.
    pub fn has(&self, path: &str) -> bool {
        self.state().files.contains_key(path)
    }
}

impl State {
    /// Whether there is power to read.
    fn powered(&self) -> Result<(), Error> {
        if self.power == 0 { Err(Error::other("there is no power")) } else { Ok(()) }
    }

    fn file(&mut self, path: &str) -> Result<&mut File, Error> {
        self.powered()?;
        self.files.get_mut(path).ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// How many bytes all files have.
    fn used(&self) -> usize {
        self.files.values().map(|file| file.seen.len()).sum()
    }

    /// Something that happens once in so many times.
    fn happens(&mut self, once_in: u64) -> bool {
        let mut chance = Chance(self.chance);
        let happens = chance.below(once_in) == 0;
        self.chance = chance.0;
        happens
    }

    fn change(&mut self, path: &str, change: Change) -> Result<(), Error> {
        self.powered()?;
        if self.fault == Fault::Full && self.happens(200) {
            return Err(ErrorKind::WriteZero.into());
        }
        let free = self.capacity.map(|capacity| capacity.saturating_sub(self.used()));
        let file = self.file(path)?;
        if let (Some(free), Change::Write(at, bytes)) = (free, &change)
            && at + bytes.len() > file.seen.len() + free
        {
            // What there is room for is written, and no more.
            let fits = (file.seen.len() + free).saturating_sub(*at).min(bytes.len());
            let short = Change::Write(*at, bytes[..fits].to_owned());
            if fits > 0 {
                short.apply(&mut file.seen);
                file.changes.push(short);
            }
            return Err(ErrorKind::WriteZero.into());
        }
        change.apply(&mut file.seen);
        file.changes.push(change);
        // Whether it came through is found out when the power is back.
        self.power -= 1;
        self.powered()
    }

    fn sync(&mut self, path: &str) -> Result<(), Error> {
        self.powered()?;
        let is_failing = self.fault == Fault::Failing && self.happens(20);
        let is_deaf = match self.fault {
            Fault::None | Fault::Failing | Fault::Full => false,
            Fault::Deaf => true,
            Fault::DeafButForTip => !path.ends_with("-tip"),
            Fault::DeafToTip => path.ends_with("-tip"),
        };
        self.power -= 1;
        self.powered()?;
        let file = self.file(path)?;
        if is_deaf {
            return Ok(());
        }
        let changes = std::mem::take(&mut file.changes);
        if is_failing {
            return Err(Error::other("it could not be synced"));
        }
        let synced = file.synced.get_or_insert_default();
        changes.iter().for_each(|change| change.apply(synced));
        Ok(())
    }
}

/// The tip lies on the same disk.
impl Beside for Disk {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        let state = self.state();
        state.powered()?;
        Ok(state.files.get(name(path)).map(|file| file.seen.clone()))
    }

    fn write(&self, path: &Path, at: u64, bytes: &[u8]) -> Result<(), Error> {
        let mut state = self.state();
        state.powered()?;
        state.files.entry(name(path).to_owned()).or_default();
        state.change(name(path), Change::Write(at as usize, bytes.to_owned()))?;
        state.sync(name(path))
    }
}

fn name(path: &Path) -> &str {
    path.to_str().expect("it is a text")
}

/// A file that is open.
pub struct Handle {
    disk: Disk,
    path: String,
    lock: LockKind,
}

impl DatabaseHandle for Handle {
    type WalIndex = WalDisabled;

    fn size(&self) -> Result<u64, Error> {
        Ok(self.disk.state().file(&self.path)?.seen.len() as u64)
    }

    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<(), Error> {
        let mut state = self.disk.state();
        let file = state.file(&self.path)?;
        let start = (offset as usize).min(file.seen.len());
        let end = (start + buffer.len()).min(file.seen.len());
        let (read, rest) = buffer.split_at_mut(end - start);
        read.copy_from_slice(&file.seen[start..end]);
        // SQLite wants what is not there to be zeros.
        rest.fill(0);
        if rest.is_empty() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        self.disk.state().change(&self.path, Change::Write(offset as usize, bytes.to_owned()))
    }

    fn sync(&mut self, _data_only: bool) -> Result<(), Error> {
        self.disk.state().sync(&self.path)
    }

    fn set_len(&mut self, size: u64) -> Result<(), Error> {
        self.disk.state().change(&self.path, Change::Length(size as usize))
    }

    fn lock(&mut self, lock: LockKind) -> Result<bool, Error> {
        self.lock = lock;
        Ok(true)
    }

    fn reserved(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    fn current_lock(&self) -> Result<LockKind, Error> {
        Ok(self.lock)
    }

    fn wal_index(&self, _readonly: bool) -> Result<WalDisabled, Error> {
        Ok(WalDisabled)
    }
}

impl Vfs for Disk {
    type Handle = Handle;

    fn open(&self, path: &str, options: OpenOptions) -> Result<Handle, Error> {
        let mut state = self.state();
        state.powered()?;
        let may_make = matches!(options.access, OpenAccess::Create | OpenAccess::CreateNew);
        if may_make {
            state.files.entry(path.to_owned()).or_default();
        }
        state.file(path)?;
        Ok(Handle { disk: self.clone(), path: path.to_owned(), lock: LockKind::None })
    }

    fn delete(&self, path: &str) -> Result<(), Error> {
        let mut state = self.state();
        state.powered()?;
        state.files.remove(path);
        Ok(())
    }

    fn exists(&self, path: &str) -> Result<bool, Error> {
        let state = self.state();
        state.powered()?;
        Ok(state.files.contains_key(path))
    }

    fn temporary_name(&self) -> String {
        "temporary".to_owned()
    }

    fn random(&self, buffer: &mut [i8]) {
        let mut state = self.state();
        let mut chance = Chance(state.chance);
        buffer.fill_with(|| chance.below(256) as u8 as i8);
        state.chance = chance.0;
    }

    fn sleep(&self, duration: Duration) -> Duration {
        duration
    }
}
