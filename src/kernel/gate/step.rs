//! What becomes of a gate: votes, withdrawal, escalation, the end of its time, and that it is spent.

use std::fmt;

use serde_json::{Map, Value};

use super::eligible::{Electorate, Ineligible};
use super::{Asked, Effects, Gate, GateState, Verdict, Vote, deadline, later};
use crate::base::hash::Digest;
use crate::base::limits::GATE_VOTES_MAX;
use crate::data::timestamp::Timestamp;
use crate::kernel::entry::Kind as EntryKind;
use crate::vm::decide::Kind;
use crate::vm::decision::{Decision, EntityName};
use crate::vm::store::directory::Directory;

/// What the log has to say of a step: the kind of an entry, and its body. A body may be longer than an entry; then it is
/// for the log to keep it elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// What it tells of.
    pub kind: EntryKind,
    /// What happened.
    pub body: Map<String, Value>,
    /// Where in it something stands that may not be read in the log, as JSON Pointers.
    pub secret: &'static [&'static str],
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "the gate has to be stored and the notes logged, also where the step was refused"]
pub struct Told {
    /// The gate as it is afterwards.
    pub gate: Gate,
    /// What the log has to say, in this order.
    pub notes: Vec<Note>,
    /// Why what was asked for did not happen, if it did not.
    pub refused: Option<Refused>,
}

/// Why a step can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nothing more becomes of the gate.
    Over(GateState),
    /// No rule of this id asks for anything.
    NoSuchRule,
    /// Something else is to be agreed to than what was seen, or will run.
    OtherBinding,
    /// The voter may not vote.
    Ineligible(Ineligible),
    /// They voted on it before.
    Duplicate,
    /// They voted elsewhere on this gate, and these votes are to be of different people.
    NotDistinct,
    /// No more votes are kept.
    TooManyVotes,
    /// Only who asked may do that.
    NotRequester,
    /// It is not time.
    NotYet,
    /// By now policy denies what was asked for.
    DeniedNow(Kind),
    /// Not enough have agreed.
    NotAgreed,
    /// It is for a change with effects, which has to be asked for again.
    HasEffects,
}

impl Refused {
    /// The name in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Refused::Over(state) => state.name(),
            Refused::NoSuchRule => "no_such_rule",
            Refused::OtherBinding => "other_binding",
            Refused::Ineligible(why) => why.name(),
            Refused::Duplicate => "duplicate",
            Refused::NotDistinct => "not_distinct",
            Refused::TooManyVotes => "too_many_votes",
            Refused::NotRequester => "not_the_requester",
            Refused::NotYet => "not_yet",
            Refused::DeniedNow(kind) => kind.name(),
            Refused::NotAgreed => "not_agreed",
            Refused::HasEffects => "has_effects",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Over(state) => write!(f, "the gate is {state} already"),
            Refused::NoSuchRule => f.write_str("no rule of this name asks for approval"),
            Refused::OtherBinding => f.write_str("this is not what was to be agreed to"),
            Refused::Ineligible(why) => why.fmt(f),
            Refused::Duplicate => f.write_str("the voter has voted on this before"),
            Refused::NotDistinct => f.write_str("the votes are to be of different people, and the voter has voted"),
            Refused::TooManyVotes => write!(f, "a gate keeps {GATE_VOTES_MAX} votes and has that many"),
            Refused::NotRequester => f.write_str("only who asked for it may do that"),
            Refused::NotYet => f.write_str("it is not time yet"),
            Refused::DeniedNow(kind) => write!(f, "by now the request is denied ({})", kind.name()),
            Refused::NotAgreed => f.write_str("not enough have agreed"),
            Refused::HasEffects => f.write_str("it is for a change of a record: ask for the same change again"),
        }
    }
}

impl std::error::Error for Refused {}

/// What an authenticated voter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// Who, as the kernel knows them.
    pub voter: EntityName,
    /// The id of the rule for whose gate it is.
    pub rule: String,
    /// What.
    pub verdict: Verdict,
    /// The binding of what they saw.
    pub binding: Digest,
}

/// What is decided of the request of a gate today: by the bundle, the entities and the facts of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Today {
    /// What it comes to once all have agreed: `allowed`, or why it is denied.
    comes_to: Kind,
    /// What the rules ask for today.
    asked: Vec<Asked>,
    /// What people would agree to today.
    binding: Option<Digest>,
}

impl Today {
    /// Of a request that can't be read by now: it is denied.
    #[must_use]
    pub fn unreadable() -> Today {
        Today { comes_to: Kind::Error, asked: Vec::new(), binding: None }
    }

    /// Of a decision on the request that the gate has, and what that comes to once all have agreed, where people are asked.
    #[must_use]
    pub fn new(decision: &Decision, approved: Option<&Decision>) -> Today {
        let comes_to = match decision.kind {
            Kind::Approval => approved.map_or(Kind::Error, |approved| approved.kind),
            kind => kind,
        };
        Today { comes_to, asked: Asked::all(decision), binding: decision.digests.binding }
    }

    /// The same of a change with these effects.
    #[must_use]
    pub fn with(mut self, effects: Option<&Effects>) -> Today {
        if let Some(effects) = effects {
            self.binding = self.binding.map(|binding| effects.bind(binding));
        }
        self
    }
}

impl Gate {
    /// Takes a vote. One that does not count is logged and changes nothing.
    pub fn vote(&self, ballot: &Ballot, directory: Directory<'_>, now: Timestamp) -> Told {
        let mut told = self.begin(now);
        let voter = directory.canonical(&ballot.voter);
        let admitted = match told.refused {
            Some(over) => Err(over),
            None => self.admit(&voter, ballot, directory, now),
        };
        let refused = admitted.as_ref().err().copied();
        let mut body = gate_body(self);
        body.insert("voter".to_owned(), entity_json(&voter));
        // Of a name that nobody knows the log has no use.
        if self.asked_by(&ballot.rule).is_some() {
            body.insert("rule".to_owned(), ballot.rule.clone().into());
        }
        body.insert("verdict".to_owned(), ballot.verdict.name().into());
        // What counts is of the binding that the gate was opened with.
        if !self.is_secret {
            body.insert("binding".to_owned(), ballot.binding.to_string().into());
        }
        body.insert("counts".to_owned(), refused.is_none().into());
        if let Some(refused) = refused {
            body.insert("why".to_owned(), refused.name().into());
        }
        told.notes.push(Note { kind: EntryKind::GateVoted, body, secret: &[] });
        told.refused = refused;
        let Ok(vote) = admitted else { return told };
        let verdict = vote.verdict;
        told.gate.votes.push(vote);
        match verdict {
            Verdict::Deny => told.close(GateState::Denied, Some("vote")),
            Verdict::Approve if told.gate.state == GateState::Pending => {
                if Electorate::new(&told.gate, directory, now).all_agreed() {
                    told.close(GateState::Approved, None);
                }
            }
            Verdict::Approve => {}
        }
        told
    }

    fn admit(
        &self,
        voter: &EntityName,
        ballot: &Ballot,
        directory: Directory<'_>,
        now: Timestamp,
    ) -> Result<Vote, Refused> {
        let asked = self.asked_by(&ballot.rule).ok_or(Refused::NoSuchRule)?;
        if ballot.binding != self.binding {
            return Err(Refused::OtherBinding);
        }
        Electorate::new(self, directory, now).check(voter, asked).map_err(Refused::Ineligible)?;
        // Whoever has agreed may still say no, and that there are many votes keeps nobody from it.
        if ballot.verdict == Verdict::Approve {
            let before = || self.votes.iter().filter(|vote| vote.voter == *voter);
            if before().any(|vote| vote.rule == asked.rule && vote.from == asked.from) {
                return Err(Refused::Duplicate);
            }
            let is_distinct = |vote: &Vote| self.asked_by(&vote.rule).is_some_and(|of| of.distinct || asked.distinct);
            if before().any(|vote| vote.rule != asked.rule && is_distinct(vote)) {
                return Err(Refused::NotDistinct);
            }
            if self.votes.len() >= GATE_VOTES_MAX {
                return Err(Refused::TooManyVotes);
            }
        }
        let (voter, rule, from) = (voter.clone(), asked.rule.clone(), asked.from.clone());
        Ok(Vote { voter, rule, from, verdict: ballot.verdict, at: now })
    }

    /// Who asked no longer does.
    pub fn withdraw(&self, by: &EntityName, directory: Directory<'_>, now: Timestamp) -> Told {
        let mut told = self.begin(now);
        if told.refused.is_none() {
            if directory.canonical(by) == directory.canonical(&self.requester) {
                told.close(GateState::Withdrawn, None);
            } else {
                told.refused = Some(Refused::NotRequester);
            }
        }
        told
    }

    /// Logs which further groups are asked by now. They may vote from their time on, whether this was done or not.
    pub fn escalate(&self, now: Timestamp) -> Told {
        let mut told = self.begin(now);
        if told.refused.is_some() {
            return told;
        }
        let mut news = Vec::new();
        for asked in &mut told.gate.asked {
            let due = asked.escalations.iter().take_while(|(_, after)| later(self.opened, *after) <= now).count();
            for (group, after) in asked.escalations.iter().take(due).skip(asked.told) {
                let mut body = gate_body(self);
                body.insert("rule".to_owned(), asked.rule.clone().into());
                body.insert("to".to_owned(), entity_json(group));
                body.insert("after_ms".to_owned(), (*after).into());
                news.push(Note { kind: EntryKind::GateEscalated, body, secret: &[] });
            }
            asked.told = asked.told.max(due);
        }
        if news.is_empty() {
            told.refused = Some(Refused::NotYet);
        }
        told.notes.extend(news);
        told
    }

    /// Its time is over. It is over by itself; this writes it down.
    pub fn expire(&self, now: Timestamp) -> Told {
        let mut told = self.begin(now);
        told.refused = match told.refused {
            // It has just ended, which is what was asked for.
            Some(_) if !self.state.is_final() => None,
            Some(over) => Some(over),
            None => Some(Refused::NotYet),
        };
        told
    }

    /// Uses it, if today everything is agreed to that today has to be. Then what was asked for is permitted, in the same
    /// transaction in which the gate is stored.
    ///
    /// What policy denies by now is denied, and stays it. Where other people have to agree today, they are asked.
    pub fn spend(&self, by: &EntityName, today: &Today, directory: Directory<'_>, now: Timestamp) -> Told {
        let mut told = self.begin(now);
        if told.refused.is_some() {
            return told;
        }
        if directory.canonical(by) != directory.canonical(&self.requester) {
            told.refused = Some(Refused::NotRequester);
            return told;
        }
        if today.comes_to != Kind::Allowed {
            told.close(GateState::Denied, Some(today.comes_to.name()));
            told.refused = Some(Refused::DeniedNow(today.comes_to));
            return told;
        }
        if today.binding != Some(self.binding) {
            told.close(GateState::Denied, Some(Refused::OtherBinding.name()));
            told.refused = Some(Refused::OtherBinding);
            return told;
        }
        // Where today's policy asks nobody, nobody has to have agreed.
        let is_met = today.asked.is_empty() || {
            told.ask_anew(&today.asked);
            if told.gate.state_at(now) == GateState::Expired {
                told.close(GateState::Expired, None);
                told.refused = Some(Refused::Over(GateState::Expired));
                return told;
            }
            Electorate::new(&told.gate, directory, now).all_agreed()
        };
        if is_met {
            told.close(GateState::Spent, None);
        } else {
            told.gate.state = GateState::Pending;
            told.refused = Some(Refused::NotAgreed);
        }
        told
    }

    /// The gate as it is, and closed if its time is over.
    fn begin(&self, now: Timestamp) -> Told {
        let mut told = Told { gate: self.clone(), notes: Vec::new(), refused: None };
        let state = self.state_at(now);
        if state.is_final() {
            told.refused = Some(Refused::Over(state));
            if !self.state.is_final() {
                told.close(state, None);
            }
        }
        told
    }
}

impl Told {
    fn close(&mut self, state: GateState, why: Option<&str>) {
        self.gate.state = state;
        let mut body = gate_body(&self.gate);
        body.insert("state".to_owned(), state.name().into());
        if let Some(why) = why {
            body.insert("why".to_owned(), why.into());
        }
        self.notes.push(Note { kind: EntryKind::GateClosed, body, secret: &[] });
    }

    /// Asks whom today's rules name, by the time of the first opening, and never longer than was said before.
    fn ask_anew(&mut self, today: &[Asked]) {
        let gate = &mut self.gate;
        let carried = |asked: &Asked| {
            let before = gate.asked_by(&asked.rule).filter(|before| before.escalations == asked.escalations);
            Asked { told: before.map_or(0, |before| before.told), ..asked.clone() }
        };
        let asked: Vec<Asked> = today.iter().map(carried).collect();
        if asked != gate.asked {
            gate.expires = gate.expires.min(deadline(gate.opened, &asked));
            gate.asked = asked;
            let note = gate.opened_note(true);
            self.notes.push(note);
        }
    }
}

pub(super) fn gate_body(gate: &Gate) -> Map<String, Value> {
    Map::from_iter([("gate".to_owned(), gate.id.clone().into())])
}

pub(super) fn entity_json(name: &EntityName) -> Value {
    let members = [("id", &name.id), ("type", &name.ty)].map(|(key, text)| (key.to_owned(), text.clone().into()));
    Value::Object(Map::from_iter(members))
}
