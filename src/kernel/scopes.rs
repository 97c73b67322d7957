//! Scopes in the store: made by a decision, reserved with a permit, settled when it has ended.
//!
//! What becomes of a scope is for [`scope`](super::scope), which is pure; here it is kept. An action is scoped if a fact of
//! its context is a scope (`src/kernel/touch.rs`); what it costs is its caller's `cost`. With the permit of such an action
//! its attempt and its cost are reserved, in the same transaction in which it was decided; when the permit ends, they are
//! settled. So what policy saw is what is reserved from, and nobody overspends.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::admit::{Allowed, Wanted};
use super::ask::Verdict;
use super::engine::{Kernel, Shared};
use super::entry::Kind;
use super::error::KernelError;
use super::govern::Sight;
use super::govern::act::Act;
use super::id;
use super::json::canonical;
use super::log::append::Event;
use super::members::{self, one};
use super::present::Given;
use super::record::Principal;
use super::scope::{Ended, Reservation, Scope, ScopeStatus};
use super::store::{Object, Query, Tx};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;

/// The caller's field that names a scope.
pub(super) const ID_FIELD: &str = "scope_id";
pub(super) const KIND: &str = "scope";
/// What they are called where somebody wants to look at them.
const SCOPES: &str = "scopes";

// What a new scope is where its maker says nothing: as `cost_asked`, `attempts_asked` and `ttl_asked` of `std.scopes`.
const COST_DEFAULT: &str = "0.5";
const ATTEMPTS_DEFAULT: u32 = 1;
const TTL_DEFAULT: Duration = Duration(300_000);

/// What a request says of the scope that it runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// The id that it names.
    pub(super) scope: Option<String>,
    /// What it may cost: nothing, where the request has no cost.
    pub(super) cost: Decimal,
}

/// Those of a context in canonical form; none if it is not in that form.
pub(super) fn terms(context: &str) -> Option<Terms> {
    let context = members::read(context.as_bytes()).ok()?;
    let scope = match one(&context, ID_FIELD) {
        Some(scope) => Some(members::text(scope)?),
        None => None,
    };
    let cost = match one(&context, "cost") {
        Some(cost) => Decimal::parse_json(cost.get()).ok()?,
        None => Decimal::ZERO,
    };
    Some(Terms { scope, cost })
}

/// The scope of an id.
pub(super) fn find(tx: &mut dyn Tx, id: &str) -> Result<Option<Scope>, KernelError> {
    Ok(stored(tx, id)?.map(|(_, scope)| scope))
}

fn stored(tx: &mut dyn Tx, id: &str) -> Result<Option<(u64, Scope)>, KernelError> {
    tx.get(KIND, id)?.map(|object| Ok((object.version, read(&object)?))).transpose()
}

fn read(object: &Object) -> Result<Scope, KernelError> {
    let scope = Scope::from_body(&object.body).filter(|scope| scope.id == object.key);
    scope.ok_or_else(|| KernelError::Damaged(format!("the scope {}", object.key)))
}

fn write(tx: &mut dyn Tx, version: u64, scope: &Scope) -> Result<(), KernelError> {
    // It is looked at again when its time is over.
    let is_active = scope.status == ScopeStatus::Active;
    tx.put(&Object {
        kind: KIND.to_owned(),
        key: scope.id.clone(),
        version,
        state: scope.status.name().to_owned(),
        due_ms: is_active.then(|| scope.expires_at.millis().saturating_add(1)),
        body: canonical(&scope.to_body()).into_bytes(),
    })?;
    Ok(())
}

fn tell(tx: &mut dyn Tx, shared: &Shared, kind: Kind, entry: Option<&str>, body: Value) -> Result<(), KernelError> {
    let mut event = Event::new(kind, body.as_object().cloned().unwrap_or_default());
    if let Some(entry) = entry {
        event = event.link("decision", entry);
    }
    shared.log.append(tx, &*shared.environment, event)?;
    Ok(())
}

/// What a permit has set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reserved {
    pub(super) scope: String,
    pub(super) cost: Decimal,
}

/// Sets aside what an allowed request needs of its scope, if it runs in one.
pub(super) fn reserve(
    tx: &mut dyn Tx,
    shared: &Shared,
    allowed: &Allowed<'_>,
) -> Result<Option<Reserved>, KernelError> {
    let Some(id) = allowed.scope else { return Ok(None) };
    let terms = terms(&allowed.said.context).ok_or_else(|| KernelError::Damaged("a canonical text".to_owned()))?;
    let (version, scope) = stored(tx, id)?.ok_or(KernelError::UnknownScope)?;
    let (scope, reservation) = scope.reserve(terms.cost, shared.environment.now())?;
    write(tx, version, &scope)?;
    let body = json!({ "scope": id, "cost": reservation.cost.to_string() });
    tell(tx, shared, Kind::ScopeReserved, Some(allowed.entry), body)?;
    Ok(Some(Reserved { scope: id.to_owned(), cost: reservation.cost }))
}

/// Settles what was set aside, when what it was for has ended.
pub(super) fn settle(
    tx: &mut dyn Tx,
    shared: &Shared,
    reserved: &Reserved,
    ended: Ended,
    decision: &str,
) -> Result<(), KernelError> {
    let id = &reserved.scope;
    // A scope is not forgotten while something runs in it.
    let (version, before) = stored(tx, id)?.ok_or_else(|| KernelError::Damaged(format!("the scope {id}")))?;
    let scope = before.settle(Reservation { cost: reserved.cost }, ended)?;
    write(tx, version, &scope)?;
    let (kind, cost) = match ended {
        Ended::Spent(cost) => (Kind::ScopeCommitted, cost),
        Ended::Unknown => (Kind::ScopeCommitted, reserved.cost),
        Ended::Failed | Ended::NeverBegun => (Kind::ScopeRefunded, reserved.cost),
    };
    let attempt = if ended == Ended::NeverBegun { 0 } else { 1 };
    let body = json!({ "scope": id, "cost": cost.to_string(), "attempts": attempt });
    tell(tx, shared, kind, Some(decision), body)?;
    ended_now(tx, shared, &before, &scope)
}

/// Tells the log of a scope that is over, and was not before.
fn ended_now(tx: &mut dyn Tx, shared: &Shared, before: &Scope, scope: &Scope) -> Result<(), KernelError> {
    if scope.status == before.status || scope.status == ScopeStatus::Active {
        return Ok(());
    }
    let body = json!({ "scope": scope.id, "status": scope.status.name() });
    tell(tx, shared, Kind::ScopeEnded, None, body)
}

/// An answer on a scope, and the scope as it is then, if the answer is ALLOW.
#[derive(Clone, Debug, PartialEq)]
pub struct Scoping {
    /// The answer. No permit comes with it: what was asked for is done.
    pub verdict: Verdict,
    /// The scope.
    pub scope: Option<Scope>,
}

/// What somebody says who makes a scope: the context of `std.scopes.scope_creating`.
#[derive(Debug, Deserialize)]
struct Making {
    incident: String,
    allowed_actions: BTreeSet<String>,
    max_cost: Option<Box<serde_json::value::RawValue>>,
    max_attempts: Option<u32>,
    ttl: Option<String>,
    intent: Option<String>,
    target_agents: Option<BTreeSet<String>>,
}

fn made(who: &Principal, allowed: &Allowed<'_>, id: String, now: Timestamp) -> Result<Scope, KernelError> {
    let no_scope = |why: &str| KernelError::Request(format!("it makes no scope: {why}"));
    let making: Making = serde_json::from_str(&allowed.said.context).map_err(|why| no_scope(&why.to_string()))?;
    let cost = making.max_cost.as_ref().map_or(COST_DEFAULT, |cost| cost.get());
    let max_cost = Decimal::parse_json(cost).map_err(|why| no_scope(&why.to_string()))?;
    let ttl = match &making.ttl {
        Some(text) => Duration::parse_json(text).map_err(|why| no_scope(&why.to_string()))?,
        None => TTL_DEFAULT,
    };
    if max_cost < Decimal::ZERO || ttl.0 < 0 {
        return Err(no_scope("nobody can spend less than nothing"));
    }
    Ok(Scope {
        id,
        incident: making.incident,
        allowed_actions: making.allowed_actions,
        max_cost,
        max_attempts: making.max_attempts.unwrap_or(ATTEMPTS_DEFAULT),
        expires_at: now.checked_add(ttl).map_err(|_| KernelError::Clock)?,
        intent: making.intent.unwrap_or_default(),
        target_agents: making.target_agents.unwrap_or_default(),
        created_at: now,
        created_by: allowed.said.subject.id.clone(),
        principal: Some(who.clone()),
        attempts_used: 0,
        cost_used: Decimal::ZERO,
        attempts_reserved: 0,
        cost_reserved: Decimal::ZERO,
        status: ScopeStatus::Active,
    })
}

impl Kernel {
    /// Makes a scope, if policy allows the request: one of an action in the group `scope_creating` of `std.scopes`. Its
    /// maker is the request's subject. What the request leaves out is as the library has it: one attempt, half a dollar,
    /// five minutes.
    #[must_use]
    pub fn create_scope(&self, who: &Principal, request: &[u8], facts: Option<&[u8]>) -> Scoping {
        let by = who.clone();
        self.scoping(who, request, facts, move |tx, shared, allowed| {
            let now = shared.environment.now();
            let scope = made(&by, allowed, id::new("scope", &*shared.environment)?, now)?;
            write(tx, 0, &scope)?;
            tell(tx, shared, Kind::ScopeCreated, Some(allowed.entry), scope.to_body())?;
            Ok(scope)
        })
    }

    /// Ends a scope, if policy allows the request: one of an action in the group `scope_stepping` of `std.scopes`, which
    /// names the scope and what is `to` become of it. No step makes a scope active again.
    #[must_use]
    pub fn end_scope(&self, who: &Principal, request: &[u8], facts: Option<&[u8]>) -> Scoping {
        self.scoping(who, request, facts, |tx, shared, allowed| {
            let id = allowed.scope.ok_or(KernelError::UnknownScope)?;
            let to = to(&allowed.said.context)
                .ok_or_else(|| KernelError::Request("it does not say what is `to` become of the scope".to_owned()))?;
            let (version, before) = stored(tx, id)?.ok_or(KernelError::UnknownScope)?;
            let scope = before.end(to)?;
            write(tx, version, &scope)?;
            let body = json!({ "scope": scope.id, "status": scope.status.name() });
            tell(tx, shared, Kind::ScopeEnded, Some(allowed.entry), body)?;
            Ok(scope)
        })
    }

    /// Takes a scope back: for operators whose role it is, whatever the policies of the bundle say. What runs in it is
    /// settled when it ends.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or there is no such scope.
    pub fn revoke_scope(&self, who: &Principal, id: &str, reason: &str) -> Result<Scope, KernelError> {
        let (act, id, reason) = (Act::revoke_scope(id, reason), id.to_owned(), reason.to_owned());
        self.govern(who, act, move |tx, shared, allowed| {
            let (version, before) = stored(tx, &id)?.ok_or(KernelError::UnknownScope)?;
            let scope = before.revoke();
            write(tx, version, &scope)?;
            let body = json!({ "scope": scope.id, "status": scope.status.name(), "reason": reason });
            let event = Event::new(Kind::ScopeEnded, body.as_object().cloned().unwrap_or_default());
            shared.log.append(tx, &*shared.environment, event.link("allowed", allowed))?;
            Ok(scope)
        })
    }

    fn scoping(
        &self,
        who: &Principal,
        request: &[u8],
        facts: Option<&[u8]>,
        follow: impl FnOnce(&mut dyn Tx, &Shared, &Allowed<'_>) -> Result<Scope, KernelError> + Send + 'static,
    ) -> Scoping {
        let wanted = Wanted {
            who: who.clone(),
            request: request.to_vec(),
            facts: facts.map(<[u8]>::to_vec),
            gate: None,
            given: Given::Refused,
            effects: None,
            // A policy is tried on what others do. What the kernel keeps is changed only if it is allowed.
            modes: Arc::default(),
        };
        let (verdict, scope) = self.answer_to(wanted, follow);
        Scoping { verdict, scope }
    }

    /// The scope of an id, as it is stored; see [`Scope::status_at`]. For whom it was made for, and for operators whose role
    /// it is.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn scope(&self, who: &Principal, id: &str) -> Result<Option<Scope>, KernelError> {
        let (by, id) = (who.clone(), id.to_owned());
        self.look(who, SCOPES, move |tx, _, sight| {
            let scope = find(tx, &id)?;
            let is_seen =
                sight == Sight::All || scope.as_ref().is_none_or(|scope| scope.principal.as_ref() == Some(&by));
            Ok(is_seen.then_some(scope))
        })
    }

    /// Scopes in the order in which they were made: in a stored state, if one is given, and behind an id; those that
    /// [`Kernel::scope`] would show.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn scopes(
        &self,
        who: &Principal,
        status: Option<ScopeStatus>,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Scope>, KernelError> {
        let (kind, state) = (KIND.to_owned(), status.map(|status| status.name().to_owned()));
        let query = Query { kind, state, due_until_ms: None, after, limit };
        let by = who.clone();
        let own = move |_: &mut dyn Tx, scope: &Scope| Ok(scope.principal.as_ref() == Some(&by));
        self.look_through(who, SCOPES, query, |object| read(&object), own)
    }
}

/// What is to become of a scope, by a context in canonical form.
fn to(context: &str) -> Option<ScopeStatus> {
    let context = members::read(context.as_bytes()).ok()?;
    ScopeStatus::parse(&members::text(one(&context, "to")?)?)
}

/// Since when a scope is there, and whether it is over. It is not while something runs in it.
pub(super) fn age(object: &Object) -> Result<(Timestamp, bool), KernelError> {
    let scope = read(object)?;
    Ok((scope.created_at, scope.status != ScopeStatus::Active && scope.attempts_reserved == 0))
}

/// Writes down that a scope has had its time.
pub(super) fn time_out(tx: &mut dyn Tx, shared: &Shared, object: Object) -> Result<(), KernelError> {
    let before = read(&object)?;
    let scope = before.end(ScopeStatus::Expired)?;
    write(tx, object.version, &scope)?;
    ended_now(tx, shared, &before, &scope)
}
