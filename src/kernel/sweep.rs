//! Sweeping: what time has ended is written down. To be called from time to time; nothing relies on when.
//!
//! Whoever sweeps has to be allowed to, and is asked before anything is looked at: who may not learns nothing, not even that
//! nothing is due. That somebody may is an entry only if there is something to sweep, so that a log is not full of who looked
//! and found nothing.
//!
//! The head of the log is signed, if the kernel has the key and the oldest entry that no checkpoint stands for is
//! [`SIGN_AFTER`] old.
//!
//! Permits that nobody started expire, those that nobody ended are abandoned; gates expire or ask another group; scopes
//! expire. One thing that can't be swept, because it is damaged, keeps no other from it.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::Arc;

use super::engine::{Kernel, Shared};
use super::entry::Entry;
use super::error::KernelError;
use super::govern::act::Act;
use super::log::checkpoint;
use super::permit::PermitState;
use super::record::Principal;
use super::store::{Object, Query, Tx};
use super::{approvals, running, scopes};
use crate::base::limits::SWEEP_MAX;
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;

/// What was swept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Permits that have ended, with what became of them.
    pub permits: Vec<(String, PermitState)>,
    /// Gates that have ended, or ask another group as well.
    pub gates: Vec<String>,
    /// Scopes that have expired.
    pub scopes: Vec<String>,
    /// Of how many entries the head of the log was signed, if it was.
    pub signed: Option<u64>,
    /// What could not be swept: its kind, its id, and why.
    pub failed: Vec<Failed>,
}

/// How old the oldest entry that no checkpoint stands for gets before a sweep signs.
pub const SIGN_AFTER: Duration = Duration(3_600_000);

type Failed = (&'static str, String, KernelError);
type Step<T> = fn(&mut dyn Tx, &Shared, Object) -> Result<T, KernelError>;

impl Kernel {
    /// Writes down what time has ended. Whoever embeds a kernel calls it every few seconds.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]; or the store failed: what was swept before that is not lost.
    pub fn sweep(&self, who: &Principal) -> Result<Swept, KernelError> {
        self.permit_quietly(who, Act::sweep())?;
        let mut swept = Swept::default();
        let mut failed = Vec::new();
        if self.read(is_due(self.shared.environment.now()))? {
            self.sweep_all(who, &mut swept, &mut failed)?;
        }
        match self.sign_if_due() {
            Ok(signed) => swept.signed = signed,
            Err(why) => failed.push(("checkpoint", String::new(), why)),
        }
        swept.failed = failed;
        Ok(swept)
    }

    fn sweep_all(&self, who: &Principal, swept: &mut Swept, failed: &mut Vec<Failed>) -> Result<(), KernelError> {
        self.permit(who, Act::sweep())?;
        swept.permits = self.sweep_each(running::KIND, running::time_out, failed)?;
        swept.gates = names(self.sweep_each(approvals::KIND, approvals::time_out, failed)?);
        swept.scopes = names(self.sweep_each(scopes::KIND, scopes::time_out, failed)?);
        Ok(())
    }

    /// Signs the head of the log, if there is something that it is time to sign for. Gives of how many entries.
    fn sign_if_due(&self) -> Result<Option<u64>, KernelError> {
        if self.shared.settings.signer.is_none() {
            return Ok(None);
        }
        let now = self.shared.environment.now();
        let is_due = self.read(move |tx| {
            let signed = checkpoint::current(tx)?.map_or(0, |kept| kept.size);
            let oldest = tx.entries(signed, 1)?;
            let Some((_, bytes)) = oldest.first() else { return Ok(false) };
            let entry = Entry::read(bytes).map_err(|why| KernelError::Damaged(format!("entry {signed}: {why}")))?;
            Ok(entry.time.checked_add(SIGN_AFTER).is_ok_and(|due| due <= now))
        })?;
        if is_due { Ok(Some(self.sign_checkpoint()?.size)) } else { Ok(None) }
    }

    fn sweep_each<T: Send + 'static>(
        &self,
        kind: &'static str,
        step: Step<T>,
        failed: &mut Vec<Failed>,
    ) -> Result<Vec<(String, T)>, KernelError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let due_until_ms = Some(self.shared.environment.now().millis());
            let query = Query { kind: kind.to_owned(), state: None, due_until_ms, after, limit: SWEEP_MAX };
            let due = self.read(move |tx| Ok(tx.find(&query)?))?;
            let Some(last) = due.last() else { return Ok(all) };
            after = Some(last.key.clone());
            match self.sweep_these(due.clone(), step) {
                Ok(mut done) => all.append(&mut done),
                // Which of them it was is found out by taking them one by one.
                Err(_) => {
                    for object in due {
                        let key = object.key.clone();
                        match self.sweep_these(vec![object], step) {
                            Ok(mut done) => all.append(&mut done),
                            Err(why) => failed.push((kind, key, why)),
                        }
                    }
                }
            }
        }
    }

    fn sweep_these<T: Send + 'static>(
        &self,
        objects: Vec<Object>,
        step: Step<T>,
    ) -> Result<Vec<(String, T)>, KernelError> {
        let shared = Arc::clone(&self.shared);
        self.writer.submit(move |tx| {
            let mut done = Vec::new();
            for object in objects {
                // It may have been changed since it was found.
                let Some(object) = tx.get(&object.kind, &object.key)? else { continue };
                let is_due = object.due_ms.is_some_and(|due| due <= shared.environment.now().millis());
                if is_due {
                    let key = object.key.clone();
                    done.push((key, step(tx, &shared, object)?));
                }
            }
            Ok(done)
        })
    }
}

/// Whether anything is due.
fn is_due(now: Timestamp) -> impl FnOnce(&mut dyn Tx) -> Result<bool, KernelError> + Send + 'static {
    move |tx| {
        for kind in [running::KIND, approvals::KIND, scopes::KIND] {
            let due_until_ms = Some(now.millis());
            let query = Query { kind: kind.to_owned(), state: None, due_until_ms, after: None, limit: 1 };
            if !tx.find(&query)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn names(done: Vec<(String, ())>) -> Vec<String> {
    done.into_iter().map(|(name, ())| name).collect()
}
