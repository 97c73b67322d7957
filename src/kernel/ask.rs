//! Asking the kernel: a request, and the answer with what comes with it.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::admit::{Allowed, Concluded, Wanted, conclude, judge_in, judge_plain};
use super::engine::{Active, Kernel, Shared};
use super::error::KernelError;
use super::gate::{Gate, Refused};
use super::members::{self, one};
use super::modes::Mode;
use super::permit::Permit;
use super::present::Given;
use super::record::{self, Principal};
use super::running;
use super::store::Tx;
use super::touch::Touched;
use crate::vm::decide::Answer;
use crate::vm::decision::Decision;

/// An answer, and what comes with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    answer: Answer,
    /// The decision with its reasons; none if the kernel itself denied. Where a gate was spent, what it came to.
    pub decision: Option<Decision>,
    /// The id of its entry in the log; none if none could be written.
    pub entry: Option<String>,
    /// Leave to run it, with an `ALLOW` and only then.
    pub permit: Option<Permit>,
    /// The gate that people are asked by, with a `REQUIRE_APPROVAL`; or the one that was spent, with an `ALLOW`.
    pub gate: Option<Gate>,
    /// How it was enforced: an `ALLOW` of a decision that denies is one of a capability that is permissive.
    pub mode: Mode,
    /// Why the kernel itself denied.
    pub trouble: Option<KernelError>,
}

impl Verdict {
    /// The answer.
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.answer
    }

    /// A denial that is the kernel's own.
    pub(super) fn denied(entry: Option<String>, trouble: KernelError) -> Verdict {
        let (mode, trouble) = (Mode::Strict, Some(trouble));
        Verdict { answer: Answer::Deny, decision: None, entry, permit: None, gate: None, mode, trouble }
    }

    pub(super) fn of<T>(concluded: Concluded<T>) -> (Verdict, Option<T>) {
        let Concluded { answer, decision, entry, gate, mode, trouble, followed } = concluded;
        let (decision, entry) = (Some(decision), Some(entry));
        (Verdict { answer, decision, entry, permit: None, gate, mode, trouble }, followed)
    }
}

impl Kernel {
    /// Decides a request. The entry of the decision is durable when this returns.
    ///
    /// `facts` are what the embedder knows, a JSON object of fields marked `@kernel`; `now`, scopes and the attributes of
    /// governed records are the kernel's to say.
    ///
    /// With an `ALLOW` comes a permit, and what it needs of its scope is reserved. With a `REQUIRE_APPROVAL` comes the gate
    /// by which people are asked. Whoever asks for the very same again gets the same gate, and once enough have agreed a
    /// permit: then the request is decided anew, and the approval is spent in the transaction that issues the permit.
    #[must_use]
    pub fn decide(&self, principal: &Principal, request: &[u8], facts: Option<&[u8]>) -> Verdict {
        self.permitting(self.wanted(principal, request, facts))
    }

    /// What somebody wants who asks for the first time.
    pub(super) fn wanted(&self, principal: &Principal, request: &[u8], facts: Option<&[u8]>) -> Wanted {
        Wanted {
            who: principal.clone(),
            request: request.to_vec(),
            facts: facts.map(<[u8]>::to_vec),
            gate: None,
            given: Given::Refused,
            effects: None,
            modes: self.modes(),
        }
    }

    /// Spends a gate: what it was opened for is decided again, with the bundle, the registry, the records and the facts of
    /// today, and permitted if everybody has agreed who has to today. Only who asked for it may.
    ///
    /// What is denied today is denied, and ends the gate; so does a binding that is another one today. A gate for a change
    /// with effects is used by asking for that change again ([`Kernel::change`]), and is left as it is here.
    #[must_use]
    pub fn spend(&self, principal: &Principal, gate: &str, facts: Option<&[u8]>) -> Verdict {
        let request = self.gate_kept(gate).and_then(|gate| match gate.ok_or(KernelError::UnknownGate)? {
            gate if gate.state.is_final() => Err(KernelError::Gate(Refused::Over(gate.state))),
            gate if gate.has_effects => Err(KernelError::Gate(Refused::HasEffects)),
            gate => Ok(gate.request),
        });
        match request {
            Ok(request) => self.permitting(Wanted {
                who: principal.clone(),
                request: request.into_bytes(),
                facts: facts.map(<[u8]>::to_vec),
                gate: Some(gate.to_owned()),
                given: Given::Replaced,
                effects: None,
                modes: self.modes(),
            }),
            Err(trouble) => self.deny(principal, trouble),
        }
    }

    fn permitting(&self, wanted: Wanted) -> Verdict {
        let (mut verdict, permit) = self.answer_to(wanted, |tx, shared, allowed| running::issue(tx, shared, allowed));
        verdict.permit = permit;
        verdict
    }

    /// Answers, and has done what follows from an `ALLOW`. Whatever fails is a denial, and nothing else was done then.
    pub(super) fn answer_to<T: Send + 'static>(
        &self,
        wanted: Wanted,
        follow: impl FnOnce(&mut dyn Tx, &Shared, &Allowed<'_>) -> Result<T, KernelError> + Send + 'static,
    ) -> (Verdict, Option<T>) {
        let who = wanted.who.clone();
        let answered = catch_unwind(AssertUnwindSafe(|| self.admit(wanted, follow)));
        match answered.unwrap_or(Err(KernelError::Panicked)) {
            Ok(concluded) => Verdict::of(*concluded),
            Err(trouble) => (self.deny(&who, trouble), None),
        }
    }

    /// A denial that is the kernel's own. It is told as loudly as can be; if that fails too, the caller has it all the same.
    pub(super) fn deny(&self, who: &Principal, trouble: KernelError) -> Verdict {
        let entry = self.append(record::trouble(who, &trouble.to_string())).ok();
        Verdict::denied(entry, trouble)
    }

    fn admit<T: Send + 'static>(
        &self,
        wanted: Wanted,
        follow: impl FnOnce(&mut dyn Tx, &Shared, &Allowed<'_>) -> Result<T, KernelError> + Send + 'static,
    ) -> Result<Box<Concluded<T>>, KernelError> {
        let (active, shared) = (self.active()?, Arc::clone(&self.shared));
        let judged = match peek(&active, &wanted.request) {
            Peek::Plain { clock } => Ok(judge_plain(&active, &shared, clock, &wanted)?),
            Peek::Kept(touched) => Err(touched),
        };
        self.writer.submit(move |tx| {
            let judged = match judged {
                Ok(judged) => judged,
                Err(touched) => judge_in(tx, &active, &shared, &touched, &wanted)?,
            };
            let concluded = conclude(tx, &shared, &active, &wanted, judged, |tx, allowed| follow(tx, &shared, allowed));
            // It is handed on through a few hands, and large.
            concluded.map(Box::new)
        })
    }
}

/// What a request touches that is kept.
#[derive(Clone, Debug)]
pub(super) enum Peek {
    /// Nothing; and whether its action asks what time it is. What can't be read the machine refuses, and no time makes
    /// anything else of it.
    Plain { clock: bool },
    /// Something.
    Kept(Touched),
}

/// Looks at the action of a request, if it makes a difference.
pub(super) fn peek(active: &Active, request: &[u8]) -> Peek {
    let action = || {
        let parts = members::read(request).ok()?;
        let action = members::read(one(&parts, "action")?.get().as_bytes()).ok()?;
        active.touches.action(&members::text(one(&action, "name")?)?)
    };
    match active.touches.uniform() {
        Some(clock) => Peek::Plain { clock },
        None => match action() {
            Some(touched) if !touched.is_plain() => Peek::Kept(touched.clone()),
            touched => Peek::Plain { clock: touched.is_some_and(|touched| touched.clock) },
        },
    }
}
