//! What holds of a policy for every request: its claims, its invariants, and what its rules can and can't do.

mod claims;
mod rules;

use std::sync::Arc;

use crate::analysis::decision::{Decided, decide};
use crate::analysis::diff::{Decide, Told};
use crate::analysis::question::{Found, Kind, Question, kinds};
use crate::analysis::request::{Request, request};
use crate::analysis::solver::Model;
use crate::base::span::Span;
use crate::types::typed::TypedPolicy;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// A claim of a `prove` block. Refuted it is a failure.
    Claim,
    /// An invariant: whether the rules imply it without its guard. Refuted it is a note: the guard is at work.
    Invariant,
    /// A rule that never fails: refuted it can, and then denies.
    Error,
    /// A rule that can match.
    Vacuous,
    /// A rule that can match where nothing else denies.
    Shadowed,
    /// A rule without which some answer would be another.
    Redundant,
    /// A gate that somebody can be asked at.
    Gate,
}

impl About {
    /// Its name in data.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            About::Claim => "claim",
            About::Invariant => "invariant",
            About::Error => "error",
            About::Vacuous => "vacuous",
            About::Shadowed => "shadowed",
            About::Redundant => "redundant",
            About::Gate => "gate",
        }
    }
}

/// A request that shows something.
#[derive(Clone, Debug)]
pub struct Example {
    /// Of which kind.
    pub kind: Kind,
    /// The request.
    pub request: Request,
    /// What the machine answers.
    pub told: Told,
}

/// How it came out.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It holds of every request.
    Proved,
    /// It does not hold of this request. Of what should exist and does not there is no request.
    Refuted(Option<Box<Example>>),
    /// It is not known, and why.
    Undecided(String),
}

/// What was found out about one thing.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What kind of thing.
    pub about: About,
    /// Its name: of a claim that of its block, else the rule's id.
    pub name: Arc<str>,
    /// A sentence: what was to be shown.
    pub text: String,
    /// Where.
    pub span: Span,
    /// How it came out.
    pub verdict: Verdict,
}

/// How far is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Steps for each question.
    pub steps: u64,
    /// Rules of all modules are looked at, not of the package's own alone.
    pub everything: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { steps: 1_000_000, everything: false }
    }
}

/// Asks the machine, and whether a request refutes a claim: a block's place and the claim's place in it.
pub trait Witness: Decide {
    /// Whether the machine says that the request refutes the claim.
    fn refutes(&mut self, prove: usize, claim: usize, request: &Request) -> bool;
}

/// What is known of a kind of request without looking at it: kept from an earlier run, and written for a later one.
pub trait Memory {
    /// Whether this was proved before; `key` names all that it depends on.
    fn is_proved(&self, key: &str) -> bool;
    /// This was proved.
    fn proved(&mut self, key: &str);
}

/// Remembers nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forgetful;

impl Memory for Forgetful {
    fn is_proved(&self, _: &str) -> bool {
        false
    }

    fn proved(&mut self, _: &str) {}
}

/// One kind of request, encoded, with what is needed to ask about it.
pub(super) struct Asked<'q, 'a> {
    kind: &'q Kind,
    question: &'q mut Question<'a>,
    decided: &'q Decided,
}

impl Asked<'_, '_> {
    /// Looks for a request.
    fn find(&mut self, all: &[crate::analysis::formula::F]) -> Found {
        let simple = self.question.world.simplicity();
        self.question.find_small(all, &simple)
    }

    /// The request that a model is.
    fn request(&self, model: &Model) -> Request {
        request(&self.question.world, model, 0)
    }
}

/// Looks at everything that can be found out about a policy.
pub fn verify(
    policy: &TypedPolicy,
    options: Options,
    machine: &mut dyn Witness,
    memory: &mut dyn Memory,
) -> Vec<Finding> {
    let mut claims = claims::Claims::new(policy);
    let mut rules = rules::Rules::new(policy, options.everything);
    let common = crate::analysis::key::common(policy);
    for kind in kinds(policy) {
        let Some(action) = crate::analysis::question::action(policy, &kind.action) else { continue };
        let text = crate::analysis::key::of_action(policy, action);
        let key = crate::analysis::key::digest(&[
            env!("CARGO_PKG_VERSION"),
            &kind.action,
            &kind.subject,
            &kind.resource,
            &common,
            &text,
        ]);
        let key = key.to_string();
        let (mut question, (decided, said)) = Question::new(&[policy], &kind, options.steps, |world| {
            let decided = decide(world, 0);
            let said = claims::encode(world, policy, action, &decided);
            (decided, said)
        });
        let mut asked = Asked { kind: &kind, question: &mut question, decided: &decided };
        claims.of_kind(&mut asked, &said, machine, memory, &key);
        rules.of_kind(&mut asked, machine);
    }
    let mut all = claims.findings();
    all.extend(rules.findings());
    all.sort_by_key(|finding| (finding.span, finding.about));
    all
}
