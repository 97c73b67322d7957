//! The real machines behind the analysis: what it finds is asked of them before anybody sees it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::eval;
use super::policy::{self, Built};
use super::status::Failure;
use crate::analysis::diff::{Decide, Told};
use crate::analysis::request::Request;
use crate::analysis::verify::Witness;
use crate::compile::claims::{ClaimId, Instrumented, instrument};
use crate::compile::compile;
use crate::diagnostic::Diagnostics;
use crate::types::typed;
use crate::vm::decide::Answer;
use crate::vm::decision::Decision;
use crate::vm::machine::{Machine, Question, Scratch};

/// A machine for each version.
#[derive(Debug)]
pub struct Decider {
    machines: Vec<Machine>,
    scratch: Scratch,
}

impl Decider {
    /// Machines of these packages, through bundles.
    pub fn new(of: &[&Built]) -> Result<Decider, Failure> {
        let machine = |built: &&Built| policy::machine(policy::loaded_bundle(&built.bundle()?)?);
        Ok(Decider { machines: of.iter().map(machine).collect::<Result<_, _>>()?, scratch: Scratch::default() })
    }

    /// The whole decision; of entities that a version refuses, why.
    pub fn decision(&mut self, side: usize, request: &Request) -> Result<Decision, String> {
        let machine = self.machines.get(side).ok_or("there is no such version")?;
        decision(machine, &mut self.scratch, request)
    }
}

fn decision(machine: &Machine, scratch: &mut Scratch, request: &Request) -> Result<Decision, String> {
    machine
        .load_entities(request.entities.as_bytes())
        .map_err(|refused| format!("the entities are refused: {refused}"))?;
    let question = Question { facts: Some(request.facts.as_bytes()), ..Question::strict(request.request.as_bytes()) };
    Ok(machine.decide(question, scratch).decision())
}

/// A machine of one package with entities and facts that stay.
#[derive(Debug)]
pub struct Standing {
    machine: Machine,
    scratch: Scratch,
}

impl Standing {
    /// The machine of a package, with the entities of these files.
    pub fn new(built: &Built, entities: &[PathBuf]) -> Result<Standing, Failure> {
        let machine = policy::machine(policy::loaded_bundle(&built.bundle()?)?)?;
        if !entities.is_empty() {
            eval::load_entities(&machine, entities)?;
        }
        Ok(Standing { machine, scratch: Scratch::default() })
    }

    /// The machine.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The whole decision.
    pub fn decision(&mut self, request: &[u8], facts: Option<&[u8]>) -> Decision {
        let question = Question { facts, ..Question::strict(request) };
        self.machine.decide(question, &mut self.scratch).record()
    }
}

/// An answer, as the typed tree has it.
#[must_use]
pub fn answer(decision: &Decision) -> typed::Answer {
    match decision.answer() {
        Answer::Allow => typed::Answer::Allow,
        Answer::Deny => typed::Answer::Deny,
        Answer::RequireApproval => typed::Answer::RequireApproval,
    }
}

/// What a decision rests on, without where it stands in the sources.
fn reasons(decision: &Decision) -> String {
    let rules: Vec<_> = decision.rules.iter().map(|rule| (&rule.id, &rule.message, &rule.code)).collect();
    format!("{:?} {rules:?} {:?}", decision.kind, decision.codes)
}

/// What is obliged, whichever rules oblige to it.
fn obligations(decision: &Decision) -> String {
    let all: BTreeSet<String> =
        decision.obligations.iter().map(|told| format!("{} {:?}", told.name, told.arguments)).collect();
    format!("{all:?}")
}

impl Decide for Decider {
    fn decide(&mut self, side: usize, request: &Request) -> Told {
        match self.decision(side, request) {
            Ok(decision) => Told {
                answer: answer(&decision),
                kind: decision.kind.name().to_owned(),
                rules: decision.rules.iter().map(|rule| rule.id.as_str().into()).collect(),
                gates: format!("{:?}", decision.gates),
                obligations: obligations(&decision),
                reasons: reasons(&decision),
            },
            // What a version does not take can't be asked of it.
            Err(why) => refused(why),
        }
    }
}

/// What is told where nothing could be asked.
fn refused(why: String) -> Told {
    Told {
        answer: typed::Answer::Deny,
        kind: "refused".to_owned(),
        rules: Vec::new(),
        gates: String::new(),
        obligations: String::new(),
        reasons: why,
    }
}

/// A package that claims something, once more with probes that tell of its claims.
pub fn probed(built: &Built) -> Result<Option<(Instrumented, Built)>, Failure> {
    let Some(instrumented) = instrument(&built.policy) else { return Ok(None) };
    let mut sink = Diagnostics::default();
    let Some(compiled) = compile(&instrumented.policy, &mut sink) else {
        return Err(Failure::new(format!("`{}` is too large for its claims to be looked at", built.name)));
    };
    let (policy, sources) = (instrumented.policy.clone(), built.sources.clone());
    Ok(Some((instrumented, Built { name: built.name.clone(), policy, sources, compiled })))
}

/// The machines of a package, and of the same package that tells of its claims, made when they are first asked.
#[derive(Debug)]
pub struct Claiming<'b> {
    built: &'b Built,
    decider: Option<Decider>,
    claims: Option<Option<(Instrumented, Machine)>>,
    failure: Option<Failure>,
}

impl<'b> Claiming<'b> {
    /// The machines of a package.
    #[must_use]
    pub fn new(built: &'b Built) -> Claiming<'b> {
        Claiming { built, decider: None, claims: None, failure: None }
    }

    /// Why a machine could not be made: then no answer of these is one.
    pub fn failure(self) -> Option<Failure> {
        self.failure
    }

    fn decider(&mut self) -> Option<&mut Decider> {
        if self.decider.is_none() && self.failure.is_none() {
            match Decider::new(&[self.built]) {
                Ok(decider) => self.decider = Some(decider),
                Err(failure) => self.failure = Some(failure),
            }
        }
        self.decider.as_mut()
    }

    fn claims(&mut self) -> Option<&(Instrumented, Machine)> {
        if self.claims.is_none() && self.failure.is_none() {
            match claiming(self.built) {
                Ok(claims) => self.claims = Some(claims),
                Err(failure) => self.failure = Some(failure),
            }
        }
        self.claims.as_ref()?.as_ref()
    }
}

fn claiming(built: &Built) -> Result<Option<(Instrumented, Machine)>, Failure> {
    let Some((instrumented, probed)) = probed(built)? else { return Ok(None) };
    let machine = policy::machine(policy::loaded_bundle(&probed.bundle()?)?)?;
    Ok(Some((instrumented, machine)))
}

impl Decide for Claiming<'_> {
    fn decide(&mut self, side: usize, request: &Request) -> Told {
        match self.decider() {
            Some(decider) => decider.decide(side, request),
            None => refused("there is no machine".to_owned()),
        }
    }
}

impl Witness for Claiming<'_> {
    fn refutes(&mut self, prove: usize, claim: usize, request: &Request) -> bool {
        let Some((instrumented, machine)) = self.claims() else { return false };
        let Ok(decision) = decision(machine, &mut Scratch::default(), request) else { return false };
        let matched = decision.shadow.iter().filter(|rule| rule.error.is_none()).map(|rule| &*rule.id);
        instrumented.refuted(answer(&decision), matched).contains(&ClaimId { prove, claim })
    }
}
