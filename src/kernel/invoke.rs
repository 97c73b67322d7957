//! The whole path around a piece of work: decide, start, run, say how it ended.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::ask::Verdict;
use super::engine::Kernel;
use super::error::KernelError;
use super::permit::{Permit, Step};
use super::record::Principal;
use super::running::{self, Begun};
use super::scopes::Reserved;

/// What became of a piece of work.
#[derive(Clone, Debug, PartialEq)]
pub struct Invoked<T, E> {
    /// The answer. If it is not `ALLOW`, nothing ran.
    pub verdict: Verdict,
    /// What the work gave; `None` if it did not run.
    pub outcome: Option<Result<T, E>>,
    /// What went wrong behind the answer: it could not be started, and did not run; or it ran, and how it ended could not be
    /// recorded. Then it counts as abandoned after its time.
    pub trouble: Option<KernelError>,
}

/// A verdict whose permit was started, with what is reserved for it; or all there is to say, where nothing runs.
type Beginning<T, E> = Result<(Verdict, Option<Reserved>), Box<Invoked<T, E>>>;

impl Kernel {
    /// Decides a request, and runs the work if, and only if, it is allowed and could be started. The work is run once, with
    /// the permit that it has; how it ended is in the log when this returns. A work that panics has failed.
    ///
    /// An answer with obligations is one only for who fulfils them, and a work can't know of them. So nothing is run then:
    /// whoever fulfils obligations decides, fulfils them, and starts the permit itself.
    pub fn invoke<T, E>(
        &self,
        who: &Principal,
        request: &[u8],
        facts: Option<&[u8]>,
        work: impl FnOnce(&Permit) -> Result<T, E>,
    ) -> Invoked<T, E> {
        let (verdict, reserved) = match self.begin(who, request, facts) {
            Ok(begun) => begun,
            Err(nothing) => return *nothing,
        };
        let Some(permit) = &verdict.permit else { return nothing(verdict, None) };
        let outcome = match catch_unwind(AssertUnwindSafe(|| work(permit))) {
            Ok(outcome) => outcome,
            Err(panic) => {
                // It is told if it can be; the panic goes on to whoever handed the work in.
                drop(self.end(who, permit, reserved, Step::Fail));
                resume_unwind(panic)
            }
        };
        let told = self.end(who, permit, reserved, step_of(&outcome));
        Invoked { verdict, outcome: Some(outcome), trouble: told.err() }
    }

    /// The same around work that is waited for. It needs no runtime of any kind; what is done in the store keeps the thread
    /// waiting as [`decide`](Kernel::decide) does. If the future is dropped while the work is under way, nobody says how it
    /// ended, and it counts as abandoned after its time.
    pub async fn invoke_async<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        who: &Principal,
        request: &[u8],
        facts: Option<&[u8]>,
        work: impl FnOnce(Permit) -> F,
    ) -> Invoked<T, E> {
        let (verdict, reserved) = match self.begin(who, request, facts) {
            Ok(begun) => begun,
            Err(nothing) => return *nothing,
        };
        let Some(permit) = &verdict.permit else { return nothing(verdict, None) };
        let outcome = work(permit.clone()).await;
        let told = self.end(who, permit, reserved, step_of(&outcome));
        Invoked { verdict, outcome: Some(outcome), trouble: told.err() }
    }

    /// Decides, and starts what was allowed in the same transaction: so it is neither decided anew nor read again, and
    /// nothing can come between. What comes out has a permit that was started.
    fn begin<T, E>(&self, who: &Principal, request: &[u8], facts: Option<&[u8]>) -> Beginning<T, E> {
        let wanted = self.wanted(who, request, facts);
        let (mut verdict, begun) = self.answer_to(wanted, |tx, shared, allowed| running::begin(tx, shared, allowed));
        let Some(Begun { permit, reserved, started }) = begun else { return Err(Box::new(nothing(verdict, None))) };
        verdict.permit = Some(permit);
        let obliged = verdict.decision.as_ref().map_or(&[][..], |decision| &decision.obligations);
        if !obliged.is_empty() {
            let names = obliged.iter().map(|obligation| obligation.name.clone()).collect();
            return Err(Box::new(nothing(verdict, Some(KernelError::Obliged(names)))));
        }
        match started {
            Ok(()) => Ok((verdict, reserved)),
            Err(why) => Err(Box::new(nothing(verdict, Some(why.into())))),
        }
    }
}

fn step_of<T, E>(outcome: &Result<T, E>) -> Step {
    if outcome.is_ok() { Step::Complete } else { Step::Fail }
}

/// Nothing ran.
fn nothing<T, E>(verdict: Verdict, trouble: Option<KernelError>) -> Invoked<T, E> {
    Invoked { verdict, outcome: None, trouble }
}
