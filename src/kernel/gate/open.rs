//! How a gate is opened.

use std::fmt;

use serde_json::{Map, Value};

use super::step::{Note, entity_json, gate_body};
use super::{Asked, Effects, Gate, GateState, QUORUM_UNREACHABLE, deadline, show};
use crate::base::hash::Digest;
use crate::data::timestamp::Timestamp;
use crate::kernel::entry::Kind as EntryKind;
use crate::vm::decide::Kind;
use crate::vm::decision::{Decision, EntityName};
use crate::vm::store::directory::Directory;

/// What a gate is opened with.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    /// Its id, `gate_…`.
    pub id: String,
    /// The id of the entry of the decision.
    pub entry: String,
    /// Who asks, as the kernel knows them.
    pub requester: EntityName,
    /// The request in canonical wire form. The decision is on this very text.
    pub request: String,
    /// What else happens if it is allowed, where that is a change of a record.
    pub effects: Option<&'a Effects>,
    /// Whether something in the request is sensitive.
    pub is_secret: bool,
    /// The decision, with its digests.
    pub decision: &'a Decision,
    /// The entities that it was made with.
    pub directory: Directory<'a>,
    /// Now.
    pub now: Timestamp,
}

/// Why no gate can be opened. Whoever asked is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenRefused {
    /// The decision does not require approval.
    NotRequired,
    /// The decision does not say what people agree to.
    NoBinding,
    /// The request is not in canonical wire form, or not of an action that is known.
    BadRequest,
    /// More people have to agree than can.
    QuorumTooHigh,
}

impl fmt::Display for OpenRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OpenRefused::NotRequired => "the decision does not require approval",
            OpenRefused::NoBinding => "the decision does not say what people would agree to",
            OpenRefused::BadRequest => "the request is not in the form in which people can be asked about it",
            OpenRefused::QuorumTooHigh => "more people would have to agree than a gate has votes for",
        })
    }
}

impl std::error::Error for OpenRefused {}

impl Gate {
    /// Asks people, as a decision demands.
    ///
    /// # Errors
    /// Nobody can be asked.
    pub fn open(opening: Opening<'_>) -> Result<(Gate, Note), OpenRefused> {
        let Opening { id, entry, requester, request, effects, is_secret, decision, directory, now } = opening;
        if decision.kind != Kind::Approval || decision.gates.is_empty() {
            return Err(OpenRefused::NotRequired);
        }
        let binding = decision.digests.binding.ok_or(OpenRefused::NoBinding)?;
        let bound = effects.map_or(binding, |effects| effects.bind(binding));
        let described = show::describe(&request, effects, directory).ok_or(OpenRefused::BadRequest)?;
        let asked = Asked::all(decision);
        if asked.iter().any(|asked| asked.quorum >= QUORUM_UNREACHABLE) {
            return Err(OpenRefused::QuorumTooHigh);
        }
        let gate = Gate {
            id,
            decision: entry,
            requester: directory.canonical(&requester),
            request,
            binding: bound,
            has_effects: effects.is_some(),
            // What is set and told may be sensitive, too.
            is_secret: is_secret || effects.is_some(),
            described,
            expires: deadline(now, &asked),
            asked,
            votes: Vec::new(),
            opened: now,
            state: GateState::Pending,
        };
        let note = gate.opened_note(false);
        Ok((gate, note))
    }

    /// What the log has to say of it: for the first time, or once more because other people are asked than before.
    pub(super) fn opened_note(&self, again: bool) -> Note {
        let asked = |asked: &Asked| -> Value {
            let mut members = Map::new();
            members.insert("rule".to_owned(), asked.rule.clone().into());
            members.insert("from".to_owned(), entity_json(&asked.from));
            members.insert("quorum".to_owned(), asked.quorum.into());
            members.into()
        };
        let mut body = gate_body(self);
        body.insert("again".to_owned(), again.into());
        body.insert("asked".to_owned(), self.asked.iter().map(asked).collect());
        body.insert("binding".to_owned(), self.binding.to_string().into());
        body.insert("expires".to_owned(), self.expires.to_string().into());
        body.insert("requester".to_owned(), entity_json(&self.requester));
        body.insert("shown".to_owned(), Digest::of(self.shown().as_bytes()).to_string().into());
        let secret = if self.is_secret { &["/binding", "/shown"][..] } else { &[] };
        Note { kind: EntryKind::GateOpened, body, secret }
    }
}
