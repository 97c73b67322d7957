//! What becomes of permits: issued with the decision, started once, ended or given up. Every step is an entry.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::admit::Allowed;
use super::ask::{Peek, peek};
use super::engine::{Kernel, Shared, put};
use super::entry::Kind;
use super::error::KernelError;
use super::id;
use super::log::append::Event;
use super::permit::{Claims, Permit, PermitState, Standing, Step};
use super::present;
use super::record::Principal;
use super::registry::text;
use super::scope::{Ended, ScopeRefused};
use super::scopes::{self, Reserved};
use super::store::{Object, Query, Tx};
use crate::base::hash::Digest;
use crate::data::decimal::Decimal;
use crate::data::timestamp::Timestamp;
use crate::vm::decode::Options;
use crate::vm::digest::binding;

pub(super) const KIND: &str = "permit";

/// Issues a permit for what was allowed, in the transaction of the decision, and reserves what it needs of its scope.
pub(super) fn issue(tx: &mut dyn Tx, shared: &Shared, allowed: &Allowed<'_>) -> Result<Permit, KernelError> {
    let issued = shared.environment.now();
    let expires = issued.checked_add(shared.settings.start_within).map_err(|_| KernelError::Clock)?;
    let reserved = scopes::reserve(tx, shared, allowed)?;
    let permit = shared.settings.issuer.issue(Claims {
        id: id::new("permit", &*shared.environment)?,
        decision: allowed.entry.to_owned(),
        action: allowed.said.action.clone(),
        binding: allowed.binding,
        bundle: allowed.active.bundle,
        registry: allowed.active.registry,
        gate: allowed.gate.map(str::to_owned),
        issued,
        expires,
    });
    let claims = permit.claims();
    let expires = claims.expires.to_string();
    // What it is for stands in the entry of the decision, hidden there if it has to be.
    let mut told = Map::with_capacity(4);
    add(&mut told, "action", claims.action.as_str());
    add(&mut told, "expires", expires.as_str());
    // The members of both in the order in which they are written.
    let mut body = Map::with_capacity(9);
    add(&mut body, "action", claims.action.as_str());
    add(&mut body, "binding", claims.binding.to_string());
    add(&mut body, "bundle", claims.bundle.to_string());
    add(&mut body, "decision", claims.decision.as_str());
    add(&mut body, "expires", expires);
    if let Some(gate) = &claims.gate {
        add(&mut body, "gate", gate.as_str());
        add(&mut told, "gate", gate.as_str());
    }
    add(&mut body, "issued", claims.issued.to_string());
    add(&mut body, "registry", claims.registry);
    if let Some(Reserved { scope, cost }) = reserved {
        add(&mut body, "scope", json!({ "cost": cost.to_string(), "id": scope }));
    }
    add(&mut told, "permit", claims.id.as_str());
    put(tx, KIND, &claims.id, 0, PermitState::Issued.name(), Some(claims.expires.millis()), &body.into())?;
    tell(tx, shared, Kind::PermitIssued, &claims.decision, told)?;
    Ok(permit)
}

fn add(members: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    members.insert(name.to_owned(), value.into());
}

fn tell(
    tx: &mut dyn Tx,
    shared: &Shared,
    kind: Kind,
    decision: &str,
    body: Map<String, Value>,
) -> Result<(), KernelError> {
    shared.log.append(tx, &*shared.environment, Event::new(kind, body).link("decision", decision))?;
    Ok(())
}

/// A permit as it is stored.
struct Stored {
    object: Object,
    decision: String,
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

fn stored(object: Object) -> Result<Stored, KernelError> {
    let read = |object: &Object| {
        let body: Body<'_> = serde_json::from_slice(&object.body).ok()?;
        let state = PermitState::parse(&object.state)?;
        // What has ended is due no more; then any time will do.
        let due = object.due_ms.map_or(Some(Timestamp::EPOCH), Timestamp::from_millis)?;
        let standing = Standing { state, binding: Digest::parse(&body.binding)?, due };
        let reserved = match &body.scope {
            Some(reserved) => Some(reserved_of(reserved)?),
            None => None,
        };
        Some((body.decision.into_owned(), standing, reserved))
    };
    let (decision, standing, reserved) =
        read(&object).ok_or_else(|| KernelError::Damaged(format!("the permit {}", object.key)))?;
    Ok(Stored { object, decision, standing, reserved })
}

fn reserved_of(body: &Value) -> Option<Reserved> {
    let body = body.as_object()?;
    Some(Reserved { scope: text(body, "id")?.to_owned(), cost: Decimal::parse(text(body, "cost")?).ok()? })
}

/// Takes a step, if there is one. What ran at another cost than was reserved says so.
fn take(
    tx: &mut dyn Tx,
    shared: &Shared,
    object: Object,
    step: Step,
    cost: Option<Decimal>,
    told: Map<String, Value>,
) -> Result<PermitState, KernelError> {
    let now = shared.environment.now();
    let Stored { object, decision, standing, reserved } = stored(object)?;
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
    let mut entry = told;
    add(&mut entry, "permit", object.key.as_str());
    // What it is for stays as it was written.
    tx.put(&Object { state: state.name().to_owned(), due_ms, ..object })?;
    tell(tx, shared, kind, &decision, entry)?;
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

    /// The same of a permit that was issued a moment ago for this very request. Its token need not be checked; and as long as
    /// it would be decided with the same bundle and the same registry, the request need not be read again to know what it
    /// is.
    pub(super) fn start_issued(&self, who: &Principal, permit: &Permit, request: &[u8]) -> Result<(), KernelError> {
        let (active, claims) = (self.active()?, permit.claims());
        let is_same = active.bundle == claims.bundle && active.registry == claims.registry;
        match peek(&active, request) {
            Peek::Plain { .. } if is_same => self.step(who, permit, Step::Start(claims.binding), None),
            _ => self.start_checked(who, permit, request),
        }
    }

    fn start_checked(&self, who: &Principal, permit: &Permit, request: &[u8]) -> Result<(), KernelError> {
        let active = self.active()?;
        let peeked = peek(&active, request);
        let (shared, id, told) = (Arc::clone(&self.shared), permit.claims().id.clone(), by(who));
        let request = request.to_vec();
        self.writer.submit(move |tx| {
            let request = match &peeked {
                Peek::Kept(touched) => present::request(tx, &active, touched, &request, shared.environment.now())?,
                Peek::Plain { .. } => request,
            };
            let binding = binding(active.world(), Options::STRICT, &request);
            let binding = binding.map_err(|error| KernelError::Request(error.to_string()))?;
            let object = tx.get(KIND, &id)?.ok_or(KernelError::UnknownPermit)?;
            take(tx, &shared, object, Step::Start(binding), None, told).map(|_| ())
        })
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
    pub(super) fn step(
        &self,
        who: &Principal,
        permit: &Permit,
        step: Step,
        cost: Option<Decimal>,
    ) -> Result<(), KernelError> {
        let (shared, id, told) = (Arc::clone(&self.shared), permit.claims().id.clone(), by(who));
        self.writer.submit(move |tx| {
            let object = tx.get(KIND, &id)?.ok_or(KernelError::UnknownPermit)?;
            take(tx, &shared, object, step, cost, told).map(|_| ())
        })
    }

    /// What has become of a permit; `None` if there is none of this id.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn permit_state(&self, id: &str) -> Result<Option<PermitState>, KernelError> {
        let id = id.to_owned();
        self.read(move |tx| match tx.get(KIND, &id)? {
            Some(object) => Ok(Some(stored(object)?.standing.state)),
            None => Ok(None),
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
    let Stored { object, decision, standing, reserved } = stored(object)?;
    let body = body.unwrap_or_default();
    let damaged = || KernelError::Damaged(format!("the permit {}", object.key));
    Ok(Issued {
        state: standing.state,
        action: text(&body, "action").ok_or_else(damaged)?.to_owned(),
        decision,
        issued: text(&body, "issued").and_then(|time| Timestamp::parse(time).ok()).ok_or_else(damaged)?,
        due: object.due_ms.map(|_| standing.due),
        gate: text(&body, "gate").map(str::to_owned),
        scope: reserved.map(|reserved| (reserved.scope, reserved.cost)),
        id: object.key,
    })
}

impl Kernel {
    /// Permits in the order of their ids, which is that of their issuing: in a state, if one is given, and behind an id.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn permits(
        &self,
        state: Option<PermitState>,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Issued>, KernelError> {
        let (kind, state) = (KIND.to_owned(), state.map(|state| state.name().to_owned()));
        let query = Query { kind, state, due_until_ms: None, after, limit };
        self.read(move |tx| tx.find(&query)?.into_iter().map(issued).collect())
    }
}

fn by(who: &Principal) -> Map<String, Value> {
    Map::from_iter([("principal".to_owned(), who.to_json())])
}

/// Ends a permit whose time is over: nobody started it, or nobody said how it ended.
pub(super) fn time_out(tx: &mut dyn Tx, shared: &Shared, object: Object) -> Result<PermitState, KernelError> {
    take(tx, shared, object, Step::TimeOut, None, Map::new())
}
