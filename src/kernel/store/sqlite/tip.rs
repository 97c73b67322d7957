//! The tip of a store: a small file beside the database, `NAME-tip`, that says which transaction was acknowledged last.
//!
//! SQLite reads a file that is written ahead up to the first part that is not whole, and takes that for its end. So if its
//! end is cut off or damaged, what was acknowledged is gone and nobody is told. The tip tells: it is written and synced
//! after the transaction and before its answers leave, so a database that is behind its tip has lost something. It may be
//! ahead by one transaction, whose answers had not left.
//!
//! A place is the number of a transaction and 16 random bytes, its mark. So a database is not taken for another one that
//! has gone as far, be it a copy that went on by itself.
//!
//! The file has two slots, written in turn, so that a write that was torn leaves the other one:
//!
//! ```text
//! PDLKTIP1   number, 8 bytes, big endian   mark, 16 bytes   SHA-256 of these 32 bytes
//! ```
//!
//! Each is there twice, written one after the other and synced once: even numbers at 0 and 8,192, odd ones at 4,096 and
//! 12,288. Of a slot without a copy nobody knows whether it was the older one, which is not needed, or the newer one, which
//! is: so damage at one place would either hide a loss or refuse a store that has lost nothing.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::hash::Digest;
use crate::kernel::store::StoreError;

const MAGIC: &[u8; 8] = b"PDLKTIP1";
const MARK_BYTES: usize = 16;
const SLOT_BYTES: usize = 64;
/// So far apart that no disk writes both at once.
const SLOT_STEP: u64 = 4_096;
const SLOT_STEP_BYTES: usize = 4_096;
/// Where the copies of the slots are, behind both slots. Files of earlier versions have none.
const COPY_STEP: u64 = 8_192;
const FILE_BYTES: u64 = 16_384;
/// Who may read and write the files of a store: their owner.
#[cfg(unix)]
const MODE: u32 = 0o600;

/// Small files beside a database that is not in the file system of the system.
pub trait Beside: fmt::Debug + Send + Sync {
    /// What is in a file; `None` if there is none.
    ///
    /// # Errors
    /// It can't be read.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// Writes at a place of a file, which is made if there is none, with zeros before. What was written is durable when this
    /// returns.
    ///
    /// # Errors
    /// It can't be written.
    fn write(&self, path: &Path, at: u64, bytes: &[u8]) -> io::Result<()>;
}

/// How far a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// How many transactions have changed something.
    pub(super) number: u64,
    /// The last of them.
    pub(super) mark: [u8; MARK_BYTES],
}

/// How far a database is, and how far it was before its last transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) place: Place,
    pub(super) before: [u8; MARK_BYTES],
}

/// What a tip says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// There is none, or whoever made it was stopped before anything was acknowledged.
    Nothing,
    /// This place was acknowledged; or the one behind it was being written, and that was torn.
    Place { place: Place, is_torn: bool },
    /// It was written and can't be read any more.
    Damaged,
}

/// The file.
#[derive(Debug)]
pub(super) struct Tip {
    path: PathBuf,
    medium: Medium,
}

#[derive(Debug)]
enum Medium {
    System(Option<File>),
    Given(Arc<dyn Beside>),
}

impl Tip {
    /// The tip of a database that is there.
    pub(super) fn of(database: &Path, given: Option<&Arc<dyn Beside>>) -> Result<Tip, StoreError> {
        let (mut path, medium) = match given {
            Some(given) => (database.to_owned().into_os_string(), Medium::Given(Arc::clone(given))),
            // Beside the file itself, whatever links lead to it: that is where SQLite has its own.
            None => (fs::canonicalize(database).map_err(unavailable)?.into_os_string(), Medium::System(None)),
        };
        path.push("-tip");
        Ok(Tip { path: path.into(), medium })
    }

    /// What it says.
    pub(super) fn read(&mut self) -> Result<Said, StoreError> {
        let bytes = match &self.medium {
            Medium::System(_) => match File::open(&self.path) {
                Ok(file) => {
                    let mut bytes = Vec::new();
                    file.take(FILE_BYTES).read_to_end(&mut bytes).map_err(unavailable)?;
                    bytes
                }
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Said::Nothing),
                Err(error) => return Err(unavailable(error)),
            },
            Medium::Given(given) => match given.read(&self.path).map_err(unavailable)? {
                Some(bytes) => bytes,
                None => return Ok(Said::Nothing),
            },
        };
        Ok(said(&bytes))
    }

    /// Says that a place was acknowledged. It is durable when this returns.
    pub(super) fn write(&mut self, place: Place) -> Result<(), StoreError> {
        self.write_slot(place.number, &slot(place)).map_err(fault)
    }

    /// Begins anew, whatever is there: with nothing acknowledged.
    pub(super) fn begin(&mut self, place: Place) -> Result<(), StoreError> {
        let begin = |tip: &mut Tip| {
            tip.write_slot(1, &[0; SLOT_BYTES])?;
            tip.write_slot(0, &slot(place))
        };
        begin(self).map_err(fault)
    }

    /// Goes on from a place, whatever is there.
    pub(super) fn go_on(&mut self, Reached { place, before }: Reached) -> Result<(), StoreError> {
        if let Some(number) = place.number.checked_sub(1) {
            self.write(Place { number, mark: before })?;
        }
        self.write(place)
    }

    fn write_slot(&mut self, number: u64, bytes: &[u8; SLOT_BYTES]) -> io::Result<()> {
        let at = if number & 1 == 0 { 0 } else { SLOT_STEP };
        let mut places = [at, at.saturating_add(COPY_STEP)].into_iter();
        match &mut self.medium {
            Medium::Given(given) => places.try_for_each(|at| given.write(&self.path, at, bytes)),
            Medium::System(kept) => {
                let mut file = match kept.take() {
                    Some(file) => file,
                    None => opened(&self.path)?,
                };
                places.try_for_each(|at| {
                    file.seek(SeekFrom::Start(at))?;
                    file.write_all(bytes)
                })?;
                file.sync_data()?;
                // Whatever went wrong before, the file is opened anew.
                *kept = Some(file);
                Ok(())
            }
        }
    }
}

/// The file, of its whole length and with its name durable, for nobody but its owner.
fn opened(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, MODE);
    let file = options.open(path)?;
    if file.metadata()?.len() < FILE_BYTES {
        file.set_len(FILE_BYTES)?;
        file.sync_all()?;
        // That a file is there is written in its folder.
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
    }
    Ok(file)
}

/// Makes an empty file for nobody but its owner, if there is none. What SQLite has beside it is made like it.
#[cfg(unix)]
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(StoreError::Unavailable(error.to_string())),
        _ => Ok(()),
    }
}

fn slot(place: Place) -> [u8; SLOT_BYTES] {
    let number = place.number.to_be_bytes();
    let Digest(sum) = Digest::of_parts(&[MAGIC, &number, &place.mark]);
    let mut slot = [0; SLOT_BYTES];
    let parts = MAGIC.iter().chain(&number).chain(&place.mark).chain(&sum);
    slot.iter_mut().zip(parts).for_each(|(place, byte)| *place = *byte);
    slot
}

/// What is in the slot that even or odd numbers have: `None` if that can't be read.
fn read_slot(bytes: &[u8], parity: u64) -> Option<Place> {
    let (number, mark) = (bytes.get(8..16)?.try_into().ok()?, bytes.get(16..32)?.try_into().ok()?);
    let place = Place { number: u64::from_be_bytes(number), mark };
    (bytes.get(..SLOT_BYTES)? == slot(place) && place.number & 1 == parity).then_some(place)
}

fn said(bytes: &[u8]) -> Said {
    let page = |at: u64| {
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let (_, rest) = bytes.split_at_checked(start).unwrap_or_default();
        rest.get(..SLOT_STEP_BYTES).unwrap_or(rest)
    };
    let of = |parity: u64| {
        let first = if parity == 0 { 0 } else { SLOT_STEP };
        [page(first), page(first.saturating_add(COPY_STEP))]
    };
    // Where the copies are not the same, the later one was the last to be written.
    let read = |parity: u64| of(parity).iter().filter_map(|page| read_slot(page, parity)).max_by_key(|at| at.number);
    // The first that is ever written is the even one. Until there is another, nothing was acknowledged.
    let is_first = of(1).iter().all(|page| page.iter().all(|byte| *byte == 0));
    match (read(0), read(1)) {
        (Some(place @ Place { number: 0, .. }), None) if is_first => Said::Place { place, is_torn: false },
        (None, None) if is_first => Said::Nothing,
        (Some(place), None) | (None, Some(place)) => Said::Place { place, is_torn: true },
        (Some(even), Some(odd)) if even.number.abs_diff(odd.number) == 1 => {
            Said::Place { place: if even.number > odd.number { even } else { odd }, is_torn: false }
        }
        _ => Said::Damaged,
    }
}

/// Whether the tip lags behind the database by a transaction whose answers had not left.
///
/// # Errors
/// [`StoreError::Corrupt`] if the database is not as far as was acknowledged, or it is another one.
pub(super) fn is_behind(said: Said, reached: Reached) -> Result<bool, StoreError> {
    let has = reached.place.number;
    let why = match said {
        Said::Nothing => format!("its tip is missing; it has {has} transactions"),
        Said::Damaged => format!("its tip is damaged; it has {has} transactions"),
        Said::Place { place, is_torn: false } if place == reached.place => return Ok(false),
        Said::Place { place, .. } if place.number.checked_add(1) == Some(has) && place.mark == reached.before => {
            return Ok(true);
        }
        // A tip is torn only while the transaction behind it is there.
        Said::Place { place, is_torn: true } if place == reached.place => {
            format!("half of its tip is damaged; transactions may have been acknowledged behind the last, {has}")
        }
        Said::Place { place, .. } if place.number > has => {
            format!("{} transactions were acknowledged, and {has} are there", place.number)
        }
        Said::Place { place, .. } => {
            format!("its tip, of {} transactions, is not that of this database, which has {has}", place.number)
        }
    };
    Err(StoreError::Corrupt(why))
}

#[cold]
fn unavailable(error: io::Error) -> StoreError {
    StoreError::Unavailable(format!("its tip: {error}"))
}

#[cold]
fn fault(error: io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge | ErrorKind::WriteZero => {
            StoreError::Full(format!("its tip: {error}"))
        }
        _ => unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    fn place(number: u64) -> Place {
        Place { number, mark: [number as u8; MARK_BYTES] }
    }

    fn reached(number: u64) -> Reached {
        Reached { place: place(number), before: [(number as u8).wrapping_sub(1); MARK_BYTES] }
    }

    /// Where a slot and its copy are.
    fn places(number: u64) -> [usize; 2] {
        let at = (number % 2 * SLOT_STEP) as usize;
        [at, at + COPY_STEP as usize]
    }

    /// A file as it is after so many transactions.
    fn file(number: u64) -> Vec<u8> {
        let mut bytes = vec![0; FILE_BYTES as usize];
        for number in number.saturating_sub(1)..=number {
            for at in places(number) {
                bytes[at..at + SLOT_BYTES].copy_from_slice(&slot(place(number)));
            }
        }
        bytes
    }

    #[test]
    fn a_database_is_level_or_one_ahead() {
        for number in 0..6 {
            let said = said(&file(number));
            assert_eq!(said, Said::Place { place: place(number), is_torn: false });
            for has in 0..8 {
                let expected = match has {
                    _ if has == number => Some(false),
                    _ if has == number + 1 => Some(true),
                    _ => None,
                };
                assert_eq!(is_behind(said, reached(has)).ok(), expected, "{number} {has}");
            }
            let other = Reached { place: Place { mark: [99; MARK_BYTES], ..place(number) }, ..reached(number) };
            assert!(is_behind(said, other).is_err());
            let other = Reached { before: [99; MARK_BYTES], ..reached(number + 1) };
            assert!(is_behind(said, other).is_err());
        }
    }

    /// Whatever byte is changed, in the older slot or in the newer one, the tip says what it said: a store that is whole is
    /// not refused, and one that has lost its last transaction is.
    #[test]
    fn damage_at_one_place_changes_nothing() {
        for number in 1..4 {
            for start in (0..4).map(|page| page * SLOT_STEP_BYTES) {
                let single = (start..start + SLOT_BYTES).map(|at| at..at + 1);
                for damaged in single.chain(iter::once(start..start + SLOT_STEP_BYTES)) {
                    let mut bytes = file(number);
                    bytes[damaged.clone()].iter_mut().for_each(|byte| *byte ^= 1);
                    let said = said(&bytes);
                    assert_eq!(said, Said::Place { place: place(number), is_torn: false }, "{number} {damaged:?}");
                    assert!(is_behind(said, reached(number - 1)).is_err(), "{number} {damaged:?}");
                    assert_eq!(is_behind(said, reached(number)), Ok(false), "{number} {damaged:?}");
                }
            }
        }
    }

    /// A slot whose copy is damaged too: a database that has lost its last transaction is not taken for a whole one.
    #[test]
    fn a_slot_that_is_lost_promises_the_next() {
        for number in 1..4 {
            for lost in [number - 1, number] {
                let mut bytes = file(number);
                places(lost).into_iter().for_each(|at| bytes[at + 9] ^= 1);
                let said = said(&bytes);
                assert!(is_behind(said, reached(number - 1)).is_err(), "{number} {lost}");
                // The next write may have torn this slot, and then what it was to tell of is there: no less will do.
                let torn = if lost == number { number } else { number + 1 };
                for has in [number, number + 1] {
                    let expected = (has == torn).then_some(true);
                    assert_eq!(is_behind(said, reached(has)).ok(), expected, "{number} {lost} {has}");
                }
            }
        }
    }

    /// A write that was torn: each of both copies is as it was, as it should be, or neither. What the transaction had done
    /// is there, and the store is opened.
    #[test]
    fn a_write_that_was_torn_is_made_good() {
        for number in 1..4 {
            for (first, second) in (0..9).map(|case| (case / 3, case % 3)) {
                let mut bytes = file(number);
                for (at, state) in places(number + 1).into_iter().zip([first, second]) {
                    match state {
                        0 => {}
                        1 => bytes[at..at + SLOT_BYTES].copy_from_slice(&slot(place(number + 1))),
                        _ => bytes[at..at + SLOT_BYTES].fill(7),
                    }
                }
                let behind = is_behind(said(&bytes), reached(number + 1));
                assert_eq!(behind, Ok(first != 1 && second != 1), "{number} {first} {second}");
            }
        }
    }

    /// A file of an earlier version has no copies.
    #[test]
    fn slots_without_their_copies_are_read() {
        for number in 1..4 {
            let mut bytes = file(number);
            bytes.truncate(COPY_STEP as usize);
            assert_eq!(said(&bytes), Said::Place { place: place(number), is_torn: false });
            let newer = places(number)[0];
            bytes[newer] ^= 1;
            assert!(is_behind(said(&bytes), reached(number - 1)).is_err());
            assert_eq!(is_behind(said(&bytes), reached(number)), Ok(true));
        }
    }

    #[test]
    fn a_file_that_was_never_used_says_nothing() {
        let begun = file(0);
        for bytes in [&[][..], &[0; 100], &begun[..10], &vec![0; FILE_BYTES as usize]] {
            assert_eq!(said(bytes), Said::Nothing);
        }
        assert_eq!(said(&begun[..SLOT_BYTES]), Said::Place { place: place(0), is_torn: false });
        for number in 1..4 {
            assert_ne!(said(&file(number)[..4_096]), said(&file(number)));
            let mut cleared = file(number);
            for at in places(0) {
                cleared[at..at + SLOT_BYTES].fill(0);
            }
            assert_ne!(said(&cleared), Said::Nothing);
            cleared.fill(1);
            assert_eq!(said(&cleared), Said::Damaged);
        }
    }
}
