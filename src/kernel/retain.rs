//! Dropping what is old: the oldest entries of the log, once they are in an archive; and what has ended, which is not the
//! log's.
//!
//! What neighbours may rely on:
//!
//! - Nothing is dropped that is not in files that were verified, and that it was dropped is an entry.
//! - Every proof of what is left, every checkpoint and every consistency proof stays what it was.
//! - Tidying touches no entry. What it removes is over: it can't be used again, and whoever tries is told that there is no
//!   such thing. The log says what became of it.
//! - What is dropped of the log can't be decided again, shown or proved from here, but from the archive.
//! - Evidence is kept until it is erased with its entry or tidied, also when its entry was dropped.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::engine::{Kernel, Shared};
use super::entry::Entry;
use super::error::KernelError;
use super::govern::act::Act;
use super::log::compact::{Archive, compact};
use super::log::erase::erase_places;
use super::log::export::Files;
use super::log::verify::{Options, Progress};
use super::reading::Against;
use super::record::Principal;
use super::store::{Object, Query, Tx};
use super::{approvals, outbox, records, running, scopes};
use crate::base::hash::Digest;
use crate::base::limits::SWEEP_MAX;
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;

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
        // What is sensitive in these entries is gone then: so it is for whoever may erase. Evidence stays: it is the record's,
        // and goes by its own age.
        self.permit(who, Act::erase(&format!("before {before}"), reason, false))?;
        let (shared, archive, reason) = (Arc::clone(&self.shared), *archive, reason.to_owned());
        let principal = who.to_json();
        self.writer.submit_patiently(move |tx| {
            let why = (&principal, reason.as_str());
            Ok(compact(&shared.log, tx, &*shared.environment, &archive, before, why, &records::is_evidence)?)
        })
    }
}

/// What can be tidied: what is over, of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// Permits that have ended, by when they were issued.
    Permits,
    /// Gates that have ended, by when they were opened.
    Gates,
    /// Scopes that have ended and in which nothing runs, by when they were made.
    Scopes,
    /// Events that were delivered, by when they were written.
    Events,
    /// Evidence, by when it was given. That it was erased is an entry each time.
    Evidence,
}

impl Old {
    /// All of them.
    pub const ALL: [Old; 5] = [Old::Permits, Old::Gates, Old::Scopes, Old::Events, Old::Evidence];

    /// Its name in the policy.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Old::Permits => "permits",
            Old::Gates => "gates",
            Old::Scopes => "scopes",
            Old::Events => "events",
            Old::Evidence => "evidence",
        }
    }

    /// The one of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Old> {
        Old::ALL.into_iter().find(|old| old.name() == name)
    }

    fn kind(self) -> &'static str {
        match self {
            Old::Permits => running::KIND,
            Old::Gates => approvals::KIND,
            Old::Scopes => scopes::KIND,
            Old::Events => outbox::KIND,
            Old::Evidence => records::EVIDENCE,
        }
    }

    /// Since when it is there, and whether it is over.
    fn age(self, object: &Object) -> Result<(Timestamp, bool), KernelError> {
        match self {
            Old::Permits => running::age(object),
            Old::Gates => approvals::age(object),
            Old::Scopes => scopes::age(object),
            Old::Events => outbox::age(object),
            Old::Evidence => Ok((records::evidence_of(object)?.1, true)),
        }
    }
}

impl Kernel {
    /// Removes what is over of one kind and older, and gives how much that was. Whether somebody may is asked before anything
    /// is looked at; that they may is an entry only if there is something to remove.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]; or the store failed: what was removed before that stays so.
    pub fn tidy(&self, who: &Principal, what: Old, older_than: Duration) -> Result<u64, KernelError> {
        self.permit_quietly(who, Act::tidy(what.name(), older_than))?;
        let now = self.shared.environment.now();
        let Some(before) = now.millis().checked_sub(older_than.0.max(0)).and_then(Timestamp::from_millis) else {
            return Ok(0);
        };
        let (mut removed, mut after, mut allowed) = (0_u64, None, None);
        loop {
            let query =
                Query { kind: what.kind().to_owned(), state: None, due_until_ms: None, after, limit: SWEEP_MAX };
            let found = self.read(move |tx| Ok(tx.find(&query)?))?;
            let Some(last) = found.last() else { return Ok(removed) };
            after = Some(last.key.clone());
            let mut old = Vec::new();
            for object in found {
                let (since, is_over) = what.age(&object)?;
                // All but evidence stand in the order of their times.
                if since >= before && what != Old::Evidence {
                    after = None;
                    break;
                }
                if is_over && since < before {
                    old.push(object);
                }
            }
            let is_last = after.is_none();
            if !old.is_empty() {
                let allowed = match &allowed {
                    Some(allowed) => String::clone(allowed),
                    None => allowed.insert(self.permit(who, Act::tidy(what.name(), older_than))?).clone(),
                };
                let reason = format!("older than {older_than}");
                removed = removed.saturating_add(self.remove(who, what, old, allowed, reason)?);
            }
            if is_last {
                return Ok(removed);
            }
        }
    }

    /// Removes some objects, but for those that were changed since they were found.
    fn remove(
        &self,
        who: &Principal,
        what: Old,
        old: Vec<Object>,
        allowed: String,
        reason: String,
    ) -> Result<u64, KernelError> {
        let (shared, principal) = (Arc::clone(&self.shared), who.to_json());
        self.writer.submit_patiently(move |tx| {
            let mut removed: u64 = 0;
            for object in old {
                let is_same = tx.get(&object.kind, &object.key)?.is_some_and(|now| now.version == object.version);
                if !is_same {
                    continue;
                }
                if what == Old::Evidence {
                    forget(tx, &shared, &object, (&principal, &reason), &allowed)?;
                }
                tx.remove(&object.kind, &object.key, object.version)?;
                removed = removed.saturating_add(1);
            }
            Ok::<_, KernelError>(removed)
        })
    }
}

/// Erases evidence, whether its entry is still there or was dropped.
fn forget(
    tx: &mut dyn Tx,
    shared: &Shared,
    object: &Object,
    why: (&Value, &str),
    allowed: &str,
) -> Result<(), KernelError> {
    let (entry, _) = records::evidence_of(object)?;
    let digest =
        Digest::parse(&object.key).ok_or_else(|| KernelError::Damaged(format!("the evidence {}", object.key)))?;
    let places = BTreeMap::from([(records::EVIDENCE_PLACE.to_owned(), digest)]);
    erase_places(&shared.log, tx, &*shared.environment, &entry, places, why, Some(allowed))?;
    Ok(())
}
