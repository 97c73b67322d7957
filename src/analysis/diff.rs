//! What a change of a policy means: for which requests the answer changes, how, and by which rules.

mod compare;
mod messages;
mod regions;
pub mod schema;
mod shared;

use std::fmt;
use std::sync::Arc;

use crate::analysis::question::Kind;
use crate::analysis::region::Region;
use crate::analysis::request::Request;
use crate::analysis::smt::Program;
use crate::base::span::Span;
use crate::types::typed::Answer;

pub use regions::{Options, diff};

/// In which way an answer changes. The order is that of reports: what permits more comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// DENY → ALLOW
    DenyToAllow,
    /// DENY → REQUIRE_APPROVAL
    DenyToApproval,
    /// REQUIRE_APPROVAL → ALLOW
    ApprovalToAllow,
    /// An approval is asked for as before, but of fewer people, of others, or for longer.
    WeakerApproval,
    /// ALLOW → REQUIRE_APPROVAL
    AllowToApproval,
    /// ALLOW → DENY
    AllowToDeny,
    /// REQUIRE_APPROVAL → DENY
    ApprovalToDeny,
    /// An approval is asked for as before, and of more people or for a shorter time.
    Gates,
    /// The answer is the same, the obligations are not.
    Obligations,
    /// The answer is the same, the rules it rests on, their codes or messages are not.
    Reasons,
}

impl Direction {
    /// All of them, in the order of reports.
    pub const ALL: [Direction; 10] = [
        Direction::DenyToAllow,
        Direction::DenyToApproval,
        Direction::ApprovalToAllow,
        Direction::WeakerApproval,
        Direction::AllowToApproval,
        Direction::AllowToDeny,
        Direction::ApprovalToDeny,
        Direction::Gates,
        Direction::Obligations,
        Direction::Reasons,
    ];

    /// Whether something is more permitted than before.
    #[must_use]
    pub fn widens(self) -> bool {
        self <= Direction::WeakerApproval
    }

    /// Whether the answer stays, and only what comes with it changes.
    #[must_use]
    pub fn stays(self) -> bool {
        matches!(self, Direction::WeakerApproval | Direction::Gates | Direction::Obligations | Direction::Reasons)
    }

    /// Its name in data.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Direction::DenyToAllow => "deny_to_allow",
            Direction::DenyToApproval => "deny_to_approval",
            Direction::ApprovalToAllow => "approval_to_allow",
            Direction::WeakerApproval => "weaker_approval",
            Direction::AllowToApproval => "allow_to_approval",
            Direction::AllowToDeny => "allow_to_deny",
            Direction::ApprovalToDeny => "approval_to_deny",
            Direction::Gates => "gates",
            Direction::Obligations => "obligations",
            Direction::Reasons => "reasons",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::DenyToAllow => "DENY → ALLOW",
            Direction::DenyToApproval => "DENY → REQUIRE_APPROVAL",
            Direction::ApprovalToAllow => "REQUIRE_APPROVAL → ALLOW",
            Direction::WeakerApproval => "REQUIRE_APPROVAL, by a weaker gate",
            Direction::AllowToApproval => "ALLOW → REQUIRE_APPROVAL",
            Direction::AllowToDeny => "ALLOW → DENY",
            Direction::ApprovalToDeny => "REQUIRE_APPROVAL → DENY",
            Direction::Gates => "REQUIRE_APPROVAL, by another gate",
            Direction::Obligations => "same answer, other obligations",
            Direction::Reasons => "same answer, other reasons",
        })
    }
}

/// What a machine says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The answer.
    pub answer: Answer,
    /// The kind of the decision, by its name.
    pub kind: String,
    /// The ids of the rules that it rests on.
    pub rules: Vec<Arc<str>>,
    /// What it rests on, without where that stands: the kind, the rules, their messages and codes; of a request that
    /// could not be asked, why.
    pub reasons: String,
    /// The gates, as JSON.
    pub gates: String,
    /// The obligations, as JSON.
    pub obligations: String,
}

/// Asks the real machine.
pub trait Decide {
    /// What the machine of a side says of a request with these facts and entities.
    fn decide(&mut self, side: usize, request: &Request) -> Told;
}

impl<T: FnMut(usize, &Request) -> Told> Decide for T {
    fn decide(&mut self, side: usize, request: &Request) -> Told {
        self(side, request)
    }
}

/// A rule that has to do with a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Responsible {
    /// Its id.
    pub id: Arc<str>,
    /// 0 is the old version, 1 the new one.
    pub side: usize,
    /// Where it stands there.
    pub span: Span,
}

/// A region of requests whose answer changes.
#[derive(Clone, Debug)]
pub struct Change {
    /// How.
    pub direction: Direction,
    /// Which requests.
    pub kind: Kind,
    /// Which of them.
    pub region: Region,
    /// One of them, as it is asked of the old and of the new version.
    pub witness: [Request; 2],
    /// What the two answer.
    pub told: [Told; 2],
    /// The rules that hold of the witness in one version alone.
    pub responsible: Vec<Responsible>,
}

/// What is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undecided {
    /// Of which requests.
    pub kind: Kind,
    /// Whether their answer changes so.
    pub direction: Direction,
    /// Why.
    pub reason: String,
}

/// What a change means.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// What changed of the vocabulary.
    pub schema: Vec<schema::SchemaChange>,
    /// The regions, by direction and then by kind.
    pub changes: Vec<Change>,
    /// What could not be decided.
    pub undecided: Vec<Undecided>,
    /// How many kinds of requests were compared.
    pub kinds: usize,
    /// Of how many of them nothing changed: proved.
    pub same: usize,
    /// Whose word some of what is proved rests on, beside that of this solver.
    pub second: Option<Program>,
    /// Kinds and directions of which more regions exist than are listed.
    pub cut: Vec<(Kind, Direction)>,
}

impl Diff {
    /// Whether it is proved that every request that both versions know is answered as before.
    #[must_use]
    pub fn keeps_answers(&self) -> bool {
        self.changes.is_empty() && self.undecided.is_empty()
    }

    /// Whether it is proved that nothing changes, the vocabulary included.
    #[must_use]
    pub fn is_equivalent(&self) -> bool {
        self.keeps_answers() && self.schema.is_empty()
    }
}
