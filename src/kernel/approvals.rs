//! Gates in the store: opened with a decision, voted on, and spent once with a later one.
//!
//! What becomes of a gate is for [`gate`](super::gate), which is pure; here it is kept. Every step is one transaction with
//! what the log has to say of it, also where it was refused.
//!
//! What people are shown is kept as long as they are asked: a gate that has ended keeps who, whom and when, and of what was
//! asked for its binding alone. The rest is in the log, as the entry of its decision, where what is sensitive is hidden;
//! and where something is, so are the digests that were made of it.
//!
//! While a gate waits, whoever asks for the very same again is not asked for other votes: the same gate answers. Once
//! enough have agreed, to ask again is to spend it.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::Arc;

use serde_json::{Value, json};

use super::admit::{Said, Wanted};
use super::engine::{Active, Kernel, Shared, put};
use super::error::KernelError;
use super::gate::{Ballot, Gate, GateState, Opening, Refused, Told, Verdict as Vote};
use super::govern::act::Act;
use super::govern::{Sight, governed};
use super::id;
use super::json::canonical;
use super::log::append::Event;
use super::record::Principal;
use super::registry::text;
use super::store::{Object, Query, Tx};
use crate::base::hash::Digest;
use crate::data::timestamp::Timestamp;
use crate::vm::decision::Decision;

pub(super) const KIND: &str = "gate";
/// What they are called where somebody wants to look at them.
const GATES: &str = "gates";
/// Which gate waits for a request of somebody.
const ASKING: &str = "asking";

/// A gate as it is stored.
#[derive(Debug)]
pub(super) struct Waiting {
    version: u64,
    pub(super) gate: Gate,
}

/// The gate of an id.
pub(super) fn load(tx: &mut dyn Tx, id: &str) -> Result<Option<Waiting>, KernelError> {
    tx.get(KIND, id)?.map(read).transpose()
}

fn read(object: Object) -> Result<Waiting, KernelError> {
    let gate = Gate::from_body(&object.body).filter(|gate| gate.id == object.key && gate.state.name() == object.state);
    let gate = gate.ok_or_else(|| KernelError::Damaged(format!("the gate {}", object.key)))?;
    Ok(Waiting { version: object.version, gate })
}

/// The gate that waits for a request of somebody, if one does.
pub(super) fn waiting(
    tx: &mut dyn Tx,
    who: &Principal,
    binding: Digest,
    now: Timestamp,
) -> Result<Option<Waiting>, KernelError> {
    let key = asking(who, binding);
    let Some(object) = tx.get(ASKING, &key)? else { return Ok(None) };
    let body: Option<Value> = serde_json::from_slice(&object.body).ok();
    let id = body.as_ref().and_then(|body| text(body.as_object()?, "gate"));
    let damaged = || KernelError::Damaged(format!("what waits as {key}"));
    let waiting = load(tx, id.ok_or_else(damaged)?)?.ok_or_else(damaged)?;
    Ok((!waiting.gate.state_at(now).is_final()).then_some(waiting))
}

fn asking(who: &Principal, binding: Digest) -> String {
    Digest::of(canonical(&json!([who.ty(), who.id(), binding.to_string()])).as_bytes()).to_string()
}

/// Asks people.
pub(super) fn open(
    tx: &mut dyn Tx,
    shared: &Shared,
    active: &Active,
    (wanted, said): (&Wanted, &Said),
    (decision, is_secret): (&Decision, bool),
    entry: &str,
) -> Result<Gate, KernelError> {
    let opening = Opening {
        id: id::new("gate", &*shared.environment)?,
        entry: entry.to_owned(),
        requester: wanted.who.name(),
        request: said.request.clone(),
        effects: wanted.effects.as_ref(),
        is_secret,
        decision,
        directory: active.directory(),
        now: shared.environment.now(),
    };
    let (gate, note) = Gate::open(opening)?;
    let key = asking(&wanted.who, gate.binding);
    let before = tx.get(ASKING, &key)?.map_or(0, |object| object.version);
    put(tx, ASKING, &key, before, "", None, &json!({ "gate": gate.id }))?;
    tell(tx, shared, &Told { gate: gate.clone(), notes: vec![note], refused: None }, None)?;
    store(tx, 0, gate)
}

/// Stores what a step has made of a gate, and tells the log,
/// with the entry by which whoever took it was allowed to.
pub(super) fn keep(
    tx: &mut dyn Tx,
    shared: &Shared,
    waiting: Waiting,
    told: Told,
    allowed: Option<&str>,
) -> Result<Gate, KernelError> {
    tell(tx, shared, &told, allowed)?;
    if told.gate == waiting.gate { Ok(told.gate) } else { store(tx, waiting.version, told.gate) }
}

fn store(tx: &mut dyn Tx, version: u64, mut gate: Gate) -> Result<Gate, KernelError> {
    if gate.state.is_final() {
        // Nobody is shown it any more, and it may be sensitive: the log has it, where it can be erased.
        gate.forget();
        let who = Principal::new(&gate.requester.ty, &gate.requester.id);
        let key = who.map(|who| asking(&who, gate.binding)).unwrap_or_default();
        // What waits by now may be another gate.
        if let Some(object) = tx.get(ASKING, &key)?
            && object.body == canonical(&json!({ "gate": gate.id })).into_bytes()
        {
            tx.remove(ASKING, &key, object.version)?;
        }
    }
    tx.put(&Object {
        kind: KIND.to_owned(),
        key: gate.id.clone(),
        version,
        state: gate.state.name().to_owned(),
        due_ms: gate.due().map(Timestamp::millis),
        body: gate.to_body().into_bytes(),
    })?;
    Ok(gate)
}

fn tell(tx: &mut dyn Tx, shared: &Shared, told: &Told, allowed: Option<&str>) -> Result<(), KernelError> {
    for note in &told.notes {
        let mut event = Event::new(note.kind, note.body.clone()).link("decision", &told.gate.decision);
        if let Some(allowed) = allowed {
            event = event.link("allowed", allowed);
        }
        event.sensitive = note.secret.iter().map(|place| (*place).to_owned()).collect();
        shared.log.append(tx, &*shared.environment, event)?;
    }
    Ok(())
}

impl Kernel {
    /// Takes a vote of an authenticated principal on what a rule asks for. Whoever votes says what they saw: the binding of
    /// the gate that they were shown.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`] for whom the gate does not ask; else why it does not count. The attempt is in the log. Or
    /// there is no such gate.
    pub fn vote(
        &self,
        who: &Principal,
        gate: &str,
        rule: &str,
        verdict: Vote,
        binding: Digest,
    ) -> Result<Gate, KernelError> {
        let ballot = Ballot { voter: who.name(), rule: rule.to_owned(), verdict, binding };
        let voter = who.name();
        let act =
            move |gate: &Gate, active: &Active, now| Act::vote(&gate.id, gate.asks(&voter, active.directory(), now));
        self.step_gate(who, gate, act, move |gate, active, now| gate.vote(&ballot, active.directory(), now))
    }

    /// Takes back what was asked for: who asked may, and operators whose role it is.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], it is over already, or there is no such gate.
    pub fn withdraw(&self, who: &Principal, gate: &str) -> Result<Gate, KernelError> {
        let by = who.name();
        let act = move |gate: &Gate, active: &Active, _| {
            let directory = active.directory();
            Act::withdraw(&gate.id, directory.canonical(&by) == directory.canonical(&gate.requester))
        };
        // Whether they may was just decided.
        self.step_gate(who, gate, act, |gate, active, now| gate.withdraw(&gate.requester, active.directory(), now))
    }

    /// Takes a step, if `std.kernel` allows the act.
    fn step_gate(
        &self,
        who: &Principal,
        id: &str,
        act: impl FnOnce(&Gate, &Active, Timestamp) -> Act + Send + 'static,
        step: impl FnOnce(&Gate, &Active, Timestamp) -> Told + Send + 'static,
    ) -> Result<Gate, KernelError> {
        let (active, shared) = (self.active()?, Arc::clone(&self.shared));
        let (who, id) = (who.clone(), id.to_owned());
        // A refusal is stored as well: so it is no error of the work, which would be undone.
        self.writer.submit(move |tx| {
            let waiting = load(tx, &id)?.ok_or(KernelError::UnknownGate)?;
            let now = shared.environment.now();
            governed(tx, &shared, &who, &act(&waiting.gate, &active, now), |tx, allowed| {
                let told = step(&waiting.gate, &active, now);
                let refused = told.refused;
                let gate = keep(tx, &shared, waiting, told, Some(allowed))?;
                Ok(refused.map_or(Ok(gate), |why| Err(KernelError::Gate(why))))
            })
        })??
    }

    /// The gate of an id for the kernel itself.
    pub(super) fn gate_kept(&self, id: &str) -> Result<Option<Gate>, KernelError> {
        let id = id.to_owned();
        self.read(move |tx| Ok(load(tx, &id)?.map(|waiting| waiting.gate)))
    }

    /// The gate of an id, as it is stored: for who is asked there or has voted, for whom it was opened, and for operators
    /// whose role it is.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn gate(&self, who: &Principal, id: &str) -> Result<Option<Gate>, KernelError> {
        let (id, concerns) = (id.to_owned(), self.concerns(who));
        self.look(who, GATES, move |tx, _, sight| {
            let gate = load(tx, &id)?.map(|waiting| waiting.gate);
            let is_seen = sight == Sight::All || gate.as_ref().is_none_or(concerns);
            Ok(is_seen.then_some(gate))
        })
    }

    /// Gates in the order of their ids, which is that of their opening: in a state, if one is given, and behind an id; those
    /// that [`Kernel::gate`] would show.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn gates(
        &self,
        who: &Principal,
        state: Option<GateState>,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Gate>, KernelError> {
        let (kind, state) = (KIND.to_owned(), state.map(|state| state.name().to_owned()));
        let query = Query { kind, state, due_until_ms: None, after, limit };
        let concerns = self.concerns(who);
        self.look_through(who, GATES, query, |object| Ok(read(object)?.gate), move |_, gate| Ok(concerns(gate)))
    }

    /// Whether a gate has to do with somebody.
    fn concerns(&self, who: &Principal) -> impl Fn(&Gate) -> bool + Clone + Send + 'static + use<> {
        // Where nothing decides nobody is asked; but what was asked for somebody stays theirs.
        let (name, active, now) = (who.name(), self.active().ok(), self.shared.environment.now());
        move |gate| match &active {
            Some(active) => gate.concerns(&name, active.directory(), now),
            None => gate.requester == name,
        }
    }
}

/// Since when a gate is there, and whether it is over.
pub(super) fn age(object: &Object) -> Result<(Timestamp, bool), KernelError> {
    let gate = read(object.clone())?.gate;
    Ok((gate.opened, gate.state.is_final()))
}

/// Writes down that a gate has had its time, or which other groups are asked by now.
pub(super) fn time_out(tx: &mut dyn Tx, shared: &Shared, object: Object) -> Result<(), KernelError> {
    let now = shared.environment.now();
    let waiting = read(object)?;
    let told = match waiting.gate.expire(now) {
        told if told.refused == Some(Refused::NotYet) => waiting.gate.escalate(now),
        told => told,
    };
    keep(tx, shared, waiting, told, None)?;
    Ok(())
}
