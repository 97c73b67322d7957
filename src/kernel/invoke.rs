//! The whole path around a piece of work: decide, start, run, say how it ended.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::ask::Verdict;
use super::engine::Kernel;
use super::error::KernelError;
use super::permit::{Permit, Step};
use super::record::Principal;

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
        let (verdict, permit) = match self.begin(who, request, facts) {
            Ok(begun) => begun,
            Err(nothing) => return *nothing,
        };
        let outcome = match catch_unwind(AssertUnwindSafe(|| work(&permit))) {
            Ok(outcome) => outcome,
            Err(panic) => {
                // It is told if it can be; the panic goes on to whoever handed the work in.
                drop(self.step(who, &permit, Step::Fail, None));
                resume_unwind(panic)
            }
        };
        self.end(who, verdict, &permit, outcome)
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
        let (verdict, permit) = match self.begin(who, request, facts) {
            Ok(begun) => begun,
            Err(nothing) => return *nothing,
        };
        let outcome = work(permit.clone()).await;
        self.end(who, verdict, &permit, outcome)
    }

    fn begin<T, E>(
        &self,
        who: &Principal,
        request: &[u8],
        facts: Option<&[u8]>,
    ) -> Result<(Verdict, Permit), Box<Invoked<T, E>>> {
        let verdict = self.decide(who, request, facts);
        let Some(permit) = verdict.permit.clone() else {
            return Err(Box::new(Invoked { verdict, outcome: None, trouble: None }));
        };
        let obliged = verdict.decision.as_ref().map_or(&[][..], |decision| &decision.obligations);
        if !obliged.is_empty() {
            let names = obliged.iter().map(|obligation| obligation.name.clone()).collect();
            return Err(Box::new(Invoked { verdict, outcome: None, trouble: Some(KernelError::Obliged(names)) }));
        }
        match self.start_issued(who, &permit, request) {
            Ok(()) => Ok((verdict, permit)),
            Err(why) => Err(Box::new(Invoked { verdict, outcome: None, trouble: Some(why) })),
        }
    }

    fn end<T, E>(&self, who: &Principal, verdict: Verdict, permit: &Permit, outcome: Result<T, E>) -> Invoked<T, E> {
        let step = if outcome.is_ok() { Step::Complete } else { Step::Fail };
        let told = self.step(who, permit, step, None);
        Invoked { verdict, outcome: Some(outcome), trouble: told.err() }
    }
}
