//! Reading the log and erasing from it, by those who may: both are acts that `std.kernel` decides.
//!
//! To verify and to export a log change nothing and may take long; whoever does either asks [`Kernel::permit`] before.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::Arc;

use super::engine::Kernel;
use super::entry::Entry;
use super::error::KernelError;
use super::govern::act::Act;
use super::govern::governed;
use super::log::commitment::reveal;
use super::log::erase::{entry_of, erase};
use super::log::search::{Page, Search, search};
use super::record::Principal;

impl Kernel {
    /// Looks for entries in the log; with `contents`, what is sensitive is put back where it was. That somebody looked is an
    /// entry, too, and found itself if it fits.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the log can't be read.
    pub fn read_log(&self, who: &Principal, wanted: &Search, contents: bool) -> Result<Page, KernelError> {
        let wanted = wanted.clone();
        self.govern(who, Act::read_log(contents), move |tx, _, _| {
            let Page { entries, next } = search(tx, &wanted)?;
            if !contents {
                return Ok(Page { entries, next });
            }
            let entries = entries.into_iter().map(|entry| Ok(reveal(tx, entry)?.entry));
            Ok(Page { entries: entries.collect::<Result<_, KernelError>>()?, next })
        })
    }

    /// Erases the sensitive values of an entry. Gives the entry that says so, or `None` if there was nothing left to erase.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], there is no such entry, or it could not be stored.
    pub fn erase(&self, who: &Principal, entry: &str, reason: &str) -> Result<Option<Entry>, KernelError> {
        let (shared, who, id, reason) = (Arc::clone(&self.shared), who.clone(), entry.to_owned(), reason.to_owned());
        self.writer.submit(move |tx| {
            let found = entry_of(tx, &id);
            let own = found.as_ref().is_ok_and(|entry| entry.body.get("principal") == Some(&who.to_json()));
            governed(tx, &shared, &who, &Act::erase(&id, &reason, own), |tx, allowed| {
                found?;
                let by = who.to_json();
                Ok(erase(&shared.log, tx, &*shared.environment, &id, &by, &reason, Some(allowed))?)
            })
        })?
    }
}
