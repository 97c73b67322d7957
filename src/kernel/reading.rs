//! Reading the log of a running kernel: searching, proving, verifying, exporting, signing its head.
//!
//! What neighbours may rely on:
//!
//! - Nothing here keeps decisions waiting for long. What looks at many entries reads them in rounds, each a transaction of
//!   its own between those of others; hashing, checking and writing files is done on the caller's thread.
//! - What is read is one log all the same: the entries that there are when it begins. A log only grows, so a beginning of it
//!   never changes.
//! - The kernel knows the name of its log, and takes the signatures of its own key; those of earlier keys if it is given
//!   them.
//! - Whoever reads entries is allowed to by `std.kernel`, and that they did is an entry too; to verify a log adds nothing to
//!   it. Heads, and proofs that one is the beginning of another, say nothing of what happened: anybody may have them.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::Arc;

use super::engine::Kernel;
use super::entry::Entry;
use super::error::KernelError;
use super::govern::act::Act;
use super::log::checkpoint::{self, Kept};
use super::log::commitment::{self, Revealed};
use super::log::erase::entry_of;
use super::log::export::{Files, export_in};
use super::log::search::{Page, Search, search_in};
use super::log::verify::{Options, Progress, Report, verify_in};
use super::log::{Rounds, prove};
use super::record::Principal;
use super::store::{StoreError, Tx};
use super::writer::{WriteError, Writer};
use crate::log::note::Verifier;
use crate::log::offline::{Consistency, Inclusion};

/// Against what the log is verified, beside the kernel's own key.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    /// Earlier keys of this log.
    pub known: &'a [Verifier],
    /// Checkpoints that were kept elsewhere, as signed notes.
    pub trusted: &'a [String],
    /// How many threads hash.
    pub threads: usize,
}

/// Each round in a transaction of the writer.
struct Between<'k>(&'k Writer);

impl Rounds for Between<'_> {
    fn read<T: Send + 'static>(
        &mut self,
        round: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let read = self.0.submit_patiently(move |tx| Ok::<T, WriteError>(round(tx)?));
        read.map_err(|fault| match fault {
            WriteError::Store(fault) => fault,
            fault => StoreError::Unavailable(fault.to_string()),
        })
    }
}

impl Kernel {
    /// The name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared.settings.origin
    }

    /// Whose signatures are taken.
    pub(super) fn known(&self, others: &[Verifier]) -> Vec<Verifier> {
        let own = self.shared.settings.signer.as_ref().map(|signer| signer.verifier());
        own.into_iter().chain(others.iter().cloned()).collect()
    }

    /// Verifies the entries that there are now, all of them.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]; or the store can't be read at all. Damage that it finds in single entries, nodes or checkpoints is a finding.
    pub fn verify_log(
        &self,
        who: &Principal,
        against: &Against<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, KernelError> {
        self.permit_quietly(who, Act::verify_log())?;
        let known = self.known(against.known);
        let Against { trusted, threads, .. } = *against;
        let options = Options { origin: self.origin(), known: &known, trusted, threads };
        Ok(verify_in(Between(&self.writer), &options, progress)?)
    }

    /// Writes the log up to a checkpoint to files, that of `size` entries or the last one. Gives that checkpoint.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]. There is no such checkpoint; the entries are not those that were signed; a file can't be written.
    pub fn export_log(
        &self,
        who: &Principal,
        size: Option<u64>,
        known: &[Verifier],
        files: &mut dyn Files,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Kept, KernelError> {
        self.permit(who, Act::export_log())?;
        let known = self.known(known);
        Ok(export_in(&mut Between(&self.writer), size, self.origin(), &known, files, progress)?)
    }

    /// Looks for entries, the newest first.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]. The store can't be read, or has something else than entries.
    pub fn search(&self, who: &Principal, search: &Search) -> Result<Page, KernelError> {
        self.permit(who, Act::read_log(false))?;
        Ok(search_in(&mut Between(&self.writer), search)?)
    }

    /// The entry of an id, as it is in the log.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]. There is none, or it is damaged.
    pub fn entry(&self, who: &Principal, id: &str) -> Result<Entry, KernelError> {
        self.permit(who, Act::read_log(false))?;
        let id = id.to_owned();
        self.read(move |tx| Ok(entry_of(tx, &id)?))
    }

    /// The entry of an id, with its sensitive values as far as they were not erased.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]. There is none, or it or one of its contents is damaged.
    pub fn reveal(&self, who: &Principal, id: &str) -> Result<Revealed, KernelError> {
        self.permit(who, Act::read_log(true))?;
        let id = id.to_owned();
        self.read(move |tx| {
            let entry = entry_of(tx, &id)?;
            Ok(commitment::reveal(tx, entry)?)
        })
    }

    /// The proof that the entry of an id is in the log, with the entry: leading to the checkpoint of `size` entries, or to
    /// the last one.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]. There is no such entry, or no such checkpoint that is younger than it.
    pub fn prove(&self, who: &Principal, id: &str, size: Option<u64>) -> Result<(Entry, Inclusion), KernelError> {
        self.permit(who, Act::read_log(false))?;
        let id = id.to_owned();
        self.read(move |tx| Ok(prove::inclusion_in(tx, &id, size)?))
    }

    /// The same of an entry that was dropped, and that somebody else has, such as an archive: its hash is still here.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]. It is not an entry of this log, or no checkpoint is younger than it.
    pub fn prove_dropped(&self, who: &Principal, entry: &Entry, size: Option<u64>) -> Result<Inclusion, KernelError> {
        self.permit(who, Act::read_log(false))?;
        let entry = entry.clone();
        self.read(move |tx| Ok(prove::inclusion_of(tx, &entry, size)?))
    }

    /// The proof that the log of the checkpoint of `old` entries is the beginning of that of the last one.
    ///
    /// # Errors
    /// The last one is not of so many, or `old` is 0, of which there is nothing to prove.
    pub fn prove_growth(&self, old: u64) -> Result<Consistency, KernelError> {
        self.read(move |tx| Ok(prove::consistency(tx, old)?))
    }

    /// The last checkpoint.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn checkpoint(&self) -> Result<Option<Kept>, KernelError> {
        self.read(|tx| Ok(checkpoint::current(tx)?))
    }

    /// Signs the head of the log and keeps that. What stands behind the last checkpoint is promised to nobody: so it is
    /// called before a checkpoint, or files that end with one, are given away, and by [`Kernel::sweep`] once an hour. A head
    /// that was signed is not signed again.
    ///
    /// # Errors
    /// [`KernelError::NoSigner`]; the log is not a continuation of its last checkpoint.
    pub fn sign_checkpoint(&self) -> Result<Kept, KernelError> {
        let shared = Arc::clone(&self.shared);
        self.writer.submit(move |tx| {
            let signer = shared.settings.signer.as_ref().ok_or(KernelError::NoSigner)?;
            Ok(shared.log.checkpoint(tx, signer)?)
        })
    }
}
