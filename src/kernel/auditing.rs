//! Erasing from the log, by those who may: an act that `std.kernel` decides. Who reads it does so by
//! [`reading`](super::reading).

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::Arc;

use super::engine::Kernel;
use super::entry::Entry;
use super::error::KernelError;
use super::govern::act::Act;
use super::govern::governed;
use super::log::commitment::commitments;
use super::log::erase::{entry_of, erase_places};
use super::record::Principal;
use super::records::{EVIDENCE_PLACE, former};

impl Kernel {
    /// Erases the sensitive values of an entry. Gives the entry that says so, or `None` if there was nothing left to erase.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], there is no such entry, or it could not be stored.
    pub fn erase(&self, who: &Principal, entry: &str, reason: &str) -> Result<Option<Entry>, KernelError> {
        let (shared, who, id, reason) = (Arc::clone(&self.shared), who.clone(), entry.to_owned(), reason.to_owned());
        self.writer.submit(move |tx| {
            let found = entry_of(tx, &id);
            let id = found.as_ref().map_or(id, |entry| entry.id.clone());
            let own = found.as_ref().is_ok_and(|entry| entry.body.get("principal") == Some(&who.to_json()));
            governed(tx, &shared, &who, &Act::erase(&id, &reason, own), |tx, allowed| {
                let found = found?;
                let mut places = commitments(&found)?;
                places.extend(former::kept_of(tx, &found)?.map(|digest| (EVIDENCE_PLACE.to_owned(), digest)));
                let by = who.to_json();
                let (log, environment) = (&shared.log, &*shared.environment);
                Ok(erase_places(log, tx, environment, &id, places, (&by, &reason), Some(allowed))?)
            })
        })?
    }
}
