//! Dropping what is old: the oldest entries of the log, once they are in an archive.
//!
//! What neighbours may rely on:
//!
//! - Nothing is dropped that is not in files that were verified, and that it was dropped is an entry.
//! - Every proof of what is left, every checkpoint and every consistency proof stays what it was.
//! - What is dropped of the log can't be decided again, shown or proved from here, but from the archive.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::Arc;

use super::engine::Kernel;
use super::entry::Entry;
use super::error::KernelError;
use super::govern::act::Act;
use super::log::compact::{Archive, compact};
use super::log::export::Files;
use super::log::verify::{Options, Progress};
use super::reading::Against;
use super::record::Principal;

impl Kernel {
    /// Verifies the files of an export of this log, so that what is in it can be dropped.
    ///
    /// # Errors
    /// Anything in it is not as it was signed, or a file can't be read.
    pub fn archive(
        &self,
        files: &mut dyn Files,
        against: &Against<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Archive, KernelError> {
        let known = self.known(against.known);
        let Against { trusted, threads, .. } = *against;
        let options = Options { origin: self.origin(), known: &known, trusted, threads };
        Ok(Archive::verified(files, &options, progress)?)
    }

    /// Drops the entries before an index that are in the archive, so many at once that nobody waits for long. Gives the
    /// entry that says so, or `None` if there was nothing left to drop: so it is called until then.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]; the archive is not one of this log; or the store can't be written.
    pub fn compact_log(
        &self,
        who: &Principal,
        archive: &Archive,
        before: u64,
        reason: &str,
    ) -> Result<Option<Entry>, KernelError> {
        // What is sensitive in these entries is gone then: so it is for whoever may erase.
        self.permit(who, Act::erase(&format!("before {before}"), reason, false))?;
        let (shared, archive, reason) = (Arc::clone(&self.shared), *archive, reason.to_owned());
        let principal = who.to_json();
        self.writer.submit_patiently(move |tx| {
            Ok(compact(&shared.log, tx, &*shared.environment, &archive, before, &principal, &reason)?)
        })
    }
}
