//! A decision with all its reasons, as plain data: what people, logs and other programs read.
//!
//! It is made on demand, after the answer, by [`Decided::decision`](crate::vm::machine::Decided::decision); it owns everything it holds.

use std::fmt;

use crate::base::hash::Digest;
use crate::bytecode::program::{Effect, SiteId};
use crate::vm::decide::{Answer, Kind};
use crate::vm::input::Document;
use crate::vm::value::FaultKind;

/// A decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Why; the answer follows from it.
    pub kind: Kind,
    /// The rules that determine it, in source order.
    pub rules: Vec<RuleReport>,
    /// The codes of these rules, each once, in the order of the rules.
    pub codes: Vec<String>,
    /// Whom to ask, if approval is required.
    pub gates: Vec<GateReport>,
    /// What whoever acts on the answer has to do, or else refuse.
    pub obligations: Vec<ObligationReport>,
    /// Shadow rules that match or fail: they change nothing.
    pub shadow: Vec<RuleReport>,
    /// What was wrong, of kind `error`.
    pub error: Option<ErrorReport>,
    /// The digests of what was decided upon, as far as they are known.
    pub digests: Digests,
    /// Attributes of registered entities were taken from the request because there were no entities.
    pub assumed_presented: bool,
}

/// The digests of what was decided upon, of typed values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    /// The bundle.
    pub bundle: Option<Digest>,
    /// The entities.
    pub registry: Option<Digest>,
    /// The kernel's facts.
    pub facts: Option<Digest>,
    /// The request.
    pub request: Option<Digest>,
    /// What an approval is bound to.
    pub binding: Option<Digest>,
}

/// A rule that matched, or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleReport {
    /// Its id.
    pub id: String,
    /// What it does.
    pub effect: Effect,
    /// Its message, rendered.
    pub message: Option<String>,
    /// Its code.
    pub code: Option<String>,
    /// Where it stands.
    pub site: SiteId,
    /// The same for people, once [`Decision::locate`] has found it.
    pub at: Option<String>,
    /// Of a shadow rule: that its condition was an error.
    pub error: Option<FaultKind>,
}

/// An approval gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateReport {
    /// The id of its rule.
    pub id: String,
    /// The group that may approve.
    pub from: EntityName,
    /// How many have to, at least one.
    pub quorum: i64,
    /// Until when, in milliseconds from the request.
    pub within_ms: Option<i64>,
    /// Who is asked next, and after how many milliseconds.
    pub escalations: Vec<(EntityName, i64)>,
    /// Whoever votes at another gate of the decision does not count here.
    pub distinct: bool,
}

/// An entity by type and id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntityName {
    /// The type's name on the wire.
    pub ty: String,
    /// The id.
    pub id: String,
}

/// An obligation.
#[derive(Clone, Debug, PartialEq)]
pub struct ObligationReport {
    /// Its name.
    pub name: String,
    /// The id of its rule.
    pub rule: String,
    /// Its arguments by name, in the order of the declaration.
    pub arguments: Vec<(String, Datum)>,
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorReport {
    /// The request or the facts.
    Input {
        /// The kind of the error.
        code: String,
        /// Which of the two.
        document: Document,
        /// The path in the document: `context.cost`.
        path: String,
        /// The error in words.
        message: String,
    },
    /// The evaluation of a rule.
    Evaluation {
        /// What went wrong.
        kind: FaultKind,
        /// The id of the rule.
        rule: String,
        /// Where it went wrong.
        site: SiteId,
        /// The same for people, once [`Decision::locate`] has found it.
        at: Option<String>,
    },
}

/// A value that belongs to nobody's heap.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// Absent.
    Null,
    /// Bool.
    Bool(bool),
    /// Int or Decimal, in canonical form.
    Number(String),
    /// Everything that is written as a string.
    Text(String),
    /// A set or a list.
    Array(Vec<Datum>),
    /// A record, a map or an entity.
    Object(Vec<(String, Datum)>),
}

impl Decision {
    /// A decision on a faulty request: nothing ran.
    #[must_use]
    pub fn refused(error: ErrorReport) -> Decision {
        Decision {
            kind: Kind::Error,
            rules: Vec::new(),
            codes: Vec::new(),
            gates: Vec::new(),
            obligations: Vec::new(),
            shadow: Vec::new(),
            error: Some(error),
            digests: Digests::default(),
            assumed_presented: false,
        }
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.kind.answer()
    }

    /// Fills in where things stand: `place` gives `release.pdl:38:5` for a site, if the source map is there.
    pub fn locate(&mut self, place: impl Fn(SiteId) -> Option<String>) {
        for rule in self.rules.iter_mut().chain(&mut self.shadow) {
            rule.at = place(rule.site);
        }
        if let Some(ErrorReport::Evaluation { site, at, .. }) = &mut self.error {
            *at = place(*site);
        }
    }
}

impl fmt::Display for EntityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::\"", self.ty)?;
        for character in self.id.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                _ => write!(f, "{character}")?,
            }
        }
        f.write_str("\"")
    }
}

/// The name of an effect in decisions.
#[must_use]
pub fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
        Effect::Violation => "invariant",
        Effect::RequireApproval => "require_approval",
    }
}

impl FaultKind {
    /// The error in words, as a part of a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            FaultKind::Overflow => "a result is out of the range of its type",
            FaultKind::Inexact => "a result has no exact representation",
            FaultKind::Absent => "a value that is needed is absent",
            FaultKind::WrongType => "an entity is of another type than the rule reads",
            FaultKind::TooManyElements => "a set has more elements than any may have",
            FaultKind::TooMuchMemory => "the rules make more values than a decision may hold",
            FaultKind::QuorumTooSmall => "a quorum is less than one",
            FaultKind::UnknownEntity => "the policy reads an attribute of an entity that is not registered",
            FaultKind::Internal => "the machine has a defect",
        }
    }
}
