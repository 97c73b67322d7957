//! Who may vote: registered approvers in a group that is asked, and never those whose own request it is.

use std::collections::BTreeSet;
use std::fmt;

use super::{Asked, Gate, Verdict, Vote};
use crate::base::limits::GATE_OWNERS_MAX;
use crate::data::timestamp::Timestamp;
use crate::kernel::gate::show::{self, Party};
use crate::vm::decision::{Datum, EntityName};
use crate::vm::store::directory::Directory;

/// Why somebody's vote does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// They are not registered, or not of a type that may approve.
    NotApprover,
    /// They asked.
    Requester,
    /// The request is theirs.
    Subject,
    /// They own what asks, what it acts on, or who owns that.
    Owner,
    /// Whose the request is can't be found out.
    OwnersUnknown,
    /// They are in no group that is asked by now.
    NotAsked,
}

impl Ineligible {
    /// The name in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Ineligible::NotApprover => "not_an_approver",
            Ineligible::Requester => "requester",
            Ineligible::Subject => "subject",
            Ineligible::Owner => "owner",
            Ineligible::OwnersUnknown => "owners_unknown",
            Ineligible::NotAsked => "not_asked",
        }
    }
}

impl fmt::Display for Ineligible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ineligible::NotApprover => "only registered approvers vote",
            Ineligible::Requester => "nobody approves what they asked for",
            Ineligible::Subject => "nobody approves what they do themselves",
            Ineligible::Owner => "nobody approves what is done by, or to, what they own",
            Ineligible::OwnersUnknown => "it can't be found out who owns what asks and what it acts on",
            Ineligible::NotAsked => "the voter is in no group that is asked by now",
        })
    }
}

impl std::error::Error for Ineligible {}

/// Those whose own request it is.
struct Concerned {
    requester: EntityName,
    subject: EntityName,
    owners: BTreeSet<EntityName>,
}

impl Concerned {
    /// By what the registry says now, and by what the request says of entities that it brought along.
    fn of(gate: &Gate, directory: Directory<'_>) -> Option<Concerned> {
        let [subject, resource] = show::parties(&gate.request)?;
        let requester = directory.canonical(&gate.requester);
        let mut owners = Owners { directory, found: BTreeSet::new(), open: Vec::new() };
        for party in [&subject, &resource] {
            // Of what is not there it is not known whose it is.
            let ty = directory.entity_type(&party.name.ty)?;
            if !ty.presented && !directory.is_registered(&party.name) {
                return None;
            }
            owners.given(party)?;
            owners.registered(&party.name)?;
        }
        owners.registered(&requester)?;
        let subject = directory.canonical(&subject.name);
        Some(Concerned { requester, subject, owners: owners.follow()? })
    }

    fn check(&self, voter: &EntityName) -> Result<(), Ineligible> {
        match () {
            () if *voter == self.requester => Err(Ineligible::Requester),
            () if *voter == self.subject => Err(Ineligible::Subject),
            () if self.owners.contains(voter) => Err(Ineligible::Owner),
            () => Ok(()),
        }
    }
}

/// Owners, and owners of owners.
struct Owners<'a> {
    directory: Directory<'a>,
    found: BTreeSet<EntityName>,
    open: Vec<EntityName>,
}

impl Owners<'_> {
    fn add(&mut self, name: &EntityName) -> Option<()> {
        let name = self.directory.canonical(name);
        if self.found.insert(name.clone()) {
            self.open.push(name);
        }
        (self.found.len() <= GATE_OWNERS_MAX).then_some(())
    }

    fn registered(&mut self, of: &EntityName) -> Option<()> {
        self.directory.owners(of).iter().try_for_each(|owner| self.add(owner))
    }

    /// Whom the attributes that came with the request name.
    fn given(&mut self, party: &Party) -> Option<()> {
        for field in self.directory.owner_fields(&party.name.ty) {
            let value = party.properties.iter().find(|(name, _)| *name == *field.name);
            match value.map(|(_, value)| value) {
                None | Some(Datum::Null) => {}
                Some(Datum::Array(all)) => all.iter().try_for_each(|one| self.given_owner(one))?,
                Some(one) => self.given_owner(one)?,
            }
        }
        Some(())
    }

    /// An owner that came with the request may have come with attributes of its own. Requests nest no deeper than they may.
    fn given_owner(&mut self, value: &Datum) -> Option<()> {
        let party = show::party(value)?;
        self.add(&party.name)?;
        self.given(&party)
    }

    fn follow(mut self) -> Option<BTreeSet<EntityName>> {
        while let Some(name) = self.open.pop() {
            self.registered(&name)?;
        }
        Some(self.found)
    }
}

/// Who may vote on a gate, at one moment.
pub(super) struct Electorate<'a> {
    gate: &'a Gate,
    directory: Directory<'a>,
    now: Timestamp,
    /// None if that can't be found out: then nobody votes.
    concerned: Option<Concerned>,
}

impl<'a> Electorate<'a> {
    pub(super) fn new(gate: &'a Gate, directory: Directory<'a>, now: Timestamp) -> Electorate<'a> {
        Electorate { gate, directory, now, concerned: Concerned::of(gate, directory) }
    }

    /// Whether somebody may vote on what a rule asks for.
    pub(super) fn check(&self, voter: &EntityName, asked: &Asked) -> Result<(), Ineligible> {
        if !self.directory.is_approver(voter) {
            return Err(Ineligible::NotApprover);
        }
        self.concerned.as_ref().ok_or(Ineligible::OwnersUnknown)?.check(voter)?;
        let is_asked = asked.groups(self.gate.opened, self.now).any(|group| self.directory.is_in(voter, group));
        if is_asked { Ok(()) } else { Err(Ineligible::NotAsked) }
    }

    /// Whether a vote counts for what a rule asks for today.
    fn counts(&self, vote: &Vote, asked: &Asked) -> bool {
        let elsewhere = |other: &Vote| {
            other.voter == vote.voter && other.rule != vote.rule && self.gate.asked_by(&other.rule).is_some()
        };
        vote.verdict == Verdict::Approve
            && vote.rule == asked.rule
            && vote.from == asked.from
            && self.check(&vote.voter, asked).is_ok()
            && !(asked.distinct && self.gate.votes.iter().any(elsewhere))
    }

    /// How many different people have agreed to what a rule asks for.
    pub(super) fn agreed(&self, asked: &Asked) -> usize {
        let voters: BTreeSet<&EntityName> =
            self.gate.votes.iter().filter(|vote| self.counts(vote, asked)).map(|vote| &vote.voter).collect();
        voters.len()
    }

    /// Whether as many have agreed as have to, to everything that is asked for.
    pub(super) fn all_agreed(&self) -> bool {
        let met = |asked: &Asked| i64::try_from(self.agreed(asked)).is_ok_and(|agreed| agreed >= asked.quorum.max(1));
        !self.gate.asked.is_empty() && self.gate.asked.iter().all(met)
    }
}

impl Gate {
    /// Whether somebody may vote on what a rule asks for, at this moment.
    ///
    /// # Errors
    /// Why not. Nobody may on what no rule asks for.
    pub fn eligibility(
        &self,
        voter: &EntityName,
        rule: &str,
        directory: Directory<'_>,
        now: Timestamp,
    ) -> Result<(), Ineligible> {
        let asked = self.asked_by(rule).ok_or(Ineligible::NotAsked)?;
        Electorate::new(self, directory, now).check(&directory.canonical(voter), asked)
    }

    /// Whether it asks somebody at this moment, for any of its rules. Whether their vote counts is another question.
    #[must_use]
    pub fn asks(&self, voter: &EntityName, directory: Directory<'_>, now: Timestamp) -> bool {
        let voter = directory.canonical(voter);
        let mut groups = self.asked.iter().flat_map(|asked| asked.groups(self.opened, now));
        directory.is_approver(&voter) && groups.any(|group| directory.is_in(&voter, group))
    }

    /// Whether it has to do with somebody: it was opened for them, asks them at this moment, or has their vote.
    #[must_use]
    pub fn concerns(&self, who: &EntityName, directory: Directory<'_>, now: Timestamp) -> bool {
        let known = directory.canonical(who);
        directory.canonical(&self.requester) == known
            || self.votes.iter().any(|vote| directory.canonical(&vote.voter) == known)
            || self.asks(who, directory, now)
    }

    /// How many different people have agreed to what a rule asks for, by the registry of now.
    #[must_use]
    pub fn agreed(&self, rule: &str, directory: Directory<'_>, now: Timestamp) -> usize {
        let asked = self.asked_by(rule);
        asked.map_or(0, |asked| Electorate::new(self, directory, now).agreed(asked))
    }
}
