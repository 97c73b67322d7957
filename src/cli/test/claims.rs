//! Holds every request of tests and cases against the package's claims: one that refutes a claim is a failure.

use super::cases::{Case, CaseFile};
use super::{decide_all, through_bundle};
use crate::base::span::Span;
use crate::cli::decider;
use crate::cli::policy::Built;
use crate::cli::status::Failure;
use crate::compile::claims::{ClaimId, Instrumented};
use crate::types::typed::TestDef;
use crate::vm::decision::Decision;
use crate::vm::machine::Machine;

/// A package that tells of its claims, at work.
#[derive(Debug)]
pub struct Claims {
    instrumented: Instrumented,
    built: Built,
    machine: Machine,
}

/// A claim that does not hold.
#[derive(Debug)]
pub struct Refuted {
    /// A sentence.
    pub message: String,
    /// The claim.
    pub span: Span,
}

impl Claims {
    /// Prepares a package that claims something.
    pub fn new(built: &Built) -> Result<Option<Claims>, Failure> {
        let Some((instrumented, probed)) = decider::probed(built)? else { return Ok(None) };
        let machine = through_bundle(&probed)?;
        Ok(Some(Claims { instrumented, built: probed, machine }))
    }

    /// What the requests of a test refute.
    #[must_use]
    pub fn of_test(&self, test: &TestDef) -> Vec<Refuted> {
        let mut refuted = Vec::new();
        // A test whose entities are refused has failed already.
        let _ = decide_all(&self.built, &self.machine, test, |_, decision| refuted.extend(self.refuted(&decision)));
        refuted
    }

    /// What the cases of a file refute.
    pub fn of_cases(&self, file: &CaseFile, mut then: impl FnMut(&Case, Refuted)) {
        // A file whose entities are refused has failed already.
        let _ = file.decide_all(&self.machine, |case, decision| {
            self.refuted(&decision).into_iter().for_each(|refuted| then(case, refuted));
            true
        });
    }

    fn refuted(&self, decision: &Decision) -> Vec<Refuted> {
        let matched = decision.shadow.iter().filter(|rule| rule.error.is_none()).map(|rule| &*rule.id);
        let refuted = self.instrumented.refuted(decider::answer(decision), matched);
        refuted.into_iter().map(|claim| self.told(claim, decision)).collect()
    }

    fn told(&self, ClaimId { prove, claim }: ClaimId, decision: &Decision) -> Refuted {
        let def = &self.built.policy.proves[prove];
        let span = def.claims[claim].1;
        let module = &self.built.policy.modules[def.module.index()].name;
        let place = self.built.sources.place(span);
        let answer = decision.answer().name();
        let message = format!("{answer} refutes a claim of `{module}.{}` at {place}", def.name);
        Refuted { message, span }
    }
}
