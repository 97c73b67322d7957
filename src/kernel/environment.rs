//! What the kernel has of the outside world: the time, and chance. Both are given to it, so that tests can give what they
//! like and a decision can be made again with the time at which it was made.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use super::writer::at_work;
use crate::data::timestamp::Timestamp;

/// Where the kernel gets time and chance from.
pub trait Environment: Send + Sync + fmt::Debug {
    /// Now. It may stand still and need not be right to the millisecond, but people rely on it not to go back.
    fn now(&self) -> Timestamp;

    /// Fills a buffer with bytes that nobody can guess.
    ///
    /// # Errors
    /// There are none to be had: then nothing may be made that has to be secret or unique.
    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness>;
}

/// An environment in which time stands still while a work is done: what is decided, what is stored and what the log says of
/// it are of one moment, and nothing is in time by one clock and late by another.
#[derive(Debug)]
pub(super) struct Still(Arc<dyn Environment>);

impl Still {
    pub(super) fn new(world: Arc<dyn Environment>) -> Still {
        Still(world)
    }
}

thread_local! {
    /// The work for which the time was looked at last, whose world that was, and the time.
    static LOOKED: Cell<Option<(u64, *const (), Timestamp)>> = const { Cell::new(None) };
}

impl Environment for Still {
    fn now(&self) -> Timestamp {
        let Some(work) = at_work() else { return self.0.now() };
        let world = Arc::as_ptr(&self.0).cast::<()>();
        match LOOKED.get() {
            Some((looked, of, time)) if looked == work && of == world => time,
            _ => {
                let time = self.0.now();
                LOOKED.set(Some((work, world, time)));
                time
            }
        }
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.random(buffer)
    }
}

/// The system has no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system has no random bytes")
    }
}

impl std::error::Error for NoRandomness {}
