//! The time and the chance of the system, for the kernel.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::data::timestamp::Timestamp;
use crate::kernel::environment::{Environment, NoRandomness};

/// The system that this runs on.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Environment for System {
    /// Now, to the millisecond. A clock before 1970 or behind all times that there are stands still at the nearest one.
    fn now(&self) -> Timestamp {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        i64::try_from(millis).ok().and_then(Timestamp::from_millis).unwrap_or(Timestamp::MAX)
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(buffer).map_err(|_| NoRandomness)
    }
}
