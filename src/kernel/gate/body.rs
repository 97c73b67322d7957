//! A gate as the store keeps it: canonical JSON, written in one way and read in no other.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::step::entity_json;
use super::{Asked, Gate, GateState, QUORUM_UNREACHABLE, Verdict, Vote};
use crate::base::hash::Digest;
use crate::base::limits::{GATE_VOTES_MAX, GATE_WITHIN_MAX_MS};
use crate::data::timestamp::Timestamp;
use crate::kernel::json::canonical;
use crate::vm::decision::EntityName;

// Written only where it is so: gates were kept before anybody asked.
const HAS_EFFECTS: &str = "has_effects";
const IS_SECRET: &str = "is_secret";

impl Gate {
    /// The gate as the store keeps it.
    #[must_use]
    pub fn to_body(&self) -> String {
        canonical(&to_json(self))
    }

    /// The gate of a body; none if it is not one, or not written in the one way.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Option<Gate> {
        let gate = from_json(serde_json::from_slice(body).ok()?)?;
        (gate.to_body().as_bytes() == body).then_some(gate)
    }
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn to_json(gate: &Gate) -> Value {
    let Gate { id, decision, requester, request, binding, has_effects, is_secret, described, .. } = gate;
    let Gate { asked, votes, opened, expires, state, .. } = gate;
    let mut members = object([
        ("id", id.clone().into()),
        ("decision", decision.clone().into()),
        ("requester", entity_json(requester)),
        // As text: its numbers are not all numbers that every reader takes exactly.
        ("request", request.clone().into()),
        ("binding", binding.to_string().into()),
        ("described", described.clone().into()),
        ("asked", asked.iter().map(asked_json).collect()),
        ("votes", votes.iter().map(vote_json).collect()),
        ("opened", opened.to_string().into()),
        ("expires", expires.to_string().into()),
        ("state", state.name().into()),
    ]);
    for (name, _) in [(HAS_EFFECTS, has_effects), (IS_SECRET, is_secret)].into_iter().filter(|(_, is)| **is) {
        members.insert(name.to_owned(), true.into());
    }
    members.into()
}

fn asked_json(asked: &Asked) -> Value {
    let Asked { rule, message, from, quorum, within_ms, escalations, distinct, told } = asked;
    let escalation = |(group, after): &(EntityName, i64)| -> Value {
        object([("to", entity_json(group)), ("after_ms", (*after).into())]).into()
    };
    let mut members = object([
        ("rule", rule.clone().into()),
        ("from", entity_json(from)),
        ("quorum", (*quorum).into()),
        ("within_ms", (*within_ms).into()),
        ("escalations", escalations.iter().map(escalation).collect()),
        ("distinct", (*distinct).into()),
        ("told", (*told).into()),
    ]);
    if let Some(message) = message {
        members.insert("message".to_owned(), message.clone().into());
    }
    members.into()
}

fn vote_json(vote: &Vote) -> Value {
    let Vote { voter, rule, from, verdict, at } = vote;
    object([
        ("voter", entity_json(voter)),
        ("rule", rule.clone().into()),
        ("from", entity_json(from)),
        ("verdict", verdict.name().into()),
        ("at", at.to_string().into()),
    ])
    .into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GateBody {
    id: String,
    decision: String,
    requester: EntityBody,
    request: String,
    binding: String,
    described: String,
    asked: Vec<AskedBody>,
    votes: Vec<VoteBody>,
    opened: String,
    expires: String,
    state: String,
    #[serde(default)]
    has_effects: bool,
    #[serde(default)]
    is_secret: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntityBody {
    #[serde(rename = "type")]
    ty: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedBody {
    rule: String,
    message: Option<String>,
    from: EntityBody,
    quorum: i64,
    within_ms: i64,
    escalations: Vec<EscalationBody>,
    distinct: bool,
    told: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EscalationBody {
    to: EntityBody,
    after_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VoteBody {
    voter: EntityBody,
    rule: String,
    from: EntityBody,
    verdict: String,
    at: String,
}

fn entity(EntityBody { ty, id }: EntityBody) -> EntityName {
    EntityName { ty, id }
}

fn from_json(body: GateBody) -> Option<Gate> {
    let asked: Vec<Asked> = body.asked.into_iter().map(asked).collect::<Option<_>>()?;
    let votes: Vec<Vote> = body.votes.into_iter().map(vote).collect::<Option<_>>()?;
    // Beside those that agreed only the one that ended it.
    let is_sound = !asked.is_empty() && votes.len() <= GATE_VOTES_MAX.saturating_add(1);
    let gate = Gate {
        id: body.id,
        decision: body.decision,
        requester: entity(body.requester),
        request: body.request,
        binding: Digest::parse(&body.binding)?,
        has_effects: body.has_effects,
        is_secret: body.is_secret,
        described: body.described,
        asked,
        votes,
        opened: Timestamp::parse(&body.opened).ok()?,
        expires: Timestamp::parse(&body.expires).ok()?,
        state: GateState::parse(&body.state)?,
    };
    is_sound.then_some(gate)
}

fn asked(body: AskedBody) -> Option<Asked> {
    let in_time = |ms: i64| (0..=GATE_WITHIN_MAX_MS).contains(&ms);
    let escalations: Vec<(EntityName, i64)> =
        body.escalations.into_iter().map(|EscalationBody { to, after_ms }| (entity(to), after_ms)).collect();
    let is_sound = (1..=QUORUM_UNREACHABLE).contains(&body.quorum)
        && in_time(body.within_ms)
        && escalations.iter().all(|(_, after)| in_time(*after))
        && escalations.is_sorted_by_key(|(_, after)| *after)
        && body.told <= escalations.len();
    let asked = Asked {
        rule: body.rule,
        message: body.message,
        from: entity(body.from),
        quorum: body.quorum,
        within_ms: body.within_ms,
        escalations,
        distinct: body.distinct,
        told: body.told,
    };
    is_sound.then_some(asked)
}

fn vote(body: VoteBody) -> Option<Vote> {
    Some(Vote {
        voter: entity(body.voter),
        rule: body.rule,
        from: entity(body.from),
        verdict: Verdict::parse(&body.verdict)?,
        at: Timestamp::parse(&body.at).ok()?,
    })
}
