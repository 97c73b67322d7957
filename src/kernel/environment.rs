//! What the kernel has of the outside world: the time, and chance. Both are given to it, so that tests can give what they
//! like and a decision can be made again with the time at which it was made.

use std::fmt;

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

/// The system has no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system has no random bytes")
    }
}

impl std::error::Error for NoRandomness {}
