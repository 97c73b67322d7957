//! What holds of a policy for every request: its claims, its invariants, and what its rules can and can't do.

mod asked;
mod claims;
mod memory;
mod rules;
mod tables;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::diff::{Decide, Told};
use crate::analysis::key;
use crate::analysis::question::{self, Kind, Second, kinds};
use crate::analysis::request::Request;
use crate::analysis::smt::Program;
use crate::analysis::verify::asked::Asked;
pub use crate::analysis::verify::memory::{Forgetful, Kept, Memory};
use crate::base::span::Span;
use crate::types::typed::{ActionId, TypedPolicy};

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
    /// A table that has a row for each case.
    Table,
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
            About::Table => "table",
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
    /// Who proved it, where it was not this solver.
    pub second: Option<Program>,
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
    /// Who is asked where a claim stays undecided.
    pub second: Option<Second>,
}

impl Default for Options {
    fn default() -> Options {
        Options { steps: 5_000_000, everything: false, second: None }
    }
}

/// Asks the machine, and whether a request refutes a claim: a block's place and the claim's place in it.
pub trait Witness: Decide {
    /// Whether the machine says that the request refutes the claim.
    fn refutes(&mut self, prove: usize, claim: usize, request: &Request) -> bool;
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
    let keys = Keys::new(policy, options.steps);
    for kind in kinds(policy) {
        let Some(action) = question::action(policy, &kind.action) else { continue };
        let key = keys.of(&kind, action);
        let mut asked = Asked::new(policy, kind, action, options.steps, key, memory);
        claims.of_kind(&mut asked, options.second, machine);
        rules.of_kind(&mut asked, machine);
    }
    let mut all = claims.findings();
    all.extend(rules.findings());
    all.extend(tables::findings(policy, options));
    all.sort_by_key(|finding| (finding.span, finding.about));
    all
}

/// Names of all that the answers about a kind of request depend on.
struct Keys<'a> {
    policy: &'a TypedPolicy,
    /// What they all depend on: the search, how far it goes, and what is common to all actions.
    common: String,
    /// Of each action, what is on it.
    actions: RefCell<BTreeMap<ActionId, String>>,
}

impl<'a> Keys<'a> {
    fn new(policy: &'a TypedPolicy, steps: u64) -> Keys<'a> {
        let parts = [env!("CARGO_PKG_VERSION"), key::ENGINE, &steps.to_string(), &key::common(policy)];
        Keys { policy, common: key::digest(&parts).to_string(), actions: RefCell::default() }
    }

    fn of(&self, kind: &Kind, action: ActionId) -> String {
        let mut actions = self.actions.borrow_mut();
        let text = actions.entry(action).or_insert_with(|| {
            let text = key::of_action(self.policy, action);
            key::digest(&[&text]).to_string()
        });
        key::digest(&[&kind.action, &kind.subject, &kind.resource, &self.common, text]).to_string()
    }
}
