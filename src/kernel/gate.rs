//! Gates: people are asked, and what they say counts for one request, once.
//!
//! A REQUIRE_APPROVAL opens a gate. It holds the request exactly as it will run, the digest of what people agree to, what
//! they are shown, and their votes. It knows no clock and no store: every step takes the gate, the registry of now and the
//! time, and gives the gate as it is afterwards with what the log has to say of it.
//!
//! ```text
//! pending ◀─▶ approved ─▶ spent
//!    └───────────┴──────▶ denied | expired | withdrawn
//! ```
//!
//! What neighbours may rely on:
//!
//! - The only way to `spent` is [`Gate::spend`], which is given what is decided of the request **today** and counts the
//!   votes anew by the registry of today. Nobody spends twice, after a denial, after the time, or for another request.
//! - Only those count who are [eligible](Gate::eligibility) at the moment of counting: registered approvers in the group
//!   that is asked; never who asked, the subject, or an owner.
//! - A step that is refused says why, and leaves nothing behind but a line in the log; unless its refusal is that the gate
//!   has just ended, and then the gate that is given has ended. **What is given is stored in either case.**
//! - Time counts by itself: a gate whose time is over is over, whether somebody swept it or not.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod body;
mod effects;
mod eligible;
mod open;
mod show;
mod step;
#[cfg(test)]
mod tests;

use std::fmt;

pub use effects::Effects;
pub use eligible::Ineligible;
pub use open::{OpenRefused, Opening};
pub use step::{Ballot, Note, Refused, Today, Told};

use crate::base::hash::Digest;
use crate::base::limits::{GATE_VOTES_MAX, GATE_WITHIN_DEFAULT_MS, GATE_WITHIN_MAX_MS};
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;
use crate::vm::decision::{Decision, EntityName, GateReport};

/// A quorum that nobody reaches.
const QUORUM_UNREACHABLE: i64 = GATE_VOTES_MAX as i64 + 1;

/// What has become of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GateState {
    /// People are asked.
    Pending,
    /// Enough have agreed, and nobody has used it.
    Approved,
    /// Somebody said no, or policy does by now.
    Denied,
    /// Its time is over.
    Expired,
    /// Who asked no longer does.
    Withdrawn,
    /// What was asked for was permitted, once.
    Spent,
}

impl GateState {
    /// All of them.
    pub const ALL: [GateState; 6] = [
        GateState::Pending,
        GateState::Approved,
        GateState::Denied,
        GateState::Expired,
        GateState::Withdrawn,
        GateState::Spent,
    ];

    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            GateState::Pending => "pending",
            GateState::Approved => "approved",
            GateState::Denied => "denied",
            GateState::Expired => "expired",
            GateState::Withdrawn => "withdrawn",
            GateState::Spent => "spent",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<GateState> {
        GateState::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more becomes of it.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, GateState::Pending | GateState::Approved)
    }
}

/// What somebody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It may be done.
    Approve,
    /// It may not be done.
    Deny,
}

impl Verdict {
    /// The name in the store and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Approve => "approve",
            Verdict::Deny => "deny",
        }
    }

    /// The verdict of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Verdict> {
        [Verdict::Approve, Verdict::Deny].into_iter().find(|verdict| verdict.name() == name)
    }
}

/// What one rule asks for: a gate of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The rule's id, which is what a vote is given for.
    pub rule: String,
    /// The rule's message.
    pub message: Option<String>,
    /// Who may agree.
    pub from: EntityName,
    /// How many have to; one more than [`GATE_VOTES_MAX`] if that is more than can.
    pub quorum: i64,
    /// Until when, in milliseconds from the moment at which the gate was opened; at most
    /// [`GATE_WITHIN_MAX_MS`].
    pub within_ms: i64,
    /// Who may agree as well after so many milliseconds, soonest first.
    pub escalations: Vec<(EntityName, i64)>,
    /// Who votes elsewhere doesn't count here.
    pub distinct: bool,
    /// How many of the escalations the log knows of.
    pub told: usize,
}

impl Asked {
    /// What the rules of a decision ask for.
    fn all(decision: &Decision) -> Vec<Asked> {
        let message = |gate: &GateReport| {
            decision.rules.iter().find(|rule| rule.id == gate.id).and_then(|rule| rule.message.clone())
        };
        decision.gates.iter().map(|gate| Asked::new(gate, message(gate))).collect()
    }

    fn new(gate: &GateReport, message: Option<String>) -> Asked {
        // What lies beyond the longest time is never reached.
        let bounded = |ms: i64| ms.clamp(0, GATE_WITHIN_MAX_MS);
        let mut escalations: Vec<(EntityName, i64)> =
            gate.escalations.iter().map(|(group, after)| (group.clone(), bounded(*after))).collect();
        escalations.sort_by_key(|(_, after)| *after);
        Asked {
            rule: gate.id.clone(),
            message,
            from: gate.from.clone(),
            quorum: gate.quorum.clamp(1, QUORUM_UNREACHABLE),
            within_ms: bounded(gate.within_ms.unwrap_or(GATE_WITHIN_DEFAULT_MS)),
            escalations,
            distinct: gate.distinct,
            told: 0,
        }
    }

    /// The groups that may agree by now.
    fn groups(&self, opened: Timestamp, now: Timestamp) -> impl Iterator<Item = &EntityName> {
        let due = self.escalations.iter().filter(move |(_, after)| later(opened, *after) <= now);
        std::iter::once(&self.from).chain(due.map(|(group, _)| group))
    }
}

/// A vote that counts, as long as who gave it is eligible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Who.
    pub voter: EntityName,
    /// The id of the rule for whose gate it is.
    pub rule: String,
    /// Whom that rule asked at that time.
    pub from: EntityName,
    /// What.
    pub verdict: Verdict,
    /// When.
    pub at: Timestamp,
}

/// A request that waits for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Its id, `gate_…`.
    pub id: String,
    /// The id of the entry of the decision that asked for it.
    pub decision: String,
    /// Who asked, as the kernel knows them: not what the request says of itself.
    pub requester: EntityName,
    /// The request exactly as it will run, in canonical wire form. Of a gate that has ended the store has it no more.
    pub request: String,
    /// What people agree to: the request, and the [effects](Effects) of the change that it is for.
    pub binding: Digest,
    /// Whether it has such effects. Then to ask for that change again is the only way to use it.
    pub has_effects: bool,
    /// Whether some of it is sensitive: then the log has no digest of it that could be guessed at.
    pub is_secret: bool,
    /// The request in words, for people, and what else is agreed to.
    pub described: String,
    /// What the rules ask for. Never empty.
    pub asked: Vec<Asked>,
    /// The votes that count, in the order in which they came.
    pub votes: Vec<Vote>,
    /// When it was opened.
    pub opened: Timestamp,
    /// From when on nothing becomes of it.
    pub expires: Timestamp,
    /// What was stored of what has become of it. What counts is [`Gate::state_at`].
    pub state: GateState,
}

impl Gate {
    /// The same without what people were shown.
    pub(super) fn forget(&mut self) {
        self.request.clear();
        self.described.clear();
        self.asked.iter_mut().for_each(|asked| asked.message = None);
    }

    /// What has become of it by now.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> GateState {
        if !self.state.is_final() && now >= self.expires { GateState::Expired } else { self.state }
    }

    /// When somebody has to look at it again: when another group is to be asked, or its time is over.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        if self.state.is_final() {
            return None;
        }
        let next = |asked: &Asked| asked.escalations.get(asked.told).map(|(_, after)| later(self.opened, *after));
        self.asked.iter().filter_map(next).chain([self.expires]).min()
    }

    fn asked_by(&self, rule: &str) -> Option<&Asked> {
        self.asked.iter().find(|asked| asked.rule == rule)
    }
}

/// A moment so many milliseconds later; the last moment there is, where that is beyond it.
fn later(time: Timestamp, ms: i64) -> Timestamp {
    time.checked_add(Duration(ms)).unwrap_or(Timestamp::MAX)
}

/// When the first of those that are asked has had its time.
fn deadline(opened: Timestamp, asked: &[Asked]) -> Timestamp {
    asked.iter().map(|asked| later(opened, asked.within_ms)).min().unwrap_or(opened)
}

impl fmt::Display for GateState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
