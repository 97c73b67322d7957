//! What becomes of permits: issued with the decision, started once, ended or given up. Every step is an entry.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::engine::{Active, Kernel, Shared, put};
use super::entry::Kind;
use super::error::KernelError;
use super::id;
use super::log::append::Event;
use super::permit::{Claims, Permit, PermitState, Standing, Step};
use super::record::Principal;
use super::registry::text;
use super::store::{Object, Query, Tx};
use crate::base::hash::Digest;
use crate::data::timestamp::Timestamp;
use crate::vm::decision::Decision;
use crate::vm::decode::Options;
use crate::vm::digest::binding;

const KIND: &str = "permit";
/// How many permits one transaction of a sweep ends.
const SWEEP_MAX: u32 = 256;

/// What a permit is to be for.
#[derive(Debug)]
pub(super) struct Grant {
    action: String,
    binding: Digest,
    bundle: Digest,
    registry: u64,
}

impl Grant {
    /// For a request on this action, by its name on the wire, that was allowed.
    pub(super) fn new(active: &Active, action: &str, decision: &Decision) -> Result<Grant, KernelError> {
        let binding = decision.digests.binding;
        let binding = binding.ok_or_else(|| KernelError::Damaged("the digests of a decision".to_owned()))?;
        Ok(Grant { action: action.to_owned(), binding, bundle: active.bundle, registry: active.registry })
    }
}

/// Issues a permit, in the transaction of the decision.
pub(super) fn issue(tx: &mut dyn Tx, shared: &Shared, decision: &str, grant: Grant) -> Result<Permit, KernelError> {
    let Grant { action, binding, bundle, registry } = grant;
    let issued = shared.environment.now();
    let expires = issued.checked_add(shared.settings.start_within).map_err(|_| KernelError::Clock)?;
    let id = id::new("permit", &*shared.environment)?;
    let decision = decision.to_owned();
    let permit = shared.settings.issuer.issue(Claims {
        id,
        decision,
        action,
        binding,
        bundle,
        registry,
        gate: None,
        issued,
        expires,
    });
    let claims = permit.claims();
    let body = json!({
        "decision": claims.decision, "action": claims.action, "binding": claims.binding.to_string(),
        "bundle": claims.bundle.to_string(), "registry": claims.registry,
        "issued": claims.issued.to_string(), "expires": claims.expires.to_string(),
    });
    put(tx, KIND, &claims.id, 0, PermitState::Issued.name(), Some(claims.expires.millis()), &body)?;
    // What it is for stands in the entry of the decision, hidden there if it has to be.
    let told = json!({ "permit": claims.id, "action": claims.action, "expires": claims.expires.to_string() });
    tell(tx, shared, Kind::PermitIssued, &claims.decision, told)?;
    Ok(permit)
}

fn tell(tx: &mut dyn Tx, shared: &Shared, kind: Kind, decision: &str, body: Value) -> Result<(), KernelError> {
    let body = body.as_object().cloned().unwrap_or_else(Map::new);
    shared.log.append(tx, &*shared.environment, Event::new(kind, body).link("decision", decision))?;
    Ok(())
}

/// A permit as it is stored.
struct Stored {
    object: Object,
    body: Map<String, Value>,
    decision: String,
    standing: Standing,
}

fn stored(object: Object) -> Result<Stored, KernelError> {
    let read = |object: &Object| {
        let body: Map<String, Value> = serde_json::from_slice(&object.body).ok()?;
        let state = PermitState::parse(&object.state)?;
        // What has ended is due no more; then any time will do.
        let due = object.due_ms.map_or(Some(Timestamp::EPOCH), Timestamp::from_millis)?;
        let standing = Standing { state, binding: Digest::parse(text(&body, "binding")?)?, due };
        let decision = text(&body, "decision")?.to_owned();
        Some((body, decision, standing))
    };
    let (body, decision, standing) =
        read(&object).ok_or_else(|| KernelError::Damaged(format!("the permit {}", object.key)))?;
    Ok(Stored { object, body, decision, standing })
}

/// Takes a step, if there is one.
fn take(
    tx: &mut dyn Tx,
    shared: &Shared,
    object: Object,
    step: Step,
    told: Map<String, Value>,
) -> Result<PermitState, KernelError> {
    let now = shared.environment.now();
    let Stored { object, body, decision, standing } = stored(object)?;
    let state = standing.step(step, now)?;
    let due = match state {
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
    entry.insert("permit".to_owned(), object.key.clone().into());
    put(tx, KIND, &object.key, object.version, state.name(), due, &Value::Object(body))?;
    tell(tx, shared, kind, &decision, entry.into())?;
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
        let active = self.active()?;
        let binding = binding(active.world(), Options::STRICT, request);
        let binding = binding.map_err(|error| KernelError::Request(error.to_string()))?;
        self.step(who, &permit, Step::Start(binding))?;
        Ok(permit)
    }

    /// Says that what was started with a permit ran.
    ///
    /// # Errors
    /// Nothing was started with it, or it has ended already.
    pub fn complete(&self, who: &Principal, token: &str) -> Result<(), KernelError> {
        let permit = self.shared.verifier.check(token)?;
        self.step(who, &permit, Step::Complete)
    }

    /// Says that what was started with a permit failed.
    ///
    /// # Errors
    /// Nothing was started with it, or it has ended already.
    pub fn fail(&self, who: &Principal, token: &str) -> Result<(), KernelError> {
        let permit = self.shared.verifier.check(token)?;
        self.step(who, &permit, Step::Fail)
    }

    fn step(&self, who: &Principal, permit: &Permit, step: Step) -> Result<(), KernelError> {
        let (shared, id, told) = (Arc::clone(&self.shared), permit.claims().id.clone(), by(who));
        self.writer.submit(move |tx| {
            let object = tx.get(KIND, &id)?.ok_or(KernelError::UnknownPermit)?;
            take(tx, &shared, object, step, told).map(|_| ())
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

    /// Ends the permits whose time is over: those that nobody started expire, those that nobody ended are abandoned. Gives
    /// their ids with what became of them. To be called from time to time; nothing relies on when.
    ///
    /// # Errors
    /// The store failed; what was ended before that is not lost.
    pub fn sweep(&self) -> Result<Vec<(String, PermitState)>, KernelError> {
        let mut all = Vec::new();
        for state in [PermitState::Issued, PermitState::Started] {
            loop {
                let shared = Arc::clone(&self.shared);
                let mut ended = self.writer.submit(move |tx| sweep(tx, &shared, state))?;
                if ended.is_empty() {
                    break;
                }
                all.append(&mut ended);
            }
        }
        Ok(all)
    }
}

fn by(who: &Principal) -> Map<String, Value> {
    Map::from_iter([("principal".to_owned(), who.to_json())])
}

fn sweep(tx: &mut dyn Tx, shared: &Shared, state: PermitState) -> Result<Vec<(String, PermitState)>, KernelError> {
    let (kind, due_until_ms) = (KIND.to_owned(), Some(shared.environment.now().millis()));
    let due =
        tx.find(&Query { kind, state: Some(state.name().to_owned()), due_until_ms, after: None, limit: SWEEP_MAX })?;
    let mut ended = Vec::new();
    for object in due {
        let id = object.key.clone();
        ended.push((id, take(tx, shared, object, Step::TimeOut, Map::new())?));
    }
    Ok(ended)
}
