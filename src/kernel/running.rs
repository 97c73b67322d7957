//! What becomes of permits: issued with the decision, started once, ended or given up. Every step is an entry.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::admit::Allowed;
use super::ask::{Peek, peek};
use super::engine::{Kernel, Shared};
use super::entry::Kind;
use super::error::KernelError;
use super::govern::Sight;
use super::govern::act::Act;
use super::id;
use super::json::object::Object as Members;
use super::permit::{Claims, Permit, PermitState, Standing, Step, StepRefused};
use super::present;
use super::record::Principal;
use super::records::entry_of;
use super::registry::text;
use super::scope::{Ended, ScopeRefused};
use super::scopes::{self, Reserved};
use super::store::{Object, Query, Standing as Stands, Tx};
use crate::base::hash::Digest;
use crate::base::text::Text;
use crate::data::decimal::Decimal;
use crate::data::timestamp::Timestamp;
use crate::vm::decode::Options;
use crate::vm::digest::binding;

pub(super) const KIND: &str = "permit";
/// Room for most permits as they are stored.
const BODY_BYTES_USUAL: usize = 448;
/// What they are called where somebody wants to look at them.
const PERMITS: &str = "permits";

/// Issues a permit for what was allowed, in the transaction of the decision, and reserves what it needs of its scope.
pub(super) fn issue(tx: &mut dyn Tx, shared: &Shared, allowed: &Allowed<'_>) -> Result<Permit, KernelError> {
    let permit = make(shared, allowed)?;
    let due = permit.claims().expires;
    give(tx, shared, allowed, &permit, (PermitState::Issued, due))?;
    Ok(permit)
}

/// What a decision leaves whoever acts on it with at once: a permit, and whether it was started, or why not.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) permit: Permit,
    pub(super) reserved: Option<Reserved>,
    pub(super) started: Result<(), StepRefused>,
}

/// The same, and starts what it is for in the same transaction, for who runs it at once. Where something has to be done
/// before, nothing is started.
pub(super) fn begin(tx: &mut dyn Tx, shared: &Shared, allowed: &Allowed<'_>) -> Result<Begun, KernelError> {
    let permit = make(shared, allowed)?;
    let (claims, now) = (permit.claims(), shared.environment.now());
    let issued = Standing { state: PermitState::Issued, binding: claims.binding, due: claims.expires };
    let started = if allowed.obliges { None } else { Some(issued.step(Step::Start(allowed.binding), now)) };
    let Some(Ok(state)) = started else {
        let reserved = give(tx, shared, allowed, &permit, (PermitState::Issued, claims.expires))?;
        return Ok(Begun { started: started.map_or(Ok(()), |refused| refused.map(drop)), reserved, permit });
    };
    let until = now.checked_add(shared.settings.run_within).map_err(|_| KernelError::Clock)?;
    let reserved = give(tx, shared, allowed, &permit, (state, until))?;
    write_step(tx, shared, Kind::PermitStarted, (&claims.id, &claims.decision), By::Holder(allowed.who))?;
    Ok(Begun { permit, reserved, started: Ok(()) })
}

fn make(shared: &Shared, allowed: &Allowed<'_>) -> Result<Permit, KernelError> {
    let issued = shared.environment.now();
    let expires = issued.checked_add(shared.settings.start_within).map_err(|_| KernelError::Clock)?;
    Ok(shared.settings.issuer.issue(Claims {
        id: id::new("permit", &*shared.environment)?,
        decision: allowed.entry.to_owned(),
        action: allowed.said.action.clone(),
        binding: allowed.binding,
        bundle: allowed.active.bundle,
        registry: allowed.active.registry,
        gate: allowed.gate.map(str::to_owned),
        issued,
        expires,
    }))
}

/// Keeps a permit that is issued now, and tells of it.
fn give(
    tx: &mut dyn Tx,
    shared: &Shared,
    allowed: &Allowed<'_>,
    permit: &Permit,
    (state, due): (PermitState, Timestamp),
) -> Result<Option<Reserved>, KernelError> {
    let claims = permit.claims();
    let reserved = scopes::reserve(tx, shared, allowed)?;
    let body = kept(claims, reserved.as_ref());
    tx.create(KIND, &claims.id, (state.name(), Some(due.millis())), body.as_bytes())?;
    // What it is for stands in the entry of the decision, hidden there if it has to be.
    let told = |out: &mut Text| {
        let mut told = Members::new(out);
        told.text("action", &claims.action);
        told.time("expires", claims.expires);
        if let Some(gate) = &claims.gate {
            told.text("gate", gate);
        }
        told.text("permit", &claims.id);
        told.end();
    };
    let links = [("decision", &*claims.decision)];
    shared.log.write(tx, &*shared.environment, Kind::PermitIssued, &links, told)?;
    Ok(reserved)
}

/// The body of a permit as it is stored.
fn kept(claims: &Claims, reserved: Option<&Reserved>) -> Text {
    let mut out = Text::with_room(BODY_BYTES_USUAL);
    let mut body = Members::new(&mut out);
    body.text("action", &claims.action);
    body.digest("binding", &claims.binding);
    body.digest("bundle", &claims.bundle);
    body.text("decision", &claims.decision);
    body.time("expires", claims.expires);
    if let Some(gate) = &claims.gate {
        body.text("gate", gate);
    }
    body.time("issued", claims.issued);
    body.number("registry", claims.registry);
    if let Some(Reserved { scope, cost }) = reserved {
        let mut of = Members::new(body.member("scope"));
        of.text("cost", &cost.to_string());
        of.text("id", scope);
        of.end();
    }
    body.end();
    out
}

/// Who says that a permit takes a step.
#[derive(Clone, Copy)]
enum By<'a> {
    /// Its time is over.
    Time,
    /// Whoever acts with it.
    Holder(&'a Principal),
    /// An operator, who says how they know, with the entry of the decision by which they may.
    Operator { who: &'a Principal, reason: &'a str, allowed: &'a str },
}

/// Tells of a step of a permit, of this id and with this decision, and who says so.
fn write_step(
    tx: &mut dyn Tx,
    shared: &Shared,
    kind: Kind,
    (permit, decision): (&str, &str),
    by: By<'_>,
) -> Result<(), KernelError> {
    let told = |out: &mut Text| {
        let mut told = Members::new(out);
        told.text("permit", permit);
        match by {
            By::Time => {}
            By::Holder(who) => who.push(told.member("principal")),
            By::Operator { who, reason, .. } => {
                who.push(told.member("principal"));
                told.text("reason", reason);
            }
        }
        told.end();
    };
    let decided = ("decision", decision);
    match by {
        By::Operator { allowed, .. } => {
            shared.log.write(tx, &*shared.environment, kind, &[("allowed", allowed), decided], told)?
        }
        By::Time | By::Holder(_) => shared.log.write(tx, &*shared.environment, kind, &[decided], told)?,
    };
    Ok(())
}

/// A permit as it is stored.
struct Stored<'s> {
    id: Cow<'s, str>,
    version: u64,
    decision: Cow<'s, str>,
    standing: Standing,
    reserved: Option<Reserved>,
}

/// What a step has to know of a stored permit.
#[derive(Deserialize)]
struct Body<'b> {
    #[serde(borrow)]
    decision: Cow<'b, str>,
    #[serde(borrow)]
    binding: Cow<'b, str>,
    scope: Option<Value>,
}

fn stored(object: Object) -> Result<Stored<'static>, KernelError> {
    let read = |object: &Object| {
        let body: Body<'_> = serde_json::from_slice(&object.body).ok()?;
        let state = PermitState::parse(&object.state)?;
        let due = due(object.due_ms)?;
        let standing = Standing { state, binding: Digest::parse(&body.binding)?, due };
        let reserved = match &body.scope {
            Some(reserved) => Some(reserved_of(reserved)?),
            None => None,
        };
        Some((body.decision.into_owned(), standing, reserved))
    };
    let (decision, standing, reserved) = read(&object).ok_or_else(|| damaged(&object.key))?;
    let Object { key, version, .. } = object;
    Ok(Stored { id: key.into(), version, decision: decision.into(), standing, reserved })
}

/// What has ended is due no more; then any time will do.
fn due(due_ms: Option<i64>) -> Option<Timestamp> {
    due_ms.map_or(Some(Timestamp::EPOCH), Timestamp::from_millis)
}

#[cold]
fn damaged(permit: &str) -> KernelError {
    KernelError::Damaged(format!("the permit {permit}"))
}

/// The same of a permit that was begun here: what it is for is known, and what has become of it since is read.
fn stored_of(stands: Stands, claims: &Claims, reserved: Option<Reserved>) -> Result<Stored<'_>, KernelError> {
    let Stands { version, state, due_ms } = stands;
    let (Some(state), Some(due)) = (PermitState::parse(&state), due(due_ms)) else { return Err(damaged(&claims.id)) };
    let standing = Standing { state, binding: claims.binding, due };
    let (id, decision) = (Cow::from(&*claims.id), Cow::from(&*claims.decision));
    Ok(Stored { id, version, decision, standing, reserved })
}

fn reserved_of(body: &Value) -> Option<Reserved> {
    let body = body.as_object()?;
    Some(Reserved { scope: text(body, "id")?.to_owned(), cost: Decimal::parse(text(body, "cost")?).ok()? })
}

/// Takes a step, if there is one. What ran at another cost than was reserved says so.
fn take(
    tx: &mut dyn Tx,
    shared: &Shared,
    stored: Stored<'_>,
    step: Step,
    cost: Option<Decimal>,
    by: By<'_>,
) -> Result<PermitState, KernelError> {
    let now = shared.environment.now();
    let Stored { id, version, decision, standing, reserved } = stored;
    let state = standing.step(step, now)?;
    let due_ms = match state {
        PermitState::Started => {
            let until = now.checked_add(shared.settings.run_within).map_err(|_| KernelError::Clock)?;
            Some(until.millis())
        }
        _ => None,
    };
    let kind = match state {
        PermitState::Issued => Kind::PermitIssued,
        PermitState::Started => Kind::PermitStarted,
        PermitState::Completed => Kind::PermitCompleted,
        PermitState::Failed => Kind::PermitFailed,
        PermitState::Abandoned => Kind::PermitAbandoned,
        PermitState::Expired => Kind::PermitExpired,
    };
    // What it is for stays as it was written.
    tx.turn(KIND, &id, version, (state.name(), due_ms))?;
    write_step(tx, shared, kind, (&id, &decision), by)?;
    let ended = |reserved: &Reserved| match state {
        PermitState::Issued | PermitState::Started => None,
        PermitState::Completed => Some(Ended::Spent(cost.unwrap_or(reserved.cost))),
        PermitState::Failed => Some(Ended::Failed),
        PermitState::Abandoned => Some(Ended::Unknown),
        PermitState::Expired => Some(Ended::NeverBegun),
    };
    if let Some(reserved) = &reserved
        && let Some(ended) = ended(reserved)
    {
        scopes::settle(tx, shared, reserved, ended, &decision)?;
    }
    Ok(state)
}

impl Kernel {
    /// Starts what a permit is for, once: for the request that it was issued for, and before it expires.
    ///
    /// The request is read with the bundle that is active now. If another schema makes it another request, or the entities
    /// that it names are there no more, it is refused.
    ///
    /// # Errors
    /// Why it may not run. Nothing may be run then.
    pub fn start(&self, who: &Principal, token: &str, request: &[u8]) -> Result<Permit, KernelError> {
        let permit = self.shared.verifier.check(token)?;
        self.start_checked(who, &permit, request)?;
        Ok(permit)
    }

    fn start_checked(&self, who: &Principal, permit: &Permit, request: &[u8]) -> Result<(), KernelError> {
        let active = self.active()?;
        let peeked = peek(&active, request);
        let (shared, id, by) = (Arc::clone(&self.shared), permit.claims().id.clone(), who.clone());
        let request = request.to_vec();
        self.writer.submit(move |tx| {
            let request = match &peeked {
                Peek::Kept(touched) => present::request(tx, &active, touched, &request, shared.environment.now())?,
                Peek::Plain { .. } => request,
            };
            let binding = binding(active.world(), Options::STRICT, &request);
            let binding = binding.map_err(|error| KernelError::Request(error.to_string()))?;
            let object = tx.get(KIND, &id)?.ok_or(KernelError::UnknownPermit)?;
            take(tx, &shared, stored(object)?, Step::Start(binding), None, By::Holder(&by)).map(drop)
        })
    }

    /// The same permit, signed for an executor that checks it without the kernel; `None` if the issuer of the settings has
    /// no key to sign with. It is the same leave: whichever of its tokens comes first is started, once.
    #[must_use]
    pub fn signed(&self, permit: &Permit) -> Option<Permit> {
        self.shared.settings.issuer.sign(permit)
    }

    /// Says that what was started with a permit ran.
    ///
    /// # Errors
    /// Nothing was started with it, or it has ended already.
    pub fn complete(&self, who: &Principal, token: &str) -> Result<(), KernelError> {
        let permit = self.shared.verifier.check(token)?;
        self.step(who, &permit, Step::Complete, None)
    }

    /// The same of what cost something else than was reserved of its scope. More than was reserved is recorded as it is, and
    /// exhausts the scope.
    ///
    /// # Errors
    /// As of [`Kernel::complete`], or the cost is below zero.
    pub fn complete_at_cost(&self, who: &Principal, token: &str, cost: Decimal) -> Result<(), KernelError> {
        let permit = self.shared.verifier.check(token)?;
        // Also of what runs in no scope: nothing is recorded that can't be.
        if cost < Decimal::ZERO {
            return Err(KernelError::Scope(ScopeRefused::BadCost));
        }
        self.step(who, &permit, Step::Complete, Some(cost))
    }

    /// Says that what was started with a permit failed.
    ///
    /// # Errors
    /// Nothing was started with it, or it has ended already.
    pub fn fail(&self, who: &Principal, token: &str) -> Result<(), KernelError> {
        let permit = self.shared.verifier.check(token)?;
        self.step(who, &permit, Step::Fail, None)
    }

    /// The next step of a permit whose token need not be checked.
    fn step(&self, who: &Principal, permit: &Permit, step: Step, cost: Option<Decimal>) -> Result<(), KernelError> {
        let (shared, id, by) = (Arc::clone(&self.shared), permit.claims().id.clone(), who.clone());
        self.writer.submit(move |tx| {
            let object = tx.get(KIND, &id)?.ok_or(KernelError::UnknownPermit)?;
            take(tx, &shared, stored(object)?, step, cost, By::Holder(&by)).map(drop)
        })
    }

    /// Says how ended what was begun here, with what was reserved for it.
    pub(super) fn end(
        &self,
        who: &Principal,
        permit: &Permit,
        reserved: Option<Reserved>,
        step: Step,
    ) -> Result<(), KernelError> {
        let (shared, claims, by) = (Arc::clone(&self.shared), permit.claims_shared(), who.clone());
        self.writer.submit(move |tx| {
            let stands = tx.standing(KIND, &claims.id)?.ok_or(KernelError::UnknownPermit)?;
            take(tx, &shared, stored_of(stands, &claims, reserved)?, step, None, By::Holder(&by)).map(drop)
        })
    }

    /// What has become of a permit; `None` if there is none of this id. For whom it was issued to, and for operators whose
    /// role it is.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn permit_state(&self, who: &Principal, id: &str) -> Result<Option<PermitState>, KernelError> {
        let (by, id) = (who.clone(), id.to_owned());
        self.look(who, PERMITS, move |tx, _, sight| {
            let Some(object) = tx.get(KIND, &id)? else { return Ok(Some(None)) };
            let permit = issued(object)?;
            let is_seen = sight == Sight::All || is_of(tx, &permit, &by)?;
            Ok(is_seen.then_some(Some(permit.state)))
        })
    }
}

/// A permit as it is kept: what it is for, and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Its id.
    pub id: String,
    /// What has become of it.
    pub state: PermitState,
    /// The action, by its name on the wire.
    pub action: String,
    /// The id of the entry of the decision.
    pub decision: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// When its time is over, unless it has ended.
    pub due: Option<Timestamp>,
    /// The gate that was spent for it.
    pub gate: Option<String>,
    /// The scope that it runs in, and what is reserved there.
    pub scope: Option<(String, Decimal)>,
}

fn issued(object: Object) -> Result<Issued, KernelError> {
    let body: Option<Map<String, Value>> = serde_json::from_slice(&object.body).ok();
    let due_ms = object.due_ms;
    let Stored { id, decision, standing, reserved, .. } = stored(object)?;
    let body = body.unwrap_or_default();
    let damaged = || damaged(&id);
    Ok(Issued {
        state: standing.state,
        action: text(&body, "action").ok_or_else(damaged)?.to_owned(),
        decision: decision.into_owned(),
        issued: text(&body, "issued").and_then(|time| Timestamp::parse(time).ok()).ok_or_else(damaged)?,
        due: due_ms.map(|_| standing.due),
        gate: text(&body, "gate").map(str::to_owned),
        scope: reserved.map(|reserved| (reserved.scope, reserved.cost)),
        id: id.into_owned(),
    })
}

impl Kernel {
    /// Permits in the order of their ids, which is that of their issuing: in a state, if one is given, and behind an id.
    /// Operators whose role it is see all of them, others those that were issued to them.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn permits(
        &self,
        who: &Principal,
        state: Option<PermitState>,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Issued>, KernelError> {
        let (kind, state) = (KIND.to_owned(), state.map(|state| state.name().to_owned()));
        let query = Query { kind, state, due_until_ms: None, after, limit };
        let by = who.clone();
        self.look_through(who, PERMITS, query, issued, move |tx, permit| is_of(tx, permit, &by))
    }
}

/// Whether a permit was issued to somebody, as the entry of its decision says. Of an entry that the log has dropped nobody
/// knows.
fn is_of(tx: &mut dyn Tx, permit: &Issued, who: &Principal) -> Result<bool, KernelError> {
    let entry = entry_of(tx, &permit.decision)?;
    Ok(entry.is_some_and(|entry| entry.body.get("principal") == Some(&who.to_json())))
}

/// What became of work that nobody ended, as somebody says who looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran, and cost this much; what was reserved of its scope, if nobody knows better.
    Completed(Option<Decimal>),
    /// It failed.
    Failed,
}

impl Outcome {
    /// Its name in the policy.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Completed(_) => "completed",
            Outcome::Failed => "failed",
        }
    }
}

impl Kernel {
    /// Says what became of work that was started with a permit and that nobody ended: whoever ran it is gone, and somebody
    /// has looked. Its scope is settled by that. For operators whose role it is; a program can't look.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]; there is no such permit; nothing was started with it, or it has ended, also by the time
    /// that it had.
    pub fn settle_permit(&self, who: &Principal, id: &str, outcome: Outcome, reason: &str) -> Result<(), KernelError> {
        let act = Act::settle(id, outcome, reason);
        let (step, cost) = match outcome {
            Outcome::Completed(Some(cost)) if cost < Decimal::ZERO => {
                return self.refuse_act(who, act, KernelError::Scope(ScopeRefused::BadCost));
            }
            Outcome::Completed(cost) => (Step::Complete, cost),
            Outcome::Failed => (Step::Fail, None),
        };
        let (id, by, reason) = (id.to_owned(), who.clone(), reason.to_owned());
        self.govern(who, act, move |tx, shared, allowed| {
            let object = tx.get(KIND, &id)?.ok_or(KernelError::UnknownPermit)?;
            let by = By::Operator { who: &by, reason: &reason, allowed };
            take(tx, shared, stored(object)?, step, cost, by).map(drop)
        })
    }
}

/// Since when a permit is there, and whether it is over.
pub(super) fn age(object: &Object) -> Result<(Timestamp, bool), KernelError> {
    let permit = issued(object.clone())?;
    Ok((permit.issued, permit.state.is_final()))
}

/// Ends a permit whose time is over: nobody started it, or nobody said how it ended.
pub(super) fn time_out(tx: &mut dyn Tx, shared: &Shared, object: Object) -> Result<PermitState, KernelError> {
    take(tx, shared, stored(object)?, Step::TimeOut, None, By::Time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::json::canonical;

    #[test]
    fn a_permit_is_kept_in_canonical_form_with_all_that_it_is_for() {
        let time = |text| Timestamp::parse(text).expect("it is a time");
        let claims = Claims {
            id: "permit_1".to_owned(),
            decision: "ent_1".to_owned(),
            action: "a \"b\"".to_owned(),
            binding: Digest::of(b"binding"),
            bundle: Digest::of(b"bundle"),
            registry: 7,
            gate: None,
            issued: time("2026-11-20T10:00:00Z"),
            expires: time("2026-11-20T10:01:00.5Z"),
        };
        let cost = Decimal::parse("12.5").expect("it is a number");
        let reserved = Reserved { scope: "scope_1".to_owned(), cost };
        for (gate, reserved) in [(None, None), (Some("gate_1"), Some(reserved))] {
            let claims = Claims { gate: gate.map(str::to_owned), ..claims.clone() };
            let body = kept(&claims, reserved.as_ref()).into_bytes();
            let value: Value = serde_json::from_slice(&body).expect("it is JSON");
            assert_eq!(canonical(&value).as_bytes(), body);
            let object = Object {
                kind: KIND.to_owned(),
                key: claims.id.clone(),
                version: 1,
                state: "issued".to_owned(),
                due_ms: Some(claims.expires.millis()),
                body,
            };
            // What is read of it is what is known without reading it.
            let stands = Stands { version: 1, state: object.state.clone(), due_ms: object.due_ms };
            let (read, known) = (stored(object.clone()), stored_of(stands, &claims, reserved.clone()));
            let (read, known) = (read.expect("it is whole"), known.expect("it is whole"));
            assert_eq!((read.id, read.version), (known.id, known.version));
            assert_eq!((read.decision, read.standing), (known.decision, known.standing));
            assert_eq!((&read.reserved, known.reserved), (&reserved, reserved.clone()));
            let issued = issued(object).expect("it is whole");
            assert_eq!((issued.issued, issued.gate), (claims.issued, claims.gate));
        }
    }
}
